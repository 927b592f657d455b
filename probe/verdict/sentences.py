"""Codes to sentences in the reader's language. Plain words: no acronym but DNS, TLS, HTTP, VPN and ISP.

Findings carry codes and parameters only, so that a database can be read in another language later. A code without a
sentence is an error here and a failed test, never an empty line.
"""

from __future__ import annotations

from typing import Any

from probe.verdict import counted, evidence
from probe.verdict.model import Finding

_FAILURES = {
    "generic_timeout_error": "no answer within the time allowed",
    "connection_refused": "the connection was refused",
    "connection_reset": "the connection was broken off",
    "connection_aborted": "the connection was broken off",
    "connection_already_closed": "the connection was already closed",
    "eof_error": "the other side closed the connection",
    "host_unreachable": "the address cannot be reached",
    "network_unreachable": "the network cannot be reached",
    "network_down": "the network is down",
    "network_reset": "the network was reset",
    "dns_nxdomain_error": "it says that the name does not exist",
    "dns_servfail_error": "it says that it failed",
    "dns_refused_error": "it refuses to answer",
    "dns_no_answer": "it says that the name has no address",
    "dns_bogon_error": "it gave an address that no site can have",
    "dns_temporary_failure": "it failed for now",
    "dns_non_recoverable_failure": "it failed",
    "dns_server_misbehaving": "it answered with nonsense",
    "dns_reply_with_wrong_query_id": "somebody else answered in its place",
    "http_request_failed": "what came is nothing that a browser can read",
    "http_invalid_redirect_location_host": "it sends its visitors to an address that cannot be",
    "ssl_failed_handshake": "the greeting was refused",
    "ssl_invalid_certificate": "the certificate is not valid now",
    "ssl_invalid_hostname": "the certificate is for another name",
    "ssl_unknown_authority": "the certificate's issuer is not known",
}
_MANNERS = {
    "timeout": "silence",
    "reset": "broken off",
    "eof": "closed",
    "alert": "refused",
    "block_page": "another page",
    "redirect": "sent elsewhere",
}

_PROTOCOLS = {
    "mtproto": "Telegram's own protocol",
    "stun": "the protocol that calls begin with (STUN)",
    "openvpn": "OpenVPN's protocol",
    "ikev2": "IKEv2's protocol",
    "wireguard": "WireGuard's protocol",
    "tor": "Tor's protocol",
    "quic": "the newer, faster protocol (QUIC)",
    "doh": "encrypted DNS over HTTPS",
    "dot": "encrypted DNS over TLS",
    "doq": "encrypted DNS over QUIC",
    "encrypted": "a protocol without any shape",
    "random": "random bytes",
}

_SETTLE = {
    "look_yourself": "open it in a browser: what turns this program away may let people in",
    "measure_again": "measure it again: this run did not get to the end of it",
    "report_bug": "a bug in this program ended the measurement: please report it",
    "stay_here": "measure it again in one network from beginning to end, its VPN on or off all the while",
    "stay_awake": "measure it again while the computer stays awake",
    "know_own_side": "whether this network itself works could not be told: measure again in a few minutes",
    "without_own_routers": "connect this computer to the provider's line itself, without the routers and filters of this house "
    "or company in between, and measure again",
    "paid_line": "measure from a line whose tariff is not used up: see what the operator says of its volume and balance",
    "without_proxy": "measure from a line without a proxy that takes every connection",
    "neutral_pair": "compare the name with another one at unrelated addresses abroad (the check does so when it can)",
    "more_neutrals": "repeat the comparison of names at two unrelated addresses, with at least six tries each",
    "smaller_packets": "lower the packet size of this network (for example to 1400) and measure again",
    "other_dns": "ask the provider's own DNS and two encrypted ones for the name again, an hour later",
    "set_clock": "set this computer's clock and measure again",
    "later": "measure again in an hour: a dead server comes back, a block by address stays",
    "control_silent": "the server elsewhere that you named gave no answer: see to it, and measure again",
    "know_countries": "say in which countries this computer and the server elsewhere are: in two, its word weighs more",
    "echo_port": "see that your server elsewhere is up, and that nothing before it stops what comes to port 10007, of "
    "either kind (dalel help control)",
    "other_line": "compare again from another line, at another hour, and at a server of another company",
    "another_provider": "measure the same site at the same time from another provider here",
    "another_vantage": "measure the same site at the same time from another country, and from another provider here",
}
_IMPAIRMENTS = {
    "ipv6_broken": "the newer kind of address (version 6) does not work; the older one does",
    "ipv4_broken": "the older kind of address (version 4) does not work; the newer one does",
    "address_dead": "one of its addresses is dead; another one works",
    "flaky": "the first try failed and a later one worked",
    "uneven": "elsewhere, connections that name this site failed and others did not: it may be blocked in part",
    "resolver_lies": "some DNS here gives wrong answers for it, without keeping visitors out",
    "interference_seen": "connections are interfered with by name, without keeping visitors out at this moment",
    "slow": "it answers, but slowly",
    "quic_blocked": "the newer, faster kind of connection gets no answer when it names this site, and one when it names "
    "another: your network stops it for this name; pages come in the older way",
    "quic_filtered": "the newer, faster kind of connection gets no answer from anybody here, as in many homes and companies; "
    "pages come in the older way",
    "quic_version_filtered": "the newer, faster kind of connection is stopped here whatever it names, by what it says and "
    "not by its port; pages come in the older way",
    "quic_partly": "short greetings in the newer, faster kind of connection get no answer from this site; long ones, as "
    "browsers send them, do",
    "quic_unanswered": "the site offers the newer, faster kind of connection and gives no answer in it, to this computer at "
    "least; pages come in the older way",
    "ech_blocked": "this network stops greetings that hide a site's name inside another, as newer browsers send them to some "
    "sites, whatever the site: it was compared at places that have nothing to do with it",
    "provider_dns_untested": "your provider's DNS was not tested: this computer asks another one",
    "transparent_proxy": "somebody on the way takes every connection, so connections by themselves say nothing",
    "control_silent": "a server elsewhere that you named gave no answer, so it is no evidence for anything",
    "control_cut_off": "a server elsewhere that you named cannot reach well-known sites, so it is not heard",
    "control_same_country": "a server elsewhere that you named is in this very country, so it is not heard",
    "control_censored": "a server elsewhere that you named is kept from this name itself, so it is not heard",
    "control_contradicted": "a server elsewhere that you named says what cannot be true, so it is not believed",
    "own_side_unsteady": "this network worked at one moment and not at another during the measurement",
}
_GATES = {
    "late_success_withdraws": "the name was answered later in the comparison, so the comparison does not count",
    "transparent_proxy": "somebody on the way takes every connection, so connections and comparisons do not count",
    "broken_beside": "what breaks the connections is as near as this network's own router, which may be what does it",
    "put_in_beside": "this network's own router or gateway may have put the page in",
    "guard_of_the_site": "the name passes elsewhere, so who breaks it off at its own address may be the site's own guard",
    "put_in_on_the_way": "the page came at unrelated addresses too, for this name only, so it says nothing about the site",
    "unlike_elsewhere": "the page is quite another one than others get, so it is no word for the site",
    "proxy_for_pages": "somebody on the way answers unencrypted requests for every address, so comparing them says nothing",
    "path_mtu": "only small packets get through, so silence says nothing about the name",
    "page_is_the_sites_own": "the page came with the site's own valid certificate, so it is the site's own word",
    "rewriting_resolver": "this DNS invents addresses for every missing name, so its answer says nothing about this one",
    "old_denial": "the name's own zone or the one above it said so once, so the denial may be remembered and not made up",
    "stale_address": "the address belongs to somebody else by now, so it is old and not forged",
    "stranger_everywhere": "the stranger is met wherever the name is asked for, so it is neither an old address nor a mistake",
    "trust_not_refusal": "the DNS failure comes from checking signatures, so it is no refusal",
    "split_horizon": "a company's or university's own DNS knows its VPN server by another address inside, or by none, so its "
    "answer is no lie for certain",
    "local_filter": "the refusal was made in the own household or company, so the provider is not to blame for it",
    "hosts_file_rules": "this computer's own list of names rules for every other program on it",
    "healthy_line_may_filter": "that other names pass says nothing about a filter on this one",
    "products_filter": "the certificate is a filtering product's, such as companies, schools and antivirus use",
    "portal_page": "this network answers unencrypted requests with a page of its own, so it says nothing about the site",
    "clock_first": "this computer's clock is wrong, so dates of certificates say nothing",
    "national_first": "the certificate is a state's, whatever else is wrong with it",
    "own_side_is_scoped": "trouble of the own network does not explain what was proven about the name",
    "same_in_two_countries": "the site treats its name so in another country too, so the network here is not to blame for it",
    "control_only_leans": "what was seen here proves it, so what a server elsewhere says is not needed and does not count",
    "others_stopped_too": "unrelated names are stopped as this one is, so the network goes by a list of what it lets through, "
    "as a tariff does that is used up",
    "slow_is_not_open": "that the site came at all says nothing of how slowly it comes, which is proven by itself",
    "stopped_at_home": "it is stopped at this network's own router or right behind it, so that router may be what does it",
    "refuses_advertising": "the same DNS refuses advertising too, as a filter does that somebody here may have chosen",
    "this_side": "what stops it may still be inside this house or company: no router that is somebody else's is known to have "
    "had it",
    "maybe_a_proxy": "whether somebody on the way takes every connection was not found out, and then comparisons say nothing",
    "blocked_needs_proof": "nothing proves that the network acts on this name; a failure alone does not",
    "outage_needs_own_word": "from one network a dead site and an unreachable one look alike; the site has said nothing itself",
    "others_need_proof": "nothing proves it",
    "blocked_floor": "the evidence is not strong enough to say blocked",
    "floor": "the evidence is not strong enough for any word",
    "host_moved": "the computer changed its network or its VPN during the measurement, so what it met is of two networks",
    "host_slept": "the computer slept during the measurement, so its failures do not count",
    "our_bug": "a bug in this program ended the measurement",
}
_ALSO = {
    "also_down": "besides being interfered with, the site's own server does not answer any name: it is also down",
    "control_never_arrived": "by the word of your server elsewhere, what named this site left here and never arrived there",
    "control_answer_lost": "by the word of your server elsewhere, what named this site arrived there and was answered, and the "
    "answer never came here",
    "control_altered": "by the word of your server elsewhere, what named this site arrived there changed",
}
_LEANINGS = {
    "blocked": "it looks more like blocking than like anything else, but that is not proven",
    "denied": "it looks as if the site refuses this visitor, but that is not proven",
    "outage": "it looks more like trouble at the site than like anything else, but that is not proven",
    "no_network": "it looks more like this own network than like anything else, but that is not proven",
    "accessible": "it looks as if it can be reached, but that is not proven",
}


_LOCATED = {
    "located_greeting_dropped": "a connection that names the site gets lost {between}; one that names another gets through",
    "located_greeting_reset": "a connection that names the site is broken off {between}; one that names another gets through",
    "located_greeting_ended": "a connection that names the site is ended {between}; one that names another gets through",
    "located_greeting_at_end": "a connection that names the site passes every router on the way and gets no answer; one that "
    "names another gets through",
    "located_greeting_reply_lost": "what names the site arrives, and the answer to it gets lost on its way back",
    "located_connection_dropped": "packets to the site get lost {between}; packets to another address get past there",
    "located_connection_at_end": "packets to the site pass every router that packets to another address pass",
}


class _Said(dict[str, Any]):
    """Parameters of a sentence; one that an older version did not store is shown as unknown."""

    def __missing__(self, key: str) -> str:
        return "unknown"


def _plain(parameters: dict[str, Any]) -> _Said:
    said = _Said(parameters)
    if isinstance(said.get("failure"), str):
        said["failure"] = _FAILURES.get(said["failure"], said["failure"].removeprefix("unknown_failure: "))
    if isinstance(said.get("protocol"), str):
        said["protocol"] = _PROTOCOLS.get(said["protocol"], said["protocol"])
        if (said.get("failure") or "").startswith("not "):
            said["failure"] = "what answered speaks something else"
    if isinstance(said.get("after"), int):
        said["after"], said["before"] = _hops(said)
        said["between"] = f"between {said['after']} and {said['before']}"
    if isinstance(said.get("days"), float):
        said["days"] = counted.days(said["days"])
    if isinstance(said.get("manner"), str):
        said["manner"] = _MANNERS.get(said["manner"], said["manner"])
    return said


def _hops(said: _Said) -> tuple[str, str]:
    """Two hops, as people are told of them: routers on the way are counted, the first one is nearest to this computer."""
    before = said.get("before")
    end = said.get("at_end") or (before is not None and before == said.get("distance"))
    near = "this computer" if not said["after"] else _router(said, "after")
    if before is None:
        return near, "the place itself"
    return near, "the place itself" if end else _router(said, "before")


def _router(said: _Said, which: str) -> str:
    """One end of an interval: the router's number, and its address and network as far as they are known."""
    network = said.get(f"{which}_network")
    whose = f"AS{network['asn']} {network['name']}".rstrip() if network else None
    known = ", ".join(part for part in (said.get(f"{which}_hop"), whose) if part)
    return f"router {said[which]} ({known})" if known else f"router {said[which]}"


def located(code: str, parameters: dict[str, Any], lang: str = "en") -> str:
    """Where on the way something is stopped, by what ``probe.verdict.located.words`` gives."""
    _language(lang)
    text = _LOCATED[code].format_map(_plain(parameters))
    return text[0].upper() + text[1:] + "."


def render(finding: Finding, lang: str = "en") -> str:
    """The finding as a sentence. ``KeyError`` for a code that this version does not know."""
    return _begun_large(clause(finding, lang), evidence.TABLE[finding.code].sentence) + "."


def clause(finding: Finding, lang: str = "en") -> str:
    """The finding for the middle of a sentence: no capital, no full stop."""
    _language(lang)
    said = _plain(finding.parameters)
    return counted.template(finding.code, evidence.TABLE[finding.code].sentence, said).format_map(said)


def _begun_large(text: str, template: str) -> str:
    """With a capital, unless it begins with a site's name: those are written as they are asked for."""
    return text if template.startswith("{host}") else text[0].upper() + text[1:]


def settle(code: str, lang: str = "en") -> str:
    """What would settle an inconclusive result."""
    return _sentence(_SETTLE, code, lang)


def impairment(code: str, lang: str = "en") -> str:
    """What is broken without keeping the user out."""
    return _sentence(_IMPAIRMENTS, code, lang)


def gate(code: str, lang: str = "en") -> str:
    """Why some evidence, or a word, did not count."""
    return _sentence(_GATES, code, lang)


def also(code: str, lang: str = "en") -> str:
    """What else is the matter."""
    return _sentence(_ALSO, code, lang)


def manner(word: str, lang: str = "en") -> str:
    """How an exchange failed, in a word or two for the middle of a sentence."""
    _language(lang)
    return _MANNERS[word]


def protocol(word: str, lang: str = "en") -> str:
    """What an app speaks, in plain words for the middle of a sentence."""
    _language(lang)
    return _PROTOCOLS.get(word, word)


def leaning(status: str, lang: str = "en") -> str:
    """What an inconclusive result leans to."""
    return _sentence(_LEANINGS, status, lang)


def _sentence(table: dict[str, str], code: str, lang: str) -> str:
    _language(lang)
    text = table[code]
    return text[0].upper() + text[1:] + "."


def _language(_lang: str) -> None:
    """Only English is written yet; every language falls back to it."""


def codes() -> dict[str, frozenset[str]]:
    """All codes that have a sentence, by kind; tests hold them against what can be emitted."""
    return {
        "settle": frozenset(_SETTLE),
        "impairment": frozenset(_IMPAIRMENTS),
        "gate": frozenset(_GATES),
        "also": frozenset(_ALSO),
        "leaning": frozenset(_LEANINGS),
        "located": frozenset(_LOCATED),
    }
