"""One story for each row of the evidence table in which it holds and counts; and the word that each story deserves.

``CODES``: code → the story. ``WORDS``: a name → (story, the word). A test holds ``CODES`` against the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from probe.observations import Arrived, PacketsFact, Soa, TcpFact
from tests.unit import verdict_scenarios_apps as apps
from tests.unit import verdict_scenarios_calls as calls
from tests.unit import verdict_scenarios_chains as chains
from tests.unit import verdict_scenarios_cheap as cheap
from tests.unit import verdict_scenarios_deep as remembering
from tests.unit import verdict_scenarios_holes as holes
from tests.unit import verdict_scenarios_located as followed
from tests.unit import verdict_scenarios_pages as pages
from tests.unit import verdict_scenarios_protocols as protocols
from tests.unit import verdict_scenarios_questions as questions
from tests.unit import verdict_scenarios_quic as over_quic
from tests.unit import verdict_scenarios_sinks as sinks
from tests.unit import verdict_scenarios_this_side as this_side
from tests.unit import verdict_scenarios_throttling as speeds
from tests.unit.facts import (
    BLOCK_HOST,
    EOF,
    GOOD_ISSUER,
    HOME,
    HOST,
    INNOCUOUS,
    NEUTRALS,
    OTHER_SITE,
    PROVIDER,
    REFUSED,
    RESET,
    SITE,
    TIMEOUT,
    Facts,
    certificate,
    kernel,
)

Story = Callable[[], Facts]
ISCA = "C=KZ, O=ISCA, CN=Information Security Certification Authority"
GATEWAY = "O=Some Company, CN=Some Company Inspection Root"
ORDER_RU = "<title>Доступ ограничен</title> Доступ к данному ресурсу ограничен на основании решения суда"


def _healthy(url: str = f"https://{HOST}/", **asked: Any) -> Facts:
    return Facts(url, **asked).context().healthy()


def _failed_retries(facts: Facts, failure: str = TIMEOUT) -> Facts:
    for n in (1, 2, 3):
        facts.retry_tls(failure, n)
    return facts


# -- contrast ----------------------------------------------------------------------------------------------------------


def sni_block() -> Facts:
    """Silence for the name alone, at two neutrals."""
    return _failed_retries(_healthy().no_greeting()).neutrals().healthy("after", 1)


def sni_block_once() -> Facts:
    return _failed_retries(_healthy().no_greeting()).neutrals(1).healthy("after", 1)


def sni_block_short() -> Facts:
    return _healthy().no_greeting().neutrals(rounds=3)


def sni_passes() -> Facts:
    return _healthy().no_greeting().neutrals(target=None, rounds=1)


def router_with_dead_backend() -> Facts:
    """The server sorts by name and this name's backend is dead: own flip, neutrals never asked."""
    facts = _failed_retries(_healthy().no_greeting())
    return facts.own_pair(target_fact={"hello_acked": True}, innocuous_fact={"hello_acked": True})


def unacknowledged() -> Facts:
    facts = _failed_retries(_healthy().no_greeting())
    return facts.own_pair(target_fact={"hello_acked": False}, innocuous_fact={"hello_acked": True})


def half_blocked(*, rounds: int = 4, innocuous: str | None = None) -> Facts:
    """One of two paths has the device: the name fails at a neutral, and then gets through to its own server."""
    facts = _healthy().no_greeting().neutrals(1, innocuous=innocuous, rounds=rounds)
    return facts.retry_tls(None, 1).retry_tls(None, 2)


def dead_server() -> Facts:
    return _healthy().no_greeting().own_pair(innocuous=TIMEOUT, rounds=2).neutrals(target=None, rounds=1)


def trickled() -> Facts:
    """The first record came through at the own address and nothing after it; at neutral places not even that."""
    facts = _healthy().dns(SITE).tcp().tls(failure=TIMEOUT, server_hello=True)
    for number, address in enumerate(NEUTRALS[:2], 1):
        facts.pair("neutral_pair", f"neutral/{number}", address)
    return facts


def ended_midway(*, deep: bool = True) -> Facts:
    """The first record of the answer passes, then the flow ends; *deep*: whether the other name's handshakes went on."""
    facts = _healthy().no_greeting(EOF, server_hello=True).retry_tls(EOF, 1, server_hello=True)
    innocuous: dict[str, Any] = {"cipher": "TLS_AES_128_GCM_SHA256"} if deep else {}
    facts.neutrals(target=EOF, target_fact={"server_hello": True}, innocuous_fact=innocuous)
    # Small greetings stop at the first record, which passes for everybody.
    facts.tls(purpose="path_mtu", group="small", verify=False, round=0)
    return facts.healthy("after", 1)


def request_reset(target: str | None = RESET, status: int = 200, *, sent_to: str | None = None) -> Facts:
    """Handshakes pass, the request inside is reset; *target*: how it fares elsewhere, where *status* answers strangers and
    sends this name on to *sent_to*.
    """
    facts = _healthy().dns(SITE).tcp().tls().http(failure=RESET)
    for place, address in enumerate(NEUTRALS[:2], 1):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{place}", "address": address}
        told: dict[str, Any] = {"status": status, "verified_chain": False, **at}
        facts.http(url=f"https://{INNOCUOUS}/", arm="innocuous", round=0, **told)
        for number in range(6):
            facts.http(url=f"https://{HOST}/", arm="target", failure=target, round=number, location=sent_to, **told)
            facts.http(url=f"https://{INNOCUOUS}/", arm="innocuous", round=number + 1, **told)
    # Handshakes for the name pass at any time.
    facts.tcp(purpose="retry", group="retry/1").tls(purpose="retry", group="retry/1")
    return facts.http(purpose="retry", group="retry/1", failure=RESET).healthy("after", 1)


def request_answered_after_all() -> Facts:
    """The same, and in the end the site's own address answers, to nobody in particular."""
    own: dict[str, Any] = {"purpose": "own_pair", "group": f"own/{SITE}", "arm": "target", "round": 0}
    return request_reset().http(verified_chain=False, **own)


def small_packets_only() -> Facts:
    facts = _failed_retries(_healthy().no_greeting())
    for n in (0, 1):
        for group, failure in (("normal", TIMEOUT), ("small", TIMEOUT), ("small+mss", None)):
            facts.tls(purpose="path_mtu", group=group, failure=failure, verify=False, round=n)
    return facts


# -- resets ------------------------------------------------------------------------------------------------------------


def _behind_arm(facts: Facts, group: str, arm: str, failure: str | None, round: int, **fact: Any) -> Facts:  # noqa: A002
    return facts.arm("behind", group, SITE, arm, failure, round, **fact)


def behind(
    facts: Facts, *, answers: int = 3, answer: str | None = None, ignored: int | None = 1, others: int | None = 0
) -> Facts:
    """The server's packets come with TTL 59: in turn the name is heard, and asked with what is below 57 ignored."""
    facts.tcp(purpose="behind", group="distance", reply_ttl=59)
    _behind_arm(facts, "min_ttl/farther", "innocuous", None, 0, min_ttl=57, ignored=others)
    for n in range(answers):
        _behind_arm(facts, "heard", "target", RESET, n)
        _behind_arm(facts, "min_ttl/farther", "target", answer, n, min_ttl=57, ignored=ignored)
    _behind_arm(facts, "heard", "target", RESET, answers)
    return _behind_arm(facts, "min_ttl/farther", "innocuous", None, 1, min_ttl=57, ignored=others)


def answer_behind_reset(**kw: Any) -> Facts:
    return behind(_healthy().no_greeting(RESET), **kw)


def request_behind_reset() -> Facts:
    """The same over plain HTTP."""
    facts = plain(failure=RESET)
    place: dict[str, Any] = {"purpose": "behind", "verified_chain": False}
    facts.http(group="min_ttl/farther", arm="innocuous", min_ttl=57, ignored=0, url=f"http://{INNOCUOUS}/", **place)
    for n in range(3):
        facts.http(failure=RESET, group="heard", arm="target", round=n, **place)
        facts.http(group="min_ttl/farther", arm="target", round=n, min_ttl=57, ignored=1, **place)
    return facts.http(failure=RESET, group="heard", arm="target", round=3, **place)


def reset_from_nearer(other: str | None = TIMEOUT) -> Facts:
    """With all of the server's own packets ignored the name is still reset; *other*: how an innocuous name ends then."""
    facts = _healthy().no_greeting(RESET).tcp(purpose="behind", group="distance", reply_ttl=59)
    _behind_arm(facts, "min_ttl/farther", "innocuous", None, 0, min_ttl=57, ignored=0)
    _behind_arm(facts, "heard", "target", RESET, 0)
    _behind_arm(facts, "min_ttl/farther", "target", RESET, 0, min_ttl=57, ignored=0)
    for n in range(2):
        _behind_arm(facts, "min_ttl/nearer", "target", RESET, n, min_ttl=62, ignored=0)
    return _behind_arm(facts, "min_ttl/nearer", "innocuous", other, 0, min_ttl=62, ignored=8 if other == TIMEOUT else 0)


def reset_from_farther() -> Facts:
    """What came from farther than the server was ignored, and then there was silence."""
    return answer_behind_reset(answers=2, answer=TIMEOUT)


def _warm(facts: Facts, rtt_us: int) -> Facts:
    for n in range(3):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=rtt_us))
    return facts


def early_reset() -> Facts:
    facts = _warm(_healthy(), 90_000).no_greeting(RESET, duration_us=20_000)
    return facts.retry_tls(RESET, 1, duration_us=21_000)


def reset_beside() -> Facts:
    facts = _warm(_healthy(), 90_000).no_greeting(RESET, duration_us=300)
    return facts.retry_tls(RESET, 1, duration_us=400)


def reset_marked_otherwise(*ttls: tuple[int, int]) -> Facts:
    """Connections to the site that were listened to: TTLs of the server's first packet, and of the reset behind it."""
    facts = _healthy().no_greeting(RESET).retry_tls(RESET, 1)
    for number, (server, reset) in enumerate(ttls or ((52, 61), (52, 61))):
        packets = (
            Arrived(after_us=0, flags="SA", ttl=server, window=64_240, identification=0),
            Arrived(after_us=20_000, flags="RA", ttl=reset, window=0, identification=54_321),
        )
        fact = PacketsFact(own_port=40_000 + number, packets=packets)
        facts.add(fact, purpose="packets", group=f"own/{SITE}", address=SITE, port=443)
    return facts


def reset_by_name(took_us: int = 5_000, *asked: str | None, router_us: int = 400) -> Facts:
    """Resets for the name alone, everywhere, *took_us* after it was named; the own router was *asked*, and what came of it."""
    facts = _healthy().no_greeting(RESET, duration_us=took_us).retry_tls(RESET, 1, duration_us=took_us)
    for failure in asked:
        place: dict[str, Any] = {"purpose": "neutral_pair", "group": "gateway"}
        facts.tcp(failure=failure, duration_us=router_us, port=9, **place)
    return facts.neutrals(target=RESET, target_fact={"duration_us": took_us}).healthy("after", 1)


def reset_by_the_own_router(took_us: int = 3_500) -> Facts:
    """The router is three milliseconds away, over a slow radio, and so is whatever resets the name."""
    return reset_by_name(took_us, REFUSED, REFUSED, REFUSED, router_us=3_000)


# -- certificates ------------------------------------------------------------------------------------------------------


def national_ca(*, expired: bool = False) -> Facts:
    chain = (certificate(HOST, issuer=ISCA, expired=expired),)
    code, failure = (10, "ssl_invalid_certificate") if expired else (20, "ssl_unknown_authority")
    return _healthy().no_greeting(failure, chain=chain, verify_code=code, verified=False)


def national_ca_trusted_here() -> Facts:
    facts = _healthy().dns(SITE).tcp()
    chain = (certificate(HOST, issuer=ISCA),)
    facts.tls(chain=chain, verified=True, shipped_store_verifies=False, system_store_verifies=True)
    return facts.http(200)


def _inspected_round(facts: Facts, *, trusted: bool) -> Facts:
    facts.machine()
    facts.canary("system/92.46.1.1").canary("literal/1.1.1.1").canary("literal/8.8.8.8")
    for name in ("www.python.org", "www.debian.org"):
        chain = (certificate(name, issuer=GATEWAY),)
        facts.canary(
            f"foreign/{name}",
            None if trusted else "ssl_unknown_authority",
            chain=chain,
            verified=trusted,
            verify_code=None if trusted else 20,
            shipped_store_verifies=False,
            system_store_verifies=trusted,
        )
    return facts


def gateway_everywhere(*, trusted: bool) -> Facts:
    facts = _inspected_round(Facts().context(), trusted=trusted).dns(SITE).tcp()
    facts.tls(
        failure=None if trusted else "ssl_unknown_authority",
        chain=(certificate(HOST, issuer=GATEWAY),),
        verified=trusted,
        verify_code=None if trusted else 20,
        shipped_store_verifies=False,
        system_store_verifies=trusted,
    )
    return facts.http(200) if trusted else facts


def antivirus_with_exceptions() -> Facts:
    facts = _healthy().dns(SITE).tcp()
    facts.tls(
        chain=(certificate(HOST, issuer=GATEWAY),),
        verified=True,
        shipped_store_verifies=False,
        system_store_verifies=True,
    )
    return facts.http(200)


def strange_issuer() -> Facts:
    chain = (certificate(HOST, issuer="CN=Nobody Knows Root"),)
    return _healthy().no_greeting("ssl_unknown_authority", chain=chain, verify_code=20)


def forged_elsewhere(places: int = 2, **fact: Any) -> Facts:
    """The same unknown issuer signs for the name where it is not served."""
    facts = strange_issuer()
    chain = (certificate(HOST, issuer="CN=Nobody Knows Root"),)
    for n in range(places):
        told: dict[str, Any] = {"chain": chain, "verify_code": 20, "server_hello": True, "first_byte_us": 60_000} | fact
        facts.tls(
            address=NEUTRALS[n],
            purpose="neutral_chain",
            group=f"neutral/{n + 1}",
            arm="target",
            failure="ssl_unknown_authority",
            **told,
        )
    return facts


def stranger_shown(
    failure: str = "ssl_unknown_authority",
    *,
    places: int = 2,
    elsewhere: str = "22" * 32,
    first_byte_us: int = 5_000,
    shown: tuple[str, ...] = NEUTRALS,
    **fields: Any,
) -> Facts:
    """One stranger's certificate for the name, at its own address and where it is not served; *elsewhere*: another name's."""
    told = {"subject": "CN=panel.example", "issuer": "CN=Panel Default CA", **fields}
    stranger = replace(certificate("panel.example"), sha256="11" * 32, **told)
    code = {"ssl_invalid_hostname": 62}.get(failure, 20)
    fact: dict[str, Any] = {
        "chain": (stranger,),
        "verify_code": code,
        "verified": False,
        "first_byte_us": first_byte_us,
    }
    facts = _healthy().no_greeting(failure, server_hello=True, **fact)
    for n, address in enumerate(shown[:places], 1):
        at: dict[str, Any] = {"address": address, "purpose": "neutral_chain", "group": f"neutral/{n}"}
        facts.tls(arm="target", failure=failure, server_hello=True, **at, **fact)
        own = (replace(certificate("neutral.example"), sha256=elsewhere),)
        bad: dict[str, Any] = {"failure": "ssl_invalid_hostname", "verify_code": 62, "verified": False}
        facts.tls(arm="innocuous", sni=INNOCUOUS, server_hello=True, chain=own, **at, **bad)
    return facts.healthy("after", 1)


VENDOR = "O=Some Vendor, CN=Some Vendor Root"


def vendor_root(issuer: str = VENDOR, **asked: Any) -> Facts:
    """A messenger's host under its vendor's own authority."""
    chain = (certificate(HOST, issuer=issuer),)
    facts = _healthy(**({"own_root": True} | asked))
    return facts.no_greeting("ssl_unknown_authority", chain=chain, verify_code=19, server_hello=True)


def machine(status: int = 404) -> Facts:
    """A host for programs answers / with an error."""
    return _healthy(any_status=True).works(status)


def greeted() -> Facts:
    """A host whose app takes an account: nothing is asked behind its greeting."""
    return _healthy(handshake_only=True).dns(SITE).tcp().tls()


def expired(*, healthy: bool = True) -> Facts:
    facts = _healthy() if healthy else Facts().context()
    chain = (certificate(HOST, expired=True),)
    return facts.no_greeting("ssl_invalid_certificate", chain=chain, verify_code=10)


def not_yet_valid() -> Facts:
    return _healthy().no_greeting("ssl_invalid_certificate", chain=(certificate(HOST),), verify_code=9)


def no_intermediate(*, issuer: str = GOOD_ISSUER, links: int = 0, code: int = 20) -> Facts:
    """A leaf alone, by the issuer that other sites of the run verified with."""
    chain = (certificate(HOST, issuer=issuer), *(certificate(subject="CN=link") for _ in range(links)))
    facts = _healthy().canary("foreign/www.gnu.org", chain=(certificate("www.gnu.org"),), verified=True)
    return facts.no_greeting("ssl_unknown_authority", chain=chain, verify_code=code, verified=False)


def garbled(url: str = f"https://{HOST}/") -> Facts:
    facts = _healthy(url).dns(SITE).tcp()
    if url.startswith("https:"):
        facts.tls()
    return facts.http(None, failure="http_request_failed", malformed="illegal status line")


def wrong_host() -> Facts:
    chain = (certificate("shop.example.org"),)
    return _healthy().no_greeting("ssl_invalid_hostname", chain=chain, verify_code=62)


def self_signed() -> Facts:
    chain = (certificate(HOST, issuer=f"CN={HOST}", self_issued=True),)
    return _healthy().no_greeting("ssl_unknown_authority", chain=chain, verify_code=18)


def right_elsewhere() -> Facts:
    return strange_issuer().foreign(OTHER_SITE).tried(OTHER_SITE)


# -- DNS ---------------------------------------------------------------------------------------------------------------


def bogon() -> Facts:
    return _healthy().no_name("dns_bogon_error", "10.10.34.35").foreign(SITE).tried(SITE)


def bogon_without_witness() -> Facts:
    return _healthy().dns("127.0.0.1").foreign(failure=TIMEOUT)


def bogon_published() -> Facts:
    return _healthy().dns("127.0.0.1").foreign("127.0.0.1")


def injected(failure: str = "dns_nxdomain_error") -> Facts:
    """The user's own resolver fails so, and where no resolver runs a forgery answers for the name alone."""
    facts = _healthy().dns(failure=failure).foreign(SITE).tried(SITE)
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **at)
    return facts.dns("10.10.34.36", arm="target", **at)


def injected_where_nobody_listens(address: str = "4.36.66.178") -> Facts:
    """A machine says itself that it is no resolver, and yet "answers" for this name; the user got the same dead address."""
    facts = _healthy().dns(address).tcp(address, failure=TIMEOUT).foreign(SITE).tried(SITE)
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    facts.dns(failure=REFUSED, name="www.wikipedia1.org", arm="innocuous", rcode=None, **at)
    return facts.dns(address, arm="target", **at)


def refused_before_injected(address: str = "4.36.66.178") -> Facts:
    """The machine's own word that it is no resolver comes first, the forgery after it."""
    facts = _healthy().dns(address).tcp(address, failure=TIMEOUT).foreign(SITE).tried(SITE)
    at: dict[str, Any] = {"role": "no_resolver", "server": NEUTRALS[0]}
    asked: dict[str, Any] = {"purpose": "dns_answers", "group": "no_resolver", "failure": REFUSED, "rcode": None}
    facts.dns(name="www.wikipedia1.org", arm="innocuous", **asked, **at).dns(arm="target", **asked, **at)
    return facts.dns(address, purpose="late", group=None, reply_index=1, **at)


def injected_by_volleys(address: str = "4.36.66.178", elsewhere: str = "8.7.198.45", ttl: int = 52) -> Facts:
    """As before, but each forgery names another silent stranger; the truth comes last, and from another distance (*ttl*)."""
    facts = _healthy().dns(address, reply_ttl=57)
    facts.dns(SITE, purpose="late", group=None, reply_index=1, reply_ttl=ttl)
    facts.observations[-1] = replace(
        facts.observations[-1],
        operation=replace(facts.observations[-1].operation, started_us=facts.observations[-2].operation.started_us),
    )
    facts.tcp(address, failure=TIMEOUT).foreign(SITE).tried(SITE)
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    facts.dns(failure=REFUSED, name="www.wikipedia1.org", arm="innocuous", rcode=None, **at)
    return facts.dns(elsewhere, arm="target", **at)


def injected_denial(failure: str = "dns_servfail_error", rcode: int = 2) -> Facts:
    """The provider fails, an address without a resolver fails alike for this name only, and abroad the truth verifies."""
    facts = _healthy().dns(failure=failure).foreign(SITE).tried(SITE)
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **at)
    return facts.dns(failure=failure, arm="target", rcode=rcode, **at)


def answered_where_no_resolver_is() -> Facts:
    facts = _healthy().dns(failure=TIMEOUT)
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **at)
    return facts.dns("4.36.66.178", arm="target", **at)


def proxy_for_all_dns() -> Facts:
    facts = _healthy().no_greeting()
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    facts.dns("208.80.154.224", name="www.wikipedia1.org", arm="innocuous", **at)
    return facts.dns(SITE, arm="target", **at)


def two_replies() -> Facts:
    facts = _healthy().dns("10.10.34.35").tcp("10.10.34.35", failure=TIMEOUT).foreign(SITE).tried(SITE)
    return facts.dns(SITE, purpose="late", group=None, reply_index=1)


def _sinkholed(facts: Facts) -> Facts:
    chain = (certificate("sink.example.kz", issuer="CN=sink", self_issued=True),)
    facts.dns(BLOCK_HOST).tcp(BLOCK_HOST).tls(BLOCK_HOST, failure="ssl_unknown_authority", chain=chain, verify_code=18)
    return facts.foreign(SITE).tried(SITE)


def shown_at_the_sink(facts: Facts, body: str = "<title>Index of /</title>") -> Facts:
    """What a browser is shown at an address that is not the site's, over plain http."""
    at: dict[str, Any] = {"address": BLOCK_HOST, "purpose": "dns_answers", "group": f"page/{BLOCK_HOST}"}
    return facts.http(200, url=f"http://{HOST}/", body=body, **at)


def sinkhole() -> Facts:
    return shown_at_the_sink(sink_without_page())


def sink_without_page() -> Facts:
    """The sink takes connections, and nobody has read what it shows: it may be a family's own filter."""
    facts = _sinkholed(_healthy().also(2, "https://meduza.io/"))
    facts.system("random_label", failure="dns_nxdomain_error", name="qwertyuiopasdf.com")
    return facts.dns(BLOCK_HOST, endpoint=2, name="meduza.io")


def block_page_address() -> Facts:
    facts = _healthy("http://www.facebook.com/").dns(BLOCK_HOST).tcp(BLOCK_HOST, port=80)
    facts.http(200, address=BLOCK_HOST, body=ORDER_RU)
    chain = (certificate("sink.example.kz", issuer="CN=sink", self_issued=True),)
    facts.tried(BLOCK_HOST, "ssl_unknown_authority", chain=chain)
    return facts.foreign(SITE).tried(SITE)


def wrong_address() -> Facts:
    return _sinkholed(_healthy())


def operator_says() -> Facts:
    return _healthy().no_name("dns_nxdomain_error", extended_errors=(16,))


def denied_twice(failure: str = "dns_nxdomain_error", server: str = PROVIDER) -> Facts:
    facts = _healthy().no_name(failure, server=server).foreign(SITE).tried(SITE)
    facts.system("cd", failure=failure, server=server, checking_disabled=True)
    return asked_slowly(facts) if failure == "dns_refused_error" else facts


def asked_slowly(facts: Facts, *, other: str | None = None, target: str | None = "dns_refused_error") -> Facts:
    """The resolver is asked slowly, in turn for another name and for this one."""
    for number in range(3):
        for name, failure, arm in (("www.wikipedia1.org", other, "innocuous"), (None, target, "target")):
            values = () if failure else (SITE,)
            facts.system("again", *values, failure=failure, name=name, arm=arm, round=number)
    return facts


COM = Soa(zone="com", mname="a.gtld-servers.net", rname="nstld.verisign-grs.com", serial=1, ttl=512)


def denied_by_zone(told: Soa = COM, abroad: Soa | None = COM, failure: str | None = None) -> Facts:
    """The denial bears a zone's mark; DNS abroad is asked who runs that zone (``abroad``, or *failure*)."""
    facts = _healthy().no_name("dns_nxdomain_error", soa=told).foreign(SITE).tried(SITE)
    facts.system("cd", failure="dns_nxdomain_error", checking_disabled=True, soa=told)
    at: dict[str, Any] = {"purpose": "dns_answers", "group": "parent", "role": "foreign", "server": "8.8.8.8"}
    newer = replace(abroad, serial=2, ttl=900) if abroad else None
    return facts.dns(name=told.zone, qtype="SOA", arm="target", failure=failure, soa=newer, **at)


def denied_by_zone_of_a_proxy() -> Facts:
    """As with a zone of the provider's own, and plain questions abroad are answered by the provider: DoH alone is honest."""
    own = replace(COM, zone="facebook.com", mname="ns.provider.example")
    at: dict[str, Any] = {"purpose": "dns_answers", "group": "parent", "role": "foreign", "transport": "doh"}
    facts = denied_by_zone(own, own)
    return facts.dns(name=own.zone, qtype="SOA", server="9.9.9.9", soa=replace(COM, zone=own.zone), **at)


def denied_once() -> Facts:
    return _healthy().no_name("dns_nxdomain_error").foreign(SITE).tried(SITE)


def servfail_here_only() -> Facts:
    return _healthy().no_name("dns_servfail_error").foreign(SITE).tried(SITE)


def empty_here_only() -> Facts:
    return _healthy().no_name("dns_no_answer").foreign(SITE).tried(SITE)


def silent_here_only() -> Facts:
    return _healthy().no_name(TIMEOUT).foreign(SITE).tried(SITE)


def questions_dropped(
    *,
    server: str = PROVIDER,
    twice: bool = True,
    nobody: str = REFUSED,
    there: str = TIMEOUT,
    others: str | None = None,
    readable: tuple[str, ...] = ("8.8.8.8", "9.9.9.9"),
    stream: str | None = TIMEOUT,
    followed: bool = True,
) -> Facts:
    """Questions for the name get lost on the way, and nothing else does; a machine without a resolver says so of others.

    ``nobody`` and ``there`` are what came of the innocuous name and of this one at such a machine, ``others`` what came of
    innocuous names abroad; ``readable`` are asked in clear, over ``stream`` as well. ``followed``: a question about the name
    is known to have left the house.
    """
    facts = _healthy().no_name(TIMEOUT, server=server, rcode=None)
    if twice:
        facts.system("cd", failure=TIMEOUT, server=server, rcode=None, checking_disabled=True)
    for number in (0, 1):
        at: dict[str, Any] = {"purpose": "dns_answers", "round": number}
        empty: dict[str, Any] = {"group": "no_resolver", "role": "no_resolver", "server": NEUTRALS[0], "rcode": None}
        facts.dns(failure=nobody, name="www.wikipedia1.org", arm="innocuous", **at, **empty)
        facts.dns(failure=TIMEOUT if number else there, arm="target", **at, **empty)
        for where in readable:
            abroad: dict[str, Any] = {"group": "foreign", "role": "foreign", "server": where}
            facts.dns(failure=TIMEOUT, arm="target", rcode=None, **at, **abroad)
            if number:
                values = () if others else (OTHER_SITE,)
                rcode = None if others else 0
                facts.dns(
                    *values, failure=others, name="www.wikipedia1.org", arm="innocuous", rcode=rcode, **at, **abroad
                )
    place: dict[str, Any] = {"purpose": "dns_answers", "group": "tcp", "role": "foreign", "transport": "tcp"}
    facts.dns(*(() if stream else (SITE,)), failure=stream, server="8.8.8.8", rcode=None if stream else 0, **place)
    for where in ("8.8.8.8", "9.9.9.9"):
        facts.dns(SITE, purpose="dns_answers", group="doh", role="foreign", transport="doh", server=where)
    facts.tried(SITE)
    return questions.along(facts, questions.OUT, server=server) if followed else facts


def gone_everywhere() -> Facts:
    return _healthy().no_name("dns_nxdomain_error").foreign(failure="dns_nxdomain_error")


def broken_everywhere() -> Facts:
    return _healthy().no_name("dns_servfail_error").foreign(failure="dns_servfail_error")


def unchecked_works() -> Facts:
    facts = servfail_here_only()
    return facts.system("cd", SITE, checking_disabled=True)


def rewriting() -> Facts:
    return _sinkholed(_healthy()).system("random_label", BLOCK_HOST, name="qwertyuiopasdf.com")


def stale() -> Facts:
    chain = (certificate("shop.example.org"),)
    facts = _healthy().dns(BLOCK_HOST).tcp(BLOCK_HOST)
    facts.tls(BLOCK_HOST, failure="ssl_invalid_hostname", chain=chain, verify_code=62)
    return facts.foreign(SITE).tried(SITE)


def tunnel_address() -> Facts:
    return _healthy().dns("198.18.0.7").tcp("198.18.0.7", failure=TIMEOUT).foreign(SITE).tried(SITE)


# -- local filters -----------------------------------------------------------------------------------------------------


def hosts_file() -> Facts:
    from probe.observations import HostFact

    facts = _healthy()
    return facts.add(HostFact(hosts_file_addresses=("0.0.0.0",)), purpose="baseline", name=HOST, group="v4")


def name_service_lies() -> Facts:
    facts = _healthy()
    facts.dns("127.0.0.1", transport="getaddrinfo", rcode=None)
    return facts.works()


def library_lied_to(
    *alike: str, alone: str | None = None, server: str = PROVIDER, silent: str | None = REFUSED, took_us: int = 20_000
) -> Facts:
    """The C library gets a bogon and the probe, which asks with EDNS, the truth; *alike* is what it gets without.

    *alone* is what a machine without a resolver "answers" then, *took_us* after; ``silent`` is how it takes another name.
    """
    facts = _healthy().dns("10.10.34.35", transport="getaddrinfo", rcode=None, server="").works()
    failure = None if alike else TIMEOUT
    facts.system("no_edns", *alike, failure=failure, server=server, rcode=0 if alike else None, arm="target")
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    values = () if silent else (OTHER_SITE,)
    facts.dns(*values, failure=silent, name="www.wikipedia1.org", arm="innocuous", rcode=None if silent else 0, **at)
    if alone is None:
        return facts.dns(failure=REFUSED, arm="target", rcode=None, **at)
    return facts.dns(alone, arm="target", duration_us=took_us, **at)


def household_filter() -> Facts:
    facts = _healthy().dns("0.0.0.0", server=HOME).foreign(SITE).tried(SITE)
    return facts.system("filter", "0.0.0.0", name="doubleclick.net", server=HOME)


def household_filter_by_speed() -> Facts:
    facts = _healthy().dns("0.0.0.0", server=HOME, duration_us=900).foreign(SITE).tried(SITE)
    facts.system("never_asked", "0.0.0.0", name=f"xyzzy.{HOST}", server=HOME, duration_us=1_100)
    return way_to_home(facts, 800)


def denies_by_turns(*names: str, server: str = HOME, unchecked: str | None = None) -> Facts:
    """The resolver denies the name and what filters deny first; and innocuous *names*, or answers when asked again."""
    facts = denied_twice(server=server)
    facts.system("filter", failure="dns_nxdomain_error", name="doubleclick.net", server=server)
    for name in names:
        facts.dns(failure="dns_nxdomain_error", name=name, server=server, **facts.own(f"foreign/{name}"))
    return facts.system("cd", unchecked, server=server, checking_disabled=True) if unchecked else facts


def way_to_home(facts: Facts, took_us: int, failure: str | None = None, rtt_us: int | None = None) -> Facts:
    """How far the household's resolver is, by a connection."""
    at: dict[str, Any] = {"purpose": "dns_answers", "group": "gateway", "address": HOME, "port": 53}
    return facts.add(TcpFact(rtt_us=rtt_us), duration_us=took_us, failure=failure, **at)


def chosen_filter() -> Facts:
    return _healthy().no_name("dns_nxdomain_error", server="94.140.14.14").foreign(SITE).tried(SITE)


def filtered_by_request() -> Facts:
    return _healthy().no_name("dns_nxdomain_error", extended_errors=(17,))


def family_page(body: str = "Сайт закрыт услугой «Родительский контроль»") -> Facts:
    """Two unrelated names are sent to a page of the provider's that speaks of the family's own protection."""
    return shown_at_the_sink(sink_without_page(), body)


def home_box_says_blocked() -> Facts:
    return _healthy().dns("0.0.0.0", server=HOME, extended_errors=(15,)).foreign(SITE).tried(SITE)


def router_takes_questions() -> Facts:
    """A parental list in the router: it answers for listed names wherever the question was sent."""
    facts = Facts().context().healthy().dns("0.0.0.0", server=HOME, duration_us=900).foreign(SITE).tried(SITE)
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "no_resolver",
        "role": "no_resolver",
        "server": NEUTRALS[0],
    }
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **at)
    return facts.dns("0.0.0.0", arm="target", duration_us=1_000, **at)


def filtering_product() -> Facts:
    """A company's gateway forges what it refuses, here and at addresses that have nothing to do with the name."""
    issuer = "O=Fortinet, CN=FortiGate CA"
    chain = (certificate(HOST, issuer=issuer),)
    facts = _healthy().no_greeting("ssl_unknown_authority", chain=chain, verify_code=20)
    for index in (0, 1):
        at: dict[str, Any] = {"purpose": "neutral_chain", "group": f"neutral/{index + 1}"}
        facts.tls(NEUTRALS[index], failure="ssl_unknown_authority", chain=chain, verify_code=20, **at)
    return facts


# -- connections -------------------------------------------------------------------------------------------------------


def silent_address() -> Facts:
    return _healthy().no_connection()


def refused_address() -> Facts:
    return _healthy().no_connection(REFUSED)


def prohibited() -> Facts:
    return _healthy().no_connection("host_unreachable", icmp_type=3, icmp_code=13, icmp_from="92.46.0.1")


def no_route() -> Facts:
    return _healthy().no_connection("host_unreachable", icmp_type=3, icmp_code=1, icmp_from="4.4.4.1")


def own_routing_table() -> Facts:
    return _healthy().no_connection("host_unreachable")


def all_addresses_dead() -> Facts:
    return silent_address().tcp(OTHER_SITE, purpose="siblings", group=f"address/{OTHER_SITE}", failure=TIMEOUT)


def other_port() -> Facts:
    return silent_address().tcp(SITE, purpose="siblings", group="port/80", port=80)


def neighbours(failure: str | None) -> Facts:
    at: dict[str, Any] = {"purpose": "neighbours", "group": "neighbour/www.whatsapp.com", "name": "www.whatsapp.com"}
    return silent_address().tcp("157.240.205.60", failure=failure, **at)


def control(failure: str | None) -> Facts:
    return silent_address().control_line().tls(purpose="baseline", failure=failure, vantage="control:Helsinki")


def control_elsewhere() -> Facts:
    """Another vantage is served from another address, and gets no further than this network at this one."""
    at: dict[str, Any] = {"purpose": "siblings", "group": f"address/{SITE}", "vantage": "control:Helsinki"}
    facts = silent_address().control_line().tls(OTHER_SITE, vantage="control:Helsinki")
    return facts.tcp(SITE, failure=TIMEOUT, **at)


def control_finds_address_dead() -> Facts:
    """The same, and the control's resolver gives this address too: it is the site's own, and dead for others as well."""
    return control_elsewhere().dns(SITE, OTHER_SITE, role="foreign", group="foreign", vantage="control:Helsinki")


def proxy_reaches() -> Facts:
    """The site answers through a proxy, which does not tell where it found it."""
    return silent_address().control_line().tls(None, vantage="control:Helsinki", group="proxy")  # type: ignore[arg-type]


def dead_in_two_countries(home: str | None = "KZ", abroad: str | None = "DE", rounds: int = 2) -> Facts:
    """A silent address here, and the same from a control in another country, each time it is asked."""
    facts = Facts().context(country=home).healthy().no_connection().control_line()
    for turn in range(rounds):
        told: dict[str, Any] = {"vantage": "control:Helsinki", "round": turn}
        facts.control_asked(abroad, round=turn).dns(SITE, **told).tcp(failure=TIMEOUT, **told)
    return facts


def scrubbed_in_two_countries() -> Facts:
    """The site's own guard drops greetings with its name, whoever sends them; at neutral places the name passes."""
    facts = Facts().context(country="KZ").healthy().no_greeting().neutrals(target=None, rounds=1)
    facts.own_pair(target_fact={"hello_acked": False}, innocuous_fact={"hello_acked": True}).control_line()
    for turn in (0, 1):
        told: dict[str, Any] = {"vantage": "control:Helsinki", "round": turn}
        facts.control_asked(round=turn).dns(SITE, **told).tcp(**told).tls(failure=TIMEOUT, **told)
    place: dict[str, Any] = {"purpose": "neutral_pair", "group": "neutral/1", "vantage": "control:Helsinki"}
    return facts.tls(NEUTRALS[0], arm="target", verify=False, **place)


# -- pages -------------------------------------------------------------------------------------------------------------


def plain(status: int = 200, **fact: Any) -> Facts:
    """A plain HTTP baseline."""
    return _healthy("http://www.facebook.com/").works(status, **fact)


def page(status: int, **fact: Any) -> Facts:
    """A page over a verified chain."""
    return _healthy().works(status, **fact)


def http_block() -> Facts:
    """Plain HTTP: the name is answered with silence at two neutrals, another name with a page."""
    facts = _healthy("http://www.facebook.com/").dns(SITE).tcp(port=80).http(failure=TIMEOUT)
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
    facts = _healthy().dns(SITE).tcp().tls().http(failure=TIMEOUT, body_length=received)
    facts.retry_tls()
    again: dict[str, Any] = {"body_length": asked_again, "body_truncated": truncated}
    return facts.http(200, purpose="retry", group="retry/1", **again)


def hotel(*, genuine: bool) -> Facts:
    """A page of the hotel's in place of plain ones (of all, or of one of the two test pages); TLS passes to everybody."""
    facts = Facts(PLAIN).context().machine().canary("system/92.46.1.1").canary("literal/1.1.1.1")
    facts.canary("foreign/www.python.org").canary("foreign/www.debian.org")
    facts.portal(200, which="captive.apple.com/hotspot-detect.html", body="Welcome to Hotel Wi-Fi")
    facts.portal(204 if genuine else 200, body="" if genuine else "Welcome to Hotel Wi-Fi")
    return facts.works(200, body="Welcome to Hotel Wi-Fi", body_length=22)


# -- the own side ------------------------------------------------------------------------------------------------------


def no_link() -> Facts:
    return Facts().context().dead("network_unreachable", default_route_v4=False).no_name(TIMEOUT)


def no_upstream() -> Facts:
    return Facts().context().dead().no_name(TIMEOUT)


def _dead_resolver_round(facts: Facts) -> Facts:
    facts.machine().canary("system/92.46.1.1", TIMEOUT)
    for member in ("literal/1.1.1.1", "literal/8.8.8.8", "resolver/9.9.9.9"):
        facts.canary(member)
    for name in ("foreign/www.python.org", "foreign/www.debian.org", "domestic/egov.kz"):
        facts.canary(name, "dns")
    return facts


def dead_resolver() -> Facts:
    return _dead_resolver_round(Facts().context()).no_name(TIMEOUT)


def _portal_round(facts: Facts) -> Facts:
    facts.machine().canary("system/92.46.1.1")
    for member in ("literal/1.1.1.1", "literal/8.8.8.8"):
        facts.canary(member, TIMEOUT)
    for name in ("foreign/www.python.org", "foreign/www.debian.org"):
        facts.canary(name, "tcp")
    facts.portal(302, location="http://login.hotel.example/")
    return facts.portal(200, which="captive.apple.com/hotspot-detect.html", body="Please log in")


def captive_portal() -> Facts:
    return _portal_round(Facts().context()).no_connection()


def wrong_clock() -> Facts:
    facts = Facts().context().machine().canary("system/92.46.1.1").canary("literal/1.1.1.1")
    for name in ("www.python.org", "www.debian.org"):
        facts.canary(f"foreign/{name}", "ssl_invalid_certificate", verify_code=9, chain=(certificate(name),))
    facts.canary("clock/time.google.com", offset_s=365 * 86_400.0, stratum=1)
    return facts.no_greeting("ssl_invalid_certificate", verify_code=9, chain=(certificate(HOST),))


def no_world(there: str = TIMEOUT, here: str = TIMEOUT) -> Facts:
    """How the well-known places abroad fail, and how the site does."""
    facts = Facts().context().machine().canary("system/92.46.1.1")
    for member in ("literal/1.1.1.1", "literal/8.8.8.8"):
        facts.canary(member, there)
    for name in ("foreign/www.python.org", "foreign/www.debian.org"):
        facts.canary(name, "tcp" if there == TIMEOUT else there)
    facts.canary("domestic/egov.kz").canary("domestic/kaspi.kz")
    return facts.no_connection(here)


def works() -> Facts:
    return _healthy().works()


def flaky() -> Facts:
    return _healthy().no_greeting().retry_tls(TIMEOUT, 1).retry_tls(None, 2)


def sent_in_a_circle(times: int = 11) -> Facts:
    """Every page is a redirect to the next one, over a verified chain."""
    facts = _healthy()
    for hop in range(times):
        facts.dns(SITE, hop=hop).tcp(hop=hop).tls(hop=hop)
        facts.http(302, hop=hop, location=f"/{hop + 1}")
    return facts


def sent_in_a_circle_and_greeted() -> Facts:
    """As before, and a retry from a fresh port greeted the site: that is not the end of the circle."""
    return sent_in_a_circle().retry_tls()


def behind_redirects(times: int) -> Facts:
    """The last of many redirects leads to a page."""
    return sent_in_a_circle(times).dns(SITE, hop=times).tcp(hop=times).tls(hop=times).http(200, hop=times)


def one_address_dead() -> Facts:
    facts = _healthy().no_connection()
    facts.tcp(OTHER_SITE, purpose="siblings", group=f"address/{OTHER_SITE}")
    return facts.tls(OTHER_SITE, purpose="siblings", group=f"address/{OTHER_SITE}")


CODES: dict[str, Story] = {
    "page_over_verified_chain": works,
    "page_over_plain_http": plain,
    "vendor_chain": vendor_root,
    "machine_answered": machine,
    "machine_greeted": greeted,
    "connected": lambda: Facts("tcp://149.154.167.51:443").context().healthy().tcp("149.154.167.51"),
    "dns_failed": denied_once,
    "tcp_failed": silent_address,
    "tls_failed": sni_block,
    "http_failed": lambda: _healthy().dns(SITE).tcp().tls().http(failure=EOF),
    "nothing_reached": hosts_file,
    "page_is_no_content": lambda: page(451),
    "redirected_without_end": sent_in_a_circle,
    "page_put_in": hollow,
    "page_says_nothing": lambda: plain(**EMPTY),
    "page_over_doubtful_chain": antivirus_with_exceptions,
    "answer_is_the_sites_own": works,
    "answer_proves_the_line": lambda: Facts().context().works(),
    "retry_succeeded": flaky,
    "another_address_works": one_address_dead,
    "retries_failed": sni_block,
    "own_link": no_link,
    "own_upstream": no_upstream,
    "own_resolver": dead_resolver,
    "own_captive_portal": captive_portal,
    "own_clock": wrong_clock,
    "own_international": no_world,
    "own_filter": lambda: gateway_everywhere(trusted=True),
    "own_side_healthy": silent_address,
    "own_path_unreachable": own_routing_table,
    "dns_bogon": bogon,
    "dns_bogon_unconfirmed": bogon_without_witness,
    "dns_published_bogon": bogon_published,
    "dns_injected_no_resolver": injected,
    "dns_injected_denial": injected_denial,
    "dns_no_resolver_answered": answered_where_no_resolver_is,
    "dns_two_replies": two_replies,
    "dns_sinkhole": sinkhole,
    "dns_block_page_address": block_page_address,
    "dns_wrong_address": wrong_address,
    "dns_operator_says_blocked": operator_says,
    "dns_nxdomain_contradicted": denied_twice,
    "dns_refused_contradicted": lambda: denied_twice("dns_refused_error"),
    "dns_denial_unconfirmed": denied_once,
    "dns_servfail_contradicted": servfail_here_only,
    "dns_no_answer_contradicted": empty_here_only,
    "dns_timeout_contradicted": silent_here_only,
    "dns_misleads_programs": lambda: library_lied_to("10.10.34.35", alone="10.10.34.35"),
    "dns_questions_dropped": questions_dropped,
    "dns_nowhere": gone_everywhere,
    "dns_broken_everywhere": broken_everywhere,
    "dns_trust_broken": unchecked_works,
    "dns_rewrites_missing": rewriting,
    "dns_stale_address": stale,
    "dns_parents_denial": denied_by_zone,
    "dns_proxy": proxy_for_all_dns,
    "dns_tunnel_address": tunnel_address,
    "filter_hosts_file": hosts_file,
    "filter_on_this_computer": name_service_lies,
    "filter_local_resolver": household_filter,
    "filter_chosen_resolver": chosen_filter,
    "filter_by_request": filtered_by_request,
    "filter_page": family_page,
    "filter_says_blocked": home_box_says_blocked,
    "filter_takes_questions": router_takes_questions,
    "filter_product": filtering_product,
    "tcp_timeout": silent_address,
    "tcp_refused": refused_address,
    "tcp_prohibited": prohibited,
    "tcp_no_route": no_route,
    "all_addresses_dead": all_addresses_dead,
    "other_port_alive": other_port,
    "neighbours_alive": lambda: neighbours(None),
    "neighbours_dead": lambda: neighbours(TIMEOUT),
    "control_reaches": lambda: control(None),
    "control_reaches_elsewhere": control_elsewhere,
    "control_finds_address_dead": control_finds_address_dead,
    "proxy_reaches": proxy_reaches,
    "down_in_two_countries": dead_in_two_countries,
    "control_fails_too": lambda: control(TIMEOUT),
    "neutral_flip": sni_block,
    "neutral_flip_once": sni_block_once,
    "neutral_flip_short": sni_block_short,
    "neutral_pass": sni_passes,
    "own_flip": router_with_dead_backend,
    "unacknowledged_only": unacknowledged,
    "refuses_every_name": dead_server,
    "tls_no_answer": sni_block,
    "tls_server_ended_it": lambda: _healthy().no_greeting(EOF),
    "path_mtu": small_packets_only,
    "answer_behind_reset": answer_behind_reset,
    "reset_from_elsewhere": reset_from_nearer,
    "reset_marked_otherwise": reset_marked_otherwise,
    "reset_too_early": early_reset,
    "reset_from_beside": reset_beside,
    "national_interception": national_ca,
    "intercepted_everywhere": lambda: gateway_everywhere(trusted=False),
    "intercepted_here_only": antivirus_with_exceptions,
    "intermediate_missing": no_intermediate,
    "unknown_issuer": strange_issuer,
    "forged_at_neutral": forged_elsewhere,
    "stranger_at_neutral": stranger_shown,
    "certificate_expired": expired,
    "certificate_expired_or_clock": lambda: expired(healthy=False),
    "certificate_wrong_host": wrong_host,
    "certificate_self_signed": self_signed,
    "certificate_right_elsewhere": right_elsewhere,
    "block_page": lambda: plain(body=ORDER_RU),
    "block_page_likely": lambda: plain(body="This website is blocked"),
    "redirect_to_block_page": lambda: plain(302, location="https://eais.rkn.gov.ru/"),
    "redirect_likely": lambda: plain(302, location="http://warning.isp.example/x"),
    "site_refuses_by_law": lambda: page(451),
    "site_refuses_country": lambda: page(403, body="error code: 1009"),
    "site_refuses_visitor": lambda: page(403),
    "site_refuses_rate": lambda: page(429),
    "server_error": lambda: page(503),
    "server_error_unverified": lambda: plain(502),
    "refusal_unverified": lambda: plain(403),
    "answer_is_garbled": garbled,
    "http_no_answer": lambda: _healthy().dns(SITE).tcp().tls().http(failure=TIMEOUT),
}

RESET_BESIDE = "inconclusive/tls.reset.any"
STRANGER = "inconclusive/tls.mitm.unknown_ca"

LOST = "inconclusive/dns.timeout"

WORDS: dict[str, tuple[Story, str]] = {
    "a working site": (works, "accessible"),
    "a working plain site": (plain, "accessible"),
    "a host under its vendor's own authority": (vendor_root, "accessible"),
    "the same, intercepted by the known authority": (lambda: vendor_root(ISCA), "blocked/mitm/tls.mitm.known_ca"),
    "a host for programs that refuses browsers": (lambda: machine(403), "accessible"),
    "a host for programs in trouble of its own": (lambda: machine(503), "outage/http/http.server_error"),
    "a working bare address": (CODES["connected"], "accessible"),
    "a page behind many redirects": (lambda: behind_redirects(9), "accessible"),
    "a check that was cut off behind a few": (lambda: sent_in_a_circle(3), "accessible"),
    "a passing trouble": (flaky, "accessible"),
    "one dead address": (one_address_dead, "accessible"),
    "silence by name": (sni_block, "blocked/tls/tls.timeout.sni"),
    "unacknowledged by name": (unacknowledged, "blocked/tls/tls.timeout.sni"),
    "a real answer behind a reset": (answer_behind_reset, "blocked/tls/tls.reset.sni"),
    "a real answer behind a reset, plain": (request_behind_reset, "blocked/http/http.reset.host"),
    "a reset from nearer by than the server": (reset_from_nearer, "inconclusive/tls.reset.any"),
    "a reset from farther than the server": (reset_from_farther, "inconclusive/tls.reset.any"),
    "a reset too early": (early_reset, "blocked/tls/tls.reset.sni"),
    "a forgery that comes after the machine's refusal": (refused_before_injected, "blocked/dns/dns.injection.other"),
    "a trickle at home, silence at neutral places": (trickled, "blocked/tls/tls.timeout.sni"),
    "an end after the first record, by name": (ended_midway, "blocked/tls/tls.eof.sni"),
    "the same, and nobody's handshake was seen to its end": (
        lambda: ended_midway(deep=False),
        "inconclusive/tls.eof.any",
    ),
    "a request that is reset inside TLS, by name": (request_reset, "blocked/tls/tls.reset.sni"),
    "the same, answered elsewhere by strangers": (lambda: request_reset(None, 421), "inconclusive/http.reset.any"),
    "the same, sent on elsewhere by strangers": (
        lambda: request_reset(None, 302, sent_to="https://www.gnu.org/"),
        "inconclusive/http.reset.any",
    ),
    "the same, answered at its own address later": (request_answered_after_all, "inconclusive/http.reset.any"),
    "a reset by name, never held against the router": (reset_by_name, "blocked/tls/tls.reset.sni"),
    "a reset by name as near as the router": (reset_by_the_own_router, RESET_BESIDE),
    "a reset by name beyond the router": (lambda: reset_by_the_own_router(5_100), "blocked/tls/tls.reset.sni"),
    "a reset by name at once, never held against the router": (lambda: reset_by_name(1_900), RESET_BESIDE),
    "a reset by name near a silent router": (lambda: reset_by_name(9_900, TIMEOUT), RESET_BESIDE),
    "a reset by name far from a silent router": (lambda: reset_by_name(10_100, TIMEOUT), "blocked/tls/tls.reset.sni"),
    "plain HTTP silence by name": (http_block, "blocked/http/http.timeout.host"),
    "a page by order for that name everywhere": (
        lambda: notice(elsewhere=ORDER_RU),
        "blocked/http/http.block_page.host",
    ),
    "nothing at all for that name everywhere": (hollow, "blocked/http/http.block_page.host"),
    "a frame for that name everywhere": (lambda: hollow(FRAME), "blocked/http/http.block_page.host"),
    "a circle for that name everywhere": (lambda: hollow(TO_ITSELF), "blocked/http/http.redirect.host"),
    "sent to a shop for that name everywhere": (
        lambda: asked_elsewhere(sent_to_the_shop(), **MOVED),
        "blocked/http/http.redirect.host",
    ),
    "nothing at all, said by the site only": (lambda: hollow(status=404, body_sha256="404"), "accessible"),
    "nothing at all, said to every name": (
        lambda: asked_elsewhere(plain(**EMPTY), innocuous=EMPTY, **EMPTY),
        "accessible",
    ),
    "moved to another domain": (sent_to_the_shop, "accessible"),
    "moved to another domain, said by the site only": (
        lambda: asked_elsewhere(sent_to_the_shop(), status=404),
        "accessible",
    ),
    "nothing at all, nobody else asked": (CODES["page_says_nothing"], "inconclusive"),
    "a frame, nobody else asked": (lambda: plain(**FRAME), "inconclusive"),
    "a frame beside words": (
        lambda: plain(body="Books <iframe src='//ads.example/'></iframe>", body_length=44),
        "accessible",
    ),
    "nothing at all at one place": (
        lambda: asked_elsewhere(plain(**EMPTY), 1, **EMPTY),
        "inconclusive/http.block_page.host",
    ),
    "sent to a shop at one place": (
        lambda: asked_elsewhere(sent_to_the_shop(), 1, **MOVED),
        "inconclusive/http.redirect.host",
    ),
    "nothing at all behind a cache": (lambda: cache_takes_pages(hollow()), "inconclusive"),
    "plain silence by name behind a cache": (lambda: cache_takes_pages(http_block()), "inconclusive/http.timeout.any"),
    "silence by name behind a cache": (lambda: cache_takes_pages(sni_block()), "blocked/tls/tls.timeout.sni"),
    "moved behind a cache": (
        lambda: cache_takes_pages(asked_elsewhere(sent_to_the_shop(), **MOVED)),
        "inconclusive",
    ),
    "a plain error everywhere": (
        lambda: asked_elsewhere(plain(503, body_sha256="503"), status=503, body_sha256="503"),
        "inconclusive/http.server_error",
    ),
    "a stranger's refusal": (lambda: sent_to_the_shop(403), "inconclusive/http.denied.antibot"),
    "a stranger's trouble": (lambda: sent_to_the_shop(503), "inconclusive/http.server_error"),
    "a stranger's notice": (lambda: sent_to_the_shop(body=ORDER_RU), "inconclusive"),
    "a teapot": (lambda: page(418), "inconclusive"),
    "a front end without a server": (lambda: page(421), "inconclusive"),
    "a page that cannot be unpacked": (
        lambda: page(200, malformed="content-encoding gzip cannot be undone", body_length=0),
        "inconclusive",
    ),
    "a page that cannot be unpacked to its end": (
        lambda: page(200, malformed="content-encoding gzip cannot be undone", body_length=900),
        "accessible",
    ),
    "a torn page, and its beginning again": (
        lambda: torn(16_384, 10_240, truncated=True),
        "inconclusive/http.timeout.any",
    ),
    "a torn page, and more of it again": (lambda: torn(16_384, 65_536, truncated=True), "accessible"),
    "a torn page, and a whole one": (lambda: torn(16_384, 12_000, truncated=False), "accessible"),
    "a torn page, and a greeting": (
        lambda: _healthy().dns(SITE).tcp().tls().http(failure=TIMEOUT).retry_tls(),
        "inconclusive/http.timeout.any",
    ),
    "a hotel's page in place of all plain ones": (lambda: hotel(genuine=False), "inconclusive"),
    "a hotel's page in place of one test page": (lambda: hotel(genuine=True), "accessible"),
    "a redirect to a block page": (CODES["redirect_to_block_page"], "blocked/http/http.redirect.any"),
    "a stranger's certificate everywhere": (stranger_shown, "blocked/mitm/tls.mitm.unknown_ca"),
    "a stranger's valid certificate everywhere": (
        lambda: stranger_shown("ssl_invalid_hostname"),
        "blocked/mitm/tls.mitm.stranger",
    ),
    "a stranger's certificate at one other place": (lambda: stranger_shown(places=1), STRANGER),
    "a stranger's certificate at two places of one operator": (
        lambda: stranger_shown(shown=(NEUTRALS[0], NEUTRALS[0].rpartition(".")[0] + ".99")),
        STRANGER,
    ),
    "a stranger's certificate for every name": (lambda: stranger_shown(elsewhere="11" * 32), STRANGER),
    "a stranger's certificate as near as the router": (lambda: stranger_shown(first_byte_us=1_900), STRANGER),
    "a router's certificate everywhere": (lambda: stranger_shown(issuer="CN=ASUSTeK Router CA"), STRANGER),
    "a certificate for an address at home": (lambda: stranger_shown(names=("192.168.1.1",)), STRANGER),
    "a product's certificate everywhere": (
        lambda: stranger_shown(issuer="CN=FortiGate CA"),
        "inconclusive/network.filter",
    ),
    "a certificate that signed itself everywhere": (
        lambda: stranger_shown(self_issued=True),
        "inconclusive/tls.certificate.self_signed",
    ),
    "a forged national certificate": (national_ca, "blocked/mitm/tls.mitm.known_ca"),
    "the same, expired": (lambda: national_ca(expired=True), "blocked/mitm/tls.mitm.known_ca"),
    "the same, trusted here": (national_ca_trusted_here, "blocked/mitm/tls.mitm.known_ca"),
    "a bogon from the provider": (bogon, "blocked/dns/dns.injection.bogon"),
    "a forged certificate wherever the name is asked for": (forged_elsewhere, "blocked/mitm/tls.mitm.unknown_ca"),
    "the same, seen once": (lambda: forged_elsewhere(1), "inconclusive/tls.mitm.unknown_ca"),
    "a denial put in on the way": (injected_denial, "blocked/dns/dns.servfail"),
    "injected on the way": (injected, "blocked/dns/dns.injection.bogon"),
    "two replies": (two_replies, "blocked/dns/dns.injection.bogon"),
    "one address for unrelated names": (sinkhole, "blocked/dns/dns.injection.other"),
    "one address for unrelated names, not looked at": (sink_without_page, "inconclusive/dns.injection.other"),
    "a block page's address": (block_page_address, "blocked/dns/dns.injection.block_page"),
    "volleys of strangers' addresses where nobody listens": (injected_by_volleys, "blocked/dns/dns.injection.other"),
    "two answers to a packet that was doubled": (
        lambda: injected_by_volleys(ttl=57),
        "inconclusive/dns.injection.other",
    ),
    "the operator says so": (operator_says, "blocked/dns/dns.nxdomain"),
    "a page of the family's own protection": (family_page, "no_network/filter/network.filter"),
    "a notice of an order that speaks of families too": (
        lambda: family_page(f"{ORDER_RU} Родительский контроль"),
        "blocked/dns/dns.injection.block_page",
    ),
    "denied twice here, proven abroad": (denied_twice, "blocked/dns/dns.nxdomain"),
    "refused twice here, proven abroad": (lambda: denied_twice("dns_refused_error"), "blocked/dns/dns.refused"),
    "questions for the name lost, and only in clear": (questions_dropped, "blocked/dns/dns.timeout"),
    "the same, at home once": (lambda: questions_dropped(twice=False), LOST),
    "the same, by the household's resolver": (lambda: questions_dropped(server=HOME), LOST),
    "the same, and no machine says that nobody listens": (lambda: questions_dropped(nobody=TIMEOUT), LOST),
    "the same, and one arrived where nobody listens": (lambda: questions_dropped(there=REFUSED), LOST),
    "the same, and others are lost abroad as well": (lambda: questions_dropped(others=TIMEOUT), LOST),
    "the same, one operator asked": (lambda: questions_dropped(readable=("8.8.8.8", "8.8.4.4")), LOST),
    "the same, of operators who are not heard in secret": (
        lambda: questions_dropped(readable=("8.8.8.8", "1.1.1.1")),
        LOST,
    ),
    "the same, and over a stream it is answered": (lambda: questions_dropped(stream=None), LOST),
    "the site refuses by law": (CODES["site_refuses_by_law"], "denied/legal/http.denied.legal"),
    "the site refuses the country": (CODES["site_refuses_country"], "denied/geo/http.denied.geo"),
    "the site refuses robots": (CODES["site_refuses_visitor"], "denied/antibot/http.denied.antibot"),
    "the site refuses the rate": (CODES["site_refuses_rate"], "denied/ratelimit/http.denied.ratelimit"),
    "a server error": (CODES["server_error"], "outage/http/http.server_error"),
    "an expired certificate": (expired, "outage/certificate/tls.certificate.expired"),
    "a certificate put up too early": (not_yet_valid, "outage/certificate/tls.certificate.not_yet_valid"),
    "an answer nobody can read": (garbled, "inconclusive/http.garbled.any"),
    "an answer nobody can read, plain": (lambda: garbled(f"http://{HOST}/"), "inconclusive/http.garbled.any"),
    "a link of the chain is missing": (no_intermediate, "inconclusive/tls.certificate.incomplete"),
    "an issuer seen nowhere else": (lambda: no_intermediate(issuer=GATEWAY), "inconclusive/tls.mitm.unknown_ca"),
    "a link that proves nothing": (lambda: no_intermediate(links=1), "inconclusive/tls.mitm.unknown_ca"),
    "a root of its own under a known name": (lambda: no_intermediate(code=19), "inconclusive/tls.mitm.unknown_ca"),
    "a name gone everywhere": (gone_everywhere, "outage/dns/dns.nxdomain"),
    "a zone broken everywhere": (broken_everywhere, "outage/dns/dns.servfail"),
    "a published bogon": (bogon_published, "outage/dns/dns.published_bogon"),
    "no link": (no_link, "no_network/link/network.link"),
    "no upstream": (no_upstream, "no_network/upstream/network.upstream"),
    "a dead resolver": (dead_resolver, "no_network/resolver/network.resolver"),
    "a captive portal": (captive_portal, "no_network/captive_portal/network.captive_portal"),
    "a wrong clock": (wrong_clock, "no_network/clock/network.clock"),
    "no world": (no_world, "no_network/international/network.international"),
    "a world that refuses": (lambda: no_world(REFUSED, REFUSED), "no_network/international/network.international"),
    "a refusal while the world is silent": (lambda: no_world(here=REFUSED), "inconclusive/ip.reset"),
    "an inspecting gateway": (lambda: gateway_everywhere(trusted=True), "no_network/filter/network.filter"),
    "a hosts file": (hosts_file, "no_network/filter/network.filter"),
    "a lying name service": (name_service_lies, "no_network/filter/network.filter"),
    "a name service that lies, as its resolver shows": (
        lambda: library_lied_to(SITE),
        "no_network/filter/network.filter",
    ),
    "lies to programs that ask without EDNS": (
        lambda: library_lied_to("10.10.34.36", alone="10.10.34.35"),
        "blocked/dns/dns.injection.bogon",
    ),
    "the same, and nobody lies where nobody listens": (
        lambda: library_lied_to("10.10.34.35"),
        "inconclusive/dns.injection.bogon",
    ),
    "the same, and somebody answers there for all": (
        lambda: library_lied_to("10.10.34.35", alone="10.10.34.35", silent=None),
        "inconclusive/dns.injection.bogon",
    ),
    "a library lied to, and who answers it is silent now": (library_lied_to, "inconclusive"),
    "a household filter": (household_filter, "no_network/filter/network.filter"),
    "a household filter, by its speed": (household_filter_by_speed, "no_network/filter/network.filter"),
    "a household filter that denies": (denies_by_turns, "no_network/filter/network.filter"),
    "the same, and one test page is gone": (
        lambda: denies_by_turns("www.python.org"),
        "no_network/filter/network.filter",
    ),
    "a household's resolver that denies anybody": (
        lambda: denies_by_turns("www.python.org", "www.debian.org"),
        "inconclusive/dns.nxdomain",
    ),
    "a household's resolver that denies and answers": (
        lambda: denies_by_turns(unchecked=SITE),
        "inconclusive/dns.nxdomain",
    ),
    "a provider's resolver that denies anybody": (
        lambda: denies_by_turns("www.python.org", "www.debian.org", server=PROVIDER),
        "inconclusive/dns.nxdomain",
    ),
    "a filter somebody chose": (chosen_filter, "no_network/filter/network.filter"),
    "filtered by request": (filtered_by_request, "no_network/filter/network.filter"),
    "antivirus with exceptions": (antivirus_with_exceptions, "inconclusive/tls.mitm.unknown_ca"),
    # what one network cannot tell
    "a company's gateway": (filtering_product, "inconclusive/network.filter"),
    "a router with a list of names": (router_takes_questions, "inconclusive/network.filter"),
    "a silent address": (silent_address, "inconclusive/ip.timeout"),
    "a refusing address": (refused_address, "inconclusive/ip.reset"),
    "all addresses silent": (all_addresses_dead, "inconclusive/ip.timeout"),
    "neighbours alive": (lambda: neighbours(None), "inconclusive/ip.timeout"),
    "neighbours dead": (lambda: neighbours(TIMEOUT), "inconclusive/ip.timeout"),
    "a control alone": (lambda: control(None), "inconclusive/ip.timeout"),
    "a control that is served elsewhere": (control_elsewhere, "inconclusive/ip.timeout"),
    "a control that fails as well": (lambda: control(TIMEOUT), "inconclusive/ip.timeout"),
    "a control that finds the address dead": (control_finds_address_dead, "inconclusive/ip.timeout"),
    "a server that is dead in two countries": (dead_in_two_countries, "outage/server/ip.timeout"),
    "a guard of the site in two countries": (scrubbed_in_two_countries, "outage/server/tls.timeout.any"),
    "prohibited on the way": (prohibited, "inconclusive/ip.unreachable"),
    "one neutral only": (sni_block_once, "inconclusive/tls.timeout.sni"),
    "too few tries": (sni_block_short, "inconclusive/tls.timeout.sni"),
    "a dead backend": (router_with_dead_backend, "inconclusive/tls.timeout.sni"),
    "a dead server": (dead_server, "inconclusive/tls.timeout.any"),
    "lost big packets": (small_packets_only, "inconclusive/tls.timeout.any"),
    "a closing server": (CODES["tls_server_ended_it"], "inconclusive/tls.eof.any"),
    "an unknown issuer": (strange_issuer, "inconclusive/tls.mitm.unknown_ca"),
    "a gateway not trusted here": (lambda: gateway_everywhere(trusted=False), "inconclusive/tls.mitm.unknown_ca"),
    "a self-signed certificate": (self_signed, "inconclusive/tls.certificate.self_signed"),
    "another's certificate": (wrong_host, "inconclusive/tls.certificate.wrong_host"),
    "expired, clock unknown": (lambda: expired(healthy=False), "inconclusive/tls.certificate.expired"),
    "a denial that may be remembered": (denied_by_zone, "inconclusive/dns.nxdomain"),
    "a denial whose zone nobody knows of": (
        lambda: denied_by_zone(abroad=None, failure=TIMEOUT),
        "inconclusive/dns.nxdomain",
    ),
    "a denial with the mark of a zone of the provider's own": (
        lambda: denied_by_zone(
            replace(COM, zone="facebook.com", mname="ns.provider.example"), replace(COM, zone="facebook.com")
        ),
        "blocked/dns/dns.nxdomain",
    ),
    "a denial with the mark of a zone of the provider's own, which answers for everybody": (
        denied_by_zone_of_a_proxy,
        "blocked/dns/dns.nxdomain",
    ),
    "a denial with the mark of a zone that there is not": (
        lambda: denied_by_zone(replace(COM, zone="facebook.com"), None, "dns_nxdomain_error"),
        "blocked/dns/dns.nxdomain",
    ),
    "denied once": (denied_once, "inconclusive/dns.nxdomain"),
    "a failing resolver": (servfail_here_only, "inconclusive/dns.servfail"),
    "a redirect to a host whose name talks of blocking": (
        lambda: plain(302, location="http://blackhole.example/"),
        "inconclusive/http.redirect.any",
    ),
    "a page by order": (CODES["block_page"], "inconclusive/http.block_page.any"),
    "a page by order at the site's address only": (notice, "inconclusive"),
    "a page that talks of blocking": (CODES["block_page_likely"], "inconclusive/http.block_page.any"),
    "a stale address": (stale, "inconclusive/tls.certificate.wrong_host"),
    "a rewriting resolver": (rewriting, "inconclusive/tls.certificate.self_signed"),
    "a tunnel's address": (tunnel_address, "inconclusive/network.filter"),
    "a reset from beside": (reset_beside, "inconclusive/network.filter"),
    "redirects without end": (sent_in_a_circle, "inconclusive"),
    "redirects without end, and another greeting": (sent_in_a_circle_and_greeted, "inconclusive"),
}

CODES |= chains.CODES
WORDS |= chains.WORDS
CODES |= apps.CODES
WORDS |= apps.WORDS
CODES |= calls.CODES
WORDS |= calls.WORDS
CODES |= cheap.CODES
WORDS |= cheap.WORDS
CODES |= holes.CODES
WORDS |= holes.WORDS
CODES |= pages.CODES
WORDS |= pages.WORDS
CODES |= protocols.CODES
WORDS |= protocols.WORDS
CODES |= sinks.CODES
WORDS |= sinks.WORDS
CODES |= speeds.CODES
WORDS |= speeds.WORDS
CODES |= followed.CODES
CODES |= this_side.CODES
WORDS |= followed.WORDS
WORDS |= this_side.WORDS
CODES |= questions.CODES
WORDS |= questions.WORDS
CODES |= remembering.CODES
WORDS |= remembering.WORDS
CODES |= over_quic.CODES
WORDS |= over_quic.WORDS
