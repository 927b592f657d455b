"""Pairs at a control's own sink, through somebody who acts on a name, and what each side says of them."""

import asyncio
import contextlib
import hashlib
import io
import json
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography.hazmat.primitives import serialization

from probe.control.certificate import Shown
from probe.control.ledger import Arrival, Ledger
from probe.control.limits import Limits, Tokens
from probe.control.protocol import Sink, SinkKind
from probe.control.server import Server
from probe.control.sinks import Sinks, places
from probe.control.sinks.limits import SinkLimits
from probe.experiments import control_pairs
from probe.experiments.site import Focus, Site
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.observations import ArrivalFact, HttpFact, TcpFact, TlsFact
from probe.settings import Settings
from probe.settings.controls import Control
from probe.wire import Wire
from targets.model import Asked, Canaries, Endpoint
from tests import nano
from tests.integration.sites import session_of, site_of

if TYPE_CHECKING:
    from probe.control.measure import Vantage

pytestmark = pytest.mark.anyio

TARGET, HOST, ADDRESS = "forbidden.example", "control.example", "116.202.118.47"
TOKEN = "a-token-of-sixteen-and-more"
VANTAGE = "control:Helsinki"
SITE = "198.51.100.7"
CANARIES = Canaries(members=(), innocuous=tuple(f"innoce{n:03}.example" for n in range(30)))
_HURRIED = Settings(controls=(Control(host=HOST, port=8443, name="Helsinki", token=TOKEN),)).hurried(4)
# The gap is nearly the real one: arms that lost their name are known by their moment, on a busy machine too.
SETTINGS = replace(
    _HURRIED,
    deadlines=replace(_HURRIED.deadlines, arm_gap=0.25, tls_soft=4.0),
    budgets=replace(_HURRIED.budgets, pair_rounds=3),
)
ROUNDS = 3


@dataclass(slots=True)
class Between:
    """Somebody on the way to the sink, who knows the name."""

    to: int
    manner: str = "pass"
    hurt: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(65536)
        forbidden = TARGET.encode() in first
        self.hurt += forbidden
        if forbidden and self.manner == "lose":
            first = b""
        elif forbidden and self.manner == "alter":
            first = first.replace(b"http/1.1", b"http/1.0")
        # A connection is there before its greeting is, whoever loses that.
        try:
            away_reader, away = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()
            return
        try:
            away.write(first)
            if forbidden and self.manner == "reset":
                await asyncio.sleep(0.02)
                nano.reset(writer)
                return
            async with asyncio.TaskGroup() as group:
                group.create_task(_pour(reader, away))
                swallow = forbidden and self.manner in ("answer", "alter")
                group.create_task(_pour(away_reader, None if swallow else writer))
        finally:
            away.close()
            writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            if writer is not None:
                writer.write(data)
                await writer.drain()
        if writer is not None:
            writer.close()


class Abroad(Wire):
    """The control's address is on loopback; its name has it. Every other place is a dead one."""

    def __init__(self, ports: dict[int, int]) -> None:
        super().__init__(rng=random.Random(7))
        self.ports = ports

    def place(self, address, port, transport):
        if (address, transport) == (ADDRESS, "tcp") and port in self.ports:
            return ("127.0.0.1", self.ports[port])
        return ("127.0.0.1", 1)

    async def getaddrinfo(self, host, deadline_s):
        return (ADDRESS,) if host == HOST else "host_not_found"


@dataclass(slots=True)
class Measured:
    """A site whose control is up, and what was seen."""

    site: Site
    wire: Abroad
    sinks: Sinks
    between: Between
    log: io.StringIO = field(default_factory=io.StringIO)

    @property
    def seen(self) -> list[Any]:
        return list(self.site.session.recorder.observations)

    def arms(self, kind: type = TlsFact) -> list[Any]:
        return [o for o in self.seen if o.arm is not None and isinstance(o.fact, kind) and o.vantage == "local"]

    def arrivals(self, arm: str) -> list[ArrivalFact]:
        return [o.fact for o in self.seen if isinstance(o.fact, ArrivalFact) and o.arm == arm]

    def of(self, member: str) -> list[Any]:
        return [o for o in self.seen if o.member == member]


class _Forgetful(Ledger):
    """It was started again after the first arms."""

    def arrivals(self, address: str, within_s: float) -> tuple[Arrival, ...]:
        return Ledger.arrivals(self, address, within_s)[3:]


def _shown() -> Shown:
    identity = nano.identity(HOST)
    der = identity.chain[0].public_bytes(serialization.Encoding.DER)
    return Shown(identity.context(), hashlib.sha256(der).hexdigest())


@contextlib.asynccontextmanager
async def measuring(manner: str = "pass", *, port: int = 443, scheme: str = "https", **more) -> AsyncIterator[Measured]:
    """A site at which something failed. At the control's *port* is somebody with a *manner*."""
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    shown, ledger, log = _shown(), more.get("ledger", Ledger)(loop.time), io.StringIO()
    kind: SinkKind = "http" if scheme == "http" else "tls"
    real = places.bind("127.0.0.1", kind, (0,))
    assert real is not None
    between = Between(real.sink.port, manner)
    announced = replace(real, sink=Sink(kind, port))
    sinks = Sinks(
        bound=[announced] if more.get("announce", True) else [], context=shown.context, ledger=ledger, log=log,
        limits=replace(SinkLimits(), drain_s=0.2, connection_s=10.0),
    )  # fmt: skip
    server = Server(
        vantage=cast("Vantage", None), tokens=Tokens.of([TOKEN], Limits(), loop.time), limits=Limits(), software="t", clock=loop.time,
        sinks=sinks, log=log,
    )  # fmt: skip
    try:
        with socket.create_server(("127.0.0.1", 0)) as api:
            async with (
                asyncio.timeout(50),
                sinks.listening(),
                server.listening(api, shown),
                nano.serve(between.serve) as way,
                asyncio.TaskGroup() as group,
            ):
                wire = Abroad({8443: api.getsockname()[1], port: way})
                yield Measured(_site(wire, group, scheme), wire, sinks, between, log)
    finally:
        real.sock.close()
        loop.set_exception_handler(handler)


def _site(wire: Wire, group: asyncio.TaskGroup, scheme: str) -> Site:
    asked = Asked(number=1, endpoint=Endpoint(f"{scheme}://{TARGET}/"), target=TARGET)
    trust = Trust.load({"SSL_CERT_FILE": nano.authority().file})
    warm(trust)
    session = session_of(wire, asked, settings=SETTINGS, canaries=CANARIES, trust=trust)
    site = site_of(session, group)
    site.look_at(Focus(host=TARGET, port=443, scheme=scheme, url=asked.endpoint.url), [SITE])
    return site


async def test_names_take_turns_at_the_sink():
    """I T I T … T, of one length, all of it recorded under the control's name and nowhere its address."""
    async with measuring("lose") as here:
        await control_pairs.run(here.site)

    assert [o.arm for o in here.arms()] == ["innocuous", "target"] * ROUNDS
    assert {o.failure for o in here.arms() if o.arm == "target"} == {"generic_timeout_error"}
    assert {o.failure for o in here.arms() if o.arm == "innocuous"} == {None}
    assert len({o.fact.hello_bytes for o in here.arms()}) == 1
    assert {(o.group, o.purpose, o.endpoint) for o in here.seen} == {(VANTAGE, "control_pair", 1)}
    assert ADDRESS not in repr(here.seen)
    assert HOST not in repr(here.seen)
    assert TOKEN not in repr(here.seen)


async def test_what_never_arrived_is_told_so():
    """The connection came and nothing in it; the other name came whole and was answered."""
    async with measuring("lose") as here:
        await control_pairs.run(here.site)

    gone, whole = here.arrivals("target"), here.arrivals("innocuous")
    assert [(a.bytes, a.whole, a.name, a.answered) for a in gone] == [(0, False, None, False)] * ROUNDS
    assert all(a.whole and a.answered and a.name and a.named for a in whole)
    assert len(whole) == ROUNDS
    sent = {o.fact.hello_hash for o in here.arms()}
    assert {a.hello_hash for a in whole} == sent
    assert {a.bytes for a in whole} == {o.fact.hello_bytes for o in here.arms()}
    assert {o.vantage for o in here.seen if isinstance(o.fact, ArrivalFact)} == {VANTAGE}


async def test_an_answer_that_was_swallowed_left_there():
    """It arrived whole under its name, and was answered."""
    async with measuring("answer") as here:
        await control_pairs.run(here.site)
    assert [(a.name, a.whole, a.answered) for a in here.arrivals("target")] == [(TARGET, True, True)] * ROUNDS


async def test_a_break_in_the_controls_name_is_none_of_its_own():
    """Broken off here, and answered there."""
    async with measuring("reset") as here:
        await control_pairs.run(here.site)
    assert {o.failure for o in here.arms() if o.arm == "target"} == {"connection_reset"}
    assert [(a.name, a.whole, a.answered) for a in here.arrivals("target")] == [(TARGET, True, True)] * ROUNDS


async def test_what_was_changed_on_the_way_has_another_fingerprint():
    """As many bytes, and not the same greeting."""
    async with measuring("alter") as here:
        await control_pairs.run(here.site)
    sent = {o.fact.hello_hash for o in here.arms()}
    assert not {a.hello_hash for a in here.arrivals("target")} & sent


async def test_a_name_that_passes_ends_it():
    """One success is enough: nothing is asked of the ledger, nor of the certificate."""
    async with measuring() as here:
        await control_pairs.run(here.site)
    assert [(o.arm, o.failure) for o in here.arms()] == [("innocuous", None), ("target", None)]
    assert not here.of("arms")
    assert not here.of("certificate")


async def test_the_sinks_certificate_is_looked_at_where_it_could_count():
    """At the well-known port, for the control's own name; not at another port."""
    async with measuring("reset") as here:
        await control_pairs.run(here.site)
    (looked,) = here.of("certificate")
    assert (looked.fact.verified, looked.failure, looked.fact.chain, looked.fact.sni) == (True, None, (), None)
    async with measuring("reset", port=10443) as here:
        await control_pairs.run(here.site)
    assert here.arrivals("target")
    assert not here.of("certificate")


@pytest.mark.parametrize("beside", ["site", "neutral"])
async def test_a_sink_in_a_network_that_is_taken_is_no_place_of_its_own(beside):
    """Its certificate is not looked at, so that it counts for no neutral place."""
    from probe.verdict.networks import network_of

    async with measuring("reset") as here:
        if beside == "site":
            here.site.addresses.append("116.202.1.1")
        else:
            here.site.neutral_networks.add(network_of(ADDRESS))
        await control_pairs.run(here.site)
    assert here.arrivals("target")
    assert not here.of("certificate")


async def test_where_neutral_places_decide_two_rounds_are_enough():
    """The rest costs bytes and tells nothing more; both sides are known of those two."""
    async with measuring("reset") as here:
        here.site.started.add("neutral_pair")
        here.site.flipped = True
        here.site.neutrals_settled.set()
        await control_pairs.run(here.site)
    assert [o.arm for o in here.arms()] == ["innocuous"] + ["target", "innocuous"] * 2
    assert len(here.arrivals("target")) == 2
    assert not here.of("certificate")


async def test_where_neutral_places_do_not_decide_it_goes_on():
    """All rounds."""
    async with measuring("reset") as here:
        here.site.started.add("neutral_pair")
        here.site.neutrals_settled.set()
        await control_pairs.run(here.site)
    assert len([o for o in here.arms() if o.arm == "target"]) == ROUNDS


async def test_hosts_take_turns_at_the_plain_sink():
    """Over plain HTTP the Host is the name."""
    async with measuring("answer", scheme="http", port=80) as here:
        await control_pairs.run(here.site)
    assert [o.arm for o in here.arms(HttpFact)] == ["innocuous", "target"] * ROUNDS
    assert [(a.sink, a.name, a.whole, a.answered) for a in here.arrivals("target")] == [
        ("http", TARGET, True, True)
    ] * ROUNDS
    assert {a.bytes for a in here.arrivals("innocuous")} <= {o.operation.bytes_sent for o in here.arms(HttpFact)}


async def test_a_ledger_that_lost_its_memory_says_nothing():
    """A control that was started again in between, or sees another address: unknown is not "never arrived"."""
    async with measuring("reset", ledger=_Forgetful) as here:
        await control_pairs.run(here.site)
    assert here.of("arms")[0].failure is None
    assert not here.arrivals("target")
    assert not here.arrivals("innocuous")


async def test_a_control_without_sinks_is_let_be():
    """It is asked once in a run, and nothing more."""
    async with measuring(announce=False) as here:
        await control_pairs.run(here.site)
        await control_pairs.run(here.site)
    assert len(here.of("sinks")) == 1
    assert not here.arms(TcpFact)


async def test_a_sink_that_nobody_reaches_is_let_be():
    """Its port is closed by somebody's firewall: one connection, no word of it."""
    async with measuring("lose") as here:
        del here.wire.ports[443]
        await control_pairs.run(here.site)
    assert [(o.arm, o.failure is None) for o in here.arms(TcpFact)] == [("innocuous", False)]
    assert not here.of("arms")


async def test_a_control_that_is_not_there_is_a_reason_and_no_evidence():
    """One failed exchange, no arm."""
    async with measuring("lose") as here:
        del here.wire.ports[8443]
        await control_pairs.run(here.site)
    (asked,) = here.seen
    assert (asked.member, asked.failure, asked.operation.address) == ("sinks", "connection_refused", None)


async def test_a_control_that_was_silent_already_is_not_asked():
    """Once in a run is enough."""
    async with measuring("lose") as here:
        here.site.session.absent_controls.add("Helsinki")
        await control_pairs.run(here.site)
    assert here.seen == []


async def test_where_many_sites_fail_the_neutral_places_have_to_do():
    """One machine of the user's is not asked for a hundred sites at once."""
    async with measuring("lose") as here:
        here.site.turns._in_trouble = 7
        await control_pairs.run(here.site)
    assert here.seen == []


async def test_the_controls_log_names_neither_the_site_nor_the_probe():
    """Whatever was sent to its sinks."""
    async with measuring("alter") as here:
        await control_pairs.run(here.site)
        assert here.between.hurt == ROUNDS
    for line in here.log.getvalue().splitlines():
        assert json.loads(line)["event"] in ("sinks", "answered", "draining", "stopped", "sinks_stopped")
    assert TARGET not in here.log.getvalue()
    assert "127.0.0.1" not in here.log.getvalue()
