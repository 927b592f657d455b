"""The rules of others, on the smallest observations that show each of them, and how calls are counted."""

from __future__ import annotations

import pytest

from tests.lab.baselines import (
    Said,
    Seen,
    any_failure,
    pipeline,
    probability_blocked,
    reached_control,
    web_connectivity,
)
from tests.lab.scenarios import Words
from tests.lab.score import OURS, Unit, confusion, evenly_definite, score

URL, TRUE, LIE = "https://site.example/", "93.184.216.34", "10.10.34.35"


def step(kind, failure=None, *, hop=0, address=TRUE, **fact):
    """One operation of a baseline, as the command's JSON has it."""
    return {
        "purpose": "baseline", "group": "v4", "kind": kind, "hop": hop, "failure": failure, "fact": fact,
        "address": "92.47.151.210" if kind == "dns" else address, "port": 443,
    }  # fmt: skip


def name(*addresses, failure=None):
    answers = [{"name": "site.example", "rtype": "A", "value": address, "ttl": 300} for address in addresses]
    return step("dns", failure, role="system", answers=answers)


def page(status=200, url=URL, **more):
    return step("http", url=url, status=status, **more)


FINE = [name(TRUE), step("tcp"), step("tls"), page()]
DEAD = [name(TRUE), step("tcp", "generic_timeout_error")]
NO_NAME = [name(failure="dns_nxdomain_error")]
SILENT = [name(TRUE), step("tcp"), step("tls", "generic_timeout_error")]
RESET = [name(TRUE), step("tcp"), step("tls", "connection_reset")]
FORGED = [name(LIE), step("tcp", "generic_timeout_error", address=LIE)]


@pytest.mark.parametrize(
    ("probe", "control", "classic", "scored"),
    [
        (FINE, FINE, "accessible", "accessible"),
        (SILENT, FINE, "blocked tls", "blocked tls"),
        (RESET, FINE, "blocked tls", "blocked tls"),
        (DEAD, FINE, "blocked ip", "blocked ip"),
        (NO_NAME, FINE, "blocked dns", "blocked dns"),
        (FORGED, FINE, "blocked dns", "blocked dns"),
        # the control fails too: down, whatever the failure
        (SILENT, DEAD, "blocked tls", "accessible"),
        (SILENT, RESET, "outage", "outage"),
        (DEAD, DEAD, "outage", "outage"),
        (NO_NAME, NO_NAME, "outage", "outage"),
        # no control: the classic rules call a name that does not resolve accessible; nothing is handed in to the pipeline
        (NO_NAME, None, "accessible", "inconclusive"),
        (SILENT, None, "inconclusive", "inconclusive"),
        (FORGED, None, "inconclusive", "inconclusive"),
    ],
)
def test_the_rules_of_others(probe, control, classic, scored):
    """Web Connectivity 0.5 and pipeline 5 say what their published rules say."""
    for judge, wanted in ((web_connectivity, classic), (pipeline, scored)):
        said = judge(probe, control, URL)
        assert " ".join(filter(None, (said.status, said.method))) == wanted, said


def test_any_failure_is_blocked():
    """The first baseline knows no outage and no own side, and names the layer that failed."""
    assert any_failure(FINE, None, URL).status == "accessible"
    assert any_failure([], None, URL).status == "blocked"
    assert any_failure(DEAD, DEAD, URL).method == "ip"
    assert any_failure([name(TRUE), step("tcp")], None, "tcp://site.example:443").status == "accessible"


def test_pages_over_plain_http_are_compared():
    """A page of another length, title and headers is a difference; sharing one uncommon header is enough to be the same."""
    url = "http://site.example/"
    true = page(url=url, body_length=20_000, title="The real site", headers=[["x-frontend", "7"]])
    strange = page(url=url, body_length=180, title="Access denied", headers=[])
    similar = page(url=url, body_length=180, title="Access denied", headers=[["X-Frontend", "9"]])
    control = [name(TRUE), step("tcp"), true]
    assert web_connectivity([name(TRUE), step("tcp"), strange], control, url).rule == "http-diff"
    assert web_connectivity([name(TRUE), step("tcp"), similar], control, url).status == "accessible"
    # A page over TLS is never compared.
    assert web_connectivity([name(LIE), step("tcp"), step("tls"), page(451)], control, URL).status == "accessible"


def test_a_redirect_that_fails_is_seen_by_one_of_them_only():
    """Web Connectivity looks at the last hop first; the pipeline judges the input's own host."""
    moved = [name(TRUE), step("tcp"), step("tls"), page(301)]
    second = {**name(TRUE), "hop": 1}, step("tcp", hop=1), step("tls", "connection_reset", hop=1)
    assert web_connectivity([*moved, *second], FINE, URL).status == "blocked"
    assert pipeline([*moved, *second], FINE, URL).status == "accessible"


def test_their_calibration():
    """log10 odds of -2.3594 + 4.7413 × score: 0.9 is worth 0.988, nothing 0.0044."""
    assert probability_blocked(0.9) == pytest.approx(0.988, abs=5e-4)
    assert probability_blocked(0) == pytest.approx(0.0044, abs=5e-5)


def test_a_control_needs_a_network_and_a_clock():
    """It is asked over TLS through the same network: a canary's handshake must have gone through and been verified."""
    canary: Seen = {"kind": "tls", "member": "foreign/www.gnu.org", "failure": None, "fact": {}}
    assert reached_control([canary])
    assert not reached_control([{**canary, "failure": "ssl_invalid_certificate"}])
    assert not reached_control([{**canary, "member": "domestic/egov.kz"}])


def unit(truth, said, **more):
    words = tuple(Words(*text.split()) for text in truth.split(", "))
    call = Said(*said.split(), **more)
    return Unit(scenario=truth, family="f", seed=1, url=URL, acceptable=words, said={OURS: call})


def test_calls_are_counted_by_the_definitions():
    """False and missed blocks have denominators of their own; what cannot be known counts in neither."""
    units = [
        unit("outage, inconclusive", "blocked tls", confidence=0.9),
        unit("accessible", "accessible", confidence=1.0),
        unit("blocked tls tls.reset.sni", "blocked tls", confidence=0.8, signature="tls.reset.sni.mirrored"),
        unit("blocked tls tls.reset.sni", "blocked dns", confidence=0.8, signature="dns.nxdomain"),
        unit("blocked dns", "inconclusive"),
        unit("blocked ip, inconclusive", "inconclusive"),
    ]
    found = score(units)
    assert (found.false_blocked.hits, found.false_blocked.total) == (1, 2)
    assert (found.missed.hits, found.missed.total) == (1, 3)
    assert (found.method.hits, found.method.total) == (1, 2)
    assert (found.definite.hits, found.definite.total) == (4, 6)
    assert found.brier == pytest.approx((0.81 + 0 + 0.04 + 0.04) / 4)
    assert evenly_definite([*units, units[1]]) == pytest.approx((1 + 1 + 1 + 0 + 0) / 5)
    # What is said below the node that the row knows is neither right nor wrong: 3 of 3, and 0 of 2 said, 0 of 3 true.
    assert (found.signature.common, found.signature.said, found.signature.true) == (3, 5, 6)
    assert confusion(units)["blocked"] == {"blocked": 2, "inconclusive": 2}
