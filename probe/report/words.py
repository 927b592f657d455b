"""A verdict in plain words, for people who are not network engineers. No acronym but DNS, TLS, HTTP, VPN and ISP."""

from __future__ import annotations

from collections.abc import Mapping

from probe.verdict.model import NetworkVerdict, Status, Verdict

SYMBOLS: Mapping[str, str] = {
    "accessible": "✓",
    "blocked": "✗",
    "denied": "⊘",
    "outage": "▽",
    "no_network": "!",
    "inconclusive": "?",
    "ok": "✓",
}
ASCII_SYMBOLS: Mapping[str, str] = {
    "accessible": "+",
    "blocked": "x",
    "denied": "/",
    "outage": "v",
    "no_network": "!",
    "inconclusive": "?",
    "ok": "+",
}
"""For terminals that cannot show the others. The word always stands beside the symbol."""

LABELS: Mapping[str, str] = {
    "accessible": "Accessible",
    "blocked": "Blocked",
    "denied": "Denied",
    "outage": "Outage",
    "no_network": "No network",
    "inconclusive": "Inconclusive",
}

BASES: Mapping[str, str] = {
    "artefact": "by what was put in or shown",
    "contrast": "by comparison",
    "control": "by another place's word",
    "history": "by what was so before",
    "behaviour": "by how it behaved",
}
"""What kind of evidence a verdict rests on."""
PLACES: Mapping[str, str] = {
    "host": "on this computer",
    "lan": "in this household's or company's network",
    "access": "in the provider's network",
    "transit": "on the way beyond the provider",
    "far_side": "at the site's side",
    "unknown": "where is not known",
}
"""As near as the evidence places the cause."""

# The longest prefix of "status.method" or "status.signature" that is here is the one that is said.
_HEADLINES: Mapping[str, str] = {
    "accessible": "an ordinary user on this network reaches it",
    "accessible.protocol": "what looks like it passes on this network",
    "blocked": "something in the network between you and the site keeps you out",
    "blocked.dns": "your network gives a false answer, or none, when asked where this name is (DNS)",
    "blocked.dns.injection": "somebody in the network answers for this name with an address that is not the site's",
    "blocked.dns.nxdomain": "your network's DNS says that this name does not exist, and it does",
    "blocked.dns.refused": "your network's DNS refuses to answer for this name",
    "blocked.dns.timeout": "questions about this name get no answer in your network, and other names do (DNS)",
    "blocked.ip": "your network lets other addresses through and not this one",
    "blocked.ip.timeout": "your network lets other addresses through and drops what is sent to this one",
    "blocked.ip.reset": "your network lets other addresses through and cuts connections to this one",
    "blocked.ip.unreachable": "your network lets other addresses through and says that there is no way to this one",
    "blocked.tls": "your network lets other names through and stops this one",
    "blocked.tls.timeout": "your network lets other names through and drops this one",
    "blocked.tls.reset": "your network lets other names through and cuts the connection at this one",
    "blocked.tls.eof": "your network lets other names through and closes the connection at this one",
    "blocked.tls.alert": "your network lets other names through and refuses this one",
    "blocked.http": "your network puts something else in the place of the site's page",
    "blocked.http.block_page": "your network shows a page of its own instead of the site",
    "blocked.http.redirect": "your network sends you to another page instead of the site",
    "blocked.http.reset": "your network cuts the connection when the site's name is asked for",
    "blocked.http.timeout": "your network drops the connection when the site's name is asked for",
    "blocked.http.eof": "your network closes the connection when the site's name is asked for",
    "blocked.quic": "your network stops the newer, faster kind of connection to this name",
    "blocked.protocol": "your network stops what this app speaks, and lets other connections through",
    "blocked.mitm": "somebody in the network opens the encrypted connection with a forged certificate and can read it",
    "blocked.tls.mitm": "somebody in the network opens the encrypted connection with a forged certificate and can read it",
    "blocked.throttling": "your network slows this site down, and not others",
    "blocked.throttling.delay": "your network holds back connections to this name for seconds, and not others",
    "blocked.throttling.freeze": "your network stops connections to this name after a few kilobytes, and not others",
    "denied": "the site answers, and refuses you itself; your network lets you through",
    "denied.geo": "the site answers, and refuses visitors from this country",
    "denied.legal": "the site itself says that the law keeps it from showing this here",
    "denied.antibot": "the site answers, but takes this program for a robot",
    "denied.ratelimit": "the site answers, and says that it was asked too often",
    "outage": "the fault is on the site's side; your network is not the cause",
    "outage.dns": "the site's own DNS does not work; your network is not the cause",
    "outage.dns.nxdomain": "this name does not exist anywhere; your network is not the cause",
    "outage.dns.published_bogon": "the site's own DNS gives an address that no site can have; your network is not the cause",
    "outage.server": "the site's server does not answer as it should; your network is not the cause",
    "outage.certificate": "the site's own certificate is not valid; your network is not the cause",
    "outage.tls.certificate.expired": "the site's own certificate has run out; your network is not the cause",
    "outage.tls.certificate.not_yet_valid": "the site's own certificate is not valid yet; your network is not the cause",
    "outage.tls.certificate.wrong_host": "the site shows the certificate of another name; your network is not the cause",
    "outage.http": "the site answers with an error of its own; your network is not the cause",
    "outage.route": "the way to the site is broken far from you; the site's neighbours cannot be reached either",
    "no_network": "the fault is on your own side, so nothing can be said about the site",
    "no_network.link": "this computer is not connected to any network",
    "no_network.upstream": "your connection leads nowhere: no site outside answers",
    "no_network.resolver": "your network's DNS does not answer, so no name can be found",
    "no_network.filter": "this computer, your household or your employer stands in the way of this name",
    "no_network.captive_portal": "this network wants you to log in or agree to something first",
    "no_network.clock": "this computer's clock is wrong, so no certificate can be checked",
    "no_network.international": "sites in your country answer, and nothing abroad does",
    "no_network.whitelist": "only a few chosen sites answer, and nothing else does",
    "no_network.shutdown": "this network has been cut off: nothing at all answers",
    "inconclusive": "there is not enough evidence to say",
}

_LEANINGS: Mapping[str, str] = {
    "accessible": "it may well be accessible",
    "blocked": "it may be blocked, and that is not proven",
    "denied": "it may be the site that refuses you",
    "outage": "it may be the site that is down",
    "no_network": "it may be your own network",
}

_NEXT: Mapping[str, str] = {
    "blocked": "How this was found: dalel explain {signature}",
    "denied": "Your network is not the cause. The site decides whom it lets in.",
    "denied.antibot": "Open it in a browser: people may pass where this program does not.",
    "denied.ratelimit": "Wait some minutes and check again.",
    "outage": "Check again later. If it stays so for you alone, somebody in another country should check it too.",
    "no_network": "Run dalel doctor: it looks at this computer and its network, and says what to do.",
    "no_network.filter": "Look at this computer's hosts file, its antivirus, and whoever runs this network's DNS.",
    "no_network.captive_portal": "Open any page in a browser, log in, and check again.",
    "no_network.clock": "Set this computer's clock, and check again.",
    "no_network.resolver": "Restart the router, or set another DNS server. Which one is asked: dalel doctor",
    "no_network.link": "Look at the cable, the Wi-Fi or the mobile data switch.",
    "no_network.upstream": "Restart the router. If that does not help, ask your ISP, or try another network.",
    "no_network.international": "Try another network. If it stays so, others in your country should check it too.",
    "no_network.whitelist": "Try another network. If it stays so, others in your country should check it too.",
    "no_network.shutdown": "Try another network. If it stays so, others in your country should check it too.",
}


def headline(status: Status, method: str | None = None, signature: str | None = None) -> str:
    """What *status* means, in one clause that says as much as the method and the signature allow."""
    return _deepest(_HEADLINES, status, method, signature) or status


def certainty(confidence: float | None) -> str:
    """``93 % sure``; never a false 100 %, and empty when nothing was claimed."""
    if confidence is None:
        return ""
    return f"{percent(confidence).replace('>', 'more than ')} sure"


def percent(confidence: float) -> str:
    """``93 %`` or ``>99 %``, where there is no room for words. Rounded down: nothing is ever quite sure."""
    return ">99 %" if confidence > 0.99 else f"{int(confidence * 100)} %"


def leaning(verdict: Verdict) -> str:
    """What an inconclusive verdict leans to; empty if to nothing."""
    return _LEANINGS.get(verdict.leaning or "", "")


def next_step(verdict: Verdict) -> str:
    """What the reader can do now; empty when nothing needs doing."""
    return advice(verdict.status, verdict.method, verdict.signature)


def advice(status: Status, method: str | None = None, signature: str | None = None) -> str:
    """What to do about a word; empty when nothing needs doing."""
    if status == "blocked" and signature is None:
        return "What this means: dalel help verdicts"
    return (_deepest(_NEXT, status, method, None) or "").format(signature=signature)


def network_line(network: NetworkVerdict) -> str:
    """The state of the own network, in one clause."""
    if network.status == "ok":
        return "works"
    if network.status == "no_network":
        return headline("no_network", network.method)
    return "not everything on your side answered, so some results say less than they could"


def _deepest(table: Mapping[str, str], status: str, method: str | None, signature: str | None) -> str | None:
    """The entry for the longest prefix of the dotted signature, else for the method, else for the status alone."""
    parts = signature.split(".") if signature else []
    places = [".".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    # A forged certificate has the signature tls.mitm.…, and its method says more than "tls" does.
    deep = [place for place in places if "." in place]
    for place in [*deep, *([method] if method else []), *places]:
        if (text := table.get(f"{status}.{place}")) is not None:
            return text
    return table.get(status)
