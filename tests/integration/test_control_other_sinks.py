"""What else came to a control from the same address, to other sinks or for bulk, is not taken for arms of a pair."""

from dataclasses import replace

import pytest

from probe.control.ledger import Arrival, Ledger
from probe.experiments import control_pairs
from tests.integration.test_experiments_control_pairs import ROUNDS, TARGET, measuring

pytestmark = pytest.mark.anyio


class _Busy(Ledger):
    """Beside each arm there came a QUIC greeting and a stream of bytes under the same name."""

    def arrivals(self, address: str, within_s: float) -> tuple[Arrival, ...]:
        found: list[Arrival] = []
        for arrival in Ledger.arrivals(self, address, within_s):
            found += [replace(arrival, kind="quic"), arrival, replace(arrival, bulk="down", bulk_bytes=1_000)]
        return tuple(found)


async def test_other_exchanges_under_the_same_names_are_left_out():
    """Each arm is found, and none of them twice."""
    async with measuring("answer", ledger=_Busy) as here:
        await control_pairs.run(here.site)

    assert [(a.sink, a.name, a.whole, a.bulk) for a in here.arrivals("target")] == [
        ("tls", TARGET, True, None)
    ] * ROUNDS
    assert len(here.arrivals("innocuous")) == ROUNDS
    assert {(a.sink, a.bulk) for a in here.arrivals("innocuous")} == {("tls", None)}
