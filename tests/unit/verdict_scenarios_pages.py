"""Stories of pages that are unlike what others get, and of what imported lists know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probe.instruments.http import body
from probe.observations import Mark
from tests.unit.facts import BLOCK_HOST, HOST, NEUTRALS, SITE, TIMEOUT, Facts

PLAIN = f"http://{HOST}/"
VANTAGE = "control:Helsinki"
ORDER = "<html><head><title>Доступ ограничен</title></head><body>Доступ к данному ресурсу ограничен по решению суда</body></html>"
STRANGE = (
    "<html><head><title>Внимание</title></head><body><center><table><tr><td><img src=x><td><h2>Уважаемый абонент</h2>"
    "<p>Запрошенный вами ресурс недоступен. Обратитесь в службу поддержки оператора связи.</table></center></body></html>"
)


def site_page(words: str = "people meet here and tell each other how the day has been", times: int = 14) -> str:
    """The site's own page; *words* stand in each of its paragraphs."""
    cards = "".join(f"<div class=card><h3>{n}</h3><p>{words} {n}</p></div>" for n in range(times))
    return f"<!doctype html><html><head><title>Log in or sign up</title></head><body><nav><ul><li></ul></nav>{cards}</body></html>"


def kept(text: str) -> dict[str, Any]:
    """What is kept of a page: the fields of its fact."""
    return {
        "title": body.title(text),
        "body_length": len(text.encode()),
        "body_sha256": f"{hash(text):x}",
        "body_sketch": body.sketch(text),
        "tags_sketch": body.tags_sketch(text),
        "first_byte_us": 60_000,
    }


def plain_page(text: str = STRANGE, url: str = PLAIN, **fact: Any) -> Facts:
    return Facts(url).context().healthy().works(body=text, **(kept(text) | fact))


def another_page(*elsewhere: str, here: str = STRANGE, secure: bool = True) -> Facts:
    """A plain page here, and what a control got for the same name and path, each time that it asked."""
    facts = plain_page(here).control_line()
    url = f"https://{HOST}/" if secure else PLAIN
    for text in elsewhere or (site_page(),):
        facts.http(url=url, vantage=VANTAGE, **kept(text))
    return facts


def another_page_than_over_tls() -> Facts:
    """No control: the same name's page came here over a verified chain, in the same run."""
    facts = plain_page().also(2, f"https://{HOST}/")
    facts.dns(SITE, endpoint=2).tcp(endpoint=2).tls(endpoint=2)
    return facts.http(url=f"https://{HOST}/", endpoint=2, **kept(site_page()))


def put_in_everywhere(places: int = 2, first_byte_us: int | None = 60_000, cache: str | None = TIMEOUT) -> Facts:
    """The same strange page at unrelated addresses, for this name only; how soon it came."""
    facts = plain_page(first_byte_us=first_byte_us).control_line()
    facts.http(url=f"https://{HOST}/", vantage=VANTAGE, **kept(site_page()))
    for index in range(places):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "address": NEUTRALS[index]}
        facts.http(404, arm="innocuous", round=0, url="http://www.wikipedia1.org/", body_sha256="404", **at)
        for n in range(6):
            facts.http(arm="target", round=n, url=PLAIN, body=STRANGE, **(kept(STRANGE) | at))
            facts.http(404, arm="innocuous", round=n + 1, url="http://www.wikipedia1.org/", body_sha256="404", **at)
    return facts if cache == UNTRIED else cached(facts, cache)


UNTRIED = "untried"


def cached(facts: Facts, failure: str | None) -> Facts:
    """It was tried whether somebody takes every plain request; *failure*: nobody does."""
    place = facts.own("transparent/192.0.2.1:80", "after", 1)
    return facts.tcp("192.0.2.1", port=80, failure=failure, name="192.0.2.1", **place)


def refused(*, elsewhere: str | None = None) -> Facts:
    """A refusal in the site's name over plain HTTP, and what unrelated addresses say when asked for the name."""
    page = kept("<html><body>Sorry.</body></html>") | {"first_byte_us": 60_000}
    facts = Facts(PLAIN).context().healthy().works(403, **page)
    told = kept(elsewhere) if elsewhere else page
    for index in range(2):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "address": NEUTRALS[index]}
        facts.http(404, arm="innocuous", round=0, url="http://www.wikipedia1.org/", body_sha256="404", **at)
        for n in range(6):
            facts.http(403, arm="target", round=n, url=PLAIN, **(told | at))
            facts.http(404, arm="innocuous", round=n + 1, url="http://www.wikipedia1.org/", body_sha256="404", **at)
    return facts


def order_over_tls(text: str = ORDER, **fact: Any) -> Facts:
    """A notice of an order in the site's own name, over its verified chain."""
    return Facts(f"https://{HOST}/").context().healthy().works(body=text, **(kept(text) | fact))


def mark(scope: str = "nat", *, expected: bool = True, place: str = "body", name: str = "list.row") -> dict[str, Any]:
    return {"marks": (Mark(name=name, scope=scope, place=place, expected=expected),)}


def listed_answer(scope: str = "nat", *, right: bool = False) -> Facts:
    """An answer that a list knows; nothing listens there, or (*right*) the site's own certificate is shown."""
    facts = Facts().context().healthy().dns(BLOCK_HOST, **mark(scope, place="dns"))
    if right:
        return facts.tcp(BLOCK_HOST).tls(BLOCK_HOST).http(address=BLOCK_HOST)
    return facts.tcp(BLOCK_HOST, failure=TIMEOUT)


CODES: dict[str, Callable[[], Facts]] = {
    "site_shows_order": order_over_tls,
    "page_is_another": another_page,
    "page_unlike_elsewhere": another_page,
    "dns_listed_address": listed_answer,
}
LEANS = "inconclusive/http.block_page.any"
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    # A cache that nobody has noticed, and the site behind it, say the same whatever address is asked.
    "a refusal that unrelated addresses give too": (refused, "inconclusive/http.denied.antibot"),
    "a refusal in other words than elsewhere": (
        lambda: refused(elsewhere="<h1>403 Forbidden</h1> nginx"),
        "inconclusive/http.denied.antibot",
    ),
    "a notice of an order over a verified chain": (order_over_tls, "denied/legal/http.denied.legal"),
    "a long page about an order over a verified chain": (
        lambda: order_over_tls(body_length=60_000),
        "accessible",
    ),
    "a page that talks of blocking over a verified chain": (
        lambda: order_over_tls("<title>News</title> This website has been blocked, say its readers"),
        "accessible",
    ),
    "a page that is another than a control's": (another_page, LEANS),
    "a page that is another than a control's, over plain HTTP there too": (lambda: another_page(secure=False), LEANS),
    "another page than over a verified chain": (another_page_than_over_tls, LEANS),
    "the site's page in another language": (
        lambda: another_page(here=site_page("люди встречаются здесь и рассказывают друг другу как прошёл день", 3)),
        "accessible",
    ),
    "a control that got both pages": (lambda: another_page(site_page(), STRANGE), "accessible"),
    "a site that shows everybody another page": (
        lambda: another_page(site_page(), "<p>" + "busy now, please come back later " * 3),
        "accessible",
    ),
    "a strange page that nobody compared": (plain_page, "accessible"),
    "a strange page at unrelated addresses too": (put_in_everywhere, "blocked/http/http.block_page.host"),
    "a strange page at unrelated addresses, as quick as the own router": (
        lambda: put_in_everywhere(first_byte_us=4_000),
        "inconclusive",
    ),
    "a strange page at unrelated addresses, not timed": (
        lambda: put_in_everywhere(first_byte_us=None),
        "inconclusive",
    ),
    "a strange page at unrelated addresses, and nobody looked for a cache": (
        lambda: put_in_everywhere(cache=UNTRIED),
        "inconclusive",
    ),
    "a strange page at unrelated addresses, through a cache": (lambda: put_in_everywhere(cache=None), "inconclusive"),
    "a strange page at one unrelated address too": (
        lambda: put_in_everywhere(1),
        "inconclusive/http.block_page.host",
    ),
    "a page that a list knows here": (lambda: plain_page(**mark()), LEANS),
    "a page that a list knows elsewhere": (lambda: plain_page(**mark(expected=False)), LEANS),
    "a page that a list knows as a false alarm": (lambda: plain_page(**mark("fp")), "accessible"),
    "a page that a list knows by broad words": (lambda: plain_page(**mark("vbw")), "accessible"),
    "a long page that a list knows": (lambda: plain_page(**(mark() | {"body_length": 60_000})), "accessible"),
    "a site's own page that a list knows": (
        lambda: plain_page(url=f"https://{HOST}/", **mark()),
        "accessible",
    ),
    "an answer that a list knows": (listed_answer, "inconclusive/dns.injection.other"),
    "an answer that a list knows as a product's": (lambda: listed_answer("prod"), "inconclusive/ip.timeout"),
    "an answer that a list knows, and it is right": (lambda: listed_answer(right=True), "accessible"),
}
