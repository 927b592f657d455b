"""The roll-up's truth table, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from probe.report.platforms import says_more, sentence
from probe.verdict.model import EndpointResult, ServiceVerdict, Status, Verdict
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
    assert platform_word({str(number): word for number, word in enumerate(words)}) == word


@pytest.mark.parametrize(
    ("main", "other", "word"),
    [
        *[(A, other, A) for other in (A, B, D, O, N, I)],
        *[(B, other, B) for other in (A, B, D, O, N, I)],
        *[(main, B, B) for main in (D, O, N, I)],
        *[(main, other, main) for main in (D, O, N, I) for other in (A, D, O, N, I)],
        (None, B, I),
        (None, A, I),
    ],
)
def test_platform_with_a_main_service(main: Status | None, other: Status, word: Status) -> None:
    """It stands or falls with the main one; what is proven of another part counts only where the main one does not work."""
    found: dict[str, Status] = {"web": other} if main is None else {"web": other, "apps": main}
    assert platform_word(found, "apps") == word


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
    assert verdict.services == (
        ServiceVerdict(service="apps", status="blocked", method="tls", rule="any-of", working=0, measured=1),
        ServiceVerdict(service="web", status="accessible", rule="all-of", working=2, measured=2),
    )
    assert (verdict.endpoints, verdict.deciding) == ((1, 2, 3), (1,))


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


def messenger(**changes: Any) -> Platform:
    """A platform of twelve ways into the apps, a site, and what never counts."""
    apps = tuple(Endpoint(f"https://{number}.example/") for number in range(12))
    services = (
        Service(name="web", rule="all-of", endpoints=(Endpoint("https://web.example/"),)),
        Service(name="apps", rule="any-of", endpoints=apps, main=True),
        Service(name="sign", rule="each", endpoints=(Endpoint("https://sign.example/"),), vendor_sign=True),
    )
    fields: dict[str, Any] = {"id": "facebook", "names": {"en": "Messenger"}, "category": "COMT", "services": services}
    return Platform(**fields | changes)


def apps(working: int, status: Status = "blocked", method: str | None = "ip") -> list[EndpointResult]:
    """Twelve ways in, the first *working* of them open."""
    return [
        result(n, "accessible" if n < working else status, service="apps", rule="any-of", method=None if n < working else method)
        for n in range(12)
    ]  # fmt: skip


def test_a_blocked_site_beside_working_apps_is_an_impairment() -> None:
    """The platform is accessible, the site's own word stays, and the evidence of the word is the apps'."""
    (verdict,) = roll_up([*apps(4), result(12, "blocked", method="tls")], [messenger()])
    assert (verdict.status, verdict.method, verdict.impairments) == ("accessible", None, ("web_blocked",))
    assert [(s.service, s.status, s.method, s.working, s.measured, s.main) for s in verdict.services] == [
        ("apps", "accessible", None, 4, 12, True),
        ("web", "blocked", "tls", 0, 1, False),
    ]
    assert (verdict.deciding, verdict.title, verdict.partial) == ((0, 1, 2, 3), "Messenger", False)
    assert sentence(verdict) == "Messenger: the apps work (4 of 12 answer), the web is blocked by name."


def test_a_vendors_sign_never_counts() -> None:
    """What is read by whoever weighs an outage has no part in the word, measured or not."""
    sign = result(13, "blocked", service="sign", rule="each")
    (verdict,) = roll_up([*apps(12), result(12, "accessible"), sign], [messenger()])
    assert (verdict.status, verdict.impairments, verdict.partial) == ("accessible", (), False)
    assert roll_up([sign], [messenger()]) == ()


def test_without_its_main_service_a_platform_has_no_word() -> None:
    """A site that is blocked says nothing of apps that nobody tried, and neither does one that works."""
    (verdict,) = roll_up([result(12, "blocked", method="tls")], [messenger()])
    assert (verdict.status, verdict.missing, verdict.partial) == ("inconclusive", "apps", True)
    assert sentence(verdict) == "Messenger: the apps were not measured, the web is blocked by name."


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([*apps(12), result(12, "accessible")], "Messenger: the apps and the web work."),
        ([*apps(12), result(12, "inconclusive")], "Messenger: the apps work, whether the web works is not known."),
        ([*apps(1), result(12, "outage", method="server")],
         "Messenger: the apps work (1 of 12 answers), the web is down at the vendor's own side."),
        ([*apps(0), result(12, "blocked", method="ip")],
         "Messenger: the apps are blocked by address (none of 12 answers), the web is blocked by address."),
        ([*apps(0, "inconclusive", None), result(12, "denied", method="geo")],
         "Messenger: whether the apps work is not known (none of 12 answers), the web refuses this visitor."),
        ([*apps(0, "no_network", "upstream"), result(12, "no_network", method="upstream")],
         "Messenger: nothing can be said about the apps and the web, because the trouble is on your own side."),
        ([*apps(12), result(12, "no_network", method="clock")],
         "Messenger: the apps work; nothing can be said about the web, because the trouble is on your own side."),
        ([*apps(12)[:3], result(12, "blocked", method="throttling")],
         "Messenger: the apps work, the web is slowed down on the way. Not all of it was measured."),
    ],
)  # fmt: skip
def test_one_sentence_a_platform(results: list[EndpointResult], said: str) -> None:
    """It names the services, the main one first, and those of which the same can be said together."""
    (verdict,) = roll_up(results, [messenger()])
    assert sentence(verdict) == said


@pytest.mark.parametrize(
    ("word", "method", "said"),
    [
        ("accessible", None, "News works."),
        ("blocked", "tls", "News is blocked by name."),
        ("blocked", "dns", "News is blocked by false answers, or none, to where it is (DNS)."),
        ("inconclusive", None, "News: whether it works is not known."),
        ("no_network", "link", "News: nothing can be said, because the trouble is on your own side."),
    ],
)
def test_a_site_is_no_platform_of_parts(word: Status, method: str | None, said: str) -> None:
    """Who asks of a newspaper is not told of its web."""
    web = Service(name="web", rule="all-of", endpoints=(Endpoint("https://web.example/"),))
    (verdict,) = roll_up([result(0, word, method=method)], [messenger(names={"en": "News"}, services=(web,))])
    assert sentence(verdict) == said
    assert not says_more(verdict)
