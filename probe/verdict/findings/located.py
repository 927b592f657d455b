"""Places: between which hops a name, or every packet to an address, is stopped. They say where, and prove no word.

That a packet gets past one router and not to the next tells no order from a fault: what tells them apart is the contrast, or
another vantage. So weights are next to nothing, and no row proves. Some places take a word away: what is stopped at this
network's own router, or right behind it, may be stopped by that router itself; and what is stopped before any router is known
to be somebody else's may be stopped by a second one in the house (the one behind a container, a company's firewall).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from probe.verdict import located, located_answers, located_connections
from probe.verdict.located import Located
from probe.verdict.located_losses import is_spoilt
from probe.verdict.pairs import at_neutrals
from probe.verdict.rows import Match, Row, row

if TYPE_CHECKING:
    from probe.observations import Observation
    from probe.verdict.case import Case
    from probe.verdict.model import Finding, Where

_MANNERS = {"timeout": ("dropped", "reply_lost"), "reset": ("reset",), "eof": ("ended",)}
"""How the name fails at neutral places, and what is done to it on the way."""
_BEHIND_THE_GATEWAY = 2
"""The hop behind this network's own router. A filter in a router acts when the TTL has been counted down (Linux forwards
so), or before: then it is seen to be behind the router, or before it."""


def places(case: Case) -> tuple[Located, ...]:
    """Where things are stopped, names before connections."""
    found: list[Located | None] = []
    for group, observations in sorted(case.groups(located.PURPOSE).items(), reverse=True):
        what, _, address = group.partition("/")
        about = [o for o in observations if _is_about(case, o)]
        if what == "name":
            found.append(located.read_greetings(about, address))
        elif what == "connection":
            found.append(located_connections.read_connections(about, address))
    return tuple(one for one in found if one is not None)


def _is_about(case: Case, observation: Observation) -> bool:
    return observation.arm != "target" or case.is_in_question(observation)


def is_at_home(found: Located) -> bool:
    """Whether it may be this network's own router."""
    if found.before is None:
        return False
    if found.after == 0 and found.before > 1:
        return (
            True  # no router has said that the name got there, as where the first one was asked only once, or is mute
        )
    if found.before > _BEHIND_THE_GATEWAY:
        return False
    return found.scopes[found.before == 1] == "gateway"


def may_be_inside(found: Located) -> bool:
    """Whether it may be another device of this household or company: no router behind the own one that had the name is known
    to be somebody else's. A silent router in between may hide that it is the own one, as it forwards.
    """
    return found.is_interval and not found.outside and not is_at_home(found)


def _of_the_name(case: Case) -> Located | None:
    return next((found for found in places(case) if found.what == "greeting"), None)


def _greeting(case: Case) -> Located | None:
    found = _of_the_name(case)
    return found if found is not None and found.is_interval else None


def _method(case: Case) -> str:
    return "http" if case.scheme == "http" else "tls"


def _match(case: Case, found: Located, *, method: str, where: Where | None = None) -> Match:
    seen = {o.number: o for o in case.of(located.PURPOSE, "path")}
    return Match(
        observations=tuple(seen[number] for number in found.observations if number in seen),
        parameters={"host": case.name, **found.parameters()},
        method=method,
        where=where or found.where,
    )


@row(
    "greeting_stopped",
    speaks_for="blocked",
    weight=0.1,
    family="place",
    basis="contrast",
    sentence="connections that name {host} are stopped between {after} and {before}; others from the same port get through",
    why="the contrast proves that the network acts on the name, this only says where; next to nothing",
)
def greeting_stopped(case: Case) -> Iterator[Match]:
    found = _greeting(case)
    if found is not None and not is_at_home(found) and not may_be_inside(found):
        yield _match(case, found, method=_method(case))


@row(
    "greeting_stopped_inside",
    speaks_for="no_network",
    weight=0.2,
    family="place",
    basis="contrast",
    sentence="connections that name {host} are stopped between {after} and {before}, which may still be inside this house or "
    "company: a second router or a firewall",
    why="providers give routers private addresses as well, and some routers are silent: where it is, is open; next to nothing",
)
def greeting_stopped_inside(case: Case) -> Iterator[Match]:
    found = _greeting(case)
    if found is not None and may_be_inside(found):
        yield _match(case, found, method="filter", where="unknown")


@row(
    "greeting_stopped_at_home",
    speaks_for="no_network",
    weight=1.0,
    family="place",
    basis="contrast",
    sentence="connections that name {host} get no further than this network's own router or what is right behind it",
    why="home routers filter names too, and a provider's first device is seldom as near; not proof",
)
def greeting_stopped_at_home(case: Case) -> Iterator[Match]:
    found = _greeting(case)
    if found is not None and is_at_home(found):
        yield _match(case, found, method="filter", where="lan")


@row(
    "others_stopped_at_home",
    speaks_for="no_network",
    weight=1.0,
    family="place",
    basis="contrast",
    sentence="connections that name {other} fail in the same way, and get no further than this network's own router or what is "
    "right behind it; where those that name {host} are stopped was not found out",
    why="a household's filter has a list, and only the first few names of a run are followed along the way; as the row above",
)
def others_stopped_at_home(case: Case) -> Iterator[Match]:
    for other, found in _alike(case):
        if is_at_home(found):
            # The place is the other one's: it is not told as this one's.
            match = _match(other, found, method="filter", where="lan")
            yield replace(match, parameters={"host": case.name, "other": other.name})


def _alike(case: Case) -> Iterator[tuple[Case, Located]]:
    """Other endpoints of this run that fail as this one does, and were followed along the way, as this one was not."""
    if _of_the_name(case) is not None:
        return
    manners = {manner for pair in at_neutrals(case) if pair.flips for manner in _MANNERS.get(pair.manner, ())}
    for other in case.view.cases():
        found = _of_the_name(other) if other is not case and other.of(located.PURPOSE, "path") else None
        if found is not None and found.manner in manners:
            yield other, found


@row(
    "answer_lost_on_the_way",
    speaks_for="blocked",
    weight=0.1,
    family="place",
    basis="contrast",
    sentence="connections that name {host} get past every router, and the answer to them is lost on its way back",
    why="the contrast proves that the network acts on the name, this only says how; next to nothing",
)
def answer_lost_on_the_way(case: Case) -> Iterator[Match]:
    for found in places(case):
        if found.manner == "reply_lost":
            yield _match(case, found, method=_method(case))


@row(
    "connection_stopped",
    speaks_for="blocked",
    weight=0.2,
    family="place",
    basis="behaviour",
    sentence="packets to {at} get lost between {after} and {before}; packets to another address go on from there",
    why="a route that is lost in a provider's network, or a filter of its own there: a reason only",
)
def connection_stopped(case: Case) -> Iterator[Match]:
    found = _connection(case)
    if found is not None and found.where in ("access", "transit"):
        yield _match(case, found, method="ip")


@row(
    "connection_gets_far",
    speaks_for="outage",
    weight=0.1,
    family="place",
    basis="behaviour",
    sentence="packets to {at} get lost between {after} and {before}",
    why="most ways that end in nothing end at a dead machine; next to nothing",
)
def connection_gets_far(case: Case) -> Iterator[Match]:
    found = _connection(case)
    if found is not None and found.where not in ("access", "transit"):
        yield _match(case, found, method="server", where="unknown")


def _connection(case: Case) -> Located | None:
    return next((found for found in places(case) if found.what == "connection" and found.is_interval), None)


ROWS: tuple[Row, ...] = (
    greeting_stopped,
    greeting_stopped_inside,
    greeting_stopped_at_home,
    others_stopped_at_home,
    answer_lost_on_the_way,
    connection_stopped,
    connection_gets_far,
)
_CODES = frozenset(row.code for row in ROWS)


def place_of(findings: Iterable[Finding]) -> Located | None:
    """The place that a verdict's findings tell, for whoever shows it; a name's before a connection's."""
    found = [finding for finding in findings if finding.code in _CODES]
    return next((place for f in found if (place := located.from_parameters(f.parameters)) is not None), None)


def refined(where: Where | None, findings: Sequence[Finding]) -> Where | None:
    """*where*, or what the place says where nobody else knew."""
    place = place_of(findings)
    if where not in (None, "unknown") or place is None or place.what != "greeting":
        return where
    return place.where


def may_be_this_side(case: Case) -> bool:
    """Whether what the name meets on its way may be the doing of this household's or company's own devices."""
    found = _of_the_name(case)
    if found is not None:
        return _leaves_it_open(case, found)
    # Who opens all connections reads all names, and may stop any: most are a company's gateway, or an antivirus.
    if case.own.opened or _is_hidden(case) or _spoilt(case):
        return True
    others = [_leaves_it_open(*other) for other in _alike(case)]
    return bool(others) and all(others)


def _spoilt(case: Case) -> bool:
    """Whether it was looked for and not found because the other name's greetings got lost or were broken off too: then it
    may be anywhere.
    """
    groups = (found for group, found in case.groups(located.PURPOSE).items() if group.startswith("name/"))
    return any(is_spoilt([o for o in found if _is_about(case, o)]) for found in groups)


def _is_hidden(case: Case) -> bool:
    """Whether the way was looked at and nobody outside spoke, as where a company's firewall lets in no router's word."""
    groups = (group for group in case.groups(located.PURPOSE) if group.startswith("name/"))
    return any(located_answers.is_hidden(_group(case, group)) for group in groups)


def _leaves_it_open(case: Case, found: Located) -> bool:
    return not _taken_outside(case, found) if found.may_be_taken else may_be_inside(found)


def _taken_outside(case: Case, place: Located) -> bool:
    """Whether what takes the answers to the name is known to be beyond this household or company."""
    outside = located_answers.first_outside(_group(case, f"name/{place.at}"))
    near = _group(case, f"{located_answers.GROUP}/{place.at}")
    return outside is not None and located_answers.came_all_the_same(near, outside)


def _group(case: Case, group: str) -> tuple[Observation, ...]:
    return tuple(o for o in case.of(located.PURPOSE, "path", group) if _is_about(case, o))


def lost_at_the_provider(case: Case) -> Located | None:
    """Where packets to a silent address are lost, if that is in the provider's own network, past this household's router.

    Half of what it takes to call such an address blocked, the other half being a control's disagreement (no gate asks for it
    yet: a provider's network is taken for one in this country, and nobody has said so).
    """
    found = _connection(case)
    beyond = found is not None and not is_at_home(found) and not may_be_inside(found)
    return found if found is not None and found.where == "access" and beyond else None
