"""Stories of plain requests and of the pages that come for them."""

from __future__ import annotations

from typing import Any

from tests.unit.facts import (
    HOST,
    NEUTRALS,
    SITE,
    TIMEOUT,
    Facts,
)
from tests.unit.verdict_scenarios_begin import healthy_site, plain

ORDER_RU = "<title>Доступ ограничен</title> Доступ к данному ресурсу ограничен на основании решения суда"


def http_block() -> Facts:
    """Plain HTTP: the name is answered with silence at two neutrals, another name with a page."""
    facts = healthy_site("http://www.facebook.com/").dns(SITE).tcp(port=80).http(failure=TIMEOUT)
    for index in (0, 1):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "address": NEUTRALS[index]}
        facts.http(404, arm="innocuous", round=0, url="http://www.wikipedia1.org/", **at)
        for n in range(6):
            facts.http(failure=TIMEOUT, arm="target", round=n, **at)
            facts.http(404, arm="innocuous", round=n + 1, url="http://www.wikipedia1.org/", **at)
    return facts


def notice(elsewhere: str | None = None) -> Facts:
    """Plain HTTP: a page by order. At two neutrals the name gets the page *elsewhere*, or an ordinary one."""
    facts = plain(body=ORDER_RU)
    for index in (0, 1):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "address": NEUTRALS[index]}
        facts.http(404, arm="innocuous", round=0, url="http://www.wikipedia1.org/", **at)
        for n in range(6):
            facts.http(200 if elsewhere else 404, arm="target", round=n, body=elsewhere, **at)
            facts.http(404, arm="innocuous", round=n + 1, url="http://www.wikipedia1.org/", **at)
    return facts


PLAIN = f"http://{HOST}/"
EMPTY: dict[str, Any] = {"body": "", "body_length": 0}
FRAME: dict[str, Any] = {
    "body": "<html><head><title>x</title></head><body><iframe src='http://92.46.1.80/?invalid'></iframe></body></html>",
    "body_length": 106,
    "body_sha256": "f0",
}
TO_ITSELF: dict[str, Any] = {"status": 302, "location": PLAIN, **EMPTY}
MOVED: dict[str, Any] = {"status": 302, "location": "https://shop.example/"}


def asked_elsewhere(facts: Facts, places: int = 2, innocuous: dict[str, Any] | None = None, **target: Any) -> Facts:
    """Plain HTTP at neutrals: the name is answered with *target*, the other one with *innocuous*."""
    other = innocuous or {"status": 404, "body_sha256": "404"}
    for index in range(places):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "address": NEUTRALS[index]}
        facts.http(arm="innocuous", round=0, url="http://www.wikipedia1.org/", **at, **other)
        for n in range(6):
            facts.http(arm="target", round=n, url=PLAIN, **at, **target)
            facts.http(arm="innocuous", round=n + 1, url="http://www.wikipedia1.org/", **at, **other)
    return facts


def hollow(page: dict[str, Any] = EMPTY, **elsewhere: Any) -> Facts:
    """A plain page without a word, and what two neutrals say when asked for the name."""
    return asked_elsewhere(plain(**page), **(elsewhere or page))


def sent_to_the_shop(status: int = 200, *, verified: bool = True, **page: Any) -> Facts:
    """A plain redirect to another site, whose own page comes over a verified chain."""
    facts = plain(**MOVED)
    facts.dns("92.46.1.80", name="shop.example", hop=1).tcp("92.46.1.80", name="shop.example", hop=1)
    if verified:
        facts.tls("92.46.1.80", sni="shop.example", hop=1)
    url = "https://shop.example/" if verified else "http://shop.example/"
    return facts.http(status, url=url, address="92.46.1.80", hop=1, **page)


def cache_takes_pages(facts: Facts) -> Facts:
    """Somebody takes every plain request, also for an address where nobody lives."""
    return facts.tcp("192.0.2.1", port=80, name="192.0.2.1", **facts.own("transparent/192.0.2.1:80", "after", 1))


def torn(received: int, asked_again: int, *, truncated: bool) -> Facts:
    """A page that stops after so many bytes, and a retry that has so many and was satisfied."""
    facts = healthy_site().dns(SITE).tcp().tls().http(failure=TIMEOUT, body_length=received)
    facts.retry_tls()
    again: dict[str, Any] = {"body_length": asked_again, "body_truncated": truncated}
    return facts.http(200, purpose="retry", group="retry/1", **again)
