"""Tickets of real handshakes: kept, offered again, taken and refused."""

import asyncio
import ssl
from pathlib import Path

import pytest

from probe.instruments import tcp, tls
from probe.instruments.tickets import OLDEST_PROOF_S, Ticket
from probe.instruments.tls import Handshaken, Hello
from probe.instruments.trust import Trust
from probe.observations import TlsFact
from probe.wire import Wire
from tests import nano

pytestmark = pytest.mark.anyio
NAME = "good.test"
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def trusting(name: str = "Nano Root") -> Trust:
    der = ssl.PEM_cert_to_DER_cert(Path(nano.authority(name).file).read_text())
    return Trust("test", replaced=False, _shipped=(der,), _system=None)


def server(version: ssl.TLSVersion = V13, *, tickets: int = 2, name: str = NAME) -> ssl.SSLContext:
    context = nano.identity(name).context()
    context.maximum_version = version
    context.num_tickets = tickets
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    return context


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say a word at once, as a server's answer would, and wait for the end."""
    writer.write(b"hello")
    await reader.read(1)


async def shake(port: int, trust: Trust, ticket: Ticket | None = None, *, host: str = NAME) -> Handshaken:
    connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
    assert connected.stream is not None
    return await tls.handshake(
        Wire(), connected.stream, hello=Hello(host), trust=trust, host=host, deadline_s=5, ticket=ticket
    )


async def visit(port: int, trust: Trust, ticket: Ticket | None = None) -> tuple[TlsFact, int, Ticket | None]:
    """A handshake and a word: its fact, its bytes, and the ticket that came of it."""
    shaken = await shake(port, trust, ticket)
    fact = shaken.operation.fact
    assert isinstance(fact, TlsFact)
    if shaken.stream is None:
        return fact, 0, None
    await shaken.stream.read(5)
    shaken.stream.close()
    given = shaken.stream.ticket(NAME, Wire().monotonic())
    return fact, shaken.operation.bytes_sent + shaken.operation.bytes_received, given


@pytest.mark.parametrize("version", [V12, V13])
async def test_an_accepted_ticket_counts_as_verified_and_shows_no_chain(version: ssl.TLSVersion) -> None:
    """The second handshake takes the first one up: verified, resumed, nothing of the chain measured, and far fewer bytes."""
    trust = trusting()
    async with nano.serve(greeting, tls=server(version)) as port:
        first, whole, ticket = await visit(port, trust)
        assert ticket is not None
        again, short, renewed = await visit(port, trust, ticket)
    assert (first.resumed, first.ticket_age_s) == (False, None)
    assert (again.resumed, again.verified, again.server_hello) == (True, True, True)
    assert (again.chain, again.verify_code, again.shipped_store_verifies) == ((), None, None)
    assert again.ticket_age_s is not None
    assert short < whole - 800
    assert renewed is not None
    assert renewed.proven == ticket.proven


async def test_a_refused_ticket_makes_a_full_handshake() -> None:
    """A server with other keys shows its chain, which is verified; that a ticket was offered is told."""
    trust = trusting()
    async with nano.serve(greeting, tls=server()) as port:
        _, _, ticket = await visit(port, trust)
    async with nano.serve(greeting, tls=server()) as port:
        fact, _, renewed = await visit(port, trust, ticket)
    assert ticket is not None
    assert (fact.resumed, fact.verified, len(fact.chain)) == (False, True, 2)
    assert fact.ticket_age_s is not None
    assert renewed is not None
    assert renewed.proven > ticket.proven


async def test_whoever_cannot_open_the_ticket_must_show_a_chain_that_verifies() -> None:
    """Somebody in between with a certificate of an unknown issuer fails as ever, ticket or not."""
    trust = trusting()
    async with nano.serve(greeting, tls=server()) as port:
        _, _, ticket = await visit(port, trust)
    forged = nano.authority("Another Root").issue(NAME).context()
    async with nano.serve(greeting, tls=forged) as port:
        shaken = await shake(port, trust, ticket)
    assert shaken.stream is None
    assert shaken.operation.failure == "ssl_unknown_authority"


async def test_a_server_without_tickets_gives_none() -> None:
    """Nothing is kept of a server that gives nothing, so its next check is full."""
    async with nano.serve(greeting, tls=server(tickets=0)) as port:
        _, _, ticket = await visit(port, trusting())
    assert ticket is None


async def test_a_chain_that_nobody_verified_gives_no_ticket() -> None:
    """A ticket proves as much as the chain behind it, so an arm that believes everybody gives none."""
    async with nano.serve(greeting, tls=server()) as port:
        connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
        assert connected.stream is not None
        shaken = await tls.unverified(Wire(), connected.stream, hello=Hello(NAME), deadline_s=5)
        assert shaken.stream is not None
        await shaken.stream.read(5)
        shaken.stream.close()
    assert shaken.stream.ticket(NAME, 0.0) is None


async def test_a_ticket_for_another_host_or_other_roots_is_not_offered() -> None:
    """A ticket is offered to the name that it was proven for, under the roots that proved it, and nowhere else."""
    trust = trusting()
    async with nano.serve(greeting, tls=nano.authority().issue(NAME, "other.test").context()) as port:
        _, _, ticket = await visit(port, trust)
        for other, host in ((trusting(), NAME), (trust, "other.test")):
            shaken = await shake(port, other, ticket, host=host)
            assert shaken.stream is not None
            shaken.stream.close()
            fact = shaken.operation.fact
            assert isinstance(fact, TlsFact)
            assert (fact.resumed, fact.ticket_age_s) == (False, None)


async def test_a_ticket_is_worth_offering_until_its_limit_or_a_day_after_the_proof() -> None:
    """The server's own limit counts from when it was given, the day from when the chain was verified."""
    async with nano.serve(greeting, tls=server()) as port:
        _, _, ticket = await visit(port, trusting())
    assert ticket is not None
    hint = ticket.session.ticket_lifetime_hint
    assert 0 < hint < OLDEST_PROOF_S
    assert ticket.is_fresh(ticket.given + hint - 1)
    assert not ticket.is_fresh(ticket.given + hint + 1)
    old = Ticket(ticket.session, ticket.context, NAME, given=ticket.proven + OLDEST_PROOF_S - 5, proven=ticket.proven)
    assert old.is_fresh(old.given)
    assert not old.is_fresh(old.given + 10)
