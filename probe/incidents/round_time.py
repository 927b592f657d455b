"""Did it begin, and last, in round half hours? Orders do, faults do not.

Bischof et al. ("Destination Unreachable: Characterizing Internet Outages and Shutdowns", SIGCOMM 2023) found that more than
half of the ordered shutdowns last a multiple of thirty minutes, and 15 % of the outages that nobody ordered. Here each
beginning and each length is an interval, and either holds a half hour or does not. Where the clock has nothing to do with
it, an interval of *w* minutes does so with the chance w/30, so how many of them do follows a Poisson-binomial distribution
(Wang, Statistica Sinica 3, 1993), and the p-value is its tail. What is known only to within half an hour proves nothing,
and the p-value says so by itself.

A hint, and no evidence for a verdict: it tells of the times, and not of who chose them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from probe.incidents.model import Incident

HALF_HOUR_US = 30 * 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whether an interval holds a half hour, and the chance that one of its width does."""

    held: bool
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTime:
    """Of one incident: its beginning and its length (``None``: not known), and the p-value of both."""

    begins: Question | None
    lasts: Question | None

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for question in (self.begins, self.lasts) if question is not None)

    @property
    def p(self) -> float:
        return p_value(self.questions)


def round_time(incident: Incident, utc_offset_us: int = 0) -> RoundTime | None:
    """The score of one incident; ``None`` where nobody saw it begin. *utc_offset_us*: of the clocks on the wall there."""
    after_us, by_us = incident.began_after_us, incident.began_by_us
    if after_us is None:
        return None
    begins = _question(after_us + utc_offset_us, by_us + utc_offset_us)
    lasts = None
    if incident.ended_after_us is not None and incident.ended_by_us is not None:
        # No length at all is a multiple of everything, and none of ours.
        lasts = _question(max(1, incident.ended_after_us - by_us), incident.ended_by_us - after_us)
    return RoundTime(begins=begins, lasts=lasts)


def p_value(questions: Iterable[Question]) -> float:
    """How likely chance holds at least as many half hours as were held."""
    asked = tuple(questions)
    held = sum(question.held for question in asked)
    distribution = [1.0]
    for question in asked:
        more = [0.0, *(share * question.chance for share in distribution)]
        fewer = [*(share * (1 - question.chance) for share in distribution), 0.0]
        distribution = [one + other for one, other in zip(more, fewer, strict=True)]
    return min(1.0, sum(distribution[held:]))


def _question(low_us: int, high_us: int) -> Question:
    width = high_us - low_us
    chance = min(1.0, max(width, 1) / HALF_HOUR_US)
    return Question(held=-low_us % HALF_HOUR_US <= width, chance=chance)
