"""What is told about the signatures of pages: notices of blocking, answers that broke off, and the site's own word."""

from __future__ import annotations

from probe.verdict.explain.explanation import DEAD_SERVER, NOT_TOLD_APART, SERVER_BY_NAME, Explanation

_BY_NEUTRAL_PAGES = (
    "Two servers abroad that have nothing to do with the site or with each other were asked for this name and for another "
    "one, in turn, six times and more. “Blocked” is said only if this name was treated so at both and the other one was "
    "answered as usual. Where somebody answers unencrypted requests for every address, the comparison does not count."
)
_OWN_WORD = (
    "The answer came over a connection with the site's valid certificate, and nobody on the way can write into that. Over "
    "plain HTTP the same words are a leaning and no more."
)

EXPLAINED: dict[str, Explanation] = {
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
        besides=SERVER_BY_NAME,
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.timeout.host": Explanation(
        means="Requests that name this site are met with silence. Something on the way acts on the name.",
        besides=SERVER_BY_NAME,
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.eof.host": Explanation(
        means="Connections are closed as soon as a request names this site. Something on the way acts on the name.",
        besides=SERVER_BY_NAME,
        excluded=_BY_NEUTRAL_PAGES,
    ),
    "http.timeout.any": Explanation(
        means="The request was taken and no answer came.", besides=DEAD_SERVER, excluded=NOT_TOLD_APART
    ),
    "http.reset.any": Explanation(
        means="The connection was broken off after the request.", besides=DEAD_SERVER, excluded=NOT_TOLD_APART
    ),
    "http.eof.any": Explanation(
        means="The answer broke off before its end, or the connection was closed without one.",
        besides=DEAD_SERVER,
        excluded=NOT_TOLD_APART,
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
}
