"""One sentence about a platform that can be quoted as it stands: when, where, what, and how often. Pure.

It says what was measured and nothing that the verdict does not: a word that is not proven is never in it, and what was
counted is told with its counts, so that it stays true when it is read alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from probe.observations import Observation
from probe.report import platforms
from probe.report.comparisons import Comparison, comparisons
from probe.report.groups import Group
from probe.verdict import evidence, fingerprints, sentences
from probe.verdict.findings import protocols
from probe.verdict.model import EndpointResult, Finding, Run

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THIS_NETWORK = re.compile(r"this network(?:'s)?")
# Not strftime's: those are in the language of the machine.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DONE = {
    "timeout": "got no answer",
    "reset": "were cut",
    "eof": "were cut",
    "alert": "were refused",
    "block_page": "got another page",
    "redirect": "were sent elsewhere",
}
_PROOFS_BY_NAME = ("neutral_flip", "neutral_and_control_flip", "unacknowledged_only")
"""Findings that are counted pairs: what they say is told with the counts of their own arms."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One sentence, and what it is about."""

    about: str
    text: str


def quotes(
    groups: Iterable[Group], run: Run, observations: Sequence[Observation], lang: str = "en"
) -> tuple[Quote, ...]:
    """A sentence for each group, in their order."""
    return tuple(Quote(group.title, quote(group, run, observations, lang)) for group in groups)


def quote(group: Group, run: Run, observations: Sequence[Observation], lang: str = "en") -> str:
    """The sentence for one platform or address, by the result that decided its word.

    A platform that works while a part of it does not is told with its parts: one address of its apps' says nothing of that.
    """
    result = group.decided_by
    said = _in_parts(group, lang) or _SAYERS[group.status](result, observations, lang)
    return _THIS_NETWORK.sub(lambda found: f"{found[0]}{_whose(run)}", f"On {_moment(result, run)}, {said}", count=1)


def _moment(result: EndpointResult, run: Run) -> str:
    """The start of the measurement by the right clock, as far as the run has learned how wrong this one is."""
    at = _EPOCH + timedelta(microseconds=result.started_us + (run.clock_offset_us or 0))
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year} at {at:%H:%M} UTC"


def _whose(run: Run) -> str:
    """Which network it is, where the settings say so: a quotation is read elsewhere."""
    known = [f"AS{run.asn}" if run.asn is not None else "", run.country or ""]
    return f" ({', '.join(part for part in known if part)})" if any(known) else ""


def _in_parts(group: Group, lang: str) -> str | None:
    platform = group.platform
    if platform is None or group.status != "accessible" or not platforms.says_more(platform):
        return None
    if any(service.status == "no_network" for service in platform.services):
        return None  # its clause speaks to whoever measured
    name, _colon, parts = platforms.sentence(platform, lang).partition(": ")
    return f"the state of {name} on this network was this: {parts}" if parts else None


# ---------------------------------------------------------------------------------------------------------------------
# one word each


def _accessible(result: EndpointResult, _observations: Sequence[Observation], _lang: str) -> str:
    if _is_protocol(result):
        return f"{_host(result)} passed from this network to a server elsewhere."
    return f"{_host(result)} could be reached from this network."


def _blocked(result: EndpointResult, observations: Sequence[Observation], lang: str) -> str:
    decided = _deciding(result)
    if decided is not None and decided.code in _PROOFS_BY_NAME:
        counted = [c for c in comparisons(result, observations) if set(c.observations) & set(decided.observations)]
        if counted:
            return f"on this network, {_counted(decided, counted)}."
    if result.verdict.method == "mitm":
        return f"encrypted connections to {_host(result)} were intercepted on this network{_because(decided, lang)}"
    return f"{_host(result)} was blocked on this network{_because(decided, lang)}"


def _denied(result: EndpointResult, _observations: Sequence[Observation], lang: str) -> str:
    decided = _deciding(result)
    return f"this network let {_host(result)} through, and the site itself refused the visitor{_because(decided, lang)}"


def _outage(result: EndpointResult, _observations: Sequence[Observation], lang: str) -> str:
    return (
        f"{_host(result)}, asked from this network, was out of order on its own side{_because(_deciding(result), lang)}"
    )


def _no_network(result: EndpointResult, _observations: Sequence[Observation], lang: str) -> str:
    decided = _deciding(result)
    return (
        f"nothing could be said about {_host(result)}, because of trouble at the place of measurement itself"
        f"{_because(decided, lang)}"
    )


def _inconclusive(result: EndpointResult, _observations: Sequence[Observation], _lang: str) -> str:
    return f"this measurement could not tell whether {_host(result)} was blocked on this network."


_SAYERS = {
    "accessible": _accessible,
    "blocked": _blocked,
    "denied": _denied,
    "outage": _outage,
    "no_network": _no_network,
    "inconclusive": _inconclusive,
}


def _host(result: EndpointResult) -> str:
    """What was asked for, as it goes over the wire: letters of another script could reorder the words around them."""
    host = fingerprints.host_of(result.url) or result.url
    return sentences.protocol(host.removesuffix("-tcp")) if _is_protocol(result) else host


def _is_protocol(result: EndpointResult) -> bool:
    """Whether nothing but a comparison of what a protocol looks like was asked for."""
    return result.url.startswith(f"{protocols.SCHEME}://")


def _deciding(result: EndpointResult) -> Finding | None:
    """The finding that the word rests on: the strongest that proves it, else the strongest."""
    found = [f for f in result.verdict.findings if f.weight > 0 and f.speaks_for == result.verdict.status]
    return min(found, key=lambda f: (not _proves(f), -f.weight), default=None)


def _proves(finding: Finding) -> bool:
    row = evidence.TABLE.get(finding.code)
    return row is not None and row.proves


def _because(finding: Finding | None, lang: str) -> str:
    """The evidence as the second half of a sentence."""
    return f": {sentences.clause(finding, lang)}." if finding is not None else "."


def _counted(decided: Finding, counted: Sequence[Comparison]) -> str:
    first = counted[0]
    name = first.this.name or "the site"
    what = "connections" if first.over_tls else "unencrypted requests"
    failed, tried = sum(c.this.failed for c in counted), sum(c.this.tried for c in counted)
    passed, others = sum(c.other.passed for c in counted), sum(c.other.tried for c in counted)
    if decided.code == "unacknowledged_only":
        return (
            f"{what} that named {name} did not get through to the site's own server {failed} of {tried} times, while "
            f"{what} to the same server that named another site got through {passed} of {others} times"
        )
    return (
        f"{what} that named {name} {_done(counted)} {failed} of {tried} times at {_servers(counted)}, while {what} "
        f"that named other sites passed {passed} of {others} times"
    )


def _done(counted: Sequence[Comparison]) -> str:
    told = {_DONE[manner] for c in counted for manner, _times in c.this.how}
    return told.pop() if len(told) == 1 else "failed"


def _servers(counted: Sequence[Comparison]) -> str:
    own, others = (sum((c.place == "control") is mine for c in counted) for mine in (True, False))
    told = ["an unrelated server" if others == 1 else f"{_number(others)} unrelated servers"] if others else []
    if own:
        told.append("a server that was set up for such measurements")
    return " and at ".join(told)


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
