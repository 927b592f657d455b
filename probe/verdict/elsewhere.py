"""What controls saw of the name in question, which of them can be heard, and where they met the same as this network.

A control is a stranger's word. It is not heard before it has shown that its own line works (greetings of two well-known
sites that verify), nor if it is in this very country, is censored itself (the name fails at neutral addresses there, where
another one passes), or says of a site that was reached here, or of a name that nobody has, what cannot be.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from probe.observations import DnsFact, HttpFact, TcpFact, TlsFact
from probe.verdict import certificates
from probe.verdict.case import Case
from probe.verdict.facts import failed, verified
from probe.verdict.pages import page_of
from probe.verdict.pairs import manner

if TYPE_CHECKING:
    from probe.observations import Observation

Silence = Literal["cut_off", "same_country", "censored", "contradicted"]
"""Why a control that answered is not heard."""

_WELL_KNOWN = 2
"""So many of a control's own canaries (they are of different operators) must answer before it is heard."""
_ASKED = 2
"""A failure counts towards a word once it was seen there in so many rounds: anybody's line hiccups."""
_SERVER_ERROR = 500
_SILENT = frozenset({"generic_timeout_error", "host_unreachable", "network_unreachable"})
"""No connection, and no word of the server's machine."""
_REFUSED = frozenset({"connection_refused", "connection_reset", "connection_aborted"})


@dataclass(frozen=True, slots=True)
class Told:
    """What one control says of the name in question. ``reached``: it came as far as this network should have; ``missed``:
    it failed where this network did, or sooner; ``alike``: it met the very same, at the address that failed here.
    """

    name: str
    country: str | None
    reached: tuple[Observation, ...]
    missed: tuple[Observation, ...]
    alike: tuple[Observation, ...]
    tried: tuple[Observation, ...]
    passes: bool
    """Whether its own line lets the name through at neutral addresses."""

    @property
    def steady(self) -> bool:
        """Whether it met the same in every round, and more than once."""
        rounds = {o.round for o in self.tried}
        return len(rounds) >= _ASKED and {o.round for o in self.alike} == rounds


def heard(case: Case) -> tuple[Told, ...]:
    """What each control that can be heard says."""
    return tuple(_reading(case, name, seen) for name, seen in _by_vantage(case) if silenced(case, name, seen) is None)


def unheard(case: Case) -> dict[str, Silence]:
    """The controls that answered and are not heard, and why."""
    found = ((name, silenced(case, name, seen)) for name, seen in _by_vantage(case))
    return {name.removeprefix("control:"): why for name, why in found if why is not None}


def _by_vantage(case: Case) -> list[tuple[str, list[Observation]]]:
    by_vantage: dict[str, list[Observation]] = defaultdict(list)
    for o in case.elsewhere:
        by_vantage[o.vantage].append(o)
    return sorted(by_vantage.items())


def silenced(case: Case, name: str, seen: list[Observation]) -> Silence | None:
    """Why the control *name* is not heard; ``None`` if it is."""
    if name in case.view.contradicted_controls:
        return "contradicted"
    home = case.view.context.country if case.view.context is not None else None
    if home is not None and home == case.view.control_countries.get(name):
        return "same_country"
    members = {o.member for o in seen if o.purpose == "own_side" and o.member and verified(o.fact)}
    if len(members) < _WELL_KNOWN:
        return "cut_off"
    return "censored" if _flips(_arms(case, seen)) else None


# ---------------------------------------------------------------------------------------------------------------------
# its own line


def _arms(case: Case, seen: list[Observation]) -> list[Observation]:
    """What came of the control's own pairs at neutral addresses, on the name in question."""
    exchanges = (o for o in seen if o.purpose == "neutral_pair" and isinstance(o.fact, TlsFact | HttpFact))
    return [o for o in exchanges if o.arm == "innocuous" or (o.arm == "target" and _is_about(case, o))]


def _flips(arms: list[Observation]) -> bool:
    """Whether at any neutral address the name failed and another one passed. Once is enough to doubt a stranger's line."""
    flipped = False
    for place in {(o.group, o.operation.address) for o in arms}:
        here = [o for o in arms if (o.group, o.operation.address) == place]
        passed = {o.arm for o in here if o.failure is None}
        flipped |= passed == {"innocuous"} and any(o.arm == "target" and failed(o) for o in here)
    return flipped


def _is_about(case: Case, o: Observation) -> bool:
    name = o.fact.qname if isinstance(o.fact, DnsFact) else o.operation.name
    if isinstance(o.fact, TlsFact) and o.fact.sni:
        name = o.fact.sni
    return case.is_target(name)


# ---------------------------------------------------------------------------------------------------------------------
# what it says


def _reading(case: Case, name: str, seen: list[Observation]) -> Told:
    tried = tuple(o for o in seen if o.purpose not in ("own_side", "neutral_pair") and _is_about(case, o))
    return Told(
        name=name.removeprefix("control:"),
        country=case.view.control_countries.get(name),
        reached=tuple(o for o in tried if _reached(case, o)),
        missed=tuple(o for o in tried if _missed(case, o)),
        alike=tuple(o for o in tried if _is_alike(case, o)),
        tried=tried,
        passes=any(o.arm == "target" and o.failure is None for o in _arms(case, seen)),
    )


def _reached(case: Case, o: Observation) -> bool:
    """Whether the control came as far as here was to be come: to a verified greeting, a page, a bare connection.

    Where the page failed here, behind a greeting that did not, a greeting there says nothing.
    """
    fact, stage = o.fact, case.failing.stage if case.failing is not None else None
    if o.failure is not None:
        return False
    # A control connects where an app would, and speaks nothing: of what comes after it says nothing.
    if case.scheme == "tcp" or (case.asked.endpoint.app is not None and stage in ("dns", "tcp")):
        return isinstance(fact, TcpFact) and o.operation.port == case.asked.endpoint.port
    if isinstance(fact, HttpFact):
        page = fact.status is not None and fact.status < _SERVER_ERROR
        return page and (fact.verified_chain or _is_plain(case))
    return stage not in ("http", None) and verified(fact)


def _missed(case: Case, o: Observation) -> bool:
    """Whether the control failed where this network did, or sooner. That a name has no newer address is no failure."""
    fact = o.fact
    if isinstance(fact, DnsFact):
        at_the_name = case.failing is not None and case.failing.stage == "dns"
        return at_the_name and failed(o) and fact.qtype == "A"
    return (failed(o) and not _never_left(o)) or _server_error(o)


def _never_left(o: Observation) -> bool:
    """Whether it was the control's own kernel that knew no way, as to an address of a version that it has not."""
    unreachable = o.failure in ("host_unreachable", "network_unreachable")
    here = isinstance(o.fact, TcpFact) and o.fact.icmp_type is None and o.operation.address is not None
    return unreachable and here


def _is_plain(case: Case) -> bool:
    """Whether what failed here was asked for without encryption, so that an answer without it is like for like."""
    steps = case.failing.steps if case.failing is not None else ()
    secure = any(isinstance(o.fact, TlsFact) or o.operation.port == 443 for o in steps)
    return not secure and case.scheme == "http"


def _server_error(o: Observation) -> bool:
    return isinstance(o.fact, HttpFact) and o.fact.status is not None and o.fact.status >= _SERVER_ERROR


def failed_at(case: Case) -> str | None:
    """The address that failed here; ``None`` where it was the name that did."""
    last = broken(case)
    return last.operation.address if last is not None and not isinstance(last.fact, DnsFact) else None


def broken(case: Case) -> Observation | None:
    """Where the way ended here: the operation that failed, or a page that says that its server is in trouble."""
    if case.failing is not None:
        return case.failing.last
    pages = (page_of(attempt) for attempt in case.baseline if attempt.ok)
    return next((page for page in pages if page is not None and _server_error(page)), None)


def _is_alike(case: Case, o: Observation) -> bool:
    """Whether *o* failed at the same step, in the same manner, and at the same address."""
    here = broken(case)
    if here is None or o.operation.kind != here.operation.kind:
        return False
    if isinstance(here.fact, DnsFact):
        # What a resolver makes of a zone that does not answer, or not well, is its own business: silence here, a code there.
        return isinstance(o.fact, DnsFact) and o.fact.qtype == "A" and failed(o)
    place, there = here.operation, o.operation
    return (place.address, place.port) == (there.address, there.port) and _manner(here) == _manner(o) is not None


def _manner(o: Observation) -> str | None:
    """How an operation failed, as far as it is comparable between two networks; ``None`` if it is not, or did not fail.

    A server that says no in the greeting may say it to this program alone: an alert is not compared.
    """
    fact = o.fact
    if isinstance(fact, TcpFact):
        if _never_left(o):
            return None
        return "silence" if o.failure in _SILENT else "refusal" if o.failure in _REFUSED else None
    if isinstance(fact, HttpFact) and o.failure is None:
        return str(fact.status) if _server_error(o) else None
    if not failed(o):
        return None
    if isinstance(fact, TlsFact) and fact.chain:
        leaf = certificates.leaf(fact)
        return f"{o.failure} {leaf.sha256}" if leaf is not None else None
    found = manner(o)
    return found if found in ("timeout", "reset", "eof") else None


# ---------------------------------------------------------------------------------------------------------------------
# two vantages in two countries


def broken_for_both(case: Case, told: Told) -> bool:
    """Whether a control in another country met the very same, steadily, and nothing there speaks against it.

    Its own way to the name must be clear: from an address that is the name's own, and, where somebody who reads names might
    act there too, past its own neutral addresses.
    """
    here, home = broken(case), case.view.context.country if case.view.context is not None else None
    if here is None or None in (home, told.country) or home == told.country:
        return False
    if any(attempt.ok for attempt in case.retries) or not told.steady or _contrary(here, told):
        return False
    if isinstance(here.fact, DnsFact):
        return _every_resolver(case, told)
    if not is_its_own(case, told):
        return False
    return told.passes or not _is_readable(here)


def _is_readable(here: Observation) -> bool:
    """Whether somebody on the way who reads names could have done it: not behind a verified greeting, and nobody shows one
    and the same certificate in two countries.
    """
    fact = here.fact
    return (isinstance(fact, TlsFact) and not fact.chain) or (isinstance(fact, HttpFact) and not fact.verified_chain)


def _contrary(here: Observation, told: Told) -> bool:
    """Whether the control got past this step anywhere, or through to the end."""
    past = (
        o for o in told.tried if o.operation.kind == here.operation.kind and o.operation.port == here.operation.port
    )
    return bool(told.reached) or any(
        o.failure is None and not _server_error(o) and not isinstance(o.fact, DnsFact) for o in past
    )


def _every_resolver(case: Case, told: Told) -> bool:
    """Whether no resolver there, nor any abroad that was asked from here, gave an address; two operators' at least failed."""
    asked = [o for o in told.tried if isinstance(o.fact, DnsFact) and o.fact.qtype == "A"]
    foreign = {o.operation.address for o in asked if o.fact.role == "foreign" and failed(o)}  # type: ignore[union-attr]
    answered = (o for o in (*told.tried, *case.foreign_replies) if isinstance(o.fact, DnsFact) and o.fact.addresses)
    return len(foreign) >= _ASKED and {o for o in asked if failed(o)} == set(told.alike) and not any(answered)


def is_its_own(case: Case, told: Told) -> bool:
    """Whether the address that failed here is the name's own, as far as others say: those whom the control asks, or resolvers
    abroad that were asked from here. What only this network's DNS says may be a lie that leads nowhere.
    """
    address = failed_at(case)
    replies = (o for o in (*told.tried, *case.foreign_replies) if isinstance(o.fact, DnsFact))
    return case.name == address or any(address in o.fact.addresses for o in replies if isinstance(o.fact, DnsFact))
