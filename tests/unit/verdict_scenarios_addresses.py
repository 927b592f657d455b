"""Stories of addresses that are silent, refuse or are dead, and of who looks at them from elsewhere."""

from __future__ import annotations

from typing import Any

from tests.unit.facts import (
    NEUTRALS,
    OTHER_SITE,
    REFUSED,
    SITE,
    TIMEOUT,
    Facts,
)
from tests.unit.verdict_scenarios_begin import healthy_site


def silent_address() -> Facts:
    return healthy_site().no_connection()


def refused_address() -> Facts:
    return healthy_site().no_connection(REFUSED)


def prohibited() -> Facts:
    return healthy_site().no_connection("host_unreachable", icmp_type=3, icmp_code=13, icmp_from="92.46.0.1")


def no_route() -> Facts:
    return healthy_site().no_connection("host_unreachable", icmp_type=3, icmp_code=1, icmp_from="4.4.4.1")


def own_routing_table() -> Facts:
    return healthy_site().no_connection("host_unreachable")


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
