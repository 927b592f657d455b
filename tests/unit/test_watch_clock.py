"""How far this host's clock is off, by what a run has seen."""

from typing import Any

import pytest

from probe.observations import ClockFact, HttpFact
from probe.verdict.clock import offset_us
from tests.unit.facts import Facts

YEAR_S = 365 * 86_400.0


def told(*ntp: float, dates: tuple[float, ...] = (), vantage: str = "local", purpose: str = "own_side") -> Facts:
    """A run in which time servers and test pages of different names told these offsets."""
    facts = Facts()
    at: dict[str, Any] = {"purpose": purpose, "endpoint": None, "group": "before", "round": 0, "vantage": vantage}
    for number, offset in enumerate(ntp):
        facts.add(ClockFact(source="ntp", offset_s=offset), member=f"clock/time{number}.example", **at)
    for number, offset in enumerate(dates):
        fact = HttpFact(method="GET", url="http://x.example/", verified_chain=False, date_offset_s=offset)
        facts.add(fact, member=f"portal/{number}", **at)
    return facts


@pytest.mark.parametrize(
    ("facts", "offset"),
    [
        pytest.param(told(), None, id="nobody told"),
        pytest.param(told(0.25), 250_000, id="a small offset from one time server"),
        pytest.param(told(0.25, 0.35, 0.3), 300_000, id="several: the middle one"),
        pytest.param(told(dates=(0.8, 0.9)), None, id="dates alone are too coarse for a small one"),
        pytest.param(told(YEAR_S), None, id="a year, by one time server alone"),
        pytest.param(told(YEAR_S, YEAR_S + 1), round(YEAR_S * 1e6), id="a year, by two time servers"),
        pytest.param(told(YEAR_S, dates=(YEAR_S - 1,)), round(YEAR_S * 1e6), id="a year, by a time server and a page"),
        pytest.param(told(dates=(-YEAR_S, -YEAR_S - 1)), round(-YEAR_S * 1e6), id="a year back, by two pages"),
        pytest.param(told(YEAR_S, dates=(0.4,)), None, id="a time server against a page"),
        pytest.param(told(YEAR_S, YEAR_S, vantage="control:x"), None, id="the clock of a control is another one"),
        pytest.param(told(YEAR_S, YEAR_S, purpose="baseline"), None, id="a site's own date says nothing"),
    ],
)
def test_a_large_offset_needs_two_sources(facts: Facts, offset: int | None) -> None:
    """A time server is believed about little, and about much only if somebody else says the same."""
    assert offset_us(facts.observations) == offset
