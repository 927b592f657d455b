"""The evidence gates: small rules that outrank any sum of weights. Each has a name, and can be disabled by itself.

What they set aside stays in the verdict, with weight 0 and the gate's name, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.observations import HttpFact, TlsFact
from probe.verdict import answers
from probe.verdict.addresses import is_inside
from probe.verdict.case import named
from probe.verdict.evidence import proves
from probe.verdict.facts import dns
from probe.verdict.findings.baseline import pages_put_in
from probe.verdict.findings.resets import broken_off_beside
from probe.verdict.findings.retries import is_own_success
from probe.verdict.findings.tls import lost_segments, rescued_by_size
from probe.verdict.groups import (
    ANSWERED,
    AT_CONTROLS,
    AT_OWN_ADDRESS,
    BY_DISTANCE,
    BY_NAME,
    FLIPS,
    LIES,
    LOCAL_FILTERS,
    LOST,
    PAGES_PUT_IN,
    SLOWED,
)
from probe.verdict.model import Finding
from probe.verdict.others import stopped_too
from probe.verdict.pages import is_own_page

if TYPE_CHECKING:
    from probe.verdict.case import Case

Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class EvidenceGate:
    """``find`` gives the codes of findings that do not count in this case."""

    name: str
    find: Callable[[Case, Findings], Iterable[str]]


def _codes(findings: Findings) -> frozenset[str]:
    return frozenset(found.code for found in findings)


def late_success_withdraws(case: Case, _findings: Findings) -> Iterable[str]:
    """Any success of the target's name after its first failure in a pair withdraws every flip.

    A failure at a control's sink is the control's to make: it begins nothing for the other flips.
    """
    if _came_later(case, "neutral_pair", "own_pair"):
        return FLIPS
    return AT_CONTROLS if _came_later(case, "control_pair") else ()


def _came_later(case: Case, *purposes: str) -> bool:
    """Whether the target's name has succeeded after its first failure in the pairs of these *purposes*."""
    arms = tuple(o for purpose in purposes for o in case.of(purpose))
    failures = [o for o in arms if o.arm == "target" and o.failure is not None and o.failure != "interrupted"]
    if not failures:
        return False
    first = min(o.number for o in failures)
    late_pages = any(
        is_own_success(case, attempt) and attempt.last is not None and attempt.last.number > first
        for attempt in case.retries
    )
    # A greeting that passes says nothing about unencrypted requests, nor about the name that a redirect led to: only like
    # withdraws like.
    greeted = any(
        isinstance(o.fact, TlsFact) or (isinstance(o.fact, HttpFact) and o.fact.url.startswith("https:")) for o in arms
    )
    names = {named(o) for o in failures}
    return late_pages or (greeted and any(o.number > first and named(o) in names for o in case.target_successes))


def transparent_proxy(case: Case, findings: Findings) -> Iterable[str]:
    """Somebody who takes every connection makes connections, acknowledgements and flips say nothing.

    A proxy that sorts by name connects to the target's own dead server wherever the packets were meant to go, so even
    neutral addresses flip in an outage (reproduced).
    """
    if not case.own.proxied:
        return ()
    tcp = {f.code for f in findings if f.family in ("tcp", "addresses", "ports", "neighbours", "app")}
    return FLIPS | tcp | BY_DISTANCE | SLOWED | {"some_paths", "connected", "tls_no_answer", "refuses_every_name"}


def broken_beside(case: Case, _findings: Findings) -> Iterable[str]:
    """What is broken off as quickly as the own network's router answers may be its doing: no word against the provider.

    A household's router, an antivirus and a company's gateway act on names at every address, as a provider does, so only
    the time tells them apart; a provider's device as near as that is let off with them.
    """
    return FLIPS | BY_DISTANCE | {"reset_too_early", "some_paths"} if broken_off_beside(case) else ()


def put_in_beside(_case: Case, findings: Findings) -> Iterable[str]:
    """A page that the own network may have put in is no word against the provider, as what it breaks off is none."""
    found = _codes(findings) & {"page_from_beside", "page_leads_inside"}
    return {f.code for f in findings if f.code in FLIPS and (f.signature or "").startswith("http.")} if found else ()


def guard_of_the_site(_case: Case, findings: Findings) -> Iterable[str]:
    """Where the name passes at unrelated addresses, whoever breaks it off at its own may stand in front of the site.

    A hosting company's guard beside its line resets in the server's name too, and the server answers behind it; one that
    is hired against floods may stand in another country, nearer to the visitor than to the site.
    """
    return BY_DISTANCE | {"reset_too_early"} if "neutral_pass" in _codes(findings) else ()


def stopped_at_home(_case: Case, findings: Findings) -> Iterable[str]:
    """What gets no further than the own network's router, or what is right behind it, may be that router's doing; and what is
    answered there its word.
    """
    found = _codes(findings)
    names = BY_NAME if found & {"greeting_stopped_at_home", "others_stopped_at_home"} else frozenset[str]()
    lost = LOST if "question_lost_at_home" in found else frozenset[str]()
    return names | lost | (ANSWERED if "question_answered_inside" in found else frozenset[str]())


def others_stopped_too(case: Case, _findings: Findings) -> Iterable[str]:
    """Where unrelated names are stopped alike, it is no block of this one: a used-up tariff has a list of free names."""
    return BY_NAME if stopped_too(case) else ()


def refuses_advertising(_case: Case, findings: Findings) -> Iterable[str]:
    """What is refused as advertising is may be refused by a filter that somebody here has chosen, wherever that is. A notice of
    an order stands.
    """
    return ANSWERED - {"dns_block_page_address"} if "filter_refuses_advertising" in _codes(findings) else ()


def slow_is_not_open(_case: Case, findings: Findings) -> Iterable[str]:
    """Where it is proven that the network slows this name down, what came all the same is no word against it: that the site
    answered, or that a greeting passed elsewhere, is how a slow name begins.
    """
    if "slowed_by_name" not in _codes(findings):
        return ()
    reached = {f.code for f in findings if f.speaks_for == "accessible" and f.weight > 0}
    return reached | {"answer_is_the_sites_own", "neutral_pass"}


def path_mtu(case: Case, _findings: Findings) -> Iterable[str]:
    """If only small packets are answered, or the kernel saw a big one lost, silence is no evidence about names."""
    return AT_OWN_ADDRESS if rescued_by_size(case) or lost_segments(case) else ()


def page_is_the_sites_own(case: Case, findings: Findings) -> Iterable[str]:
    """What came over a verified chain is the site's own word, whatever it says."""
    return {
        f.code
        for f in findings
        if f.code in PAGES_PUT_IN and (f.parameters.get("verified_chain") is True or _final_page_verified(case))
    }


def _final_page_verified(case: Case) -> bool:
    return any(attempt.ok and is_own_page(case, attempt) for attempt in case.baseline)


def _pages_of_others(case: Case) -> set[str]:
    """Findings by which a page made the site accessible, unless one of its pages came over a verified chain of its own."""
    own = any(attempt.ok and is_own_page(case, attempt) for attempt in case.all_baselines)
    return set() if own else {"page_over_plain_http", "page_over_verified_chain", "machine_answered"}


def put_in_on_the_way(case: Case, findings: Findings) -> Iterable[str]:
    """A page that unrelated addresses gave for this name too is nobody's word for the site, nor is where it led."""
    found = _codes(findings) & {"neutral_flip", "neutral_flip_once"} and pages_put_in(case)
    return _pages_of_others(case) if found else ()


def unlike_elsewhere(_case: Case, findings: Findings) -> Iterable[str]:
    """A page over plain HTTP that is quite another one than others get is no success of the site's."""
    return {"page_over_plain_http"} if "page_is_another" in _codes(findings) else ()


def proxy_for_pages(case: Case, findings: Findings) -> Iterable[str]:
    """A cache that takes every plain request goes by its name: it says of a site's own pages and errors everywhere."""
    if not case.own.proxied_pages:
        return ()
    return {f.code for f in findings if f.code in FLIPS and (f.signature or "").startswith("http.")}


def own_side_is_scoped(_case: Case, findings: Findings) -> Iterable[str]:
    """A broken own side never excuses an artefact or a completed contrast: their success arm proves the path."""
    proven = any(proves(f) and f.speaks_for == "blocked" for f in findings)
    filters = bool(_codes(findings) & LOCAL_FILTERS)
    return {f.code for f in findings if f.family == "own_side" and f.weight > 0} if proven and not filters else ()


def rewriting_resolver(_case: Case, findings: Findings) -> Iterable[str]:
    """Where every missing name gets the same address, that address is no lie about this name."""
    return LIES if "dns_rewrites_missing" in _codes(findings) else ()


def stale_address(_case: Case, findings: Findings) -> Iterable[str]:
    """A stranger's valid certificate means an old address, not a forged one."""
    stale = "dns_stale_address" in _codes(findings)
    return {"dns_sinkhole", "dns_wrong_address", "certificate_right_elsewhere"} if stale else ()


def stranger_everywhere(_case: Case, findings: Findings) -> Iterable[str]:
    """A stranger who is met wherever the name is asked for has no old address, and is no mistake of the site's."""
    everywhere = "stranger_at_neutral" in _codes(findings)
    return {"dns_stale_address", "certificate_wrong_host"} if everywhere else ()


def old_denial(_case: Case, findings: Findings) -> Iterable[str]:
    """A denial with the true zone's own mark was true once: it may be a memory, and proves no lie."""
    return {"dns_nxdomain_contradicted"} if "dns_parents_denial" in _codes(findings) else ()


def trust_not_refusal(_case: Case, findings: Findings) -> Iterable[str]:
    """DNS that fails only where signatures are checked refuses nothing."""
    return {"dns_servfail_contradicted"} if "dns_trust_broken" in _codes(findings) else ()


def split_horizon(case: Case, findings: Findings) -> Iterable[str]:
    """A company's or university's own DNS sends its people to its VPN server's address inside, or knows no such name inside,
    and most such servers are silent to strangers: no answer there shows that the address was right after all.
    """
    app = case.asked.endpoint.app
    if case.asked.platform is not None or app is None or not app.rests_s:
        return ()
    told = (a for o in answers.bogus_replies(case) for a in dns(o).addresses)
    inside = {"dns_bogon"} if all(is_inside(a) for a in told) else set[str]()
    return (inside | {"dns_nxdomain_contradicted"}) & _codes(findings)


def local_filter(_case: Case, findings: Findings) -> Iterable[str]:
    """A lie that was made in the own network, or by a filter that somebody here chose, is not the network's."""
    return LIES | {"dns_operator_says_blocked"} if _codes(findings) & LOCAL_FILTERS else ()


def hosts_file_rules(case: Case, findings: Findings) -> Iterable[str]:
    """What the probe reached by asking DNS itself, an ordinary program on this host does not reach."""
    reached = {f.code for f in findings if f.speaks_for == "accessible" and f.weight > 0}
    if answers.asked_like_the_library(case):
        return reached | {"answer_is_the_sites_own"}
    return reached if _codes(findings) & {"filter_hosts_file", "filter_on_this_computer"} else ()


def healthy_line_may_filter(_case: Case, findings: Findings) -> Iterable[str]:
    """That a line carries other names is no evidence against a filter on it that acts on this one."""
    local = any(f.speaks_for == "no_network" and f.method == "filter" and f.weight > 0 for f in findings)
    return {"own_side_healthy"} if local else ()


def products_filter(_case: Case, findings: Findings) -> Iterable[str]:
    """A certificate by a filtering product is a company's, a school's or an antivirus', until a provider is proven."""
    return (
        {"forged_at_neutral", "stranger_at_neutral", "unknown_issuer"} if "filter_product" in _codes(findings) else ()
    )


def portal_page(case: Case, findings: Findings) -> Iterable[str]:
    """Behind a captive portal or a pay page, a plain page is the portal's: neither the site's nor a block's.

    So it is where somebody answers every plain request, and lets everything else pass.
    """
    if "own_captive_portal" in _codes(findings):
        return PAGES_PUT_IN | _pages_of_others(case) | {"connected", "app_other_answer"}
    return PAGES_PUT_IN | _pages_of_others(case) | {"app_other_answer"} if case.own.pages_swapped else ()


def clock_first(_case: Case, findings: Findings) -> Iterable[str]:
    """A wrong clock explains dates before anybody's certificate is called expired."""
    wrong = "own_clock" in _codes(findings)
    return {"certificate_expired", "certificate_expired_or_clock"} if wrong else ()


def national_first(_case: Case, findings: Findings) -> Iterable[str]:
    """A national interception certificate is that before it is expired, shown for all names, or trusted by this host."""
    if "national_interception" not in _codes(findings):
        return ()
    return {f.code for f in findings if f.family == "certificate"} - {"national_interception"} | {
        "own_filter",
        "own_clock",
    }


def _contrast_is_the_sites(findings: Findings) -> frozenset[str]:
    """Contrasts at the site's own address, where the name passes at neutral ones here and fails alike in another country: it
    is the site's own side that tells names apart.
    """
    if not {"down_in_two_countries", "neutral_pass"} <= _codes(findings):
        return frozenset()
    others = (f for f in findings if f.family != "control" and f.code not in AT_OWN_ADDRESS)
    return frozenset() if any(proves(f) and f.weight > 0 for f in others) else AT_OWN_ADDRESS


def same_in_two_countries(_case: Case, findings: Findings) -> Iterable[str]:
    """What the site's own side does to a name is no interference, once it is seen from two countries and at no neutral
    place.
    """
    return _contrast_is_the_sites(findings)


def control_only_leans(_case: Case, findings: Findings) -> Iterable[str]:
    """A control is a stranger's word: it is heard only where nothing that was seen here proves anything.

    So one that lies, or is itself blocked or refused, turns no word that was proven here. ``outage`` is all that it can ever
    say: from another country, of what fails here as well.
    """
    beside = _contrast_is_the_sites(findings)
    proven = any(proves(f) and f.weight > 0 and f.family != "control" and f.code not in beside for f in findings)
    return {f.code for f in findings if f.family in ("control", "control_pair")} if proven else ()


EVIDENCE_GATES: dict[str, EvidenceGate] = {
    gate.name: gate
    for gate in (
        EvidenceGate("late_success_withdraws", late_success_withdraws),
        # Before the proxies: what they void may still say that the page is not the site's.
        EvidenceGate("put_in_on_the_way", put_in_on_the_way),
        EvidenceGate("unlike_elsewhere", unlike_elsewhere),
        EvidenceGate("transparent_proxy", transparent_proxy),
        EvidenceGate("proxy_for_pages", proxy_for_pages),
        EvidenceGate("put_in_beside", put_in_beside),
        EvidenceGate("broken_beside", broken_beside),
        EvidenceGate("guard_of_the_site", guard_of_the_site),
        EvidenceGate("stopped_at_home", stopped_at_home),
        EvidenceGate("refuses_advertising", refuses_advertising),
        EvidenceGate("others_stopped_too", others_stopped_too),
        # After those that void the comparison itself.
        EvidenceGate("slow_is_not_open", slow_is_not_open),
        EvidenceGate("path_mtu", path_mtu),
        EvidenceGate("page_is_the_sites_own", page_is_the_sites_own),
        EvidenceGate("rewriting_resolver", rewriting_resolver),
        EvidenceGate("stale_address", stale_address),
        # After the one above: what it has set aside stays so.
        EvidenceGate("stranger_everywhere", stranger_everywhere),
        EvidenceGate("old_denial", old_denial),
        EvidenceGate("trust_not_refusal", trust_not_refusal),
        EvidenceGate("split_horizon", split_horizon),
        EvidenceGate("local_filter", local_filter),
        EvidenceGate("hosts_file_rules", hosts_file_rules),
        EvidenceGate("healthy_line_may_filter", healthy_line_may_filter),
        EvidenceGate("products_filter", products_filter),
        EvidenceGate("portal_page", portal_page),
        EvidenceGate("clock_first", clock_first),
        EvidenceGate("national_first", national_first),
        # Last: they ask what is left that proves anything.
        EvidenceGate("own_side_is_scoped", own_side_is_scoped),
        EvidenceGate("same_in_two_countries", same_in_two_countries),
        EvidenceGate("control_only_leans", control_only_leans),
    )
}
