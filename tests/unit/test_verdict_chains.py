"""Who stands in the middle: a state, a company, an antivirus, or nobody knows."""

from __future__ import annotations

import pytest

from probe.verdict import certificates, sentences
from tests.unit.verdict_scenarios_certificates import gateway_everywhere, national_ca
from tests.unit.verdict_scenarios_chains import SITES, STRANGER, by_its_sum, chosen_names, known_sum, shown
from tests.unit.verdict_scenarios_names import filtering_product


def counts(code: str, *found: object) -> list[bool]:
    return [code in one.codes() for one in found]  # type: ignore[attr-defined]


def test_chosen_names_need_three_operators() -> None:
    """Two sites may be one company's; an issuer of a product, or one that this computer trusts, is somebody's own."""
    assert counts(
        "issuer_of_unrelated",
        chosen_names(*SITES),
        chosen_names(SITES[0]),
        chosen_names("m.facebook.com", "web.facebook.com"),
        chosen_names(*SITES, trusted=True),
        chosen_names(*SITES, issuer="CN=FortiGate CA,O=Fortinet,C=US"),
    ) == [True, False, False, False, False]


def test_a_certificate_is_known_by_its_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it calls itself; and one that was not kept whole has no sum."""
    assert by_its_sum().word() == "inconclusive/tls.mitm.unknown_ca"
    monkeypatch.setitem(certificates._NATIONAL_SHA1, known_sum(), "A known authority")
    assert by_its_sum().word() == "blocked/mitm/tls.mitm.known_ca"
    assert shown("C=KZ, O=Somebody").word() == "inconclusive/tls.mitm.unknown_ca"


def test_expired_is_still_the_states() -> None:
    """The state went on with certificates that had run out."""
    assert national_ca(expired=True).verdict().method == "mitm"


@pytest.mark.parametrize(
    ("issuer", "users"),
    [
        ("CN=Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab", "antivirus programs on one's own computer"),
        ("CN=Norton Web/Mail Shield Root", "antivirus programs on one's own computer"),
        ("CN=FG100FTK20012345,O=Fortinet,C=US", "companies and schools"),
        ("CN=Zscaler Root CA", "companies and schools"),
        (STRANGER, "antivirus, companies or schools"),
    ],
)
def test_antivirus_and_gateways_are_told_apart(issuer: str, users: str) -> None:
    """By the name that a product gives its issuer; one that says nothing is left open."""
    assert certificates.users_of(issuer) == users


def test_the_sentence_says_whose_product_it_is() -> None:
    """A reader learns whether to look at this computer or to ask the company."""
    (found,) = [f for f in filtering_product().verdict().findings if f.code == "filter_product"]
    assert sentences.render(found).endswith("as is usual with companies and schools.")
    (own,) = [f for f in gateway_everywhere(trusted=True).verdict().findings if f.code == "own_filter"]
    assert sentences.render(own).endswith("as is usual with antivirus, companies or schools.")
    (antivirus,) = [f for f in shown("CN=Avast Web/Mail Shield Root").verdict().findings if f.code == "filter_product"]
    assert antivirus.where == "host"
