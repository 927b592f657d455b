"""Every signature that the judge can emit, explained in two to four plain sentences: what was seen, and what it means.

A test holds this against the evidence table in both directions.
"""

from __future__ import annotations

_ANY = (
    "It is not known whether another name would have fared better at the same place, so this alone never means "
    "“blocked”: a dead server looks the same."
)
_SNI = (
    "At unrelated addresses abroad, another name, asked in turn, was answered every time. So the target's own server had "
    "no part in it: something on the way acts on the name."
)
_HOST = (
    "At unrelated addresses abroad, another name, asked in turn over plain HTTP, was answered as usual. So the target's "
    "own server had no part in it: something on the way acts on the name."
)

SIGNATURES: dict[str, str] = {
    # names
    "dns.injection.bogon": (
        "DNS gave the name an address that no public site can have, such as one inside a home network. Trustworthy DNS "
        "gave a real address. Tunnels of VPN programs, translated addresses and names that are meant to answer so were "
        "ruled out first."
    ),
    "dns.injection.block_page": (
        "DNS gave the name an address that is not the site's, and a notice of blocking is served there. The right address "
        "was told by DNS abroad and proved by the site's certificate."
    ),
    "dns.injection.other": (
        "A wrong answer about the name was put in on the way or told by the provider's DNS. An answer counts as wrong only "
        "if the site's certificate is not found at the address. An old address of somebody else's does not count."
    ),
    "dns.nxdomain": (
        "DNS says that the name does not exist. If DNS abroad gives an address that proves to be right, the denial is a "
        "lie (blocked). If DNS abroad says the same, the name is gone for everybody (outage): withdrawn or expired."
    ),
    "dns.servfail": (
        "The DNS service says that it failed to find the name. Sites with broken signatures and services with a wrong "
        "clock look like this, so it seldom means blocking. If DNS abroad fails as well, the site's own DNS is broken."
    ),
    "dns.refused": (
        "The DNS service refuses to answer for this name. If it answers for other names, refuses this one again and again, "
        "and DNS abroad gives a proven address, the refusal is about the name."
    ),
    "dns.no_answer": (
        "DNS says that the name exists and has no address. Some sites answer so by country, and some services refuse names "
        "in this way. Alone it proves nothing."
    ),
    "dns.timeout": (
        "The DNS service gave no answer for this name within its time. Its way to the site's own DNS may be down, so this "
        "alone never means blocking. Slow answers are waited for longer than browsers do."
    ),
    "dns.other": (
        "DNS gave no address that can be used, in a way that has no name of its own. The details are in the observations "
        "of the run."
    ),
    "dns.published_bogon": (
        "The site's own DNS gives an address that no public site can have, to everybody. Owners do so with names that they "
        "have retired. It is the site's doing, so it counts as an outage."
    ),
    # addresses
    "ip.timeout": (
        "The address did not answer a connection at all. A dead server, a dead road and a block by address all look like "
        "this from one network, so it stays inconclusive without another vantage."
    ),
    "ip.reset": (
        "The address refused the connection. Stopped servers do so; a refusal can also be forged on the way. From one "
        "network it stays inconclusive."
    ),
    "ip.unreachable": (
        "Somebody on the way, or this computer itself, said that the address cannot be reached. Which of the reasons was "
        "given, and by whom, is in the evidence. Alone it proves neither a block nor an outage."
    ),
    # greetings
    "tls.timeout.sni": (
        "Greetings that name this site are met with silence. Another name, asked in turn, was answered every time at "
        "unrelated addresses abroad, or was received by the site's own machine every time while this one never was. So the "
        "site's own server had no part in it: something on the way acts on the name."
    ),
    "tls.reset.sni": (
        "Connections are broken off as soon as this site is named. Other names pass, or the break came faster than the "
        "server could have sent it. So something on the way acts on the name."
    ),
    "tls.eof.sni": f"Connections are closed as soon as this site is named. {_SNI}",
    "tls.alert.sni": f"Greetings that name this site are refused in the server's name. {_SNI}",
    "tls.timeout.any": f"The connection opened, and the greeting of TLS was met with silence. {_ANY}",
    "tls.reset.any": f"The connection opened, and was broken off during the greeting of TLS. {_ANY}",
    "tls.eof.any": f"The connection opened, and was closed during the greeting of TLS. {_ANY}",
    "tls.alert.any": f"The connection opened, and the greeting of TLS was refused. {_ANY}",
    # certificates
    "tls.mitm.known_ca": (
        "The certificate was made by an issuer that is known to open encrypted connections for a state. Whoever accepts it "
        "lets that state read along. It counts whether it is expired, shown for all names, or trusted by this computer."
    ),
    "tls.mitm.unknown_ca": (
        "The certificate was made by an issuer that the web does not know. It may be antivirus, a company gateway, a state, "
        "or the site's own doing. Which of them cannot be told from here, so it stays inconclusive."
    ),
    "tls.mitm.stranger": (
        "Somebody else's valid certificate is shown for this name, and the same one where the site has never been. So "
        "something on the way answers in the site's place."
    ),
    "tls.certificate.expired": (
        "The site's own certificate is right in everything but its dates. Nobody forges a certificate in order to let it "
        "expire: the site forgot to renew it. This computer's clock was looked at first."
    ),
    "tls.certificate.not_yet_valid": (
        "The site's own certificate is right in everything but its dates: its time has not come yet. The site put it up too "
        "early. This computer's clock was looked at first."
    ),
    "tls.certificate.incomplete": (
        "The site's certificate came without the one that links it to an authority that the web knows. Servers are often set "
        "up so, and browsers find the link by themselves. A forger could look like this, so it stays inconclusive."
    ),
    "tls.certificate.wrong_host": (
        "The certificate that was shown is valid, but for another name. A misconfigured server, a moved site and a lie of "
        "the DNS look like this."
    ),
    "tls.certificate.self_signed": (
        "The certificate that was shown is signed by nobody but itself. A server that was just set up looks like this, and "
        "a box on the way as well. Alone it proves nothing."
    ),
    "tls.certificate.unknown_issuer": (
        "The certificate that was shown comes from an issuer that the web does not know. Who made it is in the evidence. "
        "Alone it proves nothing."
    ),
    "tls.certificate.invalid": (
        "The certificate that was shown is not valid, for its dates or for what it may be used for. The clock of this "
        "computer is one of the possible reasons."
    ),
    # pages
    "http.block_page.any": (
        "Instead of the site came a page that says access is closed. It came over plain HTTP, where anybody on the way can "
        "write a page. Known pages of hosting companies that use similar words were ruled out first."
    ),
    "http.redirect.any": (
        "Instead of the site came a redirect to a place that tells of blocking. It came over plain HTTP, where anybody on "
        "the way can send one."
    ),
    "http.block_page.host": f"Requests that name this site get a notice of blocking. {_HOST}",
    "http.redirect.host": f"Requests that name this site are sent elsewhere. {_HOST}",
    "http.reset.host": f"Connections are broken off as soon as this site is named. {_HOST}",
    "http.timeout.host": f"Requests that name this site are met with silence. {_HOST}",
    "http.eof.host": f"Connections are closed as soon as this site is named. {_HOST}",
    "http.timeout.any": f"The request was taken and no answer came. {_ANY}",
    "http.reset.any": f"The connection was broken off after the request. {_ANY}",
    "http.eof.any": f"The answer broke off. {_ANY}",
    "http.garbled.any": (
        "An answer came that is nothing a browser can read. Over a connection with the site's valid certificate the site "
        "itself sent it, most likely because it is broken. Over plain HTTP anybody could have written it."
    ),
    "http.server_error": (
        "The site answered that it is in trouble. Over a connection with its valid certificate that is its own word, so it "
        "counts as an outage. Over plain HTTP anybody could have written it, so it stays inconclusive."
    ),
    "http.denied.geo": (
        "The site itself says that it does not serve this country. It came over a connection with its valid certificate, so "
        "the network delivered it. That is the site's decision and never counts as blocking."
    ),
    "http.denied.legal": (
        "The site itself says that it may not serve this page for legal reasons. It is the site's own word, so it counts as "
        "refused by the site and not as blocked by the network."
    ),
    "http.denied.antibot": (
        "The site itself turned this program away, most often because it takes it for a robot. The network delivered the "
        "answer. A person with a browser may well get in."
    ),
    "http.denied.ratelimit": (
        "The site itself says that too many requests come from here. The network delivered the answer. Many people behind "
        "one address look like this to a site."
    ),
    # the own side
    "network.link": (
        "This computer has no connection to any network. Nothing can be said about any site until it has one."
    ),
    "network.upstream": (
        "The computer is connected, and nobody outside answers: unrelated well-known places of different operators are all "
        "silent. Restart the router, or ask the provider."
    ),
    "network.resolver": (
        "Addresses answer and names do not: the DNS service of this network is dead for every name. Nothing can be said "
        "about a site that was not found for that reason."
    ),
    "network.captive_portal": (
        "Well-known test pages are answered by somebody else: this network wants a login, a payment or a consent first. "
        "Open any page in a browser and follow it. Mere silence is never called so."
    ),
    "network.clock": (
        "The clock of this computer is off by more than a day. Valid certificates look expired or not yet valid then. Set "
        "the clock and measure again."
    ),
    "network.international": (
        "Sites in this country answer and nobody abroad does. That is a cut of the whole country's connections or of this "
        "provider's, not a block of one platform."
    ),
    "network.filter": (
        "This computer, this household or this employer refuses the name: its list of names, a filtering DNS service, "
        "antivirus or a company gateway. The provider is not to blame for it."
    ),
}


def explain(signature: str) -> str:
    """The explanation; ``KeyError`` for a signature that this version does not know."""
    return SIGNATURES[signature]
