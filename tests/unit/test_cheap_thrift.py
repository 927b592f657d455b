"""Tickets on a Python that loses memory whenever a connection is asked for its session."""

import ssl
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from probe.experiments.cheap import Memory
from probe.instruments import tickets
from probe.instruments.tickets import Ticket

HALF_A_DAY = 43_200.0
CONTEXT, OTHER = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Stream:
    """A connection whose server gives a ticket that is good for so many seconds, or none; and how often that was looked at."""

    hint: int | None = 100_000
    context: ssl.SSLContext = CONTEXT
    looks: list[float] = field(default_factory=list)
    proven: float = 0.0

    def ticket(self, host: str, now: float) -> Ticket | None:
        self.looks.append(now)
        session = SimpleNamespace(ticket_lifetime_hint=self.hint)
        return None if self.hint is None else Ticket(session, self.context, host, now, self.proven)  # type: ignore[arg-type]

    def same_ticket(self, ticket: Ticket) -> Ticket | None:
        return tickets.again(SimpleNamespace(context=self.context), ticket, self.proven)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "loses"),
    [
        ((3, 9, 18), False),
        ((3, 11, 2), True),
        ((3, 12, 7), True),
        ((3, 12, 8), False),
        ((3, 13, 0), True),
        ((3, 13, 1), False),
        ((3, 14, 0), False),
    ],
)
def test_which_pythons_lose_memory(version, loses):
    """cpython issue 116810: never mended in 3.10 and 3.11."""
    assert tickets.loses_memory(version) is loses


def remembered(memory: Memory, stream: Any, now: float) -> Ticket | None:
    return memory.ticket(stream, "a.test", now)


def test_a_sound_python_looks_every_time(monkeypatch):
    """A fresh ticket each time is what TLS 1.3 advises."""
    monkeypatch.setattr(tickets, "LOSES_MEMORY", False)
    stream, memory = Stream(), Memory()
    for now in (0.0, 600.0, 1200.0):
        ticket = remembered(memory, stream, now)
        assert ticket is not None
        assert ticket.given == now
    assert len(stream.looks) == 3


def test_a_ticket_that_lasts_is_looked_at_once_and_serves_again(monkeypatch):
    """With the proof of each new connection; and anew once it is past its server's limit."""
    monkeypatch.setattr(tickets, "LOSES_MEMORY", True)
    stream, memory = Stream(hint=50_000), Memory()
    for now in range(0, 100_000, 600):
        stream.proven = float(now)
        ticket = remembered(memory, stream, float(now))
        assert ticket is not None
        assert ticket.proven == now
    assert stream.looks == [0.0, 50_400.0]


@pytest.mark.parametrize("hint", [300, None])
def test_who_gives_nothing_useful_is_looked_at_twice_a_day(monkeypatch, hint):
    """A ticket for five minutes, or none, helps nobody who comes every ten."""
    monkeypatch.setattr(tickets, "LOSES_MEMORY", True)
    stream, memory = Stream(hint=hint), Memory()
    for now in range(0, 86_400, 600):
        remembered(memory, stream, float(now))
    assert stream.looks == [0.0, HALF_A_DAY]


def test_a_refused_ticket_is_not_offered_again(monkeypatch):
    """It is forgotten, and another one looked for when that is due."""
    monkeypatch.setattr(tickets, "LOSES_MEMORY", True)
    stream, memory = Stream(), Memory()
    assert remembered(memory, stream, 0.0)
    memory.refused("a.test")
    assert remembered(memory, stream, 600.0) is None
    assert remembered(memory, stream, HALF_A_DAY) is not None


def test_a_ticket_of_another_context_is_none(monkeypatch):
    """OpenSSL takes a session back only where it was made."""
    monkeypatch.setattr(tickets, "LOSES_MEMORY", True)
    memory = Memory()
    assert remembered(memory, Stream(), 0.0)
    assert remembered(memory, Stream(context=OTHER), 600.0) is None
