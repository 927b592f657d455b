"""What is told about the signatures of connections: addresses, and the greetings of TLS and QUIC."""

from __future__ import annotations

from probe.verdict.explain.explanation import DEAD_SERVER, NOT_TOLD_APART, SERVER_BY_NAME, Explanation

_BY_NEUTRALS = (
    "Two servers abroad that have nothing to do with the site or with each other were asked for this name and for another "
    "one of the same length, in turn, six times and more. “Blocked” is said only if this name failed every time at both and "
    "the other one was answered in between; the site's server had no part in that. A single success of this name takes it "
    "back. With less it stays inconclusive."
)
_PLACE = (
    "With -v it is told between which two routers that is, where it could be found out, and whose they are, if you have "
    "brought a table of networks (dalel networks)."
)

EXPLAINED: dict[str, Explanation] = {
    # addresses
    "ip.timeout": Explanation(
        means="The address did not answer a connection at all.",
        besides="A dead server, a dead road, a server that ignores visitors from this country, or a block by address: from "
        "one network they look alike.",
        excluded="Other addresses of the site, its other port and its neighbours were tried. That can make one of them "
        "likelier and proves none, so without another vantage the result is inconclusive.",
    ),
    "ip.reset": Explanation(
        means="The address refused the connection at once.",
        besides="A stopped server refuses so, and so does a firewall of the site's. A refusal can also be forged on the way "
        "in the server's name.",
        excluded="Other addresses of the site and its other port were tried. None of these causes can be excluded from one "
        "network, so the result is inconclusive.",
    ),
    "ip.unreachable": Explanation(
        means="Somebody on the way, or this computer itself, said that the address cannot be reached.",
        besides="A missing route on this computer, a router on the way whose road is down, or one that says that it is "
        "forbidden to pass this on. Such messages can be forged.",
        excluded="The reason that was given, and by whom, is in the evidence, and a route that is missing on this computer is "
        "called its own trouble. The rest cannot be told apart from one network, so the result is inconclusive.",
    ),
    # greetings
    "tls.timeout.sni": Explanation(
        means="Encrypted connections begin with a greeting that names the site, and greetings that name this one are met with "
        f"silence. Something on the way acts on the name. {_PLACE}",
        besides=f"{SERVER_BY_NAME} Where only small packets get through, greetings get lost as well.",
        excluded=f"{_BY_NEUTRALS} It is also said if, at the site's own address, greetings with this name never even arrived "
        "and those with another name did, for a machine confirms what arrives before any program looks at the name. The "
        "size of packets was tried first.",
    ),
    "tls.reset.sni": Explanation(
        means=f"Connections are broken off as soon as this site is named. Something on the way acts on the name. {_PLACE}",
        besides=f"{SERVER_BY_NAME} This household's own router or a company's gateway may break them off.",
        excluded=f"{_BY_NEUTRALS} It is also said if the break came sooner than the server could have sent it, or if the "
        "server's real answer arrived behind it. What breaks off as quickly as the own router answers does not count.",
    ),
    "tls.eof.sni": Explanation(
        means="Connections are closed as soon as this site is named. Something on the way acts on the name.",
        besides=f"{SERVER_BY_NAME} This household's own router or a company's gateway may close them.",
        excluded=_BY_NEUTRALS,
    ),
    "tls.alert.sni": Explanation(
        means="Greetings that name this site are refused in the server's name. Something on the way acts on the name.",
        besides=f"{SERVER_BY_NAME} Servers do refuse names that they do not know.",
        excluded=f"{_BY_NEUTRALS} The two servers know neither name, so they have no reason to refuse one of them only.",
    ),
    "tls.timeout.any": Explanation(
        means="The connection opened, and the greeting of TLS was met with silence.",
        besides=f"{DEAD_SERVER} Where only small packets get through it looks the same.",
        excluded=NOT_TOLD_APART,
    ),
    "tls.reset.any": Explanation(
        means="The connection opened, and was broken off during the greeting of TLS.",
        besides=DEAD_SERVER,
        excluded=NOT_TOLD_APART,
    ),
    "tls.eof.any": Explanation(
        means="The connection opened, and was closed during the greeting of TLS.",
        besides=DEAD_SERVER,
        excluded=NOT_TOLD_APART,
    ),
    "tls.alert.any": Explanation(
        means="The connection opened, and the greeting of TLS was refused.",
        besides=f"{DEAD_SERVER} A server that no longer knows the name refuses it too.",
        excluded=NOT_TOLD_APART,
    ),
    # greetings over QUIC
    "quic.timeout.sni": Explanation(
        means="The newer, faster kind of connection gets no answer when it names this site. Of a page this is told beside its "
        "word, for browsers take the older way then.",
        besides="A site that does not offer it. This household's own router or a company's gateway may stop it for this name.",
        excluded="Another name must be answered in the same way, in turn, at two servers that have nothing to do with the "
        "site. “Blocked” is said only of what was asked for in this kind of connection alone (quic://), and only if a router "
        "behind this household's own has seen what names the site, and one farther on never.",
    ),
    "quic.timeout.any": Explanation(
        means="The newer, faster kind of connection gets no answer, whatever is named.",
        besides="Many home and company networks stop it for everybody, and browsers then use the older way.",
        excluded="Nothing excludes these, so it never means “blocked”. Sites that have nothing to do with this one are asked "
        "as well, and which versions they speak: that tells a closed door from one that goes by what is said.",
    ),
}
