"""Any history of events, failures, restarts and clocks that jump: everything is told, in order, and once."""

import asyncio
import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.daemon.telling.means import Means, Sent, trust_of
from probe.daemon.telling.teller import Teller
from probe.settings.notify import Notify, channel_from_table
from probe.wire import Wire
from storage import outbox
from storage.archive import Archive
from tests.integration.test_telling_teller import HOUR, MINUTE, START, happened
from tests.unit.test_telling_messages import ALMATY, local

CHANNELS = tuple(channel_from_table({"kind": "webhook", "name": name, "url": "http://127.0.0.1:1/"}) for name in "ab")
event = st.tuples(st.just("event"), st.sampled_from(["x", "y"]))
steps = st.one_of(
    event,
    event,
    event,
    st.tuples(st.just("deliver"), st.booleans()),
    st.tuples(st.just("network"), st.sampled_from(["up", "down", "flaky"])),
    st.tuples(st.just("pass"), st.integers(1, 300)),
    st.tuples(st.just("clock"), st.sampled_from([-400 * 24 * HOUR, 24 * HOUR])),
    st.tuples(st.just("restart"), st.none()),
)


@dataclass
class History:
    """What happens, and what has been told by whom."""

    path: str
    now_us: int = START
    network: str = "up"
    tries: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=lambda: {"a": [], "b": []})

    async def send(self, channel, message, _means):
        self.tries += 1
        if self.network == "down" or (self.network == "flaky" and self.tries % 2):
            return Sent(ok=False, said="no way out", reached=False)
        numbers = [item.number for item in message.items]
        assert numbers == sorted(numbers)
        assert len({item.incident.id for item in message.items}) == 1
        self.told[channel.name] += [item.id for item in message.items]
        return Sent(ok=True, said="yes")

    def teller(self, archive):
        means = Means(wire=Wire(), trust=trust_of({}))
        notify = Notify(listed=CHANNELS)
        return Teller(
            notify=notify,
            language="en",
            archive=archive,
            means=means,
            now_us=lambda: self.now_us,
            log=io.StringIO(),
            local=local(ALMATY),
        )

    async def live(self, archive, steps):
        """Until a restart; the steps that are left."""
        teller = self.teller(archive)
        while steps:
            (what, more), steps = steps[0], steps[1:]
            if what == "event":
                self.numbers[more] = number = self.numbers.get(more, 0) + 1
                kind = "opened" if number == 1 else "widened"
                await teller.tell([happened(more, kind, number, at_us=self.now_us)])
            elif what == "deliver":
                await teller.deliver(came_back=more)
            elif what == "network":
                self.network = more
            elif what == "pass":
                self.now_us += more * MINUTE
            elif what == "clock":
                self.now_us += more
            else:
                break
        return steps


@settings(max_examples=20, deadline=None)
@given(st.lists(steps, min_size=8, max_size=25))
def test_everything_is_told_in_order_and_once(steps):
    """Whatever fails in between and however often it is started anew, as long as there is a way out in the end."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(str(Path(folder) / "dalel.db"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("probe.daemon.telling.teller.send", history.send)
            while steps:
                with Archive.open(history.path) as archive:
                    steps = asyncio.run(history.live(archive, steps))
            history.network = "up"
            with Archive.open(history.path) as archive:
                asyncio.run(history.live(archive, [("deliver", True)]))
                left = outbox.waiting(archive.reader.database)

    expected = sorted(f"{name}/{number}" for name, last in history.numbers.items() for number in range(1, last + 1))
    assert left == ()
    for told in history.told.values():
        assert sorted(told) == expected
        for name in history.numbers:
            mine = [int(one.partition("/")[2]) for one in told if one.startswith(f"{name}/")]
            assert mine == sorted(mine)
