"""Every signature that the judge can print, explained: what it means, what else could cause it, how that was excluded.

Where it was not excluded the last part says so, and what the verdict is then. Tests hold this against the evidence table in
both directions, and ask for all three parts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``means``: what was seen. ``besides``: what else looks like it. ``excluded``: how that was told apart, or that it was
    not. Each is one to four plain sentences.
    """

    means: str
    besides: str
    excluded: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The parts with their headings, in order."""
        return (
            ("What it means", self.means),
            ("What else could cause it", self.besides),
            ("How that was excluded", self.excluded),
        )


_SERVER_BY_NAME = (
    "The site's own server: one that serves many names may fail for one of them alone. A security service in front of it, or "
    "a fault that passed by chance, may do the same."
)
_BY_NEUTRALS = (
    "Two servers abroad that have nothing to do with the site or with each other were asked for this name and for another "
    "one of the same length, in turn, six times and more. “Blocked” is said only if this name failed every time at both and "
    "the other one was answered in between; the site's server had no part in that. A single success of this name takes it "
    "back. With less it stays inconclusive."
)
_BY_NEUTRAL_PAGES = (
    "Two servers abroad that have nothing to do with the site or with each other were asked for this name and for another "
    "one, in turn, six times and more. “Blocked” is said only if this name was treated so at both and the other one was "
    "answered as usual. Where somebody answers unencrypted requests for every address, the comparison does not count."
)
_DEAD_SERVER = (
    "A dead or overloaded server, a security service that dislikes this program, a broken road, or a block by the name or by "
    "the address."
)
_NOT_TOLD_APART = (
    "Nothing excludes these yet, so this signature alone never means “blocked”: the result is inconclusive. What would tell "
    "them apart is the comparison with another name at unrelated servers, a second vantage, or time."
)
_DEAD_APP = (
    "A server that is overloaded, limits its visitors or dislikes this program; a firewall of a household or company; or a "
    "device on the way that reads the first bytes and stops this kind of them."
)
_APP_NOT_TOLD_APART = (
    "Nothing excludes these yet, so this signature alone never means “blocked”: the result is inconclusive. What the app says "
    "was said again over new connections. Other ports, other servers of the same app and another provider tell more."
)
_OTHERS_PROTOCOL = (
    "A firewall of a household, a company or a school that lets no VPN pass, or one before the server of yours: a hosting "
    "company that lets no VPN in, or its protection against floods."
)
_PROTOCOL_EXCLUDED = (
    "Packets of the same sizes in which there is nothing were sent in turn with them, to the same server and port, and all "
    "came back: so neither that server nor the line is at fault, and it is what the packets look like that they are stopped "
    "for. It takes six failures and five packets that came back between them. “Blocked” is said only if it is stopped between "
    "two routers of your provider's: the nearer one has spoken of every packet that looks like it, the farther one never, and "
    "of the others always. A box at home lets none as far as that, or stops the answers, which no router tells of; a hosting "
    "company's stands behind other networks. In any other case the result is inconclusive."
)
_OTHER_DNS = (
    "The name was also asked of DNS services of several operators abroad, plainly and encrypted, and the address that they "
    "gave was tried: only one where the site's valid certificate is shown counts as right."
)
_PLACE = (
    "With -v it is told between which two routers that is, where it could be found out, and whose they are, if you have "
    "brought a table of networks (dalel networks)."
)
_CLOCK = "This computer's clock may be wrong."
_CLOCK_ASKED = "The clock was compared first with time servers and with the dates in other sites' answers."
_OWN_WORD = (
    "The answer came over a connection with the site's valid certificate, and nobody on the way can write into that. Over "
    "plain HTTP the same words are a leaning and no more."
)
_HOUSEHOLD = "this household's router, a parental filter, or a VPN program on this computer"

SIGNATURES: dict[str, Explanation] = {
    # names
    "dns.injection.bogon": Explanation(
        means="DNS gave the name an address that no public site can have, such as one inside a home network. Who goes there "
        "reaches nothing, or a notice of blocking.",
        besides=f"The site's owner may have retired the name so. {_HOUSEHOLD[0].upper() + _HOUSEHOLD[1:]} may make such "
        "addresses up. Some networks translate addresses, and some names are meant to answer so.",
        excluded=f"{_OTHER_DNS} The site's own DNS was asked what it says to everybody. Translated addresses are unpacked, "
        "addresses of VPN programs are known, and a lie that the own household made is called a filter.",
    ),
    "dns.injection.block_page": Explanation(
        means="DNS gave the name an address that is not the site's, and a notice of blocking is served there.",
        besides="A parental filter or a company's filter shows such pages too. An old address may have passed to somebody "
        "whose page uses similar words.",
        excluded=f"{_OTHER_DNS} The page must name an order or a register; one that speaks of a family's protection is called "
        "a filter. Pages of hosting companies and content networks are known and left out.",
    ),
    "dns.injection.other": Explanation(
        means="A wrong answer about the name was put in on the way, or told by the provider's DNS.",
        besides="Large sites give different addresses in different places, and all of them are right. An old address may "
        "belong to somebody else by now. A household's router may answer every question itself.",
        excluded="An answer counts as wrong only if the site's certificate is not found there. It counts as put in if it came "
        "from a place where no DNS service runs, for this name and not for another one; if one question got two different "
        "replies; or if unrelated names got the same wrong address while names that do not exist got none.",
    ),
    "dns.nxdomain": Explanation(
        means="DNS says that the name does not exist. If it does exist for everybody else, that is a lie, and the name is "
        "blocked. If nobody abroad knows it either, it was withdrawn or has expired, and that is an outage.",
        besides="A name that was registered a moment ago is remembered as missing for a while. A parental filter answers so "
        "too.",
        excluded=f"{_OTHER_DNS} The denial must be repeated, and must not be one that the true zone gave and DNS remembers. "
        "What was made in the own household, or by a filter that somebody here chose, is not the network's.",
    ),
    "dns.servfail": Explanation(
        means="The DNS service says that it failed to find the name. If all DNS abroad fails too, the site's own DNS is "
        "broken, which is an outage.",
        besides="A site whose signatures are broken, a DNS service with a wrong clock, or one whose way to the site's DNS is "
        "down: all of them are commoner than blocking.",
        excluded="The name was asked again without checking signatures, and of DNS abroad. A failure of the provider's DNS "
        "alone never means “blocked”. Only a failure that came from a place where no DNS service runs, for this name and "
        "not for another one, was put in on the way.",
    ),
    "dns.refused": Explanation(
        means="The DNS service refuses to answer for this name.",
        besides="A service that is not meant for this network refuses everything. One that was asked too much refuses for a "
        "while. A filter that somebody here chose refuses some names.",
        excluded="“Blocked” needs a refusal that is repeated slowly while other names are answered in between, and an address "
        "from DNS abroad where the site's valid certificate is shown. Well-known filtering services are recognised.",
    ),
    "dns.no_answer": Explanation(
        means="DNS says that the name exists and has no address.",
        besides="Some sites answer so in some countries, and some have an address of only one version. Some services refuse "
        "names in this way.",
        excluded="The name was asked of DNS abroad. If that gives an address it is a leaning to “blocked” and no more, unless "
        "the empty answer came from a place where no DNS service runs, for this name and not for another one.",
    ),
    "dns.timeout": Explanation(
        means="Questions about this name got no answer within their time, which is longer than browsers wait.",
        besides="The DNS service is slow, or its way to the site's own DNS is down. Packets get lost.",
        excluded="Silence of one service never means “blocked”. It is said only if questions for this name get lost wherever "
        "they are sent, again and again, while questions for another name arrive, and the same services answer for this "
        "name as soon as nobody on the way can read the question.",
    ),
    "dns.other": Explanation(
        means="DNS gave no address that can be used, in a way that has no name of its own.",
        besides="A broken DNS service, a broken router, or packets that were damaged.",
        excluded="Nothing excludes these, so it is never called “blocked” by itself. The details are in the observations: "
        "dalel check -vv shows them.",
    ),
    "dns.published_bogon": Explanation(
        means="The site's own DNS gives an address that no public site can have, to everybody. Owners do so with names that "
        "they have retired. It is the site's doing, so it counts as an outage.",
        besides="DNS in this network could have made the address up.",
        excluded="Two operators abroad gave the same over encrypted connections, where nobody on the way can change an answer.",
    ),
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
        besides=f"{_SERVER_BY_NAME} Where only small packets get through, greetings get lost as well.",
        excluded=f"{_BY_NEUTRALS} It is also said if, at the site's own address, greetings with this name never even arrived "
        "and those with another name did, for a machine confirms what arrives before any program looks at the name. The "
        "size of packets was tried first.",
    ),
    "tls.reset.sni": Explanation(
        means=f"Connections are broken off as soon as this site is named. Something on the way acts on the name. {_PLACE}",
        besides=f"{_SERVER_BY_NAME} This household's own router or a company's gateway may break them off.",
        excluded=f"{_BY_NEUTRALS} It is also said if the break came sooner than the server could have sent it, or if the "
        "server's real answer arrived behind it. What breaks off as quickly as the own router answers does not count.",
    ),
    "tls.eof.sni": Explanation(
        means="Connections are closed as soon as this site is named. Something on the way acts on the name.",
        besides=f"{_SERVER_BY_NAME} This household's own router or a company's gateway may close them.",
        excluded=_BY_NEUTRALS,
    ),
    "tls.alert.sni": Explanation(
        means="Greetings that name this site are refused in the server's name. Something on the way acts on the name.",
        besides=f"{_SERVER_BY_NAME} Servers do refuse names that they do not know.",
        excluded=f"{_BY_NEUTRALS} The two servers know neither name, so they have no reason to refuse one of them only.",
    ),
    "tls.timeout.any": Explanation(
        means="The connection opened, and the greeting of TLS was met with silence.",
        besides=f"{_DEAD_SERVER} Where only small packets get through it looks the same.",
        excluded=_NOT_TOLD_APART,
    ),
    "tls.reset.any": Explanation(
        means="The connection opened, and was broken off during the greeting of TLS.",
        besides=_DEAD_SERVER,
        excluded=_NOT_TOLD_APART,
    ),
    "tls.eof.any": Explanation(
        means="The connection opened, and was closed during the greeting of TLS.",
        besides=_DEAD_SERVER,
        excluded=_NOT_TOLD_APART,
    ),
    "tls.alert.any": Explanation(
        means="The connection opened, and the greeting of TLS was refused.",
        besides=f"{_DEAD_SERVER} A server that no longer knows the name refuses it too.",
        excluded=_NOT_TOLD_APART,
    ),
    # certificates
    "tls.mitm.known_ca": Explanation(
        means="The certificate was made by an issuer that is known to open encrypted connections for a state. Whoever accepts "
        "it lets that state read along.",
        besides="A state's own sites may carry such certificates by right. Antivirus and company gateways make certificates "
        "too, under names of their own.",
        excluded="The issuers are a short list of published ones, from the bug trackers of browsers and from reports, and the "
        "state's own sites are left out. It counts whether the certificate is expired, shown for all names, or trusted by "
        "this computer, for all three have happened.",
    ),
    "tls.mitm.unknown_ca": Explanation(
        means="The certificate in the site's name was made by an issuer that the web does not know. Whoever made it can read "
        "along.",
        besides="Antivirus on this computer, a company's or school's gateway, a state, or the site itself with an issuer of "
        "its own.",
        excluded="“Blocked” is said only if two servers abroad that have nothing to do with the site showed a certificate in "
        "its name by the same issuer, and other names their own. If unrelated sites are opened by the same issuer and this "
        "computer was told to trust it, it is a filter. If neither is so, it stays inconclusive.",
    ),
    "tls.mitm.stranger": Explanation(
        means="Somebody else's valid certificate is shown for this name, and the same one where the site has never been. So "
        "something on the way answers in the site's place.",
        besides="An old address that belongs to somebody else now, a server that is set up wrongly, or a device of this "
        "household.",
        excluded="The same certificate came from two servers abroad that have nothing to do with the site, for this name and "
        "not for another one. Certificates of household devices and filtering products are left out, and so is what "
        "answers as quickly as the own router.",
    ),
    "tls.certificate.expired": Explanation(
        means="The site's own certificate is right in everything but its dates: the site forgot to renew it. That is an "
        "outage.",
        besides=f"{_CLOCK} A forger could show an old certificate.",
        excluded=f"{_CLOCK_ASKED} The certificate leads to an authority that the web knows, and nobody forges one of those in "
        "order to let it expire. Issuers known to intercept were looked for first. If nothing told the time, it stays "
        "inconclusive.",
    ),
    "tls.certificate.not_yet_valid": Explanation(
        means="The site's own certificate is right in everything but its dates: the site put it up before its time. That is "
        "an outage.",
        besides=_CLOCK,
        excluded=f"{_CLOCK_ASKED} If nothing told the time, it stays inconclusive.",
    ),
    "tls.certificate.incomplete": Explanation(
        means="The site's certificate came without the one that links it to an authority that the web knows.",
        besides="Servers are often set up so, and browsers find the link by themselves. A forger could borrow the authority's "
        "name.",
        excluded="The authority that it names signs for other sites that were verified in the same run, which makes the "
        "site's neglect likelier. A forger is not excluded, so it stays inconclusive.",
    ),
    "tls.certificate.wrong_host": Explanation(
        means="The certificate that was shown is valid, but for another name.",
        besides="A server that is set up wrongly, a site that has moved, an old address, or a lie of the DNS.",
        excluded="The answers of the DNS were tried one by one. If none of them is proven to be a lie the cause is not known, "
        "and it stays inconclusive.",
    ),
    "tls.certificate.self_signed": Explanation(
        means="The certificate that was shown is signed by nobody but itself.",
        besides="A server that was just set up, a device of this household that answers in the site's place, or a box on the "
        "way.",
        excluded="Nothing excludes these, so it stays inconclusive.",
    ),
    "tls.certificate.unknown_issuer": Explanation(
        means="The certificate that was shown comes from an issuer that the web does not know. Who that is stands in the "
        "evidence.",
        besides="Antivirus, a company's gateway, a state, or the site's own doing.",
        excluded="Nothing excludes these yet, so it stays inconclusive. What proves more has a name of its own: dalel explain "
        "tls.mitm.unknown_ca",
    ),
    "tls.certificate.invalid": Explanation(
        means="The certificate that was shown is not valid, for its dates or for what it may be used for.",
        besides=f"{_CLOCK} The site may have been set up wrongly, or somebody on the way shows a certificate of his own.",
        excluded=f"{_CLOCK_ASKED} The other causes are not excluded, so it stays inconclusive.",
    ),
    # pages
    "http.block_page.any": Explanation(
        means="Instead of the site came a page that says that access is closed. It came over plain HTTP, where anybody on the "
        "way can write a page.",
        besides="Hosting companies, content networks and the site's owner use similar words. A newspaper may be reporting on "
        "blocking.",
        excluded="Known pages of hosting companies and content networks are looked for first, and long pages are not read as "
        "notices. A page in words that nobody knows counts only if it is very unlike the one that others get. The page alone "
        "is still a leaning: it is a proven block when unrelated servers give it for this name too.",
    ),
    "http.redirect.any": Explanation(
        means="Instead of the site came a redirect to a place that tells of blocking. It came over plain HTTP, where anybody "
        "on the way can send one.",
        besides="A site may send its own visitors to an address that has such words in it. A provider without payment sends "
        "everybody to its pay page.",
        excluded="Only registers of blocked sites and notices by a state prove a block, for no site sends its visitors there. "
        "Other addresses are a leaning, and pay pages are known.",
    ),
    "http.block_page.host": Explanation(
        means="Requests that name this site get another page instead of it, wherever they are sent. Something on the way acts "
        "on the name.",
        besides="The site's own server may show a notice. A cache on the way, or a login page of this network, may answer for "
        "everybody.",
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.redirect.host": Explanation(
        means="Requests that name this site are sent elsewhere, wherever they are sent to. Something on the way acts on the "
        "name.",
        besides="The site's own server may send its visitors on. A login page of this network may do it to everybody.",
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.reset.host": Explanation(
        means="Connections are broken off as soon as a request names this site. Something on the way acts on the name.",
        besides=_SERVER_BY_NAME,
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.timeout.host": Explanation(
        means="Requests that name this site are met with silence. Something on the way acts on the name.",
        besides=_SERVER_BY_NAME,
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.eof.host": Explanation(
        means="Connections are closed as soon as a request names this site. Something on the way acts on the name.",
        besides=_SERVER_BY_NAME,
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.timeout.any": Explanation(
        means="The request was taken and no answer came.", besides=_DEAD_SERVER, excluded=_NOT_TOLD_APART
    ),
    "http.reset.any": Explanation(
        means="The connection was broken off after the request.", besides=_DEAD_SERVER, excluded=_NOT_TOLD_APART
    ),
    "http.eof.any": Explanation(
        means="The answer broke off before its end, or the connection was closed without one.",
        besides=_DEAD_SERVER,
        excluded=_NOT_TOLD_APART,
    ),
    "http.garbled.any": Explanation(
        means="An answer came that is nothing a browser can read.",
        besides="The site is broken, or speaks to other programs only. Over plain HTTP anybody on the way could have written "
        "it.",
        excluded="Over a connection with the site's valid certificate nobody on the way could have, which makes an outage "
        "likelier. Another program may still read it, so it stays inconclusive.",
    ),
    "http.server_error": Explanation(
        means="The site answered that it is in trouble. That is its own word, so it counts as an outage.",
        besides="Somebody on the way could have written the error in the site's name.",
        excluded=_OWN_WORD,
    ),
    "http.denied.geo": Explanation(
        means="The site itself says that it does not serve this country. That is the site's decision, and never counts as "
        "blocking.",
        besides="Somebody on the way could have written the refusal. The site may take this network for one in another "
        "country.",
        excluded=f"{_OWN_WORD} Where the site believes this network to be cannot be seen from here.",
    ),
    "http.denied.legal": Explanation(
        means="The site itself says that it may not serve this page for legal reasons, or shows nothing but a notice of an "
        "order. It counts as refused by the site, and not as blocked by the network.",
        besides="Somebody on the way could have written the refusal. Whose law it is the answer often does not say. A notice "
        "may be news of a block elsewhere.",
        excluded=f"{_OWN_WORD} Only a small page whose very title says that it is closed is read as a notice.",
    ),
    "http.denied.antibot": Explanation(
        means="The site itself turned this program away, most often because it takes it for a robot. A person with a browser "
        "may well get in.",
        besides="Somebody on the way could have written the refusal. The site may refuse everybody in this network or country "
        "without saying so.",
        excluded=f"{_OWN_WORD} Whether people are let in only a look with a browser can tell.",
    ),
    "http.denied.ratelimit": Explanation(
        means="The site itself says that too many requests come from here.",
        besides="Many people behind one address look like this to a site. Somebody on the way could have written the refusal.",
        excluded=_OWN_WORD,
    ),
    # the own side
    "network.link": Explanation(
        means="This computer has no connection to any network, so nothing can be said about any site.",
        besides="A cable, the Wi-Fi, a switch for mobile data, or a program on this computer that stops everything.",
        excluded="The computer itself has no way out in its list of routes. Why that is so this program cannot tell.",
    ),
    "network.upstream": Explanation(
        means="The computer is connected, and nobody outside answers.",
        besides="A dead router, an unpaid bill, trouble at the provider, or a cut of the whole network.",
        excluded="Unrelated well-known places of different operators are all silent, by name and by number, so it is no "
        "trouble of one site. Which of the causes it is cannot be told from here.",
    ),
    "network.resolver": Explanation(
        means="Addresses answer and names do not: the DNS service of this network is dead for every name.",
        besides="A block of one name looks like this too, if only that name is asked for.",
        excluded="Unrelated names of different operators were asked for as well, and none was answered, while addresses "
        "answered by number.",
    ),
    "network.captive_portal": Explanation(
        means="Well-known test pages are answered by somebody else: this network wants a login, a payment or a consent first. "
        "Open any page in a browser and follow it.",
        besides="A notice of blocking, a cache, or one operator's test page that is out of order.",
        excluded="Not one test page was right, and no well-known site abroad showed its own certificate. Mere silence is "
        "never called so.",
    ),
    "network.clock": Explanation(
        means="The clock of this computer is off by more than a day, so valid certificates look expired or not yet valid. Set "
        "the clock and measure again.",
        besides="The one that was asked for the time may be wrong, or somebody on the way may lie about it.",
        excluded="Time servers and the dates in the answers of well-known sites were compared, and most of them must agree. A "
        "certificate of another site that is valid now speaks against it.",
    ),
    "network.international": Explanation(
        means="Sites in this country answer and nobody abroad does. That is a cut of the whole country's connections, or of "
        "this provider's, and not a block of one platform.",
        besides="One site abroad that is down, or one operator's trouble.",
        excluded="Well-known places abroad of different operators all failed, while several sites in this country answered in "
        "the same minute.",
    ),
    "network.shutdown": Explanation(
        means="Nobody answers at home or abroad, and yet some ports let packets pass. The line works, and somebody has shut it "
        "but for what he needs.",
        besides="An empty balance, a hotspot that wants a login, or an office where everything goes through a proxy.",
        excluded="Two looks must agree, and nobody may put in a page of his own. What passes must be more than DNS and the "
        "time, at machines abroad whose ordinary ports are silent.",
    ),
    "network.whitelist": Explanation(
        means="Machines abroad take connections, and only names of this country are let through to them.",
        besides="Trouble abroad, or a proxy that takes every connection itself.",
        excluded="The same machines of two operators abroad answered when a name of this country was called, and not when "
        "their own were, in two looks.",
    ),
    "network.filter": Explanation(
        means="This computer, this household or this employer refuses the name: its list of names, a filtering DNS service, "
        "antivirus or a company gateway. The provider is not to blame for it.",
        besides="The provider's own lie, passed on by the household's router, looks similar.",
        excluded="It must have been made on the spot: by this computer's own list of names, by a well-known filtering "
        "service, by a DNS service that refuses advertising in the same way or answers faster than it could have asked, or "
        "by an issuer of certificates that this computer was told to trust. What cannot be shown so stays inconclusive.",
    ),
    # apps
    "app.timeout": Explanation(
        means="The app's server, or the way to it, was there as far as can be told, and what the app says first got no answer.",
        besides=_DEAD_APP,
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.reset": Explanation(
        means="The connection was broken off when the app had said its first words.",
        besides=_DEAD_APP,
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.eof": Explanation(
        means="The connection was closed when the app had said its first words.",
        besides=_DEAD_APP,
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.refused": Explanation(
        means="Somebody said, in the server's name, that nobody listens there.",
        besides="A server that was stopped or has moved. Anybody on the way can say the same in its name.",
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.unreachable": Explanation(
        means="Somebody on the way said that what the app sends cannot be delivered.",
        besides="A broken road, or a filter in a household or company.",
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.other": Explanation(
        means="Something answered in the app's place that does not speak what the app speaks. That the address answers does "
        "not mean that the app works.",
        besides="A gateway of a household or company, a network that wants a log-in first, a proxy that takes every "
        "connection, or somebody who has the address by now.",
        excluded="Networks that want a log-in and proxies that take every connection are recognised, and then this does not "
        "count. The rest is not told apart: the result is inconclusive, and never accessible.",
    ),
    # protocols, at the echo of a control
    "app.timeout.protocol": Explanation(
        means="Packets that look like this protocol's stop on the way to a server of yours elsewhere, at once or after some of "
        "them: nothing comes back any more.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.reset.protocol": Explanation(
        means="Connections on which this protocol is spoken to a server of yours elsewhere are broken off.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.eof.protocol": Explanation(
        means="Connections on which this protocol is spoken to a server of yours elsewhere are closed.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.unreachable.protocol": Explanation(
        means="Somebody on the way to a server of yours elsewhere says that this protocol's packets cannot be delivered.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.other.protocol": Explanation(
        means="Something else than what was sent comes back from a server of yours that sends everything back, when this "
        "protocol is spoken.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "throttling.sni": Explanation(
        means="The site comes, and slower than other names do on the same road: so little that videos and pictures do not.",
        besides="A busy line, a far server, or a site that limits its visitors, or this one name.",
        excluded="The same bytes are asked for with this name and with another one, in turn, at two servers that have nothing "
        "to do with the site. “Blocked” is said only if the name is half as fast at most, with 99 % "
        "certainty, if chance alone does so less than once in a hundred times, and if the other name got all of it each time.",
    ),
    "throttling.delay.sni": Explanation(
        means="Connections that name the site are answered seconds later than others. What comes after that may be quick.",
        besides="A site whose server is busy, a far one, or a line with a long queue.",
        excluded="Greetings with this name and with another one are sent in turn to servers that have nothing to do with the "
        "site. “Blocked” is said only if those with the name are late each time, and the others are not.",
    ),
    "throttling.freeze": Explanation(
        means="The connection stops for good after the first few kilobytes, or after some two dozen packets.",
        besides="A server whose program hangs, or packets that are too large for the way.",
        excluded="The same bytes are asked for with this name and with another one, in turn, at servers that have nothing to "
        "do with the site. “Blocked” is said only if the name stops there and the other one gets all of it each time.",
    ),
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

NOT_YET: frozenset[str] = frozenset()
"""Names that are reserved: this version does not look for what they stand for."""


def explain(signature: str) -> Explanation:
    """The explanation; ``KeyError`` for a signature that this version does not know."""
    return SIGNATURES[signature]
