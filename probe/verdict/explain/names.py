"""What is told about the signatures of names: DNS that lies, fails, or is silent."""

from __future__ import annotations

from probe.verdict.explain.explanation import Explanation

_OTHER_DNS = (
    "The name was also asked of DNS services of several operators abroad, plainly and encrypted, and the address that they "
    "gave was tried: only one where the site's valid certificate is shown counts as right."
)
_LET_GO = (
    "Questions that may get only to this household's own router or the one behind it were sent as well: if they are answered, "
    "nobody outside is blamed."
)
_HOUSEHOLD = "this household's router, a parental filter, or a VPN program on this computer"

EXPLAINED: dict[str, Explanation] = {
    "dns.injection.bogon": Explanation(
        means="DNS gave the name an address that no public site can have, such as one inside a home network. Who goes there "
        "reaches nothing, or a notice of blocking.",
        besides=f"The site's owner may have retired the name so. {_HOUSEHOLD[0].upper() + _HOUSEHOLD[1:]} may make such "
        "addresses up. Some networks translate addresses, and some names are meant to answer so.",
        excluded=f"{_OTHER_DNS} The site's own DNS was asked what it says to everybody. Translated addresses are unpacked, "
        "addresses of VPN programs are known, and a lie that the own household made is called a filter. {_LET_GO}",
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
        "replies; or if unrelated names got the same wrong address while names that do not exist got none. " + _LET_GO,
    ),
    "dns.nxdomain": Explanation(
        means="DNS says that the name does not exist. If it does exist for everybody else, that is a lie, and the name is "
        "blocked. If nobody abroad knows it either, it was withdrawn or has expired, and that is an outage.",
        besides="A name that was registered a moment ago is remembered as missing for a while. A parental filter answers so "
        "too.",
        excluded=f"{_OTHER_DNS} The denial must be repeated, and must not be one that the true zone gave and DNS remembers. "
        f"What was made in the own household, or by a filter that somebody here chose, is not the network's. {_LET_GO}",
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
        "while. A filter that somebody here chose refuses some names, and so does a parental list of this household's router.",
        excluded="“Blocked” needs a refusal that is repeated slowly while other names are answered in between, and an address "
        "from DNS abroad where the site's valid certificate is shown. Well-known filtering services are recognised. "
        + _LET_GO,
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
        besides="The DNS service is slow, or its way to the site's own DNS is down. Packets get lost. A parental list of this "
        "household's router drops questions about some names.",
        excluded="Silence of one service never means “blocked”. It is said only if questions for this name get lost wherever "
        "they are sent, again and again, while questions for another name arrive, and the same services answer for this "
        "name as soon as nobody on the way can read the question. A router that is somebody else's must have had such a "
        "question, which shows that it had left this house.",
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
}
