"""Stories of this side of the line, and of sites that work."""

from __future__ import annotations

from tests.unit.facts import (
    HOST,
    OTHER_SITE,
    SITE,
    TIMEOUT,
    Facts,
    certificate,
)
from tests.unit.verdict_scenarios_begin import healthy_site
from tests.unit.verdict_scenarios_requests import PLAIN


def hotel(*, genuine: bool) -> Facts:
    """A page of the hotel's in place of plain ones (of all, or of one of the two test pages); TLS passes to everybody."""
    facts = Facts(PLAIN).context().machine().canary("system/92.46.1.1").canary("literal/1.1.1.1")
    facts.canary("foreign/www.python.org").canary("foreign/www.debian.org")
    facts.portal(200, which="captive.apple.com/hotspot-detect.html", body="Welcome to Hotel Wi-Fi")
    facts.portal(204 if genuine else 200, body="" if genuine else "Welcome to Hotel Wi-Fi")
    return facts.works(200, body="Welcome to Hotel Wi-Fi", body_length=22)


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
    return healthy_site().works()


def flaky() -> Facts:
    return healthy_site().no_greeting().retry_tls(TIMEOUT, 1).retry_tls(None, 2)


def sent_in_a_circle(times: int = 11) -> Facts:
    """Every page is a redirect to the next one, over a verified chain."""
    facts = healthy_site()
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
    facts = healthy_site().no_connection()
    facts.tcp(OTHER_SITE, purpose="siblings", group=f"address/{OTHER_SITE}")
    return facts.tls(OTHER_SITE, purpose="siblings", group=f"address/{OTHER_SITE}")
