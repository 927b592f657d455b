"""Of a replay: whether people were told once and in time, whether rows are all there, whether what comes back was noticed."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from storage.archive import Archive
from tests.lab.replay.harness import Replayed, Sample, microseconds
from tests.lab.replay.heard import Heard, read, unheard
from tests.lab.replay.kept import lacking
from tests.lab.replay.model import Event, Phase, Truth, utc
from tests.lab.replay.score import Said
from tests.lab.replay.shelf import put, take
from tests.lab.replay.whole import as_it_was, not_recurring

MINUTE = dt.timedelta(minutes=1)
BEGAN, SHUT, OPEN = utc("2022-01-05 09:00"), utc("2022-01-05 10:30"), utc("2022-01-05 17:30")
EVENT = Event(
    name="made_up",
    title="made up",
    source="made up",
    phases=(Phase(begins=BEGAN, tells="well"),),
    ends=OPEN + 60 * MINUTE,
    truths=(Truth(words=(("no_network", "shutdown"),), began=SHUT, ended=OPEN),),
)
SAID = Said(
    id="a",
    status="no_network",
    method="shutdown",
    platforms=frozenset(),
    began_after=SHUT,
    began_by=SHUT + MINUTE,
    ended_after=OPEN,
    ended_by=OPEN + MINUTE,
    opened=SHUT + 5 * MINUTE,
    closed=OPEN + 2 * MINUTE,
)


def _heard(at: dt.datetime, *kinds: str) -> Heard:
    return Heard(at=at, incident="a", kinds=kinds)


def test_one_message_after_the_closure_is_in_time() -> None:
    """What began while nothing could be sent is told in the next window, with its end, in one message."""
    assert unheard(EVENT, [SAID], [_heard(OPEN + 4 * MINUTE, "opened", "closed")]) == []


@pytest.mark.parametrize(
    ("heard", "complaint"),
    [
        ([], "nobody was told that no_network/shutdown opened"),
        ([_heard(OPEN + 4 * MINUTE, "opened")], "nobody was told that no_network/shutdown closed"),
        ([_heard(OPEN + 12 * MINUTE, "opened", "closed")], "and not by 01-05 17:40"),
        ([_heard(OPEN + MINUTE, "opened"), _heard(OPEN + 5 * MINUTE, "opened", "closed")], "told 2 times"),
        (
            [_heard(OPEN + MINUTE, kind) for kind in ("opened", "widened", "closed")],
            "3 messages about one incident",
        ),
    ],
)
def test_what_is_lost_late_or_doubled_is_seen(heard: list[Heard], complaint: str) -> None:
    """Each way to fail has its words."""
    assert any(complaint in one for one in unheard(EVENT, [SAID], heard))


def test_what_opened_again_is_over_twice() -> None:
    """Each end is told once, and the last one in time."""
    closed = [_heard(OPEN + minute * MINUTE, "closed") for minute in (1, 4)]
    opened = _heard(OPEN, "opened")
    assert unheard(EVENT, [SAID], [opened, closed[0], _heard(OPEN + 3 * MINUTE, "reopened"), closed[1]]) == []
    assert unheard(EVENT, [SAID], [opened, *closed]) != []


def test_what_can_be_told_at_once_is_told_at_once() -> None:
    """Outside of a closure there is nothing to wait for."""
    blocked = dataclasses.replace(SAID, status="blocked", opened=BEGAN + 5 * MINUTE, closed=None)
    assert unheard(EVENT, [blocked], [_heard(BEGAN + 6 * MINUTE, "opened")]) == []
    assert unheard(EVENT, [blocked], [_heard(OPEN, "opened")]) != []


def test_messages_are_read_in_the_times_of_the_event(tmp_path: Path) -> None:
    """The ear writes true times of the replay; they are moved back by its shift."""
    file, shift = tmp_path / "heard", dt.timedelta(days=100)
    file.write_text(
        f'{{"at_us": {microseconds(OPEN + shift)}, "body": {{"incident": {{"id": "a"}}, "events": [{{"kind": "opened"}}]}}}}\n'
    )
    assert read(file, shift) == (_heard(OPEN, "opened"),)


def _database(tmp_path: Path, *statements: str) -> Path:
    import contextlib
    import sqlite3

    database = tmp_path / "made.db"
    with Archive.open(f"sqlite:///{database}"):
        pass
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return database


def _run(name: str, started: int, finished: str) -> str:
    return (
        "insert into runs (id, started_us, finished_us, software, ruleset, catalogue, trust, profile, interrupted)"
        f" values ('{name}', {started}, {finished}, '', '', '', '', 'light', 0)"
    )


_ENDPOINT = (
    "insert into endpoints (run, number, url, target, named_as_url, started_us)"
    " values ('one', 1, 'https://a.example/', 'a', 0, 20)"
)


def _seen(number: int, started: int = 20) -> str:
    return (
        "insert into observations (run, number, purpose, kind, vantage, hop, started_us, bytes_sent, bytes_received, fact)"
        f" values ('one', {number}, 'baseline', 'tcp', 'local', 0, {started}, 0, 0, '{{}}')"
    )


@pytest.mark.parametrize(
    ("statements", "complaint"),
    [
        ((_run("one", 10, "90"), _seen(1)), None),
        ((_run("one", 10, "90"), _seen(1), _seen(3)), "1 runs with a hole in the numbers"),
        ((_run("one", 10, "90"), _ENDPOINT), "1 endpoints without a verdict"),
        ((_run("one", 10, "null"), _seen(1)), "1 runs that never ended"),
        ((_run("one", 10, "90"), _seen(1, 5_000_000)), "1 observations outside of the time of their run"),
        ((_run("one", 10, "90"), _seen(1), _run("two", 5, "9")), "1 runs written out of the order of time"),
        ((_run("one", 10, "5000"), _seen(1)), "1 runs outside of the replayed time"),
        ((_run("one", 10, "90"),), "1 runs without an endpoint"),
    ],
)
def test_lost_and_misdated_rows_are_counted(tmp_path: Path, statements: tuple[str, ...], complaint: str | None) -> None:
    """Every way in which rows can be wrong is named, and sound rows are not complained of."""
    found = lacking(_database(tmp_path, *statements), 0, 1000)
    assert any(complaint in one for one in found) if complaint else found == []


def test_what_comes_back_every_day_has_to_be_noticed() -> None:
    """From and until, within twenty minutes; by the day and not by the week."""
    daily = {"every": "day", "from": "14:10", "until": "15:55"}
    assert not_recurring(("14:00", "16:00"), [daily]) == []
    for one in ({**daily, "every": "week"}, {**daily, "from": "14:25"}, {**daily, "until": None}):
        assert not_recurring(("14:00", "16:00"), [one])
    assert not_recurring(("23:55", "01:00"), [{"every": "day", "from": "00:05", "until": "01:00"}]) == []


def test_a_replay_can_be_judged_again(tmp_path: Path) -> None:
    """What was left of it is read back as it was."""
    (tmp_path / "made_up.log").write_text("{}\n")
    replayed = Replayed(
        database=tmp_path / "made_up.db",
        heard=tmp_path / "made_up.heard",
        shift=dt.timedelta(days=7),
        log="{}\n",
        seconds=1.5,
        code=0,
        applied=(("all is well", BEGAN),),
        samples=(Sample(at=BEGAN, resident_mb=70.5, cpu_s=1.5, descriptors=12),),
    )
    put(replayed)
    assert take(tmp_path, "made_up") == replayed
    assert take(tmp_path, "another") is None


def test_what_happened_is_judged_by_when_the_lab_was_changed() -> None:
    """A round that a change falls into takes minutes; what never was a change of the lab's stays where it was."""
    event = dataclasses.replace(
        EVENT,
        phases=(*EVENT.phases, Phase(begins=SHUT, tells="shut"), Phase(begins=OPEN, tells="well")),
        truths=(*EVENT.truths, dataclasses.replace(EVENT.truths[0], began=SHUT + MINUTE, ended=None)),
    )
    applied = [("well", BEGAN), ("shut", SHUT + 2 * MINUTE), ("well", OPEN)]
    assert [(truth.began, truth.ended) for truth in as_it_was(event, applied).truths] == [
        (SHUT + 2 * MINUTE, OPEN),
        (SHUT + MINUTE, None),
    ]
