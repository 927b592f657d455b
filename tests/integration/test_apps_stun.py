"""STUN over real sockets on loopback: what servers of all kinds say, and that the user's address is in no fact."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator

import pytest

from probe.instruments.apps import exchange
from probe.instruments.apps.stun import HEADER_BYTES, StunDialogue
from probe.observations import AppFact, Operation
from probe.observations.as_json import fact_to_json
from probe.wire import Wire
from tests.lab.stun import Server

pytestmark = pytest.mark.anyio
HERE = "127.0.0.1"


@contextlib.asynccontextmanager
async def serving(manner: str) -> AsyncIterator[int]:
    """A server for calls of that manner; its port."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Server(manner), (HERE, 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def asked(port: int, *, deadline_s: float = 5.0, resends_s: tuple[float, ...] = (0.2,)) -> Operation:
    """One exchange."""
    dialogue = StunDialogue(random.Random(7))
    return await exchange.over_udp(
        Wire(), HERE, port, dialogue, name="stun.example", deadline_s=deadline_s, resends_s=resends_s
    )


def fact_of(operation: Operation) -> AppFact:
    """Its fact, in which nothing of the asker's address may be: neither plainly nor with the cookie's bits turned."""
    fact = operation.fact
    assert isinstance(fact, AppFact)
    turned = bytes(a ^ b for a, b in zip(socket.inet_aton(HERE), b"\x21\x12\xa4\x42", strict=True))
    kept = str(fact_to_json(fact)).lower()
    for secret in (socket.inet_aton(HERE), turned):
        assert secret.hex() not in kept
    assert len(fact.first_bytes or "") <= 2 * HEADER_BYTES
    return fact


@pytest.mark.parametrize(("manner", "detail"), [("good", None), ("old", None), ("refuses", "error 401")])
async def test_servers_answer_and_the_address_is_not_kept(manner: str, detail: str | None) -> None:
    """Servers of today, of 2003, and those that want a name first."""
    async with serving(manner) as port:
        operation = await asked(port)
    fact = fact_of(operation)
    assert (operation.failure, fact.answered, fact.expected, fact.detail) == (None, True, True, detail)
    assert (fact.protocol, fact.transport, fact.sent) == ("stun", "udp", "binding request")
    assert len(fact.first_bytes or "") == 2 * HEADER_BYTES


@pytest.mark.parametrize(
    ("manner", "detail"),
    [
        ("stranger", "an answer to another transaction"),
        ("echo", "our own question come back"),
        ("noise", "no STUN: another cookie"),
        ("web", "no STUN: another cookie"),
    ],
)
async def test_whoever_else_answers_is_told_apart(manner: str, detail: str) -> None:
    """An answer of somebody who has not read the question is none, and the right one is waited for a little longer."""
    async with serving(manner) as port:
        operation = await asked(port)
    fact = fact_of(operation)
    assert operation.failure == "unknown_failure: not stun"
    assert (fact.answered, fact.expected, fact.detail) == (True, False, detail)


async def test_what_is_lost_is_asked_again() -> None:
    """The same question, and one answer is enough."""
    async with serving("half") as port:
        operation = await asked(port)
    fact = fact_of(operation)
    assert (operation.failure, fact.expected, fact.messages_sent, fact.messages_received) == (None, True, 2, 1)


async def test_silence_is_silence() -> None:
    """Nothing came: that is not known to be anything else."""
    async with serving("silent") as port:
        operation = await asked(port, deadline_s=0.5)
    fact = fact_of(operation)
    assert (operation.failure, fact.answered, fact.expected) == ("generic_timeout_error", False, None)
