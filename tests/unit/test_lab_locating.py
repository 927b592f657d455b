"""What the lab counts of places: which interval is the true one, and which trials are right, wrong or false."""

from __future__ import annotations

import pytest

from tests.lab.locating import Trial, is_met, read, table
from tests.lab.scenarios_located import SCENARIOS, TRUTHS, Truth


@pytest.mark.parametrize(
    ("truth", "interval"),
    [
        (Truth(behind=3), (3, 4)),
        (Truth(behind=0), (0, 1)),
        (Truth(behind=5), (5, 6)),
        (Truth(behind=3, mute=(3, 4)), (2, 5)),
        (Truth(behind=1, mute=(1,)), (0, 2)),
        (Truth(behind=4, mute=(5,)), (4, 6)),
        (Truth(behind=None), None),
    ],
)
def test_the_true_interval_is_the_narrowest_that_routers_allow(truth: Truth, interval: tuple[int, int] | None) -> None:
    """Silent routers widen it; this host and the place itself always bound it."""
    assert truth.interval == interval


def trial(said: tuple[int, int] | None, behind: int | None = 3, **more: object) -> Trial:
    return Trial(row="located_drop_in_transit", seed=1, truth=Truth(behind=behind), said=said, **more)  # type: ignore[arg-type]


def test_a_wider_interval_is_not_right_and_one_without_the_device_is_false() -> None:
    """To say too little is a miss; to point at others is an error."""
    assert trial((3, 4)).is_right
    assert (trial((2, 5)).is_right, trial((2, 5)).is_false) == (False, False)
    assert (trial(None).is_right, trial(None).is_false) == (False, False)
    assert trial((4, 5)).is_false
    assert trial((4, 5), behind=None).is_false
    assert trial(None, behind=None).is_right
    assert not trial((3, 4), error="it broke").is_right


def test_what_is_asked_is_no_false_one_and_nineteen_of_twenty_right() -> None:
    """A run in which nothing was looked for counts for nothing."""
    right, missed = trial((3, 4), seconds=2.0), trial((2, 5), seconds=3.0)
    assert is_met([right] * 19 + [missed])
    assert not is_met([right] * 18 + [missed] * 2)
    assert not is_met([right] * 99 + [trial((4, 5))])
    assert is_met([right, trial(None, flipped=False)])
    text = "\n".join(table([right] * 19 + [missed]))
    assert "| 19 of 20 | 0 | 2.0, 3.0 |" in text
    assert "95.0% (19 of 20" in text


def test_a_document_tells_of_its_place() -> None:
    """Two hops, or none where the answer is lost on its way back; and whether it was looked for."""
    row = next(row for row in SCENARIOS if row.name == "located_drop_in_transit")
    hop = {"address": None, "scope": None}
    place = {"before": {"hop": 4, **hop}, "after": {"hop": 3, **hop}, "ways_stopped": 5, "ways": 6}
    seen = [{"purpose": "locate", "bytes_sent": 500, "bytes_received": 0}, {"purpose": "baseline"}]
    result = {"url": row.check[0], "place": place, "observations": seen, "duration_s": 16.0}
    found = read(row, 1, TRUTHS[row.name], {"results": [result]})
    assert (found.said, found.ways, found.bytes, found.flipped) == ((3, 4), (5, 6), 500, True)
    nothing = read(row, 1, TRUTHS[row.name], {"results": [result | {"place": None, "observations": seen[1:]}]})
    assert (nothing.said, nothing.flipped) == (None, False)


def test_every_row_has_its_truth() -> None:
    """A row that does not say where the device is cannot be counted."""
    assert {row.name for row in SCENARIOS} == set(TRUTHS)
