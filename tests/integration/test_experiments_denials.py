"""A denial that names a zone: who runs that zone is asked abroad, and only then. What is asked of silence abroad, too."""

import asyncio

import dns.message
import dns.rcode
import dns.rrset
import pytest

from probe.experiments import dns_answers, website
from probe.experiments.steps import Place
from probe.experiments.system_answers import addresses_of
from probe.instruments import dns as instrument
from probe.observations import Answer, DnsFact, Observation, Operation
from probe.wire.resolvers import Nameserver
from targets.model import Canaries, Canary
from tests.integration.test_experiments_pairs import TARGET, measuring, resolver

pytestmark = pytest.mark.anyio

BOGON = "10.10.34.35"
ABROAD = Canaries(
    members=tuple(Canary(family="resolver", where=where, operator=where) for where in ("8.8.8.8", "9.9.9.9"))
)


def denying(zone: str | None, rcode: dns.rcode.Rcode = dns.rcode.NXDOMAIN):
    """A resolver with that code for every address, with the SOA of *zone*; and who knows every zone's SOA."""

    def resolver(data: bytes) -> list[bytes]:
        query = dns.message.from_wire(data)
        reply, name = dns.message.make_response(query), query.question[0].name
        soa = dns.rrset.from_text(zone or name, 60, "IN", "SOA", "ns.nic.example. host.nic.example. 5 1 1 1 1")
        if query.question[0].rdtype == soa.rdtype:
            reply.answer.append(soa)
        else:
            reply.set_rcode(rcode)
            reply.authority += [soa] if zone else []
        return [reply.to_wire()]

    return resolver


async def parents(zone: str | None, rcode: dns.rcode.Rcode = dns.rcode.NXDOMAIN) -> list[Observation]:
    """What is asked of the zone that a denial of the target names."""
    async with measuring(lambda _hello: True, resolver=denying(zone, rcode)) as site:
        site.session.canaries = ABROAD
        await dns_answers._unchecked(site, Nameserver("203.0.113.53"))
    for lingering in site.lingering:
        lingering.close()
    return [o for o in site.session.recorder.observations if o.group == "parent"]


async def test_who_runs_the_zone_of_a_denial_is_asked_abroad():
    """Once plainly and once encrypted, for the zone's SOA; what the plain one says is kept."""
    asked = await parents("example.")

    assert [(o.fact.qname, o.fact.qtype) for o in asked if isinstance(o.fact, DnsFact)] == [("example", "SOA")] * 2
    assert {o.fact.transport for o in asked if isinstance(o.fact, DnsFact)} == {"udp", "doh"}
    (plain,) = [o.fact for o in asked if isinstance(o.fact, DnsFact) and o.fact.transport == "udp"]
    assert plain.soa is not None
    assert (plain.soa.zone, plain.soa.mname, plain.soa.serial) == ("example", "ns.nic.example", 5)


@pytest.mark.parametrize("zone", [None, f"{TARGET}.", "other.", "."])
async def test_nothing_is_asked_of_zones_that_cannot_remember(zone: str | None):
    """No zone; one that the name itself is; one that it is not below; the root, which would deny a whole TLD."""
    assert await parents(zone) == []


async def test_only_denials_are_followed():
    """A failure with a zone's mark is no denial."""
    assert await parents("example.", dns.rcode.SERVFAIL) == []


def silent_about_the_target(data: bytes) -> list[bytes]:
    """An address for every name but the target's, about which there is silence."""
    return [] if dns.message.from_wire(data).question[0].name.to_text() == f"{TARGET}." else resolver(data)


@pytest.mark.parametrize(
    ("at_home", "rounds"),
    [(None, [None, 1, 1]), ("generic_timeout_error", [None, 1, 1]), ("dns_nxdomain_error", [None])],
)
async def test_silence_abroad_is_asked_again_where_there_is_silence_at_home(
    at_home: str | None, rounds: list[int | None]
):
    """Beside an innocuous name, which is answered; where home denies or fails, silence abroad is another matter."""
    async with measuring(lambda _hello: True, resolver=silent_about_the_target) as site:
        failed = Operation(
            fact=DnsFact(transport="udp", role="system", qname=TARGET, qtype="A"), started_us=0, failure=at_home
        )
        site.suspicions["dns"] = failed if at_home else None
        await dns_answers._plain(site, Nameserver("8.8.8.8"))
    for lingering in site.lingering:
        lingering.close()
    asked = [o for o in site.session.recorder.observations if o.group == "foreign"]
    assert sorted((o.round for o in asked), key=str, reverse=True) == rounds
    assert {o.arm for o in asked if o.failure is None} == ({"innocuous"} if 1 in rounds else set())


@pytest.mark.parametrize("listening", [True, False])
async def test_silence_where_nobody_listens_is_asked_again(listening: bool, monkeypatch: pytest.MonkeyPatch):
    """Only a machine that says of the innocuous name that nobody listens tells anything by its silence about the target."""
    async with measuring(lambda _hello: True) as site:
        site.suspicions["dns"] = None

        async def answer(
            _site: object, server: Nameserver, role: str, innocuous: str, *, round_: int, edns: bool = True
        ):
            asked.append(round_)
            fact = DnsFact(transport="udp", role="no_resolver", qname=TARGET, qtype="A")
            refused = "generic_timeout_error" if listening else "connection_refused"
            return tuple(
                Operation(fact=fact, started_us=0, failure=failure) for failure in ("generic_timeout_error", refused)
            )

        asked: list[int] = []
        monkeypatch.setattr(dns_answers, "_both", answer)
        await dns_answers._no_resolver(site, ())
    for lingering in site.lingering:
        lingering.close()
    assert asked == ([0] if listening else [0, 1])


def old_device(data: bytes) -> list[bytes]:
    """A lie for the target where the question has no OPT record, else an address."""
    query = dns.message.from_wire(data)
    if query.edns >= 0 or query.question[0].name.to_text() != f"{TARGET}.":
        return resolver(data)
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", BOGON))
    return [reply.to_wire()]


@pytest.mark.parametrize(
    ("library", "later_s", "asked"),
    [
        (BOGON, 0.0, {"no_edns", "no_resolver"}),
        (BOGON, 0.3, {"no_edns", "no_resolver"}),
        ("20.1.0.9", 0.0, set()),
        (None, 0.0, set()),
    ],
)
async def test_whoever_lies_to_the_library_alone_is_asked_as_it_asks(
    library: str | None, later_s: float, asked: set[str], monkeypatch: pytest.MonkeyPatch
):
    """Without EDNS, at the system's resolver and where none runs; not where the library has a possible address or none.

    It is all the same whose answer comes first.
    """

    async def told(_wire: object, name: str, *, deadline_s: float) -> Operation:
        await asyncio.sleep(later_s)
        answers = (Answer(name=name, rtype="A", value=library, ttl=60),) if library else ()
        fact = DnsFact(transport="getaddrinfo", role="system", qname=name, qtype="ANY", answers=answers)
        return Operation(fact=fact, started_us=0, name=name)

    monkeypatch.setattr(instrument, "ask_getaddrinfo", told)
    async with measuring(lambda _hello: True, resolver=old_device) as site:
        place = Place(purpose="baseline", endpoint=0, group="v4")
        found = await addresses_of(site, TARGET, place, libraries=[])
    for lingering in site.lingering:
        lingering.close()
    assert found
    assert BOGON not in found
    about = [o for o in site.session.recorder.observations if o.purpose == "dns_answers" and o.arm == "target"]
    assert {o.group for o in about} == asked
    assert all(isinstance(o.fact, DnsFact) and o.fact.addresses == (BOGON,) for o in about)


async def test_nothing_waits_for_a_library_that_says_nothing(monkeypatch: pytest.MonkeyPatch):
    """The baseline ends, and with it the wait for the C library."""
    silent = asyncio.Event()

    async def told(_wire: object, _name: str, *, deadline_s: float) -> Operation:
        await silent.wait()
        raise AssertionError

    monkeypatch.setattr(instrument, "ask_getaddrinfo", told)
    async with asyncio.timeout(60):
        async with measuring(lambda _hello: True, resolver=old_device) as site:
            site.session.own_side_known.set()
            site.follow_ups = lambda *_about: ()
            await website.run(site)
        for lingering in site.lingering:
            lingering.close()
    assert not silent.is_set()
