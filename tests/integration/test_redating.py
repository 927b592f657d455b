"""A computer that starts hours behind while the line is down: what it saw has its right times once it is told the time."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from probe.daemon.clock import SystemClock
from probe.daemon.daemon_work import RealWork
from probe.daemon.telling.items import from_payload
from probe.daemon.telling.means import Means
from probe.daemon.telling.teller import Teller
from probe.demo.internet import open_internet
from probe.demo.neighbourhood import quiet_neighbourhood
from probe.demo.wire import DemoWire
from probe.incidents.model import Fact, OwnSide, Reading
from probe.incidents.redating import moments_of
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.settings import Settings
from probe.settings.notify import Notify, channel_from_table
from probe.wire import Wire
from probe.workflows.incidents import Incidents
from probe.workflows.kit import ClockOffset
from probe.workflows.redating import Undated
from probe.workflows.watching import Came
from storage import incidents, outbox, own_sides, readings
from storage.archive import Archive
from storage.location import parse
from storage.redating import Correction, correct
from targets.loader import load_canaries
from tests.incident_facts import MINUTE, at, burst, look, reading
from tests.integration.test_incident_archive import keep, keep_fact
from tests.ports import free_port
from tests.unit.daemon_pieces import Lines, watch_set

pytest_plugins = ("tests.postgresql",)

HOURS_US = 8 * 3_600_000_000
CANARIES = load_canaries()


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    url = str(tmp_path / "dalel.db") if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with Archive.open(parse(url, data_dir=tmp_path)) as opened:
        yield opened


# ---------------------------------------------------------------------------------------------------------------------
# the daemon


class Skipping(SystemClock):
    """The system's clock, which somebody puts forward as if time had passed."""

    def __init__(self) -> None:
        self.skipped_s = 0

    def now_us(self) -> int:
        return super().now_us() + self.skipped_s * 1_000_000

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped_s


class SkippingWire(DemoWire):
    clock: Skipping

    def now_us(self) -> int:
        return self.clock.now_us()


@pytest.mark.anyio
async def test_a_daemon_that_started_behind_dates_all_of_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks, the incident and its event, and the message that waits. Nothing is told again, and the end is where it belongs."""
    monkeypatch.setattr("probe.incidents.machine.APART_US", 0)  # so hurried a look is soon over
    with tempfile.TemporaryDirectory() as home, Archive.open(str(Path(home) / "dalel.db")) as kept:
        world = replace(quiet_neighbourhood(CANARIES), ahead_s=HOURS_US / 1e6, link="silent")
        async with open_internet(world, Path(home)) as internet:
            trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
            warm(trust)
            lines, clock = Lines(), Skipping()
            closed = channel_from_table({"kind": "ntfy", "url": f"http://127.0.0.1:{free_port()}/t"})
            teller = Teller(
                notify=Notify(listed=(closed,)),
                language="en",
                archive=kept,
                means=Means(Wire(), lambda: trust),
                now_us=clock.now_us,
                log=io.StringIO(),
            )
            wire = SkippingWire(internet)
            wire.clock = clock
            work = RealWork(wire=wire, clock=clock, archive=kept, trust=trust, teller=teller, say=lines)
            await work.begin()
            watch = replace(
                watch_set(Path(home), 0, settings=replace(Settings(), notify=teller.notify).hurried(5)),
                canaries=CANARIES,
            )

            async def looked() -> OwnSide:
                came = await work.own_side(watch, full=True)
                await work.conclude(came.facts)
                (own,) = came.facts
                assert isinstance(own, OwnSide)
                return own

            begun_us = clock.now_us()
            wrong: list[OwnSide] = []
            while not (found := incidents.newest(kept.reader.database)):
                wrong.append(await looked())
                clock.skipped_s += 60
                assert (wrong[-1].status, len(wrong) < 9) == ("no_network", True)
            (opened,) = found
            assert opened.began_by_us < begun_us + HOURS_US // 2
            before = outbox.waiting(kept.reader.database)

            late = await work.own_side(watch, full=True)
            object.__setattr__(internet.world, "link", "up")
            behind_us = HOURS_US - clock.skipped_s * 1_000_000
            first = await work.own_side(watch, full=True)  # by now the time is known
            right: list[OwnSide] = []
            for came, into in ((late, wrong), (first, right)):
                await work.conclude(came.facts)
                into += [fact for fact in came.facts if isinstance(fact, OwnSide)]
            while incidents.newest(kept.reader.database, open_only=True):
                right.append(await looked())
                assert (right[-1].status, len(right) < 9) == ("ok", True)
            ended_us = clock.now_us()

        database = kept.reader.database
        (words,) = [words for event, words in lines if event == "redated"]
        assert words.startswith("This computer's clock was 8 hours behind until it was told the time.")
        looks = list(own_sides.between(database, 0))
        assert len(looks) == len(wrong) + len(right)
        assert all(begun_us + behind_us - 1_000_000 <= one.at_us <= ended_us + behind_us + 1_000_000 for one in looks)
        assert [one.at_us for one in looks[len(wrong) :]] == [one.at_us for one in right]
        (closed_one,) = incidents.newest(database)
        assert (closed_one.id, closed_one.state, closed_one.began_by_us) == (opened.id, "closed", looks[0].at_us)
        assert (closed_one.ended_after_us, closed_one.ended_by_us) == (looks[len(wrong) - 1].at_us, right[0].at_us)
        events = incidents.events(database, opened.id)
        assert [(event.kind, event.at_us - behind_us > begun_us) for event in events] == [
            ("opened", True),
            ("closed", True),
        ]
        (waiting, _) = outbox.waiting(database)
        assert waiting.made_us == pytest.approx(before[0].made_us, abs=2_000_000), "the clock is still what it was"
        item = from_payload(waiting.payload)
        assert (item.incident.began_by_us, item.at_us) == (looks[0].at_us, events[0].at_us)
        again, missed = Incidents.load(kept, looks[-1].at_us)
        assert (missed.told, missed.changed) == ((), ())
        assert again.state.incidents == {closed_one.id: closed_one}


def test_what_comes_before_the_time_is_known_is_dated_as_soon_as_it_is() -> None:
    """By what the clock was apart from the timeline then, whatever somebody has done to it since; a little is left as it is."""
    now = [1000.0]
    clock, undated = ClockOffset(lambda: now[0]), Undated()
    for moment in (10, 20):
        undated.note(Came(run=f"r{moment}", own_side=look(moment), undated_s=clock.apart_s(500_000_000)))
    undated.note(Came(run="dated", own_side=look(30)))
    assert undated.known(clock, 500_000_000) is None
    now[0] = 1060.0
    clock.learn(100_000, 4_160_000_000)  # set an hour forward, and a tenth of a second behind since
    correction = undated.known(clock, 4_160_000_000)
    assert correction is not None
    assert correction.truly_us == {at(10): at(10) + 3_600_100_000, at(20): at(20) + 3_600_100_000}
    assert (set(correction.runs), correction.still_us) == ({"r10", "r20"}, 100_000)
    undated.note(Came(run="meanwhile", own_side=look(35), undated_s=clock.apart_s(500_000_000)))
    undated.forget(correction)
    left = undated.known(clock, 4_160_000_000)
    assert left is not None
    assert set(left.runs) == {"meanwhile"}
    undated.forget(left)
    undated.note(Came(run="late", own_side=look(40), undated_s=clock.apart_s(4_160_000_000)))
    assert undated.known(clock, 4_160_000_000) is None
    clock.learn(9_000_000, 4_160_000_000)
    assert undated.known(clock, 4_160_000_000) is None, "it was right when it was looked at"


# ---------------------------------------------------------------------------------------------------------------------
# the archive


def test_what_is_kept_is_corrected_and_nothing_else(archive: Archive) -> None:
    """Rows of an earlier process and those with an offset stay; an incident has a new version, and no event more."""
    database = archive.reader.database
    others: list[Fact] = [look(1), reading(3, of="beta", kind="cheap"), reading(5, of="beta")]
    mine: list[Fact] = [look(100), reading(101, kind="cheap"), *burst(111), look(113)]
    for number, fact in enumerate((*others, *mine)):
        keep_fact(archive, fact, number=number)
    own_sides.save(archive, look(102), clock_offset_us=7).result(30)
    machine, missed = Incidents.load(archive, at(114))
    keep(machine, missed)
    ((incident, opened),) = missed.told
    message = outbox.Message(
        made_us=at(112),
        next_us=at(113),
        incident=incident.id,
        channel="c",
        payload={"incident": {"began_by_us": incident.began_by_us}, "number": 1, "at_us": opened.at_us},
    )
    outbox.put(archive, [message, replace(message, sent_us=at(113))]).result(30)

    moments = moments_of(mine)
    runs = {f"{number:032x}": HOURS_US for number in range(len(others), len(others) + len(mine))}
    for _ in range(2):
        offsets = dict.fromkeys({*moments, at(102)}, HOURS_US)
        correct(archive, Correction(runs=runs, moments=offsets, still_us=MINUTE)).result(30)

    assert [one.at_us for one in own_sides.between(database, 0)] == [
        at(1),
        at(102) + 7,
        at(100) + HOURS_US,
        at(113) + HOURS_US,
    ]
    read = [fact for fact in (*others, *mine) if isinstance(fact, Reading)]
    assert [(one.at_us, one.until_us) for one in readings.between(database, 0)] == [
        (one.at_us + away_us, one.until_us + away_us) for one in read for away_us in (HOURS_US if one in mine else 0,)
    ]
    (dated,) = incidents.newest(database)
    assert dated == replace(
        incident,
        began_after_us=(incident.began_after_us or 0) + HOURS_US,
        began_by_us=incident.began_by_us + HOURS_US,
        opened_us=incident.opened_us + HOURS_US,
        changed_us=incident.changed_us + HOURS_US,
    )
    (event,) = incidents.events(database, incident.id)
    assert event == replace(opened, at_us=opened.at_us + HOURS_US)
    sent, waiting = sorted(outbox.about(database, [incident.id]), key=lambda one: one.sent_us is None)
    assert sent.payload["at_us"] == opened.at_us
    assert waiting.payload["at_us"] == opened.at_us + HOURS_US
    assert waiting.payload["incident"]["began_by_us"] == incident.began_by_us + HOURS_US
    assert (waiting.made_us, waiting.next_us) == (at(111) + HOURS_US, at(112) + HOURS_US)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM incidents").scalar_one() == 2
