"""Pacing, turns and the choice of neutrals: what keeps a run gentle and its pairs honest."""

import asyncio
import random

import pytest

from probe.experiments import EXPERIMENTS
from probe.experiments import neutrals as places
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer, Turns
from probe.experiments.suspicion import FOLLOW_UPS, follow_ups
from probe.instruments.trust import Trust
from probe.observations import Operation, TlsFact
from probe.settings import Settings
from probe.wire import Wire
from probe.workflows.kit import ClockOffset, Kit
from targets.model import Asked, Canaries, Canary, Endpoint

pytestmark = pytest.mark.anyio


class Clockwork(Wire):
    """A wire whose time only passes in sleep()."""

    def __init__(self) -> None:
        super().__init__(rng=random.Random(1))
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_a_burst_is_spread_over_seconds():
    """No second sees more new flows than allowed, however many are asked for at once."""
    wire = Clockwork()
    pacer = Pacer(wire, per_second=10, per_120_s=1000)
    begun = []
    for _ in range(35):
        await pacer.flow()
        begun.append(wire.now)
    for moment in begun:
        assert sum(moment <= other < moment + 1 for other in begun) <= 10
    assert begun[-1] - begun[0] == pytest.approx(3, abs=0.01)


async def test_two_minutes_have_a_cap_of_their_own():
    """The cap over 120 s holds where the cap a second would let more through."""
    wire = Clockwork()
    pacer = Pacer(wire, per_second=10, per_120_s=20)
    for _ in range(21):
        await pacer.flow()
    assert wire.now >= 100 + 120


def asked(number: int, platform: str) -> Asked:
    return Asked(number=number, endpoint=Endpoint(f"https://e{number}.example/"), target=platform, platform=platform)


async def test_one_endpoint_of_each_platform_goes_first():
    """A platform's second endpoint waits until its first has ended; another platform's first does not."""
    turns = Turns(at_once=5)
    first, second, other = asked(0, "a"), asked(1, "a"), asked(2, "b")
    await turns.take(first)
    await asyncio.wait_for(turns.take(other), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(turns.take(second), 0.05)
    turns.give_back(first)
    await asyncio.wait_for(turns.take(second), 1)


async def test_turns_are_bounded_and_given_back():
    """Only so many endpoints follow up at once, and an ended one frees its turn."""
    turns = Turns(at_once=1)
    await turns.take(asked(0, "a"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(turns.take(asked(1, "b")), 0.05)
    turns.give_back(asked(0, "a"))
    await asyncio.wait_for(turns.take(asked(2, "c")), 1)


CANARIES = Canaries(
    members=tuple(Canary(family="foreign", where=f"site{n}.example", operator=str(n)) for n in range(8)),
    innocuous=("ab.example", "a-much-longer-name.example", "twelve.chars", "site1.example"),
)


@pytest.mark.parametrize("seed", range(20))
def test_no_canary_of_a_run_is_ever_a_neutral(seed: int):
    """What the own side is judged by must never be sent a forbidden name."""
    neutrals = Neutrals(CANARIES, random.Random(seed))
    canaries = {canary.where for canary in neutrals.canaries}
    assert len(canaries) == 3
    assert not canaries & set(neutrals._unused)
    assert len(neutrals._unused) == len(set(neutrals._unused))


async def test_runs_beside_each_other_have_no_place_in_common(monkeypatch: pytest.MonkeyPatch):
    """Neither a neutral, nor what the other judges its own side by; and what one has only looked at the other may have."""
    seen: list[str] = []

    async def resolve(_session: object, _place: object, name: str) -> str | None:
        seen.append(name)
        await asyncio.sleep(0)
        return f"192.0.{len(seen)}.1"

    monkeypatch.setattr(places, "resolve", resolve)
    under_way: list[Neutrals] = []
    runs = [Neutrals(CANARIES, random.Random(seed), beside=under_way) for seed in (1, 2)]
    under_way += runs
    async with asyncio.TaskGroup() as group:
        draws = [group.create_task(one.draw(None, None, ())) for one in runs * 9]  # type: ignore[arg-type]
    found = [neutral.name for draw in draws if (neutral := draw.result()) is not None]
    assert found
    assert len(found) == len(set(found))
    assert not set(found) & {canary.where for one in runs for canary in one.canaries}
    under_way.remove(runs[0])
    assert await runs[1].draw(None, None, ()) is not None  # type: ignore[arg-type]


def test_a_run_beside_another_judges_its_own_side_by_others():
    """A deep test may have sent a forbidden name to what it drew; when it has ended that rests, and is nobody's any more."""
    wire = Clockwork()
    kit = kit_of(wire)
    first = kit.drawn_from(wire)
    kit.under_way.append(first)
    second = kit.drawn_from(wire)
    assert not {canary.where for canary in second.canaries} & first.taken
    kit.rest(first, (), wire.monotonic())
    assert kit.under_way == []


def kit_of(wire: Wire) -> Kit:
    return Kit(
        trust=Trust("none", replaced=False, _shipped=(), _system=None),
        canaries=CANARIES,
        catalogue="test",
        clock=ClockOffset(lambda: 0.0),
        pacer=Pacer(wire, 10, 100),
    )


def test_the_innocuous_name_is_as_long_as_the_target():
    """Both hellos of a pair have one length, so that size explains nothing; the neutral's own name is never used."""
    neutrals = Neutrals(CANARIES, random.Random(1))
    assert neutrals.innocuous("forbidden.kz", avoid="other.example") == "twelve.chars"
    assert neutrals.innocuous("forbidden.kz", avoid="twelve.chars") != "twelve.chars"


def failed(failure: str) -> Operation:
    return Operation(fact=TlsFact(sni="t.example", verify=True), started_us=1, failure=failure)


def names(scheme: str, stage: str, operation: Operation | None, settings: Settings | None = None) -> set[str]:
    return {name for name, _run in follow_ups(scheme, stage, operation, settings or Settings())}


def test_silence_after_a_hello_starts_pairs_and_packet_sizes():
    """A handshake that is silent or reset is asked about at neutral addresses, and its packet sizes are tried."""
    assert {"neutral_pair", "own_pair", "path_mtu", "retry"} <= names("https", "tls", None)
    assert {"neutral_pair", "own_pair", "path_mtu"} <= names("https", "tls", failed("connection_reset"))


def test_a_certificate_is_an_answer_and_starts_no_pairs():
    """A forged or expired certificate is asked about by address, not by pairs: no forbidden name is sent for nothing."""
    started = names("https", "tls", failed("ssl_unknown_authority"))
    assert "dns_answers" in started
    assert not started & {"neutral_pair", "own_pair", "path_mtu"}


def test_a_bare_port_has_no_name_to_contrast():
    """tcp:// endpoints start no pairs."""
    assert not names("tcp", "tcp", None) & {"neutral_pair", "own_pair"}


@pytest.mark.parametrize("stage", ["dns", "tcp", "tls", "http", "page"])
def test_only_and_skip_choose_among_follow_ups(stage: str):
    """--only and --skip name experiments; everything that any stage starts can be named."""
    everything = names("https", stage, None)
    assert everything <= set(FOLLOW_UPS)
    assert names("https", stage, None, Settings(skip=tuple(everything))) == set()
    assert names("https", stage, None, Settings(only=("dns_answers",))) <= {"dns_answers"}


def test_every_follow_up_is_a_registered_experiment():
    """What suspicion can start is what --only, --skip and --dry-run can name, and nothing else is."""
    names_registered = {name for name, _told in EXPERIMENTS}
    # What a page that came is asked besides, no failure starts: whether it is slow for its name, and what hides a name.
    beside = {"throttling", "ech"}
    assert set(FOLLOW_UPS) == names_registered - {"website", "network"} - beside
    assert all(told for _name, told in EXPERIMENTS)
