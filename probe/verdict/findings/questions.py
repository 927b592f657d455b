"""Names: whether questions in clear leave this house or company, and whether they are answered before that.

Home routers with parental lists do to questions what a provider does. These rows say on which side it is; they prove no word,
and the gates ``stopped_at_home`` and ``this_side`` take one away. See :mod:`probe.verdict.questions_way`.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation, PathFact
from probe.verdict import questions_way
from probe.verdict.case import Case
from probe.verdict.rows import Match, Row, row


def _ttl(observations: tuple[Observation, ...]) -> int:
    return min(o.fact.ttl for o in observations if isinstance(o.fact, PathFact))


@row(
    "question_answered_inside",
    speaks_for="no_network",
    weight=1.0,
    family="dns_local",
    basis="behaviour",
    sentence="a question about {host} that was let go no farther than router number {ttl} was answered all the same: "
    "most likely this network's own router or a filter behind it takes DNS questions to itself",
    why="nobody farther can have had it; a router that passes on the provider's lie does so too, so a reason only",
    signatures=("network.filter",),
)
def question_answered_inside(case: Case) -> Iterator[Match]:
    found = questions_way.answered_inside(case)
    if found is not None:
        name, told = found
        yield Match(
            observations=told,
            parameters={"host": name, "ttl": _ttl(told)},
            method="filter",
            signature="network.filter",
            where="lan",
        )


@row(
    "question_lost_inside",
    speaks_for="no_network",
    weight=0.2,
    family="place",
    basis="contrast",
    sentence="questions about {host} do not get as far as router number {ttl}, the first one that is somebody else's, and "
    "others do: what drops them may be in this house or company",
    why="home routers keep lists of names, and a provider's device may be as near: where it is, is open; next to nothing",
)
def question_lost_inside(case: Case) -> Iterator[Match]:
    way = questions_way.read(case)
    if way is not None and way.lost_inside and not way.lost_at_home:
        yield Match(
            observations=way.lost_inside,
            parameters={"host": case.name, "ttl": _ttl(way.lost_inside)},
            method="filter",
            where="unknown",
        )


@row(
    "question_lost_at_home",
    speaks_for="no_network",
    weight=1.0,
    family="place",
    basis="contrast",
    sentence="questions about {host} do not even get as far as this network's own router, which speaks of others: it drops "
    "them, or this computer does",
    why="parental lists of home routers do so; a word of the router's may get lost, and not twice of one name only; not proof",
)
def question_lost_at_home(case: Case) -> Iterator[Match]:
    way = questions_way.read(case)
    if way is not None and way.lost_at_home:
        yield Match(observations=way.lost_at_home, parameters={"host": case.name}, method="filter", where="lan")


@row(
    "question_left",
    speaks_for="blocked",
    weight=0.1,
    family="place",
    basis="contrast",
    sentence="questions about {host} leave this house or company: router number {ttl}, which is somebody else's, had one",
    why="what is said of the name, or drops it, is beyond the house, which proves no block; next to nothing",
)
def question_left(case: Case) -> Iterator[Match]:
    way = questions_way.read(case)
    if way is not None and way.got_out and case.failing is not None:
        yield Match(
            observations=way.got_out,
            parameters={"host": case.name, "ttl": _ttl(way.got_out)},
            method="dns",
            where="unknown",
        )


ROWS: tuple[Row, ...] = (question_answered_inside, question_lost_inside, question_lost_at_home, question_left)
