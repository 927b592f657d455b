"""Names that are timed against each other, at servers that treat them alike or do not."""

import asyncio
import dataclasses
import itertools
import random
import ssl
import types
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from probe.experiments import throttling
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer, Turns
from probe.experiments.session import Session
from probe.experiments.site import Focus, Site
from probe.experiments.slowness import Slow, slowness
from probe.experiments.suspicion import follow_ups
from probe.instruments.trust import Trust
from probe.observations import HttpFact, KernelCounters, Observation, Operation, TlsFact
from probe.settings import Settings
from probe.verdict.model import NetworkVerdict
from probe.verdict.throttling import compared, places
from probe.verdict.view import View
from probe.wire import Transport, Wire
from probe.wire.resolvers import Nameserver
from targets.model import Asked, Canaries, Canary, Endpoint
from tests import nano
from tests.integration.test_experiments_pairs import resolver

pytestmark = pytest.mark.anyio

TARGET = "forbidden.example"
URL = f"https://{TARGET}/"
SETTINGS = Settings()
CANARIES = Canaries(
    members=tuple(Canary(family="foreign", where=f"canary{n}.example", operator=str(n)) for n in range(3)),
    innocuous=tuple(f"innoce{n:03}.example" for n in range(30)),
)
BODY = 100_000
Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


class Loopback(Wire):
    """Every address is one loopback server; names are answered with an address of a network of their own."""

    def __init__(self, tcp_port: int, udp_port: int) -> None:
        super().__init__(rng=random.Random(7))
        self._ports = {"tcp": tcp_port, "udp": udp_port}

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int]:
        return ("127.0.0.1", self._ports[transport])

    def nameservers(self) -> tuple[Nameserver, ...]:
        return (Nameserver("203.0.113.53"),)


def server(name: str = "default.example") -> ssl.SSLContext:
    """Shows one certificate to everybody, and remembers which name it was greeted with."""
    context = nano.identity(name).context()

    def note(connection: ssl.SSLObject, asked: str | None, _context: ssl.SSLContext) -> None:
        connection.greeted = asked  # type: ignore[attr-defined]

    context.sni_callback = note
    return context


async def whole(_name: str, writer: asyncio.StreamWriter) -> None:
    writer.write(b"x" * BODY)


async def frozen_by_name(name: str, writer: asyncio.StreamWriter) -> None:
    """After 16 KB nothing more, for the target's name."""
    writer.write(b"x" * (16_000 if name == TARGET else BODY))


async def ended_by_name(name: str, writer: asyncio.StreamWriter) -> None:
    """The connection ends after 16 KB, for the target's name."""
    await frozen_by_name(name, writer)
    if name == TARGET:
        writer.close()


def fact_of_page(*, failure: str | None) -> Operation:
    """A page that stopped, or came within a moment."""
    curve = ((100_000, 1_000), (150_000, 65_536))
    fact = HttpFact(
        method="GET", url=URL, verified_chain=True, status=200, first_byte_us=90_000, progress=() if failure else curve
    )
    return Operation(fact=fact, started_us=1, duration_us=200_000, failure=failure, name=TARGET, bytes_received=17_000)


async def timed(
    answer: Answer,
    *,
    failure: str | None = "generic_timeout_error",
    settings: Settings = SETTINGS,
    certificate: str = "default.example",
    network: NetworkVerdict | None = None,
) -> tuple[Observation, ...]:
    """What comes of a baseline that ended so, with servers that answer so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY)
        await answer(writer.get_extra_info("ssl_object").greeted, writer)
        await reader.read()

    async with nano.serve(serve, tls=server(certificate)) as tcp, nano.serve_udp(resolver) as udp:
        wire = Loopback(tcp, udp.port)
        asked = Asked(number=0, endpoint=Endpoint(URL), target=TARGET)
        session = Session(
            wire=wire,
            settings=settings,
            trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
            canaries=CANARIES,
            asked=(asked,),
            pacer=Pacer(wire, 1000, 10_000),
            neutrals=Neutrals(CANARIES, wire.random),
        )
        session.network = network
        session.own_side_known.set()
        async with asyncio.TaskGroup() as group:
            site = Site(
                session=session,
                asked=asked,
                group=group,
                on_step=lambda _step: None,
                turns=Turns(),
                follow_ups=follow_ups,
            )
            site.look_at(Focus(host=TARGET, port=443, scheme="https", url=URL), ["198.51.100.7"])
            session.record(fact_of_page(failure=failure), purpose="baseline", endpoint=0, group="v4")
            throttling.begin(site)
        return tuple(o for o in session.recorder.observations if o.purpose == "throttling")


def turns(found: tuple[Observation, ...], group: str) -> str:
    """Which names were greeted with, in order: ``ITTIIT``."""
    arms = [o for o in found if o.group == group and isinstance(o.fact, TlsFact) and o.arm is not None]
    return "".join("T" if o.arm == "target" else "I" for o in arms)


def case(found: tuple[Observation, ...]) -> Any:
    asked = Asked(number=0, endpoint=Endpoint(URL), target=TARGET)
    return View(found, (asked,)).case(asked)


async def test_names_take_turns_in_an_order_that_is_drawn() -> None:
    """Four rounds at two places, two and two of each name, and all of it within the budget."""
    found = await timed(frozen_by_name)
    orders = [turns(found, group or "") for group in sorted({o.group or "" for o in found if o.arm is not None})]
    assert len(orders) == 2
    assert {"".join(sorted(order[at : at + 4])) for order in orders for at in (0, 4)} == {"IITT"}
    slower = compared(places(case(found)))
    assert slower is not None
    assert slower.manner == "freeze"
    assert slower.chance == pytest.approx(1 / 4900)
    assert 15_000 < slower.bytes < 18_000
    assert 100_000 < sum(o.operation.bytes_sent + o.operation.bytes_received for o in found) < throttling.BUDGET


def test_no_line_can_keep_time_with_the_order() -> None:
    """Two and two of each name in every order that there is: what is bad for every second flow is so for both."""
    site: Any = types.SimpleNamespace(wire=types.SimpleNamespace(random=random.Random(3)))
    test = throttling._Test(site, Slow(kind="bytes", host=TARGET, url=URL, handshake_s=0.1))
    arms = "".join("T" if which == "target" else "I" for which in itertools.islice(test._drawn(), 800))
    assert len({arms[at : at + 4] for at in range(0, 800, 4)}) == 6


async def test_the_other_name_is_another_one_each_time() -> None:
    """One name alone may be free where all others are slow: no place is measured by a single one."""
    found = await timed(frozen_by_name)
    for group in {o.group for o in found if o.arm is not None}:
        named = [
            o.operation.name for o in found if o.group == group and o.arm == "innocuous" and isinstance(o.fact, TlsFact)
        ]
        assert len(set(named)) == len(named) == 4
        assert not {TARGET} & set(named)


async def test_a_name_that_keeps_up_is_let_be() -> None:
    """Two rounds at two places, and no more is asked."""
    found = await timed(whole)
    arms = "".join(turns(found, group) for group in sorted({o.group or "" for o in found if o.arm is not None}))
    assert arms.count("T") <= 5
    assert compared(places(case(found))) is None


async def test_a_server_that_ends_connections_is_not_called_slow() -> None:
    """An end says nothing of speed, however few bytes came."""
    assert compared(places(case(await timed(ended_by_name)))) is None


async def test_where_the_name_is_served_it_is_not_timed() -> None:
    """A certificate of the name's at two places: they are none, and no third one is looked for."""
    found = await timed(frozen_by_name, certificate=TARGET)
    assert not [place for place in places(case(found)) if place.kind != "own"]
    assert sum(o.arm == "target" and isinstance(o.fact, TlsFact) for o in found) <= 3


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"failure": None}, id="a page that came quickly"),
        pytest.param({"failure": "connection_reset"}, id="a page that was broken off"),
        pytest.param({"network": NetworkVerdict(status="no_network", method="link")}, id="a dead line"),
    ],
)
async def test_without_a_reason_nothing_is_asked(changed: dict[str, Any]) -> None:
    """No byte goes out for what was quick, broken, or the own side's."""
    assert not await timed(frozen_by_name, **changed)


async def test_skipped_is_skipped() -> None:
    """``--skip throttling``."""
    assert not await timed(frozen_by_name, settings=dataclasses.replace(SETTINGS, skip=("throttling",)))


async def test_what_makes_a_page_slow() -> None:
    """By its bytes and the way there; a greeting that is later than greetings are here; and nothing of an ordinary one."""
    asked = Asked(number=0, endpoint=Endpoint(URL), target=TARGET)
    wire = Loopback(1, 1)

    def kind(*operations: Operation, rtt_ms: int = 80, ordinary_s: float = 0.16) -> str | None:
        session = Session(
            wire=wire,
            settings=Settings(),
            trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
            canaries=CANARIES,
            asked=(asked,),
            pacer=Pacer(wire, 1000, 10_000),
            neutrals=Neutrals(CANARIES, wire.random),
        )
        session.handshakes_s.append(ordinary_s)
        site: Any = type("S", (), {})()
        site.session, site.number, site.settings, site.rtt_us = session, 0, session.settings, rtt_ms * 1000
        site.host = TARGET
        for operation in operations:
            session.record(operation, purpose="baseline", endpoint=0, group="v4")
        found = slowness(site)
        return found.kind if found is not None else None

    def page(seconds: float, size: int = 65_536, *, first_ms: int = 100, rtt_ms: int = 80, lost: int = 0) -> Operation:
        curve = ((first_ms * 1000, 1_000), (first_ms * 1000 + int(seconds * 1e6), size))
        fact = HttpFact(
            method="GET",
            url=URL,
            verified_chain=True,
            status=200,
            first_byte_us=first_ms * 1000,
            progress=curve,
            kernel=KernelCounters(min_rtt_us=rtt_ms * 1000, rcv_ooopack=lost),
        )
        return Operation(fact=fact, started_us=1, name=TARGET)

    def greeting(seconds: float) -> Operation:
        fact = TlsFact(sni=TARGET, verify=True, server_hello=True)
        return Operation(fact=fact, started_us=1, duration_us=int(seconds * 1e6), name=TARGET)

    assert kind(page(4.0)) == "bytes"
    assert kind(page(0.3)) is None
    assert kind(page(4.0, 9_000)) is None
    assert kind(page(1.3, rtt_ms=600), rtt_ms=600) is None
    # A connection that was long in coming, once: the way there is no longer for that.
    assert kind(page(1.3), rtt_ms=600) == "bytes"
    # As measured behind a policer of 400 kbit/s: the first record waited for what was dropped, and the rest with it.
    assert kind(page(0.858, 73_727, first_ms=828, lost=9)) == "bytes"
    assert kind(page(0.858, 73_727, first_ms=828)) is None
    assert kind(greeting(4.1), page(0.3)) == "greeting"
    assert kind(greeting(4.1), page(4.0)) == "bytes"
    assert kind(greeting(0.2)) is None
    assert kind(greeting(1.4), ordinary_s=0.9) is None
