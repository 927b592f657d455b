"""QUIC by a process of its own, for a process that lives for months: aioquic and what it takes would stay in memory (12 MB),
and it is asked for a dozen times an hour. Such a process lives for a second and costs half a second of CPU.

What goes between the two is pickled, through pipes, and nobody else has a hand in them. The wire there is this host's; it is
told by which of our addresses flows leave, and through which translator.
"""

from __future__ import annotations

import asyncio
import importlib.util
import pickle
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probe.observations import Operation
    from probe.wire import Wire

_STARTS_S = 20.0
"""On a small machine under load; what is measured begins after it."""


def is_installed() -> bool:
    """Whether aioquic is there; it is not imported."""
    return importlib.util.find_spec("aioquic") is not None


async def ask(what: str, wire: Wire, *words: Any, deadline_s: float, **more: Any) -> Operation | None:
    """As the function *what* of :mod:`probe.instruments.quic`; ``None`` too where that process fails."""
    if not is_installed():
        return None
    said = pickle.dumps((what, (wire.source, wire.translator), words, {**more, "deadline_s": deadline_s}))
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "probe.instruments.quic_apart"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:  # no memory or no process left
        return None
    try:
        async with asyncio.timeout(deadline_s + _STARTS_S):
            heard, _ = await child.communicate(said)
        done: Operation | None = pickle.loads(heard)  # noqa: S301 - from ourselves
    except (OSError, EOFError, pickle.UnpicklingError):  # TimeoutError is an OSError
        return None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if done is None:
        return None
    # A replay dates by a clock of its own, which that process does not know.
    return replace(done, started_us=done.started_us + wire.now_us() - time.time_ns() // 1000)


def _main() -> None:
    from probe.instruments import quic
    from probe.wire import Wire

    what, (source, translator), words, more = pickle.load(sys.stdin.buffer)  # noqa: S301 - from ourselves
    wire = Wire()
    wire.source, wire.translator = source, translator
    sys.stdout.buffer.write(pickle.dumps(asyncio.run(getattr(quic, what)(wire, *words, **more))))


if __name__ == "__main__":
    _main()
