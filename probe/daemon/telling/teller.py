"""Tells people: what happened goes into the outbox, and from there through each channel when there is a way out.

The daemon makes one :class:`Teller`. Whenever the incident machine gives events it awaits :meth:`Teller.tell`; about once a
minute, and at once when the own side has come back, it runs :meth:`Teller.deliver` beside the measuring; now and then
:meth:`Teller.remind`. Nothing of the network raises here, and nothing here waits for longer than its limits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, TextIO

from probe.daemon.telling import local
from probe.daemon.telling.channels import send
from probe.daemon.telling.items import Item, ItemError, from_payload, reminder, to_payload
from probe.daemon.telling.means import Means, Sent
from probe.daemon.telling.messages import Style, compose
from probe.daemon.telling.parcels import MOST_WAITING, Parcel, is_quiet, next_try_us, sort
from probe.daemon.telling.times import Local, here
from probe.daemon.words import load
from probe.incidents.model import Incident
from probe.incidents.parts import Parts
from probe.settings.notify import Channel, Language, Notify
from storage import outbox
from storage.archive import Archive
from storage.errors import StorageError

_HOUR_US = 3600 * 1_000_000
_DAY_US = 24 * _HOUR_US
_ROUND_S = 300.0
"""One round of sending. What is left waits for the next one; a window of access may be short, and this is no part of it."""
_PATIENCE_US = {"widened": 60 * 1_000_000, "narrowed": 120 * 1_000_000}
"""Platforms go and come back one by one within minutes: what joins or leaves an incident waits a little for the others, and
goes at once with whatever else is told of it."""
_LOG = Channel(kind="log", name="log")


@dataclass(frozen=True, slots=True)
class Delivered:
    """One round: how many messages were sent, how many failed, how many wait for their time or for another round."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0


@dataclass(slots=True, kw_only=True)
class Teller:
    """``now_us`` is the daemon's clock. ``log`` gets a line of JSON for everything that is told, and for every failure."""

    notify: Notify
    language: Language
    archive: Archive
    means: Means
    now_us: Callable[[], int]
    log: TextIO
    terminal: TextIO | None = None
    local: Local = here
    parts: Parts = field(default_factory=Parts)
    _sending: bool = field(default=False, init=False)
    _unput: tuple[outbox.Message, ...] = field(default=(), init=False)
    """Messages that the outbox could not take yet."""
    _unkept: dict[int, dict[str, Any]] = field(default_factory=dict, init=False)
    """What became of messages (by number), as far as the database could not take it: fields of the outbox."""

    @property
    def remote(self) -> tuple[Channel, ...]:
        return tuple(channel for channel in self.notify.channels if channel.is_remote)

    @property
    def is_behind(self) -> bool:
        """Whether there is something that the outbox could not take yet: a process that falls now takes it with it."""
        return bool(self._unput)

    # what happens

    async def tell(self, items: Sequence[Item]) -> None:
        """Say *items* here at once, and keep them for the other channels. Returns when they are on the disk, with what was not
        before, or :attr:`is_behind` says that they are not.
        """
        now_us = self.now_us()
        for together in _by_moment(items):
            self._say_here(together, now_us)
        if self._is_quiet(now_us, later=False):
            items = ()
        rows = [
            outbox.Message(
                made_us=now_us,
                incident=item.incident.id,
                channel=channel.name,
                payload=to_payload(item),
                next_us=now_us + _PATIENCE_US.get(item.kind, 0),
            )
            for item in items
            for channel in self.remote
            if not channel.events or item.kind in channel.events
        ]
        await self._put(rows)

    async def _put(self, rows: Sequence[outbox.Message]) -> None:
        """Into the outbox, with what it could not take before: a backup may hold the database for a minute."""
        are_new, rows, self._unput = bool(rows), (*self._unput, *rows), ()
        if not rows:
            return
        try:
            await asyncio.wrap_future(outbox.put(self.archive, rows))
        except StorageError as error:
            if are_new:
                self._note("not_kept", "", said=str(error))
            self._unput = (*rows, *self._unput)[-MOST_WAITING:]

    async def tell_missed(self, items: Sequence[Item]) -> None:
        """Tell those of *items* that no message was ever made of: for the start, after a crash in between.

        What is older than a day is left out: it may be of a time in which nobody was to be told. What seems to come from the
        future is not: its time is corrected, and this computer's clock may be behind.
        """
        now_us = self.now_us()
        recent = [item for item in items if now_us - item.at_us < _DAY_US]
        known = await self._known([item.incident.id for item in recent])
        await self.tell([item for item in recent if item.id not in known])

    async def remind(self, incidents: Sequence[Incident]) -> None:
        """Say of those *incidents* that are open that they go on, every so many hours."""
        every_us = round(self.notify.remind_hours * _HOUR_US)
        if every_us == 0 or not self.remote:
            return
        now_us = self.now_us()
        due = [
            reminder(incident, number, now_us)
            for incident in incidents
            if incident.state == "open"
            and (number := (now_us - incident.opened_us) // every_us) >= 1
            # What has been sent is forgotten after some days, and must not be told again then.
            and now_us - incident.opened_us - number * every_us < _DAY_US
        ]
        known = await self._known([item.incident.id for item in due]) if due else frozenset()
        await self.tell([item for item in due if item.id not in known])

    # sending

    async def deliver(self, *, came_back: bool = False) -> Delivered:
        """Send what is due, oldest first, each channel by itself. Call it only while the own side works.

        *came_back*: the own side has just begun to work again, so what failed before is tried again at once. A call
        while another one runs does nothing.
        """
        now_us = self.now_us()
        if self._sending or not self.remote:
            return Delivered()
        self._sending = True
        try:
            await self._put(())
            waiting = sort(await self._rows(), self.remote, now_us, at_once=came_back)
            await self._drop(waiting.dropped)
            if self._is_quiet(now_us):
                return Delivered(waiting=len(waiting.parcels))
            return await self._round(waiting.parcels)
        except StorageError as error:
            self._note("not_read", "", said=str(error))
            return Delivered()
        finally:
            self._sending = False

    async def _round(self, parcels: Sequence[Parcel]) -> Delivered:
        outcomes: list[bool] = []
        try:
            async with asyncio.timeout(_ROUND_S), asyncio.TaskGroup() as group:
                for channel in self.remote:
                    due = [parcel for parcel in parcels if parcel.channel == channel.name and parcel.due]
                    group.create_task(self._channel(channel, due, outcomes))
        except TimeoutError:
            self._note("round_too_long", "")
        sent = outcomes.count(True)
        return Delivered(sent=sent, failed=len(outcomes) - sent, waiting=len(parcels) - sent)

    async def _channel(self, channel: Channel, parcels: Sequence[Parcel], outcomes: list[bool]) -> None:
        """One after the other. After a failure that may meet all of them alike the rest waits for another round."""
        for parcel in parcels:
            ok = await self._parcel(channel, parcel)
            outcomes.append(ok)
            if not ok:
                return

    async def _parcel(self, channel: Channel, parcel: Parcel) -> bool:
        try:
            message = compose(parcel.items, self._style(channel), self.now_us())
            sent = await send(channel, message, self.means)
        except Exception as error:  # ours: one message that cannot be told must not keep the others
            sent = Sent(ok=False, refused=True, said=f"a bug of ours: {type(error).__name__}")
        about = parcel.items[-1].incident.id
        self._note("sent" if sent.ok else "not_sent", channel.name, incident=about, said=sent.said)
        now_us, attempts = self.now_us(), parcel.attempts + 1
        if sent.ok:
            await self._keep_outcome(parcel.rows, outbox.sent(self.archive, parcel.rows, now_us), sent_us=now_us)
            return True
        next_us = next_try_us(now_us, attempts, refused=sent.refused)
        kept = outbox.failed(self.archive, parcel.rows, next_us=next_us, trouble=sent.said)
        await self._keep_outcome(parcel.rows, kept, next_us=next_us, attempts=attempts)
        return False

    async def _rows(self) -> list[outbox.Message]:
        """What waits in the outbox. What has been sent although the outbox does not know it is told to it once more."""
        rows = await asyncio.to_thread(lambda: outbox.waiting(self.archive.reader.database))
        known = [replace(row, **self._unkept.get(row.id, {})) for row in rows]
        arrived = {row.id: row.sent_us for row in known if row.sent_us is not None}
        for number, sent_us in arrived.items():
            await self._keep_outcome((number,), outbox.sent(self.archive, (number,), sent_us), sent_us=sent_us)
        return [row for row in known if row.id not in arrived]

    async def _keep_outcome(self, numbers: Sequence[int], kept: Future[None], **outcome: int) -> None:
        """Wait until the outbox knows. Where its disk is full it is known here: nobody is told the same every minute."""
        try:
            await asyncio.wrap_future(kept)
        except StorageError as error:
            if numbers[0] not in self._unkept:
                self._note("not_kept", "", said=str(error))
            self._unkept |= dict.fromkeys(numbers, outcome)
        else:
            for number in numbers:
                self._unkept.pop(number, None)

    async def _drop(self, dropped: Mapping[int, str]) -> None:
        for reason, count in Counter(dropped.values()).items():
            self._note("dropped", "", said=reason, count=count)
        if dropped:
            with contextlib.suppress(StorageError):  # they are dropped again next time, and the others need not wait
                await asyncio.wrap_future(outbox.remove(self.archive, tuple(dropped)))

    # pieces

    def _say_here(self, items: Sequence[Item], now_us: int) -> None:
        """What became of one incident: the log always, the terminal where there is one."""
        named = [channel for channel in self.notify.channels if not channel.is_remote]
        logs = [channel for channel in named if channel.kind == "log"] or [_LOG]
        for channel in logs:
            local.write_log(compose(items, self._style(channel), now_us), channel.name, self.log)
        if self.terminal is not None:
            screens = [channel for channel in named if channel.kind == "terminal"]
            screen = screens[0] if screens else Channel(kind="terminal", name="terminal")
            local.write_terminal(compose(items, self._style(screen), now_us), self.terminal)

    def _style(self, channel: Channel) -> Style:
        words = load(channel.language or self.language)
        return Style(words=words, local=self.local, channel=channel.name, probe=self.notify.probe, parts=self.parts)

    def _is_quiet(self, now_us: int, *, later: bool | None = None) -> bool:
        """Whether nobody is to be told now; *later*: only the quiet times whose messages are told at their end, or never."""
        now = self.local(now_us)
        return any(is_quiet(quiet, now) for quiet in self.notify.quiet if later in (None, quiet.later))

    async def _known(self, incidents: Sequence[str]) -> frozenset[str]:
        """Ids of everything about *incidents* that has been put into the outbox."""
        known = set()
        names = tuple(dict.fromkeys(incidents))
        for row in await asyncio.to_thread(lambda: outbox.about(self.archive.reader.database, names)):
            with contextlib.suppress(ItemError):
                known.add(from_payload(row.payload).id)
        return frozenset(known)

    def _note(self, event: str, channel: str, **more: str | int) -> None:
        local.write_line({"event": f"notify.{event}", "channel": channel, **more}, self.log)


def _by_moment(items: Sequence[Item]) -> list[list[Item]]:
    """What became of one incident at one moment, together: six platforms that come back at once are one thing to say."""
    together: dict[tuple[str, int], list[Item]] = {}
    for item in items:
        together.setdefault((item.incident.id, item.at_us), []).append(item)
    return list(together.values())
