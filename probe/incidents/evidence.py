"""What one reading says about one suspicion, in words and as a log-likelihood ratio; and the numbers of the rules.

A reading speaks *for* ("bad"), *against* ("good") or not at all. What is not said counts as nothing: an inconclusive
reading neither opens nor closes, and neither does a look from a network that was down itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from probe.incidents.model import IncidentStatus, OwnSide, Reading
from probe.verdict.model import Status

Says = Literal["bad", "good", "nothing"]
FILTER = "filter"
"""The method of what is met inside the house or the company: an antivirus, a gateway that opens connections."""

SEEN_BY_HANDSHAKE = frozenset({"tls", "ip", "mitm", "server", "route"})
"""Methods that a resumed handshake with the real name would have met. Names, pages and speed it does not look at, so its
success is no word about those."""

_Z95 = 1.96
"""The normal distribution's 97.5 % point."""

_OF_THE_VISITOR = frozenset({"antibot", "ratelimit"})
"""Refusals of this program or of its haste, and not of the people behind this network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When it is enough. Two rules open, whichever is sooner; one closes.

    *N of M*: ``need`` of the last ``among`` telling readings are bad, the last one too; 0 switches it off. Quick where
    something fails always, and what the confirm burst is made for.

    *Change point*: Page's CUSUM (Biometrika 41, 1954) over log-likelihood ratios: how much likelier the readings are
    if a share ``rate_bad`` of them fails than if a share ``rate_good`` does, summed, and never below zero. It opens at
    ``open_at`` after ``need_least`` bad ones; infinity switches it off. For events with two outcomes: Reynolds and
    Stoumbos, J. Quality Technology 31, 1999. Slow, and sees what fails now and then: throttled or half-blocked targets.

    *Closing*: the same sum the other way, with the share of failures that this very incident has shown. What failed
    always is over after two or three successes; what failed every third time needs a dozen.

    ``span_us`` is the least time between the first and the last bad reading (links blink). ``tests/bench/reports`` has the
    false alarms and delays of all of them.
    """

    need: int = 3
    among: int = 4
    rate_good: float = 0.01
    rate_bad: float = 0.3
    open_at: float = 11.0
    need_least: int = 3
    close_at: float = 4.0
    span_us: int = 0


ENDPOINT = Rules()
OWN_SIDE = Rules(need=4, among=5, need_least=4, open_at=12.0, span_us=180_000_000)
"""It is looked at every minute or two, so that there is time for one look more, and many more looks to be unlucky in."""
HOUSEHOLD = replace(OWN_SIDE, span_us=300_000_000)
"""Trouble inside the house (a plug, a sleeping laptop, a hotel's page) has to last longer to be worth a word."""


def of_line(look: OwnSide) -> Reading:
    """A look at the own side, as a reading of no URL: the rules are the same. Whoever met a filter got as far as that; a small
    look meets none, and earlier versions said of what it found broken what the last whole look had said.
    """
    if look.method == FILTER:
        return _as_reading(look, "inconclusive" if look.kind == "cheap" else "accessible", None)
    return _as_reading(look, "accessible" if look.status == "ok" else look.status, look.method)


def of_filter(look: OwnSide) -> Reading | None:
    """What *look* says of a filter in the house. Small looks shake no hands, and behind something broken nobody is met."""
    if look.kind == "cheap":
        return None
    if look.method == FILTER:
        return _as_reading(look, "no_network", FILTER)
    return _as_reading(look, "accessible" if look.status == "ok" else "inconclusive", None)


def _as_reading(look: OwnSide, status: Status, method: str | None) -> Reading:
    return Reading(
        run=look.run,
        endpoint=0,
        url="",
        at_us=look.at_us,
        until_us=look.at_us,
        status=status,
        method=method,
        kind=look.kind,
        interface=look.interface,
    )


def is_own_side(reading: Reading) -> bool:
    return not reading.url


def bad_status(reading: Reading) -> IncidentStatus | None:
    """The status that *reading* speaks for, or ``None`` where it tells of no failure that an incident is made of.

    Of what endpoints say about the own side only a filter in the house is theirs; the rest is the own side's to say. A cheap
    look at an endpoint is never believed; one at the own side counts, and opens nothing without a full one beside it.
    """
    if reading.kind == "cheap" and not is_own_side(reading):
        return None
    status = reading.status
    if status == "accessible" or status == "inconclusive":  # noqa: PLR1714 (a set would not narrow the type)
        return None
    if status == "denied" and reading.method in _OF_THE_VISITOR:
        return None
    if status == "no_network" and reading.method != "filter" and not is_own_side(reading):
        return None
    return status


def says(reading: Reading, about: IncidentStatus, method: str | None) -> Says:
    """What *reading* says about the suspicion that this endpoint's status is *about*, by *method*.

    A refusal by the site itself came over its verified chain: nobody else prevents it, and the site is not down.
    """
    if bad_status(reading) == about:
        return "bad"
    if reading.status == "accessible":
        seen = reading.kind != "cheap" or is_own_side(reading) or method in SEEN_BY_HANDSHAKE
        return "good" if seen else "nothing"
    if reading.status == "denied" and reading.kind != "cheap" and about != "denied":
        return "good"
    return "nothing"


def of_a_known_forger(method: str | None, signature: str | None) -> bool:
    """Whether a failure is a known state's forger's, whose sights add up (:mod:`~probe.incidents.listed`).

    Only of him it is believed that he is one and the same at several endpoints: a stranger's certificate now and then may be a
    gateway's, and has to be met at one endpoint as often as anything else.
    """
    return method == "mitm" and signature == "tls.mitm.known_ca"


def step_up(rules: Rules, confidence: float | None) -> float:
    """The log-likelihood ratio of one bad reading, weighed by how sure it is of itself (calibrated, so a probability)."""
    sure = 1.0 if confidence is None else confidence
    return sure * math.log(rules.rate_bad / rules.rate_good) + (1 - sure) * step_down(rules)


def step_down(rules: Rules) -> float:
    """The log-likelihood ratio of one good reading; below zero. Not weighed: a page that came is a page that came."""
    return math.log((1 - rules.rate_bad) / (1 - rules.rate_good))


def goods_to_close(rules: Rules, bad: int, of: int) -> int:
    """How many good readings in a row end what had *bad* failures among *of* readings (rule of succession)."""
    return goods_against(rules, (bad + 1) / (of + 2))


def goods_against(rules: Rules, share: float) -> int:
    """How many good readings in a row end what fails for a *share* of them."""
    rate = min(max(share, rules.rate_bad), 0.95)
    return math.ceil(rules.close_at / math.log((1 - rules.rate_good) / (1 - rate)))


def share_at_least(bad: int, of: int) -> float:
    """The least share that explains *bad* of *of*: the low end of Wilson's 95 % interval (JASA 22, 1927)."""
    if not bad:
        return 0.0
    share, square = bad / of, _Z95 * _Z95
    half = _Z95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return (share + square / (2 * of) - half) / (1 + square / of)


def lucky(bad: int, of: int, chance: float = 0.05) -> int:
    """How many good readings in a row chance gives (with 5 %) to something of which *bad* of *of* readings fail; at least
    one. So many good readings back something may have begun, and so many on it may have ended.
    """
    if bad >= of:
        return 1
    # One more that might have been good: a share that few readings have shown is easily too high.
    return max(1, math.ceil(math.log(chance) / math.log(1 - bad / (of + 1))))
