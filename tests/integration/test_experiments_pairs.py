"""Pairs, retries and answers, against servers that tell names apart."""

import asyncio
import contextlib
import dataclasses
import itertools
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import dns.message
import dns.rrset
import pytest

from probe.demo.patience import PatientLoop
from probe.experiments import contrast, retry, steps
from probe.experiments.session import Session
from probe.experiments.site import Focus, Site
from probe.experiments.steps import ArmResult, Place
from probe.experiments.suspicion import FOLLOW_UPS
from probe.observations import Observation, Operation, TcpFact, TlsFact
from probe.settings import Settings
from probe.verdict.model import NetworkVerdict
from probe.verdict.networks import network_of
from probe.wire import Transport, Wire
from probe.wire.resolvers import Nameserver
from targets.model import Asked, Canaries, Canary, Endpoint
from tests import nano
from tests.integration.sites import session_of, site_of

pytestmark = pytest.mark.anyio

TARGET = "forbidden.example"
HURRIED = Settings().hurried(20)
CANARIES = Canaries(
    members=tuple(Canary(family="foreign", where=f"canary{n}.example", operator=str(n)) for n in range(3)),
    innocuous=tuple(f"innoce{n:03}.example" for n in range(30)),
)
OWN = "198.51.100.7"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """A loop whose clock stands still while this machine is busy: client and servers live in it together."""
    return "asyncio", {"loop_factory": PatientLoop}


class Loopback(Wire):
    """Every address is one loopback server; names are answered with an address of a network of their own."""

    def __init__(self, tcp_port: int, udp_port: int) -> None:
        super().__init__(rng=random.Random(7))
        self._ports = {"tcp": tcp_port, "udp": udp_port}

    def monotonic(self) -> float:
        """The loop's clock, which may be patient."""
        return asyncio.get_running_loop().time()

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int]:
        return ("127.0.0.1", self._ports[transport])

    def nameservers(self) -> tuple[Nameserver, ...]:
        return (Nameserver("203.0.113.53"),)

    def gateway(self) -> str | None:
        return self.first_router

    def gateway6(self) -> str | None:
        return self.first_router6

    first_router: str | None = "192.0.2.254"
    first_router6: str | None = None


def resolver(data: bytes) -> list[bytes]:
    """An address for every name, none in the network of another."""
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    name = query.question[0].name
    number = sum(name.to_text().encode()) % 200
    reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", f"20.{number}.0.{random.randint(1, 250)}"))
    return [reply.to_wire()]


Decide = Callable[[bytes], bool]


@contextlib.asynccontextmanager
async def measuring(
    passes: Decide, scheme: str = "https", resolver: Callable[[bytes], list[bytes]] = resolver
) -> AsyncIterator[Site]:
    """A site under measurement, where a ClientHello gets a ServerHello if *passes* says so and a RST otherwise."""
    shake = nano.shaking(nano.identity("default.example").context())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(65536)
        if not passes(hello):
            nano.reset(writer)
            return
        again = asyncio.StreamReader()
        again.feed_data(hello)
        await shake(again, writer)

    async with nano.serve(serve) as tcp, nano.serve_udp(resolver) as udp, asyncio.TaskGroup() as group:
        wire = Loopback(tcp, udp.port)
        asked = Asked(number=0, endpoint=Endpoint(f"{scheme}://{TARGET}/"), target=TARGET)
        session = session_of(wire, asked, settings=HURRIED, canaries=CANARIES)
        site = site_of(session, group)
        site.look_at(Focus(host=TARGET, port=443, scheme=scheme, url=asked.endpoint.url), [OWN])
        yield site


def arms(site: Site, group: str) -> list[tuple[str | None, bool]]:
    """Which arm each handshake of *group* was, and whether it saw a ServerHello, in order."""
    found: list[Observation] = [
        o for o in site.session.recorder.observations if o.group == group and isinstance(o.fact, TlsFact)
    ]
    return [(o.arm, bool(isinstance(o.fact, TlsFact) and o.fact.server_hello)) for o in found]


async def test_arms_alternate_and_the_innocuous_one_goes_first():
    """I T I T … T: six arms each, so that whatever happens in a second happens to both names, and none that tells nothing."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        await contrast.neutral_pairs(site)
        for group in ("neutral/1", "neutral/2"):
            expected = [("innocuous", True), ("target", False)] * 6
            assert arms(site, group) == expected


async def test_both_names_of_a_pair_are_equally_long():
    """The hellos of a pair have one length, so that size explains nothing."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        await contrast.own_pair(site)
        lengths = {o.fact.hello_bytes for o in site.session.recorder.observations if isinstance(o.fact, TlsFact)}
        assert len(lengths) == 1
        names = {o.fact.sni for o in site.session.recorder.observations if isinstance(o.fact, TlsFact)}
        assert {len(name or "") for name in names} == {len(TARGET)}


async def test_every_arm_has_a_port_of_its_own():
    """No two arms share a source port: residual blocking is kept on it."""
    peers: list[tuple[str, int]] = []

    async with measuring(lambda hello: True) as site:
        original = site.wire.connect

        async def noting(*args, **kwargs):
            sock = await original(*args, **kwargs)
            peers.append(sock.getsockname())
            return sock

        site.wire.connect = noting  # type: ignore[method-assign]
        await contrast.own_pair(site)
    assert len(peers) == len(set(peers)) >= 2


async def test_a_target_that_passes_ends_the_pair():
    """One success of the target withdraws the flip: no further forbidden name is sent."""
    async with measuring(lambda hello: True) as site:
        await contrast.neutral_pairs(site)
        assert arms(site, "neutral/1") == [("innocuous", True), ("target", True)]


async def test_a_target_that_passes_later_does_not_end_the_pair():
    """Stopped on one path and not on another: the rounds go on, so that it is known on how many; it is no flip."""
    seen: list[bytes] = []

    def every_third(hello: bytes) -> bool:
        if TARGET.encode() not in hello:
            return True
        seen.append(hello)
        return len(seen) % 3 == 0

    async with measuring(every_third) as site:
        await contrast.own_pair(site)
        passed = [ok for arm, ok in arms(site, f"own/{OWN}") if arm == "target"]
        assert passed == [False, False, True] * 2
        assert not site.flipped


async def test_a_neutral_that_refuses_foreign_names_is_never_sent_the_target():
    """Where an innocuous foreign name is refused, the target's name is not sent; another neutral is tried."""
    async with measuring(lambda hello: False) as site:
        await contrast.neutral_pairs(site)
        found = arms(site, "neutral/1")
        assert len(found) == 4
        assert {arm for arm, _passed in found} == {"innocuous"}
        addresses = {
            o.operation.address
            for o in site.session.recorder.observations
            if o.group == "neutral/1" and isinstance(o.fact, TlsFact)
        }
        assert len(addresses) == 4


async def test_no_neutral_serves_twice():
    """Two pairs of one run never share an address: a punished one would fail for everyone."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        await contrast.neutral_pairs(site)
        at = {
            group: {
                o.operation.address
                for o in site.session.recorder.observations
                if o.group == group and isinstance(o.fact, TlsFact)
            }
            for group in ("neutral/1", "neutral/2")
        }
        assert all(len(addresses) == 1 for addresses in at.values())
        assert not at["neutral/1"] & at["neutral/2"]


@pytest.mark.parametrize("seed", range(6))
async def test_neutrals_of_one_target_are_of_two_operators(seed: int):
    """Two edges of one content network are one neutral to the judge, so the second is looked for elsewhere."""

    def edges(data: bytes) -> list[bytes]:
        """Half of all names are at one content network, far apart in it."""
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query)
        name = query.question[0].name
        number = sum(name.to_text().encode())
        address = f"104.{16 + number % 8}.9.9" if number % 2 else f"20.{number % 200}.0.9"
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", address))
        return [reply.to_wire()]

    async with measuring(lambda hello: TARGET.encode() not in hello, resolver=edges) as site:
        random.Random(seed).shuffle(site.session.neutrals._unused)
        await contrast.neutral_pairs(site)
        at = {
            o.operation.address or ""
            for o in site.session.recorder.observations
            if o.arm is not None and isinstance(o.fact, TlsFact)
        }
        assert len({network_of(address) for address in at}) == 2


async def test_a_resolver_with_one_answer_for_everything_is_not_asked_for_the_whole_pool():
    """Where every name is at one address, some looks are enough, and one neutral of that network is better than none."""

    def one_address(data: bytes) -> list[bytes]:
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query)
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "20.1.0.1"))
        return [reply.to_wire()]

    async with measuring(lambda hello: False, resolver=one_address) as site:
        place = Place(purpose="neutral_pair", endpoint=0, group="neutral/1")
        neutrals, taken = site.session.neutrals, {"20.1.0.0/16"}
        assert await neutrals.draw(site.session, place, (), taken) is not None
        asked = [o for o in site.session.recorder.observations if o.group == "draw"]
        assert len(asked) == 12
        assert await neutrals.draw(site.session, place, ("20.1.7.7",), taken) is None
        assert len(neutrals._unused) == 29


async def test_plain_pairs_ask_for_the_same_page():
    """Some act on a page and not on its site: both arms ask for the target's path, without what stands behind it."""
    asked: list[bytes] = []

    def noting(request: bytes) -> bool:
        asked.append(request.partition(b"\r\n")[0])
        return False

    async with measuring(noting, scheme="http") as site:
        site.look_at(Focus(host=TARGET, port=80, scheme="http", url=f"http://{TARGET}/banned/7?who=me"), [OWN])
        await contrast.own_pair(site)
    assert set(asked) == {b"GET /banned/7 HTTP/1.1"}


def begun(site: Site, purpose: str) -> list[float]:
    """When each arm of *purpose* began, in seconds after the first, place by place."""
    found = [o for o in site.session.recorder.observations if o.purpose == purpose and isinstance(o.fact, TcpFact)]
    return [(o.operation.started_us - found[0].operation.started_us) / 1e6 for o in found if o.arm is not None]


async def test_arms_begin_a_gap_apart_whatever_they_take():
    """What an arm itself took is part of the gap to the next one, and no two begin closer together."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        gap_s = 0.2
        deadlines = dataclasses.replace(site.settings.deadlines, arm_gap=gap_s)
        site.session.settings = dataclasses.replace(site.settings, deadlines=deadlines)
        sleeps: list[float] = []
        real = site.wire.sleep

        async def noting(seconds: float) -> None:
            sleeps.append(seconds)
            await real(seconds)

        site.wire.sleep = noting  # type: ignore[method-assign]
        await contrast.own_pair(site)
        at = begun(site, "own_pair")
    assert all(later - earlier >= gap_s - 0.01 for earlier, later in itertools.pairwise(at))
    assert len(at) == 12
    assert all(slept < gap_s for slept in sleeps)


async def test_an_arm_takes_no_more_of_an_answer_than_its_beginning():
    """The certificates that follow the first record are not sent, for either name, and the server is told to forget it."""
    async with measuring(lambda hello: True) as site:
        await contrast.own_pair(site)
        found = [o.operation for o in site.session.recorder.observations if isinstance(o.fact, TlsFact)]
    assert {o.name == TARGET for o in found} == {True, False}
    assert all(isinstance(o.fact, TlsFact) and o.fact.server_hello for o in found)
    assert all(0 < o.bytes_received <= 2400 for o in found)


ASKED = ("neutral_pair", "own_pair", "path_mtu")


async def asked_beside(site: Site, in_trouble: int = 1) -> None:
    """Follow up on a silent greeting, beside so many endpoints in trouble."""
    site.session.own_side_known.set()
    # On a busy machine the neutral places are found late, and nobody waits for them any longer.
    patient = dataclasses.replace(HURRIED.deadlines, suspicion_floor=5.0)
    site.session.settings = dataclasses.replace(HURRIED, deadlines=patient)
    site.follow_ups = lambda *_about: [(name, FOLLOW_UPS[name]) for name in ASKED]
    for _ in range(in_trouble - 1):
        await site.turns.take(site.asked)
    site.suspect("tls", None)
    await asyncio.wait_for(site.neutrals_ended.wait(), 5)


async def test_what_neutral_places_decide_is_asked_at_the_own_address_a_few_times_only():
    """Enough to see that somebody is there and how far away, and nothing of the size of packets."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        await asked_beside(site)
        assert site.flipped
    assert arms(site, f"own/{OWN}") == [("innocuous", True), ("target", False)] * 2 + [("innocuous", True)]
    assert not [o for o in site.session.recorder.observations if o.purpose == "path_mtu"]


async def test_the_own_address_is_asked_to_the_end_as_soon_as_one_neutral_place_does_not_decide():
    """A neutral place where the name passes leaves it open, so the rest is asked at once, beside the other place."""
    passed: list[str] = []

    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        original = steps.arm

        async def passing_at_one(session: Session, place: Place, *about: Any, **more: Any) -> ArmResult:
            result = await original(session, place, *about, **more)
            if place.group == "neutral/1" and place.arm == "target":
                passed.append(place.group)
                return dataclasses.replace(result, passed=True)
            return result

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(contrast, "arm", passing_at_one)
            await asked_beside(site)
            # Whatever was begun ends while the patch holds.
            await asyncio.wait(site.asking)
    assert passed == ["neutral/1"]
    assert arms(site, f"own/{OWN}") == [("innocuous", True), ("target", False)] * 6
    assert [o for o in site.session.recorder.observations if o.purpose == "path_mtu"]


async def test_neutral_places_that_answer_nobody_are_not_waited_for():
    """Where no neutral place answers any name, the own address is asked at once."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        site.started.add("neutral_pair")
        async with asyncio.timeout(5):
            await contrast.own_pair(site)
    assert len(arms(site, f"own/{OWN}")) == 12


@pytest.mark.parametrize(
    ("in_trouble", "passes", "asked"),
    [(7, False, set()), (6, False, {"own_pair"}), (7, True, {"own_pair", "path_mtu"})],
)
async def test_in_a_crowd_the_own_address_is_asked_only_where_neutral_places_decide_nothing(
    in_trouble: int, passes: bool, asked: set[str]
):
    """Two minutes have room for so many flows: with many endpoints in trouble, a flip at neutral places is enough."""
    async with measuring(lambda hello: passes or TARGET.encode() not in hello) as site:
        await asked_beside(site, in_trouble)
        assert site.flipped is not passes
    own = {o.purpose for o in site.session.recorder.observations if o.purpose in ("own_pair", "path_mtu")}
    assert own == asked


async def test_a_hop_that_was_only_slow_lends_no_follow_up_to_the_next():
    """Silence at a first site that came through after all: what was asked of it ends, and the second is asked afresh."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        site.session.own_side_known.set()
        site.suspect("tls", None)
        assert site.suspicions
        site.look_at(Focus(host="second.example", port=443, scheme="https", url="https://second.example/"), [OWN])
        assert site.host == "second.example"
        assert not site.suspicions
        assert not site.started
        refused = Operation(fact=TlsFact(sni="second.example", verify=True), started_us=1, failure="connection_reset")
        site.suspect("tls", refused)
        site.look_at(Focus(host="third.example", port=443, scheme="https", url="https://third.example/"), [OWN])
        assert site.host == "second.example"
        site.succeeded = True


async def test_a_pair_at_the_own_address_ends_when_nothing_answers():
    """Two innocuous failures running: this server answers nobody, and nothing more is learned by asking."""
    async with measuring(lambda hello: False) as site:
        await contrast.own_pair(site)
        assert arms(site, f"own/{OWN}") == [("innocuous", False), ("target", False), ("innocuous", False)]


async def test_a_retry_that_passes_is_the_last():
    """Retries stop at the first success."""
    async with measuring(lambda hello: False) as site:
        await retry.run(site)
        assert {o.group for o in site.session.recorder.observations} == {"retry/1", "retry/2", "retry/3"}


async def test_a_cancelled_wait_leaves_an_observation():
    """What was begun and given up is recorded as interrupted, with what is known of it."""
    async with measuring(lambda hello: True) as site:

        async def waiting() -> None:
            blank = TlsFact(sni=TARGET, verify=True)
            with site.watching("tls", blank, place={"purpose": "baseline", "group": "v4"}, name=TARGET, address=OWN):
                await asyncio.Event().wait()

        task = asyncio.get_running_loop().create_task(waiting())
        await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        (found,) = site.session.recorder.observations
        assert (found.failure, found.operation.name, found.endpoint) == ("interrupted", TARGET, 0)


def broke_off(took_us: int) -> Operation:
    """A greeting that was reset."""
    return Operation(
        fact=TlsFact(sni=TARGET, verify=True), started_us=0, duration_us=took_us, failure="connection_reset"
    )


def asked_of_the_router(site: Site) -> list[tuple[str | None, str | None, bool]]:
    """Address, failure, and whether the time was taken, of every connection to the router."""
    found = [o for o in site.session.recorder.observations if o.group == "gateway"]
    return [(o.operation.address, o.failure, o.operation.duration_us is not None) for o in found]


def assert_asked_of_the_router(site: Site) -> None:
    """Three times, or up to eight where this computer is busy; its address is not kept."""
    found = asked_of_the_router(site)
    assert set(found) == {(None, None, True)}
    assert 3 <= len(found) <= 8


async def test_what_breaks_off_at_once_is_held_against_the_router():
    """The router's distance is taken some times, and its address is not kept."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        site.suspicions["tls"] = broke_off(4_000)
        await contrast.neutral_pairs(site)
        assert_asked_of_the_router(site)


async def test_a_router_that_is_not_known_is_recorded_as_not_asked():
    """So that the judge knows that nothing was measured because nothing could be."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        assert isinstance(site.wire, Loopback)
        site.wire.first_router = None
        site.suspicions["tls"] = broke_off(4_000)
        await contrast.neutral_pairs(site)
        assert asked_of_the_router(site) == [(None, "network_unreachable", False)]


async def test_where_there_is_no_ipv4_the_router_of_ipv6_is_asked():
    """Everything that is compared goes by that one; its address is kept as little."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        assert isinstance(site.wire, Loopback)
        site.wire.first_router, site.wire.first_router6 = None, "fe80::1"
        site.suspicions["tls"] = broke_off(4_000)
        await contrast.neutral_pairs(site)
        assert_asked_of_the_router(site)


async def test_a_first_one_that_was_late_does_not_spare_the_router():
    """A busy computer hears of the first reset late; those of the arms come at once, and are held against the router."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        site.suspicions["tls"] = broke_off(45_000)
        await contrast.neutral_pairs(site)
        assert_asked_of_the_router(site)


async def test_what_breaks_off_late_asks_nothing_of_the_router():
    """No router at home is as far as this, and silence is no answer of anybody's."""
    async with measuring(lambda _hello: True) as site:
        site.suspicions["tls"] = broke_off(21_000)
        site.suspicions["tcp"] = None
        await contrast.neutral_pairs(site)
        assert asked_of_the_router(site) == []


async def asked_with_a_wrong_clock(failure: str | None) -> set[str]:
    """What is asked about a greeting that failed so (``None``: silence) on a computer whose date is wrong."""
    begun: set[str] = set()

    async def note(_site: Site) -> None:
        begun.add("neutral_pair")

    async with measuring(lambda _hello: True) as site:
        site.session.network = NetworkVerdict(status="no_network", method="clock")
        site.session.own_side_known.set()
        site.follow_ups = lambda *_about: [("neutral_pair", note)]
        failed = broke_off(4_000)
        site.suspect("tls", dataclasses.replace(failed, failure=failure) if failure else None)
    return begun


@pytest.mark.parametrize("failure", [None, "generic_timeout_error", "connection_reset"])
async def test_a_wrong_clock_does_not_excuse_a_greeting_that_fails(failure: str | None):
    """Dates stop no packet: what is dropped by name is contrasted, whatever day it is here."""
    assert await asked_with_a_wrong_clock(failure) == {"neutral_pair"}


async def test_a_wrong_clock_excuses_certificates():
    """A certificate that is not in date is explained by the date."""
    assert await asked_with_a_wrong_clock("ssl_invalid_certificate") == set()


async def test_certificates_are_asked_for_under_both_names():
    """Where the target's name is shown a certificate, a name that is not served there either is shown one too."""
    async with measuring(lambda _hello: True) as site:
        await contrast.neutral_chains(site)
        found = [
            o for o in site.session.recorder.observations if o.group == "neutral/1" and isinstance(o.fact, TlsFact)
        ]
        assert [(o.arm, o.operation.name == TARGET) for o in found] == [("target", True), ("innocuous", False)]
        assert all(isinstance(o.fact, TlsFact) and o.fact.chain for o in found)


async def depths_of_arms(site: Site) -> list[tuple[str | None, str, str | None, bool]]:
    """(arm, kind, failure, whether the handshake came to its end) of every arm at the first neutral place."""
    await contrast.neutral_pairs(site)
    found = [o for o in site.session.recorder.observations if o.group == "neutral/1" and o.operation.kind != "tcp"]
    return [(o.arm, o.operation.kind, o.failure, bool(getattr(o.fact, "cipher", None))) for o in found]


async def test_what_breaks_off_after_the_first_record_is_contrasted_to_the_end_of_the_handshake():
    """An arm that stopped at the first record would pass for the name as well, and take the suspicion away."""
    async with measuring(lambda _hello: True) as site:
        ended = broke_off(30_000)
        site.suspicions["tls"] = dataclasses.replace(ended, fact=TlsFact(sni=TARGET, verify=True, server_hello=True))
        expected = [("innocuous", "tls", None, True), ("target", "tls", None, True)]
        assert await depths_of_arms(site) == expected


async def test_a_request_that_failed_is_contrasted_by_a_request():
    """The server hangs up after the handshake: no answer to any name, so the place is no use and the next one is tried."""
    async with measuring(lambda _hello: True) as site:
        site.suspicions["http"] = None
        arms = await depths_of_arms(site)
        assert {(arm, kind, finished) for arm, kind, _failure, finished in arms} == {("innocuous", "http", False)}
        assert all(failure for _arm, _kind, failure, _finished in arms)


async def test_a_certificate_that_failed_goes_no_deeper():
    """The handshake came to its end there; what failed is what was shown in it."""
    async with measuring(lambda _hello: True) as site:
        shown = dataclasses.replace(broke_off(30_000), failure="ssl_invalid_hostname")
        site.suspicions["tls"] = dataclasses.replace(shown, fact=TlsFact(sni=TARGET, verify=True, server_hello=True))
        assert {finished for _arm, _kind, _failure, finished in await depths_of_arms(site)} == {False}
