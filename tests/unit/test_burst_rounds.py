"""When the rounds of a burst are made."""

import pytest

from probe.daemon.burst import SPREAD_S, confirm
from probe.wire import Wire

pytestmark = pytest.mark.anyio


class _Counted(Wire):
    """Time passes only where somebody sleeps, or measures."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


@pytest.mark.parametrize("takes_s", [0.1, 20.0, 60.0])
async def test_the_second_round_begins_at_least_so_long_after_the_order(takes_s: float) -> None:
    """Two rounds, spread over the time however long each takes; a long one is not waited for twice."""
    wire, began = _Counted(), list[float]()

    async def measure() -> float:
        began.append(wire.now - 1000)
        wire.now += takes_s
        return takes_s

    assert await confirm(measure, wire) == (takes_s, takes_s)
    assert 0 < began[0] < SPREAD_S / 2
    assert began[1] == max(SPREAD_S, began[0] + takes_s)
