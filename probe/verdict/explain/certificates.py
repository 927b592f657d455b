"""What is told about the signatures of certificates: forged, wrong, or out of date."""

from __future__ import annotations

from probe.verdict.explain.explanation import Explanation

_CLOCK = "This computer's clock may be wrong."
_CLOCK_ASKED = "The clock was compared first with time servers and with the dates in other sites' answers."

EXPLAINED: dict[str, Explanation] = {
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
}
