"""False words that disturbing recorded runs has found (``tests/lab/disturbed.py``), each as small as it could be made."""

from __future__ import annotations

import pytest

from tests.unit.facts import SITE, TIMEOUT, Facts
from tests.unit.verdict_scenarios import injected


def undecided(facts: Facts) -> bool:
    """Nothing definite is said."""
    return facts.verdict().status == "inconclusive"


@pytest.mark.parametrize("failure", [TIMEOUT, "dns_servfail_error"])
def test_forgeries_met_abroad_do_not_explain_a_lost_answer(failure: str) -> None:
    """The provider's own answer was the right one and got lost on the way here; only questions abroad are forged."""
    assert undecided(injected(failure))
    assert injected("dns_nxdomain_error").verdict().status == "blocked"


def test_what_the_library_was_told_is_what_the_user_was_given() -> None:
    """Our own question got lost, the library's was answered: by the site's address, or by the forgery."""
    for given, status in ((SITE, "inconclusive"), ("10.10.34.36", "blocked")):
        facts = injected(TIMEOUT).dns(given, transport="getaddrinfo", qtype="ANY")
        assert facts.verdict().status == status
