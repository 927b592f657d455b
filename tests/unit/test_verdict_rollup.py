"""The roll-up's truth table, row by row."""

from __future__ import annotations

import pytest

from probe.verdict.model import EndpointResult, Status, Verdict
from probe.verdict.rollup import platform_word, roll_up, service_word
from targets.model import Endpoint, Platform, Service

A, B, D, O, N, I = "accessible", "blocked", "denied", "outage", "no_network", "inconclusive"  # noqa: E741

TABLE: list[tuple[str, list[str], str]] = [
    # everybody agrees
    *[(rule, [word, word], word) for rule in ("any-of", "all-of", "each") for word in (A, B, D, O, N, I)],
    *[(rule, [word], word) for rule in ("any-of", "all-of", "each") for word in (A, B, D, O, N, I)],
    # one way in is enough
    ("any-of", [B, O, A, I, N], A),
    ("any-of", [B, I, B], I),
    ("any-of", [B, O, D], B),
    ("any-of", [N, O], N),
    ("any-of", [O, D], D),
    # every member is needed
    ("all-of", [A, A, B], B),
    ("all-of", [I, B], B),
    ("all-of", [A, A, A, I], I),
    ("all-of", [A, N], I),
    ("all-of", [A, A, O], A),
    ("all-of", [A, O], I),
    ("all-of", [A, A, D], A),
    ("all-of", [A, O, O], O),
    ("all-of", [A, D, O], I),
    # every member for itself
    ("each", [A, A, B], B),
    ("each", [A, I, O], I),
    ("each", [A, O, O], O),
    ("each", [A, O], O),
    ("each", [A, A, D], A),
]


@pytest.mark.parametrize(("rule", "words", "word"), TABLE)
def test_service_word(rule: str, words: list[Status], word: Status) -> None:
    """Each row of the documented table, whatever the order of the members."""
    assert service_word(rule, words) == word
    assert service_word(rule, words[::-1]) == word


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ([A, A], A),
        ([A, B], B),
        ([B, I], B),
        ([A, I], I),
        ([O, I], I),
        ([A, O], O),
        ([A, N], N),
        ([A, D], D),
        ([O, D], O),
    ],
)
def test_platform_word(words: list[Status], word: Status) -> None:
    """The worst of its services, inconclusive before anything that is not proven blocked."""
    assert platform_word(words) == word


def result(
    number: int,
    status: Status,
    *,
    service: str = "web",
    rule: str = "all-of",
    platform: str | None = "facebook",
    method: str | None = None,
    confidence: float | None = 0.9,
) -> EndpointResult:
    """One measured endpoint."""
    if status == "inconclusive":
        confidence = None
    return EndpointResult(
        number=number,
        target="facebook",
        url=f"https://{number}.example/",
        platform=platform,
        service=service,
        rule=rule,
        profile="light",
        verdict=Verdict(endpoint=number, status=status, method=method, confidence=confidence),
        observations=(),
        started_us=0,
        duration_us=0,
        bytes_sent=0,
        bytes_received=0,
    )


def test_platform_has_its_services_and_members() -> None:
    """A platform's verdict names each service with its word, its members and its method."""
    (verdict,) = roll_up(
        [
            result(1, "blocked", service="apps", rule="any-of", method="tls", confidence=0.95),
            result(2, "accessible", service="web"),
            result(3, "accessible", service="web"),
        ]
    )
    assert verdict.platform == "facebook"
    assert (verdict.status, verdict.method, verdict.confidence) == ("blocked", "tls", 0.95)
    assert verdict.services == (("apps", "blocked"), ("web", "accessible"))
    assert verdict.endpoints == (1, 2, 3)


def test_bare_urls_are_no_platform() -> None:
    """What the catalogue does not know has no roll-up."""
    assert roll_up([result(1, "blocked", platform=None)]) == ()


def test_platforms_keep_the_order_asked() -> None:
    """Platforms come in the order of their first endpoint."""
    found = roll_up(
        [result(1, "blocked", platform="b"), result(2, "accessible", platform="a"), result(3, "blocked", platform="b")]
    )
    assert [verdict.platform for verdict in found] == ["b", "a"]


def test_weakest_member_gives_the_confidence() -> None:
    """A platform is as sure as the least sure member that makes its word."""
    (verdict,) = roll_up([result(1, "accessible", confidence=0.99), result(2, "accessible", confidence=0.8)])
    assert verdict.confidence == 0.8


def test_inconclusive_has_no_confidence() -> None:
    """An undecided platform has none."""
    (verdict,) = roll_up([result(1, "accessible"), result(2, "inconclusive")])
    assert (verdict.status, verdict.confidence) == ("inconclusive", None)


def test_partial_platforms_say_so() -> None:
    """Members that were not measured are not guessed at."""
    endpoints = (Endpoint("https://1.example/"), Endpoint("https://2.example/"))
    platform = Platform(
        id="facebook", names={}, category="GRP", services=(Service(name="web", rule="all-of", endpoints=endpoints),)
    )
    (part,) = roll_up([result(1, "accessible")], [platform])
    (whole,) = roll_up([result(1, "accessible"), result(2, "accessible")], [platform])
    assert (part.partial, whole.partial) == (True, False)


def test_commonest_method_names_the_platform() -> None:
    """Ties go to the alphabet, so that order never counts."""
    (verdict,) = roll_up(
        [result(1, "blocked", method="tls"), result(2, "blocked", method="dns"), result(3, "blocked", method="tls")]
    )
    assert verdict.method == "tls"
