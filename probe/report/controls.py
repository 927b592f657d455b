"""What the user has to know of their own servers elsewhere, beside what they said. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from probe.observations import HttpFact, Observation
from probe.report.safe import safe

_UNAUTHORIZED = 401
_PREFIX = "control:"
_NAME_LIMIT = 60


def unknown_tokens(observations: Iterable[Observation]) -> tuple[str, ...]:
    """A sentence for each control that did not know its token: nobody is to believe that it was silent, or the network."""
    names: dict[str, None] = {}
    for one in observations:
        fact, name = one.operation.fact, _control(one)
        if name and isinstance(fact, HttpFact) and fact.status == _UNAUTHORIZED and "/v1/" in fact.url:
            names[name] = None
    return tuple(
        f"Your server elsewhere, {safe(name, _NAME_LIMIT)}, does not know the token that it was shown, so it was not heard: "
        "paste the line that it printed once more (dalel help control)."
        for name in names
    )


def _control(one: Observation) -> str:
    """The control that was asked from here; nothing for what was asked of somebody else, or seen by the control."""
    if one.vantage != "local":
        return ""
    told = next((text for text in (one.member, one.group) if text and text.startswith(_PREFIX)), "")
    return told.removeprefix(_PREFIX)
