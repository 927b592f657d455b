"""Rounds of a process that lives long, in the demo's pretend Internet: what they cost, what they say, what they leave."""

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest

from probe.demo import patience
from probe.demo.internet import Internet, open_internet
from probe.demo.neighbourhood import quiet_neighbourhood
from probe.demo.wire import DemoWire
from probe.demo.world import Page, Reply, Rule, Server, World
from probe.experiments.cheap import FULL_EVERY
from probe.experiments.pacing import Pacer
from probe.experiments.site import Site
from probe.incidents.model import Kind, Reading
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.observations import Observation, Operation, TcpFact, TlsFact
from probe.settings import Settings
from probe.wire import Wire
from probe.workflows import watching
from probe.workflows.kit import ClockOffset, Kit
from probe.workflows.watching import Came
from storage import own_sides, readings
from storage.archive import Archive
from storage.writer import Job
from targets.loader import load_canaries
from targets.model import Asked, Endpoint

SITE, REFUSING, PLAIN, BARE = "www.site.example", "denied.example", "plain.example", "22.4.0.10"
URLS = (f"https://{SITE}/", f"https://{REFUSING}/", f"http://{PLAIN}/", f"tcp://{BARE}:443")
CANARIES = load_canaries()


def asked(*urls: str) -> tuple[Asked, ...]:
    return tuple(Asked(number=n, endpoint=Endpoint(url), target=url) for n, url in enumerate(urls, 1))


def world() -> World:
    """The quiet neighbourhood, a site in good health, one that refuses, one without encryption, and a bare address."""
    quiet = quiet_neighbourhood(CANARIES)
    addresses = {SITE: "22.1.0.10", REFUSING: "22.2.0.10", PLAIN: "22.3.0.10"}
    page = Page(body="<html><title>Hello</title><p>" + "a page like others " * 20)
    pages = {SITE: page, REFUSING: Page(status=403, body="<p>Forbidden"), PLAIN: page}
    return replace(
        quiet,
        servers=(
            *quiet.servers,
            *(Server(address=address, names=(name,), pages={"": pages[name]}) for name, address in addresses.items()),
            Server(address=BARE, names=(BARE,)),
        ),
        zone={**quiet.zone, **{name: Reply((address,)) for name, address in addresses.items()}},
    )


@dataclass
class Probe:
    """A kit, a wire into a world, and what can be changed of that."""

    kit: Kit
    wire: DemoWire
    internet: Internet
    archive: Archive | None = None

    def change(self, **fields: object) -> None:
        """Something begins or ends in the world, while everything runs."""
        for name, value in fields.items():
            object.__setattr__(self.internet.world, name, value)

    async def round(self, *urls: str, kind: Kind = "cheap") -> Came:
        looks = tuple((one, kind) for one in asked(*(urls or URLS[:1])))
        return await watching.measure(self.kit, self.wire, SETTINGS, looks, self.archive)

    async def look(self, *, full: bool = False) -> Came:
        return await watching.look(self.kit, self.wire, SETTINGS, self.archive, full=full)


SETTINGS = Settings().hurried(5)


@asynccontextmanager
async def probe(folder: Path, *, archive: bool = False) -> AsyncIterator[Probe]:
    async with open_internet(world(), folder) as internet:
        trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
        warm(trust)
        wire = DemoWire(internet)

        kit = Kit(
            trust=trust,
            canaries=CANARIES,
            catalogue="test",
            clock=ClockOffset(time.monotonic),
            pacer=Pacer(wire, 1000, 100_000),
        )
        if not archive:
            yield Probe(kit, wire, internet)
            return
        kept = Archive.open(str(folder / "dalel.db"))
        try:
            yield Probe(kit, wire, internet, kept)
        finally:
            kept.close()


def play(story: Callable[[Probe], Awaitable[None]], *, archive: bool = False) -> None:
    """Tell *story* in a world of its own, on a loop that is patient with this machine."""

    async def told() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with probe(Path(folder), archive=archive) as one:
                await story(one)

    patience.run(told())


def word(came: Came, url: str = URLS[0]) -> tuple[str, str]:
    """Status and kind of one reading."""
    (found,) = [reading for reading in came.readings if reading.url == url]
    return found.status, found.kind


# ---------------------------------------------------------------------------------------------------------------------
# cheap and full


def test_after_a_full_check_five_cheap_ones_follow() -> None:
    """The first one learns the ticket; then five are cheap in bytes; and the next one is full again."""

    async def story(one: Probe) -> None:
        costs = []
        for _ in range(FULL_EVERY + 1):
            came = await one.round()
            assert word(came) == ("accessible", "cheap")
            costs.append(came.bytes_sent + came.bytes_received)
        full, *cheap, again = costs
        assert max(cheap) < 2200 < min(full, again)

    play(story)


def test_a_full_look_is_full_whatever_is_remembered() -> None:
    """Who asks for a full check gets one."""

    async def story(one: Probe) -> None:
        await one.round()
        cheap, full = await one.round(), await one.round(kind="full")
        assert word(full) == ("accessible", "full")
        assert full.bytes_received > 2 * cheap.bytes_received

    play(story)


def test_a_site_that_refuses_is_never_checked_cheaply() -> None:
    """It would take its ticket too, and the refusal would turn into ``accessible``."""

    async def story(one: Probe) -> None:
        for _ in range(3):
            assert word(await one.round(URLS[1]), URLS[1]) == ("denied", "full")
        assert len(one.kit.memory) == 0

    play(story)


def test_what_has_no_ticket_is_measured_as_ever() -> None:
    """Plain pages and bare addresses cost so little that there is nothing cheaper."""

    async def story(one: Probe) -> None:
        for _ in range(2):
            came = await one.round(*URLS[2:])
            assert [word(came, url) for url in URLS[2:]] == [("accessible", "cheap")] * 2

    play(story)


def test_a_block_that_began_since_is_found_in_the_same_round() -> None:
    """The cheap check fails, the full one follows at once, and its word has nothing of the cheap one."""

    async def story(one: Probe) -> None:
        await one.round()
        one.change(rules=(Rule(name=SITE, tls="silence"),))
        came = await one.round()
        assert word(came) == ("blocked", "full")
        assert came.own_side is not None
        assert (came.own_side.status, came.own_side.kind) == ("ok", "full")
        # What was looked at after it had failed is dated so, or a look from in between would make it an old one.
        assert came.own_side.at_us > came.readings[0].at_us
        assert one.archive is not None
        _, _, observations = one.archive.load(came.run)
        seen = [o for o in observations if o.purpose == "cheap" and isinstance(o.fact, TlsFact)]
        assert [(o.failure, o.fact.ticket_age_s is not None) for o in seen if isinstance(o.fact, TlsFact)] == [
            ("generic_timeout_error", True)
        ]
        assert not {o.number for o in seen} & _cited(one.archive, came.run)

    play(story, archive=True)


def _cited(archive: Archive, run: str) -> set[int]:
    """Observations that the verdicts of a run point at."""
    return {
        number
        for verdict in archive.reader.verdicts(run).values()
        for finding in (*verdict.findings, *verdict.against)
        for number in finding.observations
    }


@pytest.mark.parametrize("trouble", ["reset", "eof", "alert"])
def test_a_cheap_check_that_fails_once_blames_nobody(trouble) -> None:
    """What has passed by the time of the full check leaves the site accessible."""

    async def story(one: Probe) -> None:
        await one.round()
        one.change(rules=(Rule(name=SITE, tls=trouble),))
        learn = one.kit.memory.forget

        def forget(url: str) -> None:
            learn(url)
            one.change(rules=())

        one.kit.memory.forget = forget  # type: ignore[method-assign]
        came = await one.round()
        assert word(came) == ("accessible", "cheap")

    play(story)


def test_a_name_that_is_lied_about_is_not_checked_cheaply() -> None:
    """The question is asked in cheap rounds too, for it is names that are blocked."""

    async def story(one: Probe) -> None:
        await one.round()
        one.change(rules=(Rule(name=SITE, dns=Reply(("10.10.34.35",))),))
        assert word(await one.round()) == ("blocked", "full")

    play(story)


# ---------------------------------------------------------------------------------------------------------------------
# the own side


def test_a_quiet_look_costs_a_question_and_a_connection() -> None:
    """The first look is a whole one, the next ones are small, and say so."""

    async def story(one: Probe) -> None:
        first, small = await one.look(), await one.look()
        assert first.own_side is not None
        assert small.own_side is not None
        assert (first.own_side.status, first.own_side.kind) == ("ok", "full")
        assert (small.own_side.status, small.own_side.kind, small.own_side.run) == ("ok", "cheap", "")
        assert small.bytes_sent + small.bytes_received < 400 < first.bytes_received

    play(story)


def test_a_dead_line_is_looked_at_twice_and_kept() -> None:
    """A small look that fails is followed by a whole one at once; its details are in the archive."""

    async def story(one: Probe) -> None:
        await one.look()
        one.change(link="silent")
        came = await one.look()
        assert came.own_side is not None
        assert (came.own_side.status, came.own_side.method, came.own_side.kind) == ("no_network", "upstream", "full")
        assert one.archive is not None
        run, _, observations = one.archive.load(came.own_side.run)
        assert (run.network_status, run.network_method) == ("no_network", "upstream")
        assert {o.group for o in observations if o.purpose == "own_side"} == {"before", "after", "holes"}
        one.change(link="up")
        again = await one.look()
        assert again.own_side is not None
        assert (again.own_side.status, again.own_side.kind) == ("ok", "cheap")
        kept = list(own_sides.between(one.archive.reader.database, 0))
        assert [look.status for look in kept] == ["ok", "no_network", "ok"]

    play(story, archive=True)


def test_a_round_on_a_dead_line_blames_the_line() -> None:
    """The whole own side is looked at in that round, and told with it."""

    async def story(one: Probe) -> None:
        await one.round()
        one.change(link="silent")
        came = await one.round()
        assert word(came) == ("no_network", "full")
        assert came.own_side is not None
        assert came.own_side.method == "upstream"

    play(story)


# ---------------------------------------------------------------------------------------------------------------------
# what is kept, and when it was


def test_readings_are_those_that_the_archive_gives_back() -> None:
    """A machine that is fed from the archive after a crash hears what it would have heard."""

    async def story(one: Probe) -> None:
        told: list[Reading] = []
        for rules in ((), (), (Rule(name=SITE, tls="silence"),)):
            one.change(rules=rules)
            came = await one.round(*URLS)
            told += came.readings
        assert one.archive is not None
        kept = list(readings.between(one.archive.reader.database, 0))
        bare = [replace(reading, run="", endpoint=0) for reading in kept]
        assert sorted(bare, key=str) == sorted((replace(reading, run="", endpoint=0) for reading in told), key=str)

    play(story, archive=True)


@pytest.mark.parametrize("way", ["look", "round"])
def test_what_is_killed_while_it_keeps_has_kept_all_or_nothing(way: str) -> None:
    """One transaction: the details of a look at a dead line, what it said, and that it was the first in another network."""

    async def story(one: Probe) -> None:
        assert one.archive is not None
        await one.look()
        await one.round()
        here = one.internet.world.nameservers
        one.change(link="silent", nameservers=tuple(replace(server, address="22.0.0.99") for server in here[:1]))
        put, given = one.archive._writer.put, []

        def once(job: Job) -> Future[None]:
            given.append(job)
            if len(given) == 1:
                return put(job)
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing

        one.archive._writer.put = once  # type: ignore[method-assign]
        came = await (one.look() if way == "look" else one.round())
        assert came.own_side is not None
        (moved,) = came.moved
        kept = list(own_sides.between(one.archive.reader.database, moved.at_us))
        assert kept == [moved, came.own_side]
        assert len(one.archive.load(came.own_side.run)[2]) > 20

    play(story, archive=True)


def test_times_are_corrected_by_what_is_known_of_the_clock() -> None:
    """The run has this host's own time and the offset; a reading has the right time."""

    async def story(one: Probe) -> None:
        year_us = 365 * 86_400_000_000
        one.kit.clock.learn(year_us, one.wire.now_us())
        came = await one.round()
        (reading,) = came.readings
        assert abs(reading.at_us - one.wire.now_us() - year_us) < 600_000_000

    play(story)


def test_a_clock_that_somebody_sets_needs_no_new_offset() -> None:
    """What was learned before the step is still right after it."""
    now = [1000.0]
    clock = ClockOffset(lambda: now[0])
    assert clock.at(5_000_000) is None
    clock.learn(3_600_000_000, 1_000_000_000)
    now[0] = 1010.0
    assert clock.at(1_010_000_000) == 3_600_000_000
    assert clock.at(4_610_000_000) == 0


# ---------------------------------------------------------------------------------------------------------------------
# two hundred rounds


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def _left() -> tuple[int, int, int]:
    """Descriptors, tasks and objects, once servers have seen that their clients have gone."""
    for _ in range(20):
        await asyncio.sleep(0.01)
    gc.collect()
    return _descriptors(), len(asyncio.all_tasks()), len(gc.get_objects())


def test_two_hundred_rounds_leave_nothing_behind() -> None:
    """As many descriptors and tasks after two hundred rounds as after some, and as many objects but for a handful."""

    async def story(one: Probe) -> None:
        async def rounds(count: int) -> None:
            for number in range(count):
                await one.round(*(URLS if number % 20 == 0 else (URLS[0], *URLS[2:])))
                await one.look()

        await rounds(20)
        descriptors, tasks, objects = await _left()
        await rounds(200)
        after = await _left()
        assert after[:2] == (descriptors, tasks)
        # The server's side of a ticket, log lines and caches of the standard library come to some dozens.
        assert after[2] - objects < 600

    play(story)


def test_in_another_network_nothing_learned_before_is_believed() -> None:
    """No ticket is offered there, sites abroad are looked for anew, and the incidents are told, also by the archive."""

    async def story(one: Probe) -> None:
        await one.look()
        await one.round(kind="full")
        assert not (await one.round()).moved
        assert len(one.kit.memory) == 1
        assert one.kit.abroad
        here = one.internet.world.nameservers
        one.change(nameservers=tuple(replace(server, address="22.0.0.99") for server in here[:1]))
        came = await one.round()
        assert len(one.kit.memory) == 0
        assert not one.kit.abroad
        assert one.kit.greeted is None
        (moved,) = came.moved
        assert came.own_side is None or moved.at_us < came.own_side.at_us
        assert not (await one.round()).moved
        assert one.archive is not None
        kept = [look for look in own_sides.between(one.archive.reader.database, 0) if look.method == "moved"]
        assert kept == [moved]

    play(story, archive=True)


class Carried(Kit):
    """Of a host that is somewhere else each time that it is asked."""

    def look_around(self, wire: Wire) -> int:
        self.moves += 1
        return super().look_around(wire)


def test_who_ends_first_in_another_network_tells_of_it() -> None:
    """A look noticed it, and a round ended sooner; one that began in the old network is added up with neither of them."""

    async def story(one: Probe) -> None:
        await one.look()
        one.kit.moves += 1  # noticed by something that has not ended yet
        first = await one.round()
        assert len(first.moved) == 1
        assert not (await one.look()).moved
        one.kit = Carried(**{field.name: getattr(one.kit, field.name) for field in fields(Kit)})
        came = await one.round()
        (reading,) = came.readings
        before, after = came.moved
        assert before.at_us < reading.at_us <= reading.until_us < after.at_us

    play(story)


def test_a_plug_that_is_pulled_while_the_line_is_down_is_seen_as_that() -> None:
    """What was said of the line a minute ago does not go on being said of a computer that is on no line."""

    async def story(one: Probe) -> None:
        await one.look()
        said = []
        for link in ("silent", "silent", "no_route"):
            one.change(link=link)
            came = await one.look()
            assert came.own_side is not None
            said.append((came.own_side.method, came.own_side.kind))
        assert said == [("upstream", "full"), ("upstream", "cheap"), ("link", "full")]

    play(story)


def test_only_a_site_that_proved_itself_is_remembered() -> None:
    """Whoever answers for a name that is lied about takes the connection as well."""

    def seen(fact: TcpFact | TlsFact, name: str, address: str, failure: str | None = None) -> Observation:
        operation = Operation(fact=fact, started_us=0, failure=failure, address=address, name=name)
        return Observation(number=1, operation=operation, purpose="own_side", member=f"foreign/{name}")

    async def story(one: Probe) -> None:
        one.kit.remember(
            [
                seen(TcpFact(), "lied.example", "22.1.0.10"),
                seen(TlsFact(sni="lied.example", verify=True), "lied.example", "22.1.0.10", "ssl_invalid_hostname"),
                seen(TcpFact(), "true.example", "22.2.0.10"),
                seen(TlsFact(sni="true.example", verify=True), "true.example", "22.2.0.10"),
            ]
        )
        assert one.kit.abroad == {"true.example": "22.2.0.10"}

    play(story)


def test_a_bug_at_one_endpoint_loses_no_word_about_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What had been judged by then is kept, in a run that was broken off; the bug is still a bug."""

    def broken(_memory: object, site: Site, _verdict: object) -> None:
        if site.host == REFUSING:  # its word takes longer: the own side is looked at first
            raise ZeroDivisionError

    async def story(one: Probe) -> None:
        with pytest.raises(ExceptionGroup):
            await one.round(*URLS[:2], kind="full")
        assert one.archive is not None
        one.archive.call(lambda _connection: None).result(30)  # in turn with what was put before it
        (run,) = one.archive.runs()
        assert run.interrupted
        assert one.kit.under_way == []
        assert [reading.url for reading in readings.between(one.archive.reader.database, 0)] == [URLS[0]]

    monkeypatch.setattr("probe.runner.cheap.learn", broken)
    play(story, archive=True)


# ---------------------------------------------------------------------------------------------------------------------
# many in trouble at once


def test_a_burst_of_many_asks_what_its_words_need_and_one_of_few_asks_on() -> None:
    """Three silent names are blocked in a burst by the neutral places alone; what else is asked of two is left out."""
    urls = (f"https://{SITE}/", f"https://{REFUSING}/", f"https://{PLAIN}/")

    async def story(one: Probe) -> None:
        one.change(rules=tuple(Rule(name=name, tls="silence") for name in (SITE, REFUSING, PLAIN)))
        purposes = {}
        for count in (3, 2):
            heard: list[Observation] = []
            one.kit.heard = heard.extend
            came = await one.round(*urls[:count], kind="burst")
            assert {word(came, url) for url in urls[:count]} == {("blocked", "burst")}
            purposes[count] = {o.purpose for o in heard}
        assert "own_pair" in purposes[2] - purposes[3]
        assert "neutral_pair" in purposes[3]

    play(story)
