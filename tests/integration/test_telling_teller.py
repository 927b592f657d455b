"""From an event to people: kept while nothing can be sent, sent when it can, once, and over a restart."""

import contextlib
import io
import json
import socket
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from probe.daemon.telling.items import Item
from probe.daemon.telling.means import Limits, Means
from probe.daemon.telling.teller import Delivered, Teller
from probe.incidents.model import Incident
from probe.settings.notify import Notify, Quiet, channel_from_table
from probe.wire import Wire
from storage import outbox
from storage.archive import Archive
from tests.integration import telling_world
from tests.ports import free_port
from tests.unit.test_telling_messages import ALMATY, local, us

pytestmark = pytest.mark.anyio
START = us("2026-11-22T21:00")
MINUTE = 60_000_000
HOUR = 60 * MINUTE


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    return telling_world.certificate(tmp_path_factory.mktemp("certificate"))


class Bench:
    """One archive on disk, a clock that is set by hand, and tellers that come and go as processes do."""

    def __init__(self, folder, shown, *channels, **notify):
        self.path = folder / "dalel.db"
        self.shown = shown
        self.notify = Notify(listed=tuple(channels), **notify)
        self.now_us = START
        self.log = io.StringIO()

    @contextlib.contextmanager
    def process(self, terminal=None):
        """A teller, as one process has it."""
        means = Means(wire=Wire(), trust=lambda: self.shown.trust, limits=Limits(connect_s=10, step_s=10, message_s=20))
        with Archive.open(str(self.path)) as archive:
            yield Teller(
                notify=self.notify,
                language="en",
                archive=archive,
                means=means,
                now_us=lambda: self.now_us,
                log=self.log,
                terminal=terminal,
                local=local(ALMATY),
            )

    def lines(self, event):
        found = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in found if line["event"] == event]


def happened(name, kind="opened", number=1, *, at_us=START, **more):
    incident = Incident(
        id=name,
        status="blocked",
        method="tls",
        platforms=(name.title(),),
        began_after_us=at_us - 10 * MINUTE,
        began_by_us=at_us,
        opened_us=at_us,
        changed_us=at_us,
        events=number,
    )
    if kind == "closed":
        more = {"state": "closed", "ended_after_us": at_us, "ended_by_us": at_us + MINUTE} | more
    return Item(incident=replace(incident, **more), kind=kind, number=number, at_us=at_us)


def hook(port, **more):
    return channel_from_table({"kind": "webhook", "name": "hook", "url": f"http://127.0.0.1:{port}/"} | more)


async def test_what_happens_offline_is_sent_in_the_next_window_oldest_first_and_one_an_incident(tmp_path, shown):
    """Events of a night without a network, a restart in between, then a window: two messages, no event lost or told twice."""
    folder = tmp_path / "web"
    async with telling_world.web(folder, shown) as web:
        bench = Bench(tmp_path, shown, hook(web.plain))
        with bench.process() as teller:
            await teller.tell([happened("signal")])
            await teller.tell([happened("telegram")])
        bench.now_us += 5 * HOUR
        with bench.process() as teller:
            await teller.tell([happened("signal", "closed", 2, at_us=START + 4 * HOUR)])
            assert web.asked() == []
            first = await teller.deliver(came_back=True)
            again = await teller.deliver(came_back=True)
        bodies = await web.bodies(2)

    assert (first, again) == (Delivered(sent=2), Delivered())
    assert [body["title"] for body in bodies] == ["Over – Blocked: Signal", "Blocked: Telegram"]
    assert [[event["id"] for event in body["events"]] for body in bodies] == [["signal/1", "signal/2"], ["telegram/1"]]
    assert len(web.asked()) == 2


async def test_a_message_whose_answer_was_lost_comes_again_with_the_same_id(tmp_path, shown):
    """Killed between the answer and the note of it: whoever gets it twice can know it."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        bench = Bench(tmp_path, shown, hook(web.plain))
        with bench.process() as teller:
            await teller.tell([happened("signal")])
            (row,) = outbox.waiting(teller.archive.reader.database)
            await teller.deliver()
            outbox.remove(teller.archive, [row.id]).result()
            outbox.put(teller.archive, [row]).result()
        with bench.process() as teller:
            await teller.deliver()
        await web.bodies(2)
        first, second = web.asked()

    assert first["key"] == second["key"]
    assert first["body"] == second["body"]


async def test_platforms_that_come_back_one_by_one_are_told_of_together(tmp_path, shown):
    """Three within a minute and the end: one message. One that stays the only one is told after two minutes."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        bench = Bench(tmp_path, shown, hook(web.plain))
        with bench.process() as teller:
            for number in (2, 3, 4):
                await teller.tell([happened("signal", "narrowed", number, at_us=bench.now_us)])
                assert await teller.deliver() == Delivered(waiting=1)
                bench.now_us += MINUTE // 3
            await teller.tell([happened("signal", "closed", 5, at_us=bench.now_us)])
            assert await teller.deliver() == Delivered(sent=1)
            await teller.tell([happened("telegram", "narrowed", 2, at_us=bench.now_us)])
            bench.now_us += 2 * MINUTE
            assert await teller.deliver() == Delivered(sent=1)
        together, alone = await web.bodies(2)

    assert [event["id"] for event in together["events"]] == ["signal/2", "signal/3", "signal/4", "signal/5"]
    assert [event["id"] for event in alone["events"]] == ["telegram/2"]


async def test_what_fails_is_tried_again_later_and_not_at_once(tmp_path, shown):
    """The server is away for a while: one attempt, then a wait, then it arrives. Others wait behind it."""
    port = free_port()
    bench = Bench(tmp_path, shown, hook(port))
    with bench.process() as teller:
        await teller.tell([happened("signal"), happened("telegram")])
        assert await teller.deliver() == Delivered(failed=1, waiting=2)
        waiting = outbox.waiting(teller.archive.reader.database)
        assert [(row.attempts, row.next_us - START) for row in waiting] == [(1, MINUTE), (0, 0)]
        assert "connection_refused" in (waiting[0].trouble or "")
        bench.now_us += 2 * MINUTE
        web = telling_world.Web(tmp_path / "web", port, free_port())
        async with telling_world.web(tmp_path / "web", shown, web) as web:
            assert await teller.deliver() == Delivered(sent=2)
    assert [line["channel"] for line in bench.lines("notify.not_sent")] == ["hook"]


async def test_one_channel_that_fails_keeps_no_other(tmp_path, shown):
    """Each has its own queue."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        dead = channel_from_table({"kind": "ntfy", "url": f"http://127.0.0.1:{free_port()}/t"})
        bench = Bench(tmp_path, shown, dead, hook(web.plain))
        with bench.process() as teller:
            await teller.tell([happened("signal")])
            assert await teller.deliver() == Delivered(sent=1, failed=1, waiting=1)


async def test_a_message_that_is_refused_does_not_keep_the_ones_behind_it(tmp_path, shown):
    """It waits for its own time, and the next round begins with the others."""
    async with telling_world.mail(shown, answers={"DATA": "554 no"}) as server:
        table = {
            "kind": "email",
            "url": f"smtp-plain://127.0.0.1:{server.port}",
            "from": "a@b.example",
            "to": "c@d.example",
        }
        bench = Bench(tmp_path, shown, channel_from_table(table))
        with bench.process() as teller:
            await teller.tell([happened("signal"), happened("telegram")])
            await teller.deliver()
            server.answers = {}
            bench.now_us += MINUTE
            assert await teller.deliver() == Delivered(sent=1, waiting=1)
    assert [letter["Subject"] for letter in server.letters] == ["Blocked: Telegram"]


async def test_in_a_quiet_time_nothing_is_sent_and_all_of_it_is_at_its_end(tmp_path, shown):
    """What began and ended in the night is one message in the morning."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        bench = Bench(tmp_path, shown, hook(web.plain), quiet=(Quiet(begins=20 * 60, ends=7 * 60),))
        with bench.process() as teller:
            await teller.tell([happened("signal")])
            assert await teller.deliver() == Delivered(waiting=1)
            await teller.tell([happened("signal", "closed", 2, at_us=START + HOUR)])
            bench.now_us += 10 * HOUR
            assert await teller.deliver() == Delivered(sent=1)
        assert len(web.asked()) == 1


async def test_in_a_maintenance_window_only_the_log_is_told(tmp_path, shown):
    """The router is changed every night at nine: nobody wants to read of it."""
    bench = Bench(tmp_path, shown, hook(1), quiet=(Quiet(begins=20 * 60, ends=22 * 60, later=False),))
    with bench.process() as teller:
        await teller.tell([happened("signal")])
        assert outbox.waiting(teller.archive.reader.database) == ()
    assert [line["title"] for line in bench.lines("incident")] == ["Blocked: Signal"]


async def test_a_reminder_comes_once_a_day_whatever_restarts(tmp_path, shown):
    """Counted from the beginning, and never twice."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        bench = Bench(tmp_path, shown, hook(web.plain))
        incident = happened("signal").incident
        for hours in (1, 25, 26, 49, 50):
            bench.now_us = START + hours * HOUR
            with bench.process() as teller:
                await teller.remind([incident, happened("old", "closed").incident])
                await teller.deliver()
        bodies = await web.bodies(2)

    assert [[event["id"] for event in body["events"]] for body in bodies] == [
        ["signal/reminder/1"],
        ["signal/reminder/2"],
    ]
    assert bodies[0]["title"] == "Goes on – Blocked: Signal"


async def test_a_reminder_is_not_told_again_when_the_outbox_has_forgotten_it(tmp_path, shown):
    """Once a month, and sent messages are removed after a week."""
    bench = Bench(tmp_path, shown, hook(1), remind_hours=720)
    bench.now_us += 40 * 24 * HOUR
    with bench.process() as teller:
        await teller.remind([happened("signal").incident])
        assert outbox.waiting(teller.archive.reader.database) == ()


async def test_reminders_can_be_switched_off(tmp_path, shown):
    """Zero hours are never."""
    bench = Bench(tmp_path, shown, hook(1), remind_hours=0)
    bench.now_us += 1000 * HOUR
    with bench.process() as teller:
        await teller.remind([happened("signal").incident])
        assert outbox.waiting(teller.archive.reader.database) == ()


async def test_what_was_saved_and_never_put_in_is_told_after_the_start(tmp_path, shown):
    """Killed between the incident's commit and the outbox's: found by its number. What is old is left alone."""
    bench = Bench(tmp_path, shown, hook(1))
    known, missed = happened("signal"), happened("telegram")
    old = happened("old", at_us=START - 48 * HOUR)
    # Times are corrected: where this computer's clock is behind, what happened just now is still to come by it.
    ahead = happened("whatsapp", at_us=START + 3 * HOUR)
    with bench.process() as teller:
        await teller.tell([known])
    with bench.process() as teller:
        await teller.tell_missed([old, known, missed, ahead])
        await teller.tell_missed([old, known, missed, ahead])
        waiting = outbox.waiting(teller.archive.reader.database)
    assert [row.incident for row in waiting] == ["signal", "telegram", "whatsapp"]


async def test_a_channel_may_want_some_events_only_and_its_own_language(tmp_path, shown):
    """Two channels, two tastes."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        picky = channel_from_table(
            {"kind": "ntfy", "url": f"http://127.0.0.1:{web.plain}/t", "events": ["closed"], "language": "kk"}
        )
        bench = Bench(tmp_path, shown, picky)
        with bench.process() as teller:
            await teller.tell([happened("signal")])
            assert await teller.deliver() == Delivered()
            await teller.tell([happened("signal", "closed", 2)])
            await teller.deliver()
        (body,) = await web.bodies(1)
    assert body["title"] == "Аяқталды – Бұғаттау: Signal"


async def test_the_log_and_the_terminal_are_told_at_once(tmp_path, shown):
    """With no channel at all, and with a log that is gone."""
    bench, screen = Bench(tmp_path, shown), io.StringIO()
    with bench.process(terminal=screen) as teller:
        await teller.tell([happened("signal")])
        assert outbox.waiting(teller.archive.reader.database) == ()
        bench.log.close()
        await teller.tell([happened("signal", "closed", 2)])
    assert "Blocked: Signal" in screen.getvalue()
    assert "Over – Blocked: Signal" in screen.getvalue()


async def test_what_is_told_of_one_incident_at_once_is_one_line(tmp_path, shown):
    """Platforms that come back together leave one by one, and then it is over."""
    bench = Bench(tmp_path, shown)
    ended = {"state": "closed", "ended_after_us": START, "ended_by_us": START + MINUTE, "closed_us": START + MINUTE}
    with bench.process() as teller:
        left = [happened("meta", "narrowed", number) for number in (2, 3)]
        over = happened("meta", "closed", 4)
        closed = replace(over, incident=replace(over.incident, **ended))
        await teller.tell([*left, happened("signal"), closed])
    said = [(line["kind"], line["incident"]) for line in bench.lines("incident")]
    assert said == [("closed", "meta"), ("opened", "signal")]


async def test_what_cannot_be_read_or_has_no_channel_any_more_is_dropped_and_said(tmp_path, shown):
    """A row of another version, and a channel that was renamed."""
    bench = Bench(tmp_path, shown, hook(1))
    with bench.process() as teller:
        rows = [
            outbox.Message(made_us=START, channel="hook", payload={"odd": 1}),
            outbox.Message(made_us=START, channel="gone", payload={}),
        ]
        outbox.put(teller.archive, rows).result()
        assert await teller.deliver() == Delivered()
        assert outbox.waiting(teller.archive.reader.database) == ()
    assert sum(line["count"] for line in bench.lines("notify.dropped")) == 2


async def test_a_bug_of_ours_in_one_message_does_not_end_the_round(tmp_path, shown, monkeypatch):
    """It is said, it waits, and the others go."""
    bench = Bench(tmp_path, shown, hook(1))

    async def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("probe.daemon.telling.teller.send", broken)
    with bench.process() as teller:
        await teller.tell([happened("signal")])
        assert await teller.deliver() == Delivered(failed=1, waiting=1)
    assert "ZeroDivisionError" in bench.lines("notify.not_sent")[0]["said"]


async def test_an_outbox_that_cannot_be_read_is_said_and_ends_nothing(tmp_path, shown):
    """A damaged page is the database's trouble, and no bug of ours."""
    bench = Bench(tmp_path, shown, hook(1))
    with bench.process() as teller:
        teller.archive.call(lambda connection: connection.exec_driver_sql("ALTER TABLE outbox RENAME TO gone")).result()
        assert await teller.deliver() == Delivered()
        await teller.tell([happened("signal")])
    assert "cannot be read" in bench.lines("notify.not_read")[0]["said"]


async def test_a_round_does_nothing_while_another_one_runs(tmp_path, shown):
    """The daemon may ask as often as it likes."""
    import asyncio

    with socket.create_server(("127.0.0.1", 0)) as silent:
        bench = Bench(tmp_path, shown, hook(silent.getsockname()[1]))
        with bench.process() as teller:
            teller.means = replace(teller.means, limits=Limits(message_s=1))
            await teller.tell([happened("signal")])
            both = await asyncio.gather(teller.deliver(), teller.deliver())
    assert list(both) == [Delivered(failed=1, waiting=1), Delivered()]


@contextlib.contextmanager
def full_disk():
    """The database takes nothing; afterwards it does again, at once."""

    def commit(*_):
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("storage.writer.TRY_AGAIN_S", 0.0)
        patched.setattr("storage.taking.commit", commit)
        yield


async def test_a_disk_that_takes_no_mark_makes_nobody_hear_the_same_again(tmp_path, shown, monkeypatch):
    """Sent is sent: not again a minute later, nor when the disk takes the mark at last."""
    monkeypatch.setattr("storage.writer.TRY_AGAIN_S", 0.0)
    async with telling_world.web(tmp_path / "web", shown) as web:
        bench = Bench(tmp_path, shown, hook(web.plain))
        with bench.process() as teller:
            await teller.tell([happened("signal")])
            with full_disk():
                assert await teller.deliver() == Delivered(sent=1)
                assert await teller.deliver(came_back=True) == Delivered()
            assert await teller.deliver(came_back=True) == Delivered()
            assert outbox.waiting(teller.archive.reader.database) == ()
        await web.bodies(1)
        assert len(web.asked()) == 1
    assert len(bench.lines("notify.not_kept")) == 1


async def test_a_disk_that_takes_no_mark_makes_nobody_be_asked_more_often(tmp_path, shown):
    """Whoever refuses is left alone as long as ever: an account is not to be locked by us."""
    bench = Bench(tmp_path, shown, hook(free_port()))
    with bench.process() as teller:
        await teller.tell([happened("signal")])
        with full_disk():
            assert await teller.deliver() == Delivered(failed=1, waiting=1)
            assert await teller.deliver() == Delivered(waiting=1)
            bench.now_us += MINUTE
            assert await teller.deliver() == Delivered(failed=1, waiting=1)
            bench.now_us += MINUTE
            assert await teller.deliver() == Delivered(waiting=1)


async def test_what_the_outbox_could_not_take_is_told_once_it_can(tmp_path, shown):
    """A backup held the database at the very moment when something began: nobody restarts a daemon to be told of it."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        bench = Bench(tmp_path, shown, hook(web.plain))
        with bench.process() as teller, pytest.MonkeyPatch.context() as patched:
            patched.setattr("storage.writer.TRY_AGAIN_S", 0.0)
            with full_disk():
                await teller.tell([happened("signal")])
                assert await teller.deliver() == Delivered()
                await teller.tell([happened("telegram")])
            assert await teller.deliver() == Delivered(sent=2)
            assert await teller.deliver() == Delivered()
        bodies = await web.bodies(2)
    assert [body["title"] for body in bodies] == ["Blocked: Signal", "Blocked: Telegram"]
    assert len(bench.lines("notify.not_kept")) == 2
