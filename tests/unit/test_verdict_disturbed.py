"""False words that disturbing recorded runs has found (``tests/lab/disturbed.py``), each as small as it could be made."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from probe.observations import Came, PathFact, TlsFact
from tests.unit.facts import INNOCUOUS, NEUTRALS, SITE, TIMEOUT, Facts, certificate
from tests.unit.verdict_scenarios_begin import failed_retries, healthy_site
from tests.unit.verdict_scenarios_certificates import forged_elsewhere
from tests.unit.verdict_scenarios_injected import injected
from tests.unit.verdict_scenarios_located import blocked_and_followed


def undecided(facts: Facts) -> bool:
    """Nothing definite is said."""
    return facts.verdict().status == "inconclusive"


# -- names -------------------------------------------------------------------------------------------------------------


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


# -- certificates ------------------------------------------------------------------------------------------------------


def test_who_opens_another_name_too_forges_none_in_particular() -> None:
    """All canaries got lost; the innocuous name at the neutral place was opened by the same issuer."""
    assert forged_elsewhere().verdict().status == "blocked"
    chain = (certificate(INNOCUOUS, issuer="CN=Nobody Knows Root"),)
    place: dict[str, Any] = {"purpose": "neutral_chain", "group": "neutral/1", "arm": "innocuous", "sni": INNOCUOUS}
    told: dict[str, Any] = {"chain": chain, "verify_code": 20, "server_hello": True}
    assert undecided(forged_elsewhere().tls(NEUTRALS[0], failure="ssl_unknown_authority", **told, **place))


def test_a_forger_of_one_name_is_told_by_a_name_that_is_not_forged() -> None:
    """Nobody in the whole run was shown a certificate of their own: whoever opens this one may open all."""
    facts = forged_elsewhere()
    facts.observations = [o for o in facts.observations if not (isinstance(o.fact, TlsFact) and o.failure is None)]
    assert undecided(facts)


# -- contrasts ---------------------------------------------------------------------------------------------------------


def test_a_connection_lost_once_does_not_hide_that_the_name_passes_elsewhere() -> None:
    """A site's own scrubber drops its name; the name passes at neutral places. The first connection got lost besides."""

    def told(facts: Facts) -> Facts:
        facts = failed_retries(facts).neutrals(target=None, rounds=1)
        return facts.own_pair(target_fact={"hello_acked": False}, innocuous_fact={"hello_acked": True})

    for facts in (told(healthy_site().no_greeting()), told(healthy_site().no_connection())):
        assert undecided(facts)
        assert "neutral_pass" in facts.codes()


# -- places ------------------------------------------------------------------------------------------------------------


def lost_on_the_way(facts: Facts, came: Came, *, syns: bool = False) -> Facts:
    """The same, where the other name's greetings (and SYNs) fared so."""

    def told(fact: object) -> object:
        hit = isinstance(fact, PathFact) and (fact.sni == INNOCUOUS or (syns and fact.sent == "syn"))
        return dataclasses.replace(fact, came=came, hop=None, hop_is=None) if hit else fact  # type: ignore[type-var]

    facts.observations = [
        dataclasses.replace(o, operation=dataclasses.replace(o.operation, fact=told(o.fact)))  # type: ignore[arg-type]
        for o in facts.observations
    ]
    return facts


@pytest.mark.parametrize(("came", "syns"), [("nothing", False), ("nothing", True), ("reset", False)])
def test_a_burst_of_loss_does_not_clear_the_own_router(came: Came, syns: bool) -> None:
    """The own router drops the name, and nothing gets through while that is looked for."""
    assert undecided(lost_on_the_way(blocked_and_followed(device=1), came, syns=syns))
