"""Stories of the household's or company's own devices, which do to names what a provider's do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

from probe.observations import Came, HopScope, Observation, PathFact
from tests.unit.facts import HOST, INNOCUOUS, NEUTRALS, REFUSED, RESET, SITE, TIMEOUT, Facts, certificate
from tests.unit.verdict_scenarios_located import DISTANCE, blocked_and_followed, followed, named_in_vain
from tests.unit.verdict_scenarios_throttling import FAST, SLOW, policed, timed

Story = Callable[[], Facts]
STATE = "C=KZ, O=ISCA, CN=Information Security Certification Authority"
UNDECIDED = "inconclusive/tls.timeout.sni"
PLAIN = f"http://{HOST}/"
MOVED: dict[str, Any] = {"status": 302, "location": "http://filter.company.example/deny?category=4"}


def at_routers(facts: Facts, **scopes: HopScope | None) -> Facts:
    """The same, where routers have other kinds of address: ``hop2="private"``. Of ``None`` it is not known who spoke."""

    def readdressed(o: Observation) -> Observation:
        fact = o.fact
        if not isinstance(fact, PathFact) or f"hop{fact.ttl}" not in scopes or fact.hop_is is None:
            return o
        other = dataclasses.replace(fact, hop=None, hop_is=scopes[f"hop{fact.ttl}"])
        return dataclasses.replace(o, operation=dataclasses.replace(o.operation, fact=other))

    facts.observations = [readdressed(o) for o in facts.observations]
    return facts


def beside(facts: Facts, other: Facts, number: int = 2) -> Facts:
    """One more endpoint of the run, with what was seen of it in a story of its own."""
    facts.others.append(dataclasses.replace(other.asked, number=number))
    for o in other.observations:
        if o.endpoint == 1:
            facts.observations.append(dataclasses.replace(o, number=len(facts.observations) + 1, endpoint=number))
    return facts


def other_site(device: int, manner: str = "drop") -> Facts:
    """Another site, whose name was followed along the way."""
    facts = Facts("https://www.instagram.com/").no_greeting(RESET if manner == "reset" else TIMEOUT)
    return followed(facts.neutrals(target=RESET if manner == "reset" else TIMEOUT), device=device, manner=manner)


def second_router(scope: HopScope | None = "private") -> Facts:
    """The name is dropped behind the second router of the house: the one behind a container's, or behind a mesh's."""
    return at_routers(blocked_and_followed(device=2), hop2=scope)


def company_firewall(manner: str = "drop") -> Facts:
    """Behind two routers of the company, with private addresses."""
    return at_routers(blocked_and_followed(device=3, manner=manner), hop2="private", hop3="private")


def university(device: int = 3) -> Facts:
    """Behind routers of a university, which have public addresses of its own: they look like a provider's."""
    return blocked_and_followed(device=device)


def silent_behind_the_own_router(mute: Collection[int] = (2,), at: int = 1) -> Facts:
    """The router number *at*, the own one, drops the name as it forwards, and some never speak: nobody knows which it is."""
    return followed(named_in_vain(), device=at, mute=mute)


def listed_at_home(device: int = 1, manner: str = "drop") -> Facts:
    """The household's router has a list of names. One was followed along the way, and this one was not, as among many."""
    return beside(named_in_vain(), other_site(device, manner)).healthy("after", 2)


def listed_inside() -> Facts:
    """The same, where the other name is stopped behind a second router of the house."""
    return beside(named_in_vain(), at_routers(other_site(2), hop2="private")).healthy("after", 2)


def said_nearby(facts: Facts, *laters: Came, ttl: int = 2, came: Came = "icmp") -> Facts:
    """The name is said as far as router number *ttl*, and another one all the way; *laters* are what then came."""
    place: dict[str, Any] = {"purpose": "locate", "group": f"near/{NEUTRALS[0]}", "address": NEUTRALS[0], "port": 443}
    for number, later in enumerate(laters):
        port = 50_000 + number
        fact = PathFact(sent="hello", ttl=ttl, sni=facts.host, source_port=port, came=came, later=later)
        facts.add(fact, arm="target", name=facts.host, failure="host_unreachable", **place)
    return facts


def answers_taken(*laters: Came, **said: Any) -> Facts:
    """The greeting arrives and is acknowledged, and the answer is taken on its way back."""
    return said_nearby(blocked_and_followed(manner="reply"), *laters, **said)


def all_taken(*laters: Came, **said: Any) -> Facts:
    """The greeting passes every router, and nothing at all comes back, no acknowledgement either."""
    return said_nearby(blocked_and_followed(device=DISTANCE - 1), *laters, **said)


def page_put_in(took_us: int = 1_200, router_us: int = 300, *, rtt_us: int = 80_000, **page: Any) -> Facts:
    """A plain page in place of the site's, at unrelated addresses too, so long after it was asked for."""
    told: dict[str, Any] = {"first_byte_us": took_us, **(page or MOVED)}
    facts = Facts(PLAIN).context().healthy().works(**told)
    for _ in range(3):
        facts.tcp(failure=REFUSED, duration_us=router_us, port=9, purpose="neutral_pair", group="gateway")
    for number, address in enumerate(NEUTRALS[:2], 1):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{number}", "address": address}
        other: dict[str, Any] = {
            "status": 404,
            "body_sha256": "404",
            "first_byte_us": 80_000,
            "url": f"http://{INNOCUOUS}/",
        }
        facts.tcp(
            address, arm="innocuous", duration_us=rtt_us, purpose="neutral_pair", group=f"neutral/{number}", port=80
        )
        facts.http(arm="innocuous", round=0, **other, **at)
        for n in range(6):
            facts.http(arm="target", round=n, url=PLAIN, **told, **at)
            facts.http(arm="innocuous", round=n + 1, **other, **at)
    return facts.healthy("after", 1)


def led_inside(location: str = "http://192.168.1.1/parental.html") -> Facts:
    """A redirect to the router's own page, which comes late: it is a busy router."""
    return page_put_in(30_000, status=302, location=location)


def forged_by_the_gateway(took_us: int = 1_200, asked: str | None = REFUSED) -> Facts:
    """A school's gateway opens one name, and a guest's computer knows nothing of its root."""
    chain = (certificate(HOST, issuer="O=School No 5, CN=School Root"),)
    facts = Facts().context().healthy().no_greeting("ssl_unknown_authority", chain=chain, verify_code=20)
    for _ in range(3):
        facts.tcp(failure=asked, duration_us=400, port=9, purpose="neutral_pair", group="gateway")
    for number, address in enumerate(NEUTRALS[:2], 1):
        told: dict[str, Any] = {"chain": chain, "verify_code": 20, "server_hello": True, "first_byte_us": took_us}
        place: dict[str, Any] = {"purpose": "neutral_chain", "group": f"neutral/{number}", "arm": "target"}
        facts.tls(address=address, failure="ssl_unknown_authority", **told, **place)
    return facts.healthy("after", 1)


def opened_everywhere(issuer: str = "O=Some Company, CN=Some Company Inspection Root", *, sites: int = 2) -> Facts:
    """A company's gateway opens connections, whatever their name, with a root that this computer may trust or not."""
    facts = Facts().context().machine()
    facts.canary("system/92.46.1.1").canary("literal/1.1.1.1").canary("literal/8.8.8.8")
    facts.canary("transparent/192.0.2.1", TIMEOUT)
    for number, name in enumerate(("www.python.org", "www.debian.org")):
        told: dict[str, Any] = {"chain": (certificate(name, issuer=issuer),), "verified": False, "verify_code": 20}
        facts.canary(f"foreign/{name}", "ssl_unknown_authority", **told) if number < sites else facts.canary(
            f"foreign/{name}"
        )
    return facts


def stopped_by_a_gateway(failure: str = TIMEOUT, **opened: Any) -> Facts:
    """The same gateway lets one category's names pass nowhere."""
    facts = opened_everywhere(**opened).no_greeting(failure)
    for n in (1, 2, 3):
        facts.retry_tls(failure, n)
    return facts.neutrals(target=failure)


def slowed_by_a_gateway(**opened: Any) -> Facts:
    """The same gateway takes its time with names that it has no rating for."""
    facts = opened_everywhere(**opened).dns(SITE).tcp()
    facts.tls(chain=(certificate(HOST, issuer="O=Some Company, CN=Some Company Inspection Root"),), verified=True)
    facts.http(200, progress=((160_000, 1_000), (4_160_000, 65_536)), body_length=65_536)
    for group in ("neutral/1.0", "neutral/2.0"):
        timed(facts, group, SLOW[:4], FAST[:4])
    return facts


CODES: dict[str, Story] = {
    "page_from_beside": page_put_in,
    "page_leads_inside": led_inside,
    "greeting_stopped_inside": second_router,
    "others_stopped_at_home": listed_at_home,
}
WORDS: dict[str, tuple[Story, str]] = {
    "a second router of the house": (second_router, UNDECIDED),
    "nobody knows whose the second router is": (lambda: second_router(None), UNDECIDED),
    "a second router between a provider's customers": (lambda: second_router("shared"), "blocked/tls/tls.timeout.sni"),
    "a company's firewall that drops": (company_firewall, UNDECIDED),
    "a company's firewall that resets": (lambda: company_firewall("reset"), "inconclusive/tls.reset.sni"),
    "behind a router that nobody hears of": (silent_behind_the_own_router, UNDECIDED),
    "a name beside one that is stopped at home": (listed_at_home, "inconclusive/tls.timeout.any"),
    "a name beside one that is stopped inside": (listed_inside, UNDECIDED),
    "a name beside one that is stopped at the provider": (lambda: listed_at_home(3), "blocked/tls/tls.timeout.sni"),
    "a name beside one that is reset at home": (lambda: listed_at_home(1, "reset"), "blocked/tls/tls.timeout.sni"),
    "behind a company's firewall that lets no router's word in": (
        lambda: silent_behind_the_own_router((2, 3, 4, 5)),
        UNDECIDED,
    ),
    "behind a firewall where no router ever speaks": (lambda: silent_behind_the_own_router((1, 2, 3, 4, 5)), UNDECIDED),
    "behind silent routers, but for one outside": (
        lambda: silent_behind_the_own_router((1, 2, 3, 5), at=4),
        "blocked/tls/tls.timeout.sni",
    ),
    "answers that are taken, nobody knows where": (answers_taken, UNDECIDED),
    "answers that are taken at home": (lambda: answers_taken("nothing", "nothing", "nothing"), UNDECIDED),
    "answers that are taken beyond home": (
        lambda: answers_taken("answer", "answer", "answer"),
        "blocked/tls/tls.timeout.sni",
    ),
    "all that comes back is taken, nobody knows where": (all_taken, UNDECIDED),
    "all that comes back is taken at home": (lambda: all_taken("nothing", "answer", "nothing"), UNDECIDED),
    "all that comes back is taken beyond home": (lambda: all_taken("answer", "answer"), "blocked/tls/tls.timeout.sni"),
    "a page by the own router": (page_put_in, "inconclusive/network.filter"),
    "a page by a gateway a little farther": (lambda: page_put_in(4_000, 2_500), "inconclusive/network.filter"),
    "a page from farther than the own router": (lambda: page_put_in(5_000), "blocked/http/http.redirect.host"),
    "a page where all the Internet is on this computer": (
        lambda: page_put_in(rtt_us=500),
        "blocked/http/http.redirect.host",
    ),
    "a redirect to the router's page": (led_inside, "inconclusive/network.filter"),
    "a redirect to a provider's page": (
        lambda: led_inside("http://blockpage.provider.example/"),
        "blocked/http/http.redirect.host",
    ),
    "a forger as near as the own router": (forged_by_the_gateway, "inconclusive/tls.mitm.unknown_ca"),
    "a forger farther away": (lambda: forged_by_the_gateway(15_000), "blocked/mitm/tls.mitm.unknown_ca"),
    "a gateway that opens everything and drops names": (stopped_by_a_gateway, UNDECIDED),
    "a gateway that opens everything and resets names": (
        lambda: stopped_by_a_gateway(RESET),
        "inconclusive/tls.reset.sni",
    ),
    "a gateway that opens everything, and the provider behind it": (
        lambda: followed(stopped_by_a_gateway(), device=3),
        "blocked/tls/tls.timeout.sni",
    ),
    "a stranger's certificate at one well-known site": (
        lambda: stopped_by_a_gateway(sites=1),
        "blocked/tls/tls.timeout.sni",
    ),
    "a state that opens everything, and names dropped": (
        lambda: stopped_by_a_gateway(issuer=STATE),
        "blocked/tls/tls.timeout.sni",
    ),
    "a gateway that opens everything and slows names": (slowed_by_a_gateway, "inconclusive/throttling.sni"),
    # A box that slows names and opens nothing is not told from a provider's: all that is seen is how long things take.
    "whoever slows names, at home or not": (policed, "blocked/throttling/throttling.sni"),
    # What cannot be told from a provider's: by its routers a university is one.
    "a university's routers": (university, "blocked/tls/tls.timeout.sni"),
}
