"""What is told of the user's own servers elsewhere, beside the evidence."""

from __future__ import annotations

from typing import Any

import pytest

from probe.cli.measure import _pieces
from probe.observations import HttpFact, Observation, Operation
from probe.report.controls import unknown_tokens
from probe.verdict.model import NetworkVerdict
from probe.workflows.check import CheckOutcome
from tests.unit import pieces as made


def asked(status: int | None, url: str = "/v1/measure", **place: Any) -> Observation:
    fact = HttpFact(method="POST", url=url, verified_chain=True, status=status)
    operation = Operation(fact=fact, started_us=1, failure="http_unexpected_status_code")
    where: dict[str, Any] = {"purpose": "control", "member": "control:Helsinki"} | place
    return Observation(number=1, operation=operation, **where)


def test_a_token_that_a_control_does_not_know_is_told_once() -> None:
    """However often it was asked, about sites and about its own ports, and what to do about it."""
    again = asked(401, "/v1/sinks", purpose="control_pair", member="sinks", group="control:Helsinki")
    (told,) = unknown_tokens((asked(401), asked(401), again))
    assert told.startswith("Your server elsewhere, Helsinki, does not know the token")
    assert "paste the line that it printed once more (dalel help control)" in told
    assert len(unknown_tokens((asked(401), asked(401, member="control:Oslo")))) == 2


def test_a_check_tells_it_in_every_form() -> None:
    """It is among the notes: below the table, and on standard error beside CSV and JSON."""
    outcome = CheckOutcome(
        run=made.run(),
        asked=(),
        network=NetworkVerdict(status="ok"),
        results=(),
        platforms=(),
        observations=(asked(401),),
        trust="Mozilla",
        notes=("The database was upgraded.",),
    )
    assert _pieces(outcome, None).notes == ("The database was upgraded.", *unknown_tokens((asked(401),)))


@pytest.mark.parametrize(
    "other",
    [
        asked(None),
        asked(200),
        asked(403),
        asked(401, "https://site.example/"),
        asked(401, member="sinks", group="neutral/1"),
        asked(401, vantage="control:Helsinki"),
    ],
    ids=["silent", "heard", "may not ask for that", "a site's own word", "no control", "seen by the control"],
)
def test_nothing_else_is_blamed_on_the_token(other: Observation) -> None:
    """A site may want a login as well, and a control may refuse a question."""
    assert unknown_tokens((other,)) == ()
