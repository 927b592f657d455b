"""Stories of names: answers that are wrong, put in, denied, stale or somebody's own choice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from probe.observations import Soa, TcpFact
from tests.unit import verdict_scenarios_questions as questions
from tests.unit.facts import (
    BLOCK_HOST,
    HOME,
    HOST,
    NEUTRALS,
    OTHER_SITE,
    PROVIDER,
    REFUSED,
    SITE,
    TIMEOUT,
    Facts,
    certificate,
)
from tests.unit.verdict_scenarios_begin import NO_RESOLVER, healthy_site
from tests.unit.verdict_scenarios_requests import ORDER_RU


def bogon() -> Facts:
    return healthy_site().no_name("dns_bogon_error", "10.10.34.35").foreign(SITE).tried(SITE)


def bogon_without_witness() -> Facts:
    return healthy_site().dns("127.0.0.1").foreign(failure=TIMEOUT)


def bogon_published() -> Facts:
    return healthy_site().dns("127.0.0.1").foreign("127.0.0.1")


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
    facts = _sinkholed(healthy_site().also(2, "https://meduza.io/"))
    facts.system("random_label", failure="dns_nxdomain_error", name="qwertyuiopasdf.com")
    return facts.dns(BLOCK_HOST, endpoint=2, name="meduza.io")


def block_page_address() -> Facts:
    facts = healthy_site("http://www.facebook.com/").dns(BLOCK_HOST).tcp(BLOCK_HOST, port=80)
    facts.http(200, address=BLOCK_HOST, body=ORDER_RU)
    chain = (certificate("sink.example.kz", issuer="CN=sink", self_issued=True),)
    facts.tried(BLOCK_HOST, "ssl_unknown_authority", chain=chain)
    return facts.foreign(SITE).tried(SITE)


def wrong_address() -> Facts:
    return _sinkholed(healthy_site())


def operator_says() -> Facts:
    return healthy_site().no_name("dns_nxdomain_error", extended_errors=(16,))


def denied_twice(failure: str = "dns_nxdomain_error", server: str = PROVIDER) -> Facts:
    facts = healthy_site().no_name(failure, server=server).foreign(SITE).tried(SITE)
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
    facts = healthy_site().no_name("dns_nxdomain_error", soa=told).foreign(SITE).tried(SITE)
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
    return healthy_site().no_name("dns_nxdomain_error").foreign(SITE).tried(SITE)


def servfail_here_only() -> Facts:
    return healthy_site().no_name("dns_servfail_error").foreign(SITE).tried(SITE)


def empty_here_only() -> Facts:
    return healthy_site().no_name("dns_no_answer").foreign(SITE).tried(SITE)


def silent_here_only() -> Facts:
    return healthy_site().no_name(TIMEOUT).foreign(SITE).tried(SITE)


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
    facts = healthy_site().no_name(TIMEOUT, server=server, rcode=None)
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
    return healthy_site().no_name("dns_nxdomain_error").foreign(failure="dns_nxdomain_error")


def broken_everywhere() -> Facts:
    return healthy_site().no_name("dns_servfail_error").foreign(failure="dns_servfail_error")


def unchecked_works() -> Facts:
    facts = servfail_here_only()
    return facts.system("cd", SITE, checking_disabled=True)


def rewriting() -> Facts:
    return _sinkholed(healthy_site()).system("random_label", BLOCK_HOST, name="qwertyuiopasdf.com")


def stale() -> Facts:
    chain = (certificate("shop.example.org"),)
    facts = healthy_site().dns(BLOCK_HOST).tcp(BLOCK_HOST)
    facts.tls(BLOCK_HOST, failure="ssl_invalid_hostname", chain=chain, verify_code=62)
    return facts.foreign(SITE).tried(SITE)


def tunnel_address() -> Facts:
    return healthy_site().dns("198.18.0.7").tcp("198.18.0.7", failure=TIMEOUT).foreign(SITE).tried(SITE)


# -- local filters -----------------------------------------------------------------------------------------------------


def hosts_file() -> Facts:
    from probe.observations import HostFact

    facts = healthy_site()
    return facts.add(HostFact(hosts_file_addresses=("0.0.0.0",)), purpose="baseline", name=HOST, group="v4")


def name_service_lies() -> Facts:
    facts = healthy_site()
    facts.dns("127.0.0.1", transport="getaddrinfo", rcode=None)
    return facts.works()


def library_lied_to(
    *alike: str, alone: str | None = None, server: str = PROVIDER, silent: str | None = REFUSED, took_us: int = 20_000
) -> Facts:
    """The C library gets a bogon and the probe, which asks with EDNS, the truth; *alike* is what it gets without.

    *alone* is what a machine without a resolver "answers" then, *took_us* after; ``silent`` is how it takes another name.
    """
    facts = healthy_site().dns("10.10.34.35", transport="getaddrinfo", rcode=None, server="").works()
    failure = None if alike else TIMEOUT
    facts.system("no_edns", *alike, failure=failure, server=server, rcode=0 if alike else None, arm="target")
    values = () if silent else (OTHER_SITE,)
    facts.dns(
        *values, failure=silent, name="www.wikipedia1.org", arm="innocuous", rcode=None if silent else 0, **NO_RESOLVER
    )
    if alone is None:
        return facts.dns(failure=REFUSED, arm="target", rcode=None, **NO_RESOLVER)
    return facts.dns(alone, arm="target", duration_us=took_us, **NO_RESOLVER)


def household_filter() -> Facts:
    facts = healthy_site().dns("0.0.0.0", server=HOME).foreign(SITE).tried(SITE)
    return facts.system("filter", "0.0.0.0", name="doubleclick.net", server=HOME)


def household_filter_by_speed() -> Facts:
    facts = healthy_site().dns("0.0.0.0", server=HOME, duration_us=900).foreign(SITE).tried(SITE)
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
    return healthy_site().no_name("dns_nxdomain_error", server="94.140.14.14").foreign(SITE).tried(SITE)


def filtered_by_request() -> Facts:
    return healthy_site().no_name("dns_nxdomain_error", extended_errors=(17,))


def family_page(body: str = "Сайт закрыт услугой «Родительский контроль»") -> Facts:
    """Two unrelated names are sent to a page of the provider's that speaks of the family's own protection."""
    return shown_at_the_sink(sink_without_page(), body)


def home_box_says_blocked() -> Facts:
    return healthy_site().dns("0.0.0.0", server=HOME, extended_errors=(15,)).foreign(SITE).tried(SITE)


def router_takes_questions() -> Facts:
    """A parental list in the router: it answers for listed names wherever the question was sent."""
    facts = Facts().context().healthy().dns("0.0.0.0", server=HOME, duration_us=900).foreign(SITE).tried(SITE)
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **NO_RESOLVER)
    return facts.dns("0.0.0.0", arm="target", duration_us=1_000, **NO_RESOLVER)


def filtering_product() -> Facts:
    """A company's gateway forges what it refuses, here and at addresses that have nothing to do with the name."""
    issuer = "O=Fortinet, CN=FortiGate CA"
    chain = (certificate(HOST, issuer=issuer),)
    facts = healthy_site().no_greeting("ssl_unknown_authority", chain=chain, verify_code=20)
    for index in (0, 1):
        at: dict[str, Any] = {"purpose": "neutral_chain", "group": f"neutral/{index + 1}"}
        facts.tls(NEUTRALS[index], failure="ssl_unknown_authority", chain=chain, verify_code=20, **at)
    return facts
