"""A hundred other services, through Apprise (the extra ``[notify]``), which is imported when it is first needed.

Apprise brings an HTTP client of its own and cannot be interrupted; it runs in a daemon thread that nothing waits for longer
than a message may take.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import threading
from collections.abc import Callable

from probe.daemon.telling.means import Means, Sent
from probe.daemon.telling.messages import Message
from probe.settings.notify import Channel

ABSENT = "Apprise is not installed here: install dalel with its extra, as in pip install 'dalel[notify]'"


def is_there() -> bool:
    """Whether Apprise can be imported; importing it would cost 15 MB of memory."""
    return importlib.util.find_spec("apprise") is not None


async def apprise(channel: Channel, message: Message, means: Means) -> Sent:
    """Hand *message* to Apprise. It says only whether it worked, so no more can be told of a failure."""
    if not is_there():
        return Sent(ok=False, refused=True, reached=False, said=ABSENT)
    try:
        async with asyncio.timeout(means.limits.message_s):
            return await _in_a_thread(lambda: _notify(channel, message))
    except TimeoutError:
        return Sent(ok=False, reached=False, said=f"Apprise took longer than {means.limits.message_s:g} s")


def _notify(channel: Channel, message: Message) -> Sent:
    import apprise

    # It would write to standard error, of what we say in a line of our own.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    told = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Dalel", app_desc="Dalel", secure_logging=True))
    if not told.add(channel.url or ""):
        return Sent(ok=False, refused=True, reached=False, said="Apprise does not know an address of this form")
    kind = apprise.NotifyType.WARNING if message.urgent else apprise.NotifyType.INFO
    worked = told.notify(title=message.title, body=message.text, notify_type=kind)
    return Sent(
        ok=bool(worked), reached=bool(worked), said="Apprise says that it was sent" if worked else "Apprise failed"
    )


async def _in_a_thread(work: Callable[[], Sent]) -> Sent:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Sent] = loop.create_future()

    def tell(outcome: Sent) -> None:
        if not done.done():
            done.set_result(outcome)

    def run() -> None:
        try:
            outcome = work()
        except Exception as error:  # somebody else's program: what it raises is not ours to know
            outcome = Sent(ok=False, said=f"Apprise broke ({type(error).__name__})")
        with contextlib.suppress(RuntimeError):  # the loop may be over
            loop.call_soon_threadsafe(tell, outcome)

    threading.Thread(target=run, name="dalel-apprise", daemon=True).start()
    return await done
