"""Incidents out of the archive: what a crash cuts off is concluded again, and nothing is concluded twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from probe.incidents.model import Event, Fact, Incident, Reading
from probe.verdict.model import EndpointResult, Run, Verdict
from probe.workflows.incidents import WARM_UP_US, Conclusion, Incidents
from storage import incidents as kept
from storage import own_sides, readings, rounds
from storage.archive import Archive
from storage.errors import StorageError
from storage.location import parse
from storage.rounds import Looked
from targets.model import Asked, Endpoint
from tests.incident_facts import DAY, MINUTE, at, burst, known_us, look, reading

pytest_plugins = ("tests.postgresql",)

STORY: tuple[Fact, ...] = tuple(
    sorted(
        (
            *(look(n) for n in range(0, 60, 2)),
            *(reading(n, of=of, kind="cheap") for n in (1, 11) for of in ("alpha", "beta", "gamma")),
            *burst(21),
            *burst(21.2, of="beta"),
            *(reading(n, "blocked", method="ip") for n in (31, 36)),
            *(reading(n, of="beta") for n in (41, 42, 43)),
            *(look(n, "shutdown", holes=("udp/53",)) for n in range(60, 100, 2)),
            *(look(n) for n in range(100, 200, 2)),
            *(reading(n, of=of) for n in (111, 112, 113) for of in ("alpha", "beta", "gamma")),
            *(reading(n, of="gamma", kind="cheap") for n in range(121, 200, 10)),
        ),
        key=known_us,
    )
)
KINDS = ["opened", "widened", "narrowed", "method", "opened", "closed", "closed"]


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    url = str(tmp_path / "dalel.db") if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with Archive.open(parse(url, data_dir=tmp_path)) as opened:
        yield opened


def keep_fact(archive: Archive, fact: Fact, *, number: int, behind_us: int = 0) -> None:
    """Keep *fact* as the daemon does: before anything is concluded from it. *behind_us*: of the clock that dated it."""
    if not isinstance(fact, Reading):
        own_sides.save(archive, fact).result(timeout=30)
        return
    asked = Asked(
        number=1,
        endpoint=Endpoint(fact.url),
        target=fact.url,
        platform=fact.platform,
        service=fact.service,
        rule=fact.rule,  # type: ignore[arg-type]
        named_as_url=False,
    )
    verdict = Verdict(
        endpoint=1,
        status=fact.status,
        method=fact.method,
        signature=fact.signature,
        confidence=fact.confidence,
        where=fact.where,
        ruleset="1",
    )
    result = EndpointResult(
        number=1,
        target=fact.url,
        url=fact.url,
        platform=fact.platform,
        service=fact.service,
        rule=fact.rule,
        profile="light",
        verdict=verdict,
        observations=(),
        started_us=fact.at_us - behind_us,
        duration_us=fact.until_us - fact.at_us,
        bytes_sent=1,
        bytes_received=1,
    )
    run = Run(
        id=f"{number:032x}",
        started_us=fact.at_us - behind_us,
        software="dalel",
        ruleset="1",
        catalogue="1",
        trust="mozilla",
        profile="light",
        clock_offset_us=behind_us or None,
        finished_us=fact.until_us - behind_us,
        network_status="ok",
    )
    archive.put(rounds.changes(run, [Looked(asked=asked, kind=fact.kind, result=result)])).result(timeout=30)


def keep(incidents: Incidents, conclusion: Conclusion) -> None:
    if (future := incidents.keep(conclusion)) is not None:
        future.result(timeout=30)


def in_archive(archive: Archive) -> tuple[list[Incident], list[Event]]:
    found = kept.newest(archive.reader.database)
    return list(found), [event for one in found for event in kept.events(archive.reader.database, one.id)]


def live(archive: Archive, facts: Sequence[Fact]) -> list[Event]:
    """A daemon that never fell."""
    incidents, missed = Incidents.load(archive, facts[0].at_us)
    told = [event for _, event in missed.told]
    for number, fact in enumerate(facts):
        keep_fact(archive, fact, number=number)
        conclusion = incidents.take([fact])
        keep(incidents, conclusion)
        told += [event for _, event in conclusion.told]
    return told


def without_ids(incidents: Sequence[Incident]) -> list[tuple[object, ...]]:
    """All that is said, but for names: those come from runs, which short readings do not have."""
    return sorted(
        (
            i.status,
            i.method,
            i.platforms,
            i.began_after_us,
            i.began_by_us,
            i.ended_after_us,
            i.ended_by_us,
            i.state,
            i.events,
        )
        for i in incidents
    )


def test_a_round_of_the_daemon_is_kept_and_told(archive: Archive) -> None:
    """Readings go in, events come out in order, and the archive has both the incidents and their events."""
    told = live(archive, STORY)
    assert [event.kind for event in told] == KINDS
    incidents, events = in_archive(archive)
    assert sorted(events, key=str) == sorted(told, key=str)
    assert [incident.state for incident in incidents] == ["closed", "closed"]
    assert next(i for i in incidents if i.method == "shutdown").holes == ("udp/53",)


def test_events_carry_the_incident_as_it_was_then(archive: Archive) -> None:
    """Whoever is told that it opened is told with the platforms of that moment."""
    incidents, _ = Incidents.load(archive, 0)
    told = incidents.take(STORY).told
    assert [(len(incident.platforms), event.kind) for incident, event in told][:2] == [(1, "opened"), (2, "widened")]
    assert all(incident.events >= event.number for incident, event in told)


def test_a_crash_between_any_two_readings_loses_no_event_and_tells_none_twice(tmp_path: Path) -> None:
    """The daemon falls after every single reading, once before and once after its events are kept."""
    with Archive.open(parse(str(tmp_path / "whole.db"), data_dir=tmp_path)) as whole:
        live(whole, STORY)
        truth = in_archive(whole)
    for kept_before_the_fall in (True, False):
        path = tmp_path / f"{kept_before_the_fall}.db"
        told = 0
        with Archive.open(parse(str(path), data_dir=tmp_path)) as archive:
            for number, fact in enumerate(STORY):
                incidents, missed = Incidents.load(archive, fact.at_us)
                keep(incidents, missed)
                keep_fact(archive, fact, number=number)
                conclusion = incidents.take([fact])
                told += len(missed.told)
                if kept_before_the_fall:
                    keep(incidents, conclusion)
                    told += len(conclusion.told)
            incidents, missed = Incidents.load(archive, STORY[-1].at_us)
            keep(incidents, missed)
            told += len(missed.told)
            again = in_archive(archive)
        assert told == len(KINDS)
        assert without_ids(again[0]) == without_ids(truth[0])
        assert sorted(e.kind for e in again[1]) == sorted(KINDS)


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        (
            [look(1), *(look(n, "shutdown") for n in (2, 3, 4)), *(look(n, "upstream") for n in (5, 6, 7, 8))],
            ["opened"],
        ),
        ([reading(0), *burst(11, "outage"), *burst(21)], ["opened", "closed", "opened"]),
    ],
    ids=["the own side, broken in two ways", "from one trouble into another"],
)
def test_a_restart_says_nothing_of_what_was_said_last(archive: Archive, facts: list[Fact], kinds: list[str]) -> None:
    """The fact by which something changed last is not taken in again: what follows from it was kept at once."""
    assert [event.kind for event in live(archive, facts)] == kinds
    before = in_archive(archive)
    for _ in range(2):
        incidents, missed = Incidents.load(archive, known_us(facts[-1]))
        keep(incidents, missed)
        assert (missed.told, missed.changed) == ((), ())
    assert in_archive(archive) == before


def test_what_follows_from_one_fact_is_kept_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fall between the end of one incident and the beginning of the next would leave a block that nobody is told of."""
    with Archive.open(parse(str(tmp_path / "dalel.db"), data_dir=tmp_path)) as archive:
        facts = [reading(0), *burst(11, "outage"), *burst(21)]
        live(archive, facts[:-1])
        before, newest = in_archive(archive), kept._newest_row
        incidents, _ = Incidents.load(archive, at(20))
        keep_fact(archive, facts[-1], number=99)
        conclusion = incidents.take(facts[-1:])
        assert len(conclusion.changed) == 2

        def second(connection: Connection, name: str) -> object:
            if name == conclusion.changed[1].id:
                raise ValueError("the fall")
            return newest(connection, name)

        monkeypatch.setattr(kept, "_newest_row", second)
        future = incidents.keep(conclusion)
        assert future is not None
        with pytest.raises(ValueError, match="the fall"):
            future.result(timeout=30)
        assert in_archive(archive) == before


def test_an_incident_older_than_what_is_read_again_goes_on(archive: Archive) -> None:
    """Ten days after it opened, of which the last two have no reading of it: still open, still the same, and it closes."""
    live(archive, burst(1))
    (opened,), _ = in_archive(archive)
    incidents, missed = Incidents.load(archive, 10 * DAY)
    assert not missed.told
    assert missed.wants.rounds == {"https://alpha.example/"}
    later = incidents.take([reading(10 * 1440 + n) for n in (1, 2, 3, 4)])
    ((closed, event),) = later.told
    assert (closed.id, event.kind, event.number) == (opened.id, "closed", 2)
    assert closed.ended_after_us is not None
    assert closed.ended_after_us < 2 * MINUTE


def test_times_are_corrected_by_what_a_run_learned_of_its_clock(archive: Archive) -> None:
    """The clock was two hours behind, and the run knew: the incident has the right times."""
    facts: list[Fact] = [reading(200), *burst(210)]
    for number, fact in enumerate(facts):
        keep_fact(archive, fact, number=number, behind_us=120 * MINUTE)
    _, missed = Incidents.load(archive, at(220))
    ((incident, _),) = missed.told
    assert (incident.began_after_us, incident.began_by_us) == (at(200), at(210) + 3_000_000)


def test_a_version_from_the_future_hides_nothing_that_was_missed(archive: Archive) -> None:
    """An incident that a wrong clock dated next year does not make the readings of today old ones."""
    incidents, _ = Incidents.load(archive, 0)
    keep(incidents, incidents.take(burst(365 * 1440, of="beta")))
    for number, fact in enumerate(burst(10)):
        keep_fact(archive, fact, number=number)
    _, missed = Incidents.load(archive, at(20))
    assert [incident.platforms for incident, _ in missed.told] == [("alpha",)]


@pytest.mark.parametrize("behind", [30, 10 * 1440], ids=["half an hour", "ten days"])
def test_a_computer_that_starts_in_the_past_concludes_nothing_anew(archive: Archive, behind: int) -> None:
    """No battery keeps its clock: an incident that is open stays open, and what was well before it does not end it."""
    live(archive, [*(reading(n) for n in range(1, 20, 3)), *burst(21)])
    before = in_archive(archive)
    incidents, missed = Incidents.load(archive, at(25 - behind))
    assert (missed.told, missed.changed) == ((), ())
    assert tuple(incidents.state.incidents.values()) == tuple(before[0])
    assert missed.wants.rounds == {"https://alpha.example/"}


def test_a_computer_that_starts_in_1970_does_not_read_all_that_there_is(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years of readings would be hundreds of megabytes. The last ones are read, and what they say is known."""
    facts: list[Fact] = [*(look(n) for n in range(100, 160)), reading(100), *burst(150)]
    for number, fact in enumerate(facts):
        keep_fact(archive, fact, number=number)
    read = Mock(side_effect=readings.between)
    monkeypatch.setattr(readings, "between", read)
    monkeypatch.setattr("probe.workflows.incidents.LOOKS_AGAIN", 20)
    _, missed = Incidents.load(archive, at(0))
    assert [event.kind for _, event in missed.told] == ["opened"]
    assert [call.args[1] for call in read.call_args_list] == [at(140)]
    Incidents.load(archive, at(155) + WARM_UP_US)
    assert read.call_args.args[1] == at(155)


def test_what_the_disk_could_not_take_is_kept_later_with_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was full when the incident opened, and not any more when it ended: no event is missing, none is there twice."""
    monkeypatch.setattr("storage.writer.TRY_AGAIN_S", 0.0)
    with Archive.open(parse(str(tmp_path / "dalel.db"), data_dir=tmp_path)) as archive:
        incidents, _ = Incidents.load(archive, at(0))
        with monkeypatch.context() as full:
            error = OperationalError("INSERT", {}, Exception("database or disk is full"))
            full.setattr("storage.taking.commit", Mock(side_effect=error))
            future = incidents.keep(incidents.take([reading(1), *burst(11)]))
            assert future is not None
            with pytest.raises(StorageError):
                future.result(timeout=30)
        keep(incidents, incidents.take([reading(20 + n) for n in range(4)]))
        ((incident,), events) = in_archive(archive)
        assert [(event.kind, event.number) for event in events] == [("opened", 1), ("closed", 2)]
        assert incident.state == "closed"
        assert incidents.keep(Conclusion()) is None


def test_an_incident_that_was_never_kept_is_a_suspicion_again(tmp_path: Path) -> None:
    """The fall came before one was kept and after a later one was: the next failure opens it, and tells of it."""
    with Archive.open(parse(str(tmp_path / "dalel.db"), data_dir=tmp_path)) as archive:
        lost, later = [reading(1, of="beta"), *burst(11, "outage", of="beta")], [reading(2), *burst(21)]
        for number, fact in enumerate((*lost, *later)):
            keep_fact(archive, fact, number=number)
        _, conclusion = Incidents.load(archive, at(30))
        assert len(conclusion.changed) == 2
        (alpha,) = [one for one in conclusion.changed if one.platforms == ("alpha",)]
        kept.save(archive, alpha, [event for one, event in conclusion.told if one.id == alpha.id]).result(timeout=30)
        again, missed = Incidents.load(archive, at(30))
        assert missed.told == ()
        told = again.take([reading(31, "outage", of="beta")]).told
        assert [(one.platforms, one.began_after_us, event.kind) for one, event in told] == [
            (("beta",), at(1), "opened")
        ]
