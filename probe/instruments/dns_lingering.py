"""The sockets of a question over UDP, which go on listening when it has been answered.

A forged reply races the real one, so a later and different one is evidence. They are read again only when somebody asks
(:meth:`Lingering.drain`); no task waits.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from dataclasses import dataclass

from probe.instruments import dns_message
from probe.instruments.dns_asking import Asking
from probe.instruments.dns_message import Reply
from probe.observations import Operation
from probe.wire.datagrams import Datagram, UdpSocket

MAX_LATE = 16  # replies kept of one question: a flood must not fill the memory
MAX_READ = 200  # datagrams read at one look


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply off a socket: which query it is to, when it came, and its packet's TTL."""

    reply: Reply
    query_index: int
    at_us: int
    ttl: int | None


@dataclass(slots=True)
class Query:
    """One datagram of ours and the socket that listens for its replies."""

    sock: UdpSocket
    query_id: int
    index: int

    def poll(self, asking: Asking) -> Heard | None:
        datagram = self.sock.poll()
        return None if datagram is None else self._read(datagram, asking)

    def _read(self, datagram: Datagram, asking: Asking) -> Heard:
        reply = dns_message.read(datagram.data, asking.question, self.query_id)
        return Heard(reply, self.index, asking.arrived_us(datagram.received_us), datagram.ttl)


class Lingering:
    """The sockets of a question that has been answered, still listening. Close it."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self.queries: list[Query] = []
        self._early: list[Heard] = []
        self._known: set[tuple[object, ...]] = set()
        self._index = 0

    @property
    def best(self) -> Heard | None:
        """The reply to settle for when no usable one came: a wrong id tells more than garbage."""
        return max(self._early, key=lambda heard: heard.reply.failure == dns_message.WRONG_ID, default=None)

    def use(self, heard: Heard) -> None:
        """*heard* is the reply that was used: it is not told again, nor any other that says the same."""
        self._known.add(heard.reply.meaning)

    def keep(self, heard: Heard) -> None:
        """*heard* came before anything usable did."""
        if len(self._early) < MAX_LATE:
            self._early.append(heard)

    def drain(self) -> tuple[Operation, ...]:
        """The replies, besides the used one, that have come since the last call and differ from all before."""
        late = []
        for heard in self._arrived():
            if heard.reply.meaning in self._known or self._index >= MAX_LATE:
                continue
            self._known.add(heard.reply.meaning)
            self._index += 1
            late.append(
                self._asking.operation(
                    heard.reply,
                    failure=heard.reply.failure,
                    duration_us=heard.at_us,
                    reply_ttl=heard.ttl,
                    reply_index=self._index,
                    query_index=heard.query_index,
                    resends=len(self.queries) - 1,
                )
            )
        return tuple(late)

    def _arrived(self) -> list[Heard]:
        arrived, self._early = self._early, []
        for query in self.queries:
            # An ICMP error says nothing about answers, and is told before those that came first: look once more.
            for _look in range(2):
                if query.sock.fileno() >= 0:
                    with contextlib.suppress(OSError):
                        arrived += itertools.islice(iter(functools.partial(query.poll, self._asking), None), MAX_READ)
        return arrived

    def close(self) -> None:
        for query in self.queries:
            query.sock.close()
