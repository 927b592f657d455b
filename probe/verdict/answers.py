"""Which answers about a name are right, which are lies, and who told them.

An answer is right if TLS on it verifies for the name; that is tried before anything else is said of it. An answer that
could not be tried is unjudged. What two lists of addresses have in common is never looked at: content networks answer
everybody differently.
"""

from __future__ import annotations

from probe.observations import DnsFact, Observation, Soa
from probe.verdict import addresses, fingerprints, resolvers
from probe.verdict.case import Case
from probe.verdict.facts import dns, failed, http, tcp
from probe.verdict.model import Where

DENIALS = ("dns_nxdomain_error", "dns_servfail_error", "dns_refused_error", "dns_no_answer", "generic_timeout_error")
_ENCRYPTED = ("dot", "doh")
GATEWAY_SLACK_US = 2_000
"""A forwarder that had to ask is not back within the gateway's round trip and 2 ms."""
_UNROUTED = (64, 128, 255)
"""What systems begin with: a reply that arrives with such a TTL has passed no router, however it is addressed."""
_ANSWERED = (None, "connection_refused")
_RESENT_US = 900_000
"""A connection that took longer lost its first packet, and says nothing of the distance."""


def main_replies(case: Case) -> tuple[Observation, ...]:
    """The replies of the platform's resolvers that were used, not later ones to the same question."""
    return tuple(o for o in case.system_replies if dns(o).reply_index == 0)


def denied(case: Case, failure: str) -> tuple[Observation, ...]:
    """Replies of the platform's resolvers that failed so, where none of them gave an address."""
    replies = main_replies(case)
    if any(dns(o).addresses for o in replies):
        return ()
    return tuple(o for o in replies if o.failure == failure and not _plain_empty(o))


def _plain_empty(observation: Observation) -> bool:
    """No AAAA record is no failure: most names have none."""
    return dns(observation).qtype == "AAAA" and observation.failure == "dns_no_answer"


def repeats(case: Case, failure: str) -> tuple[Observation, ...]:
    """The same denial again with checking disabled."""
    return tuple(o for o in case.of("dns_answers", "dns", "cd") if o.failure == failure)


def parents_denials(case: Case) -> tuple[Observation, ...]:
    """Denials with the SOA of a zone above the name, where that zone is run by the same abroad; and what showed that.

    An honest resolver remembers a denial with the SOA of the zone that it is from (RFC 2308 §5), and goes on denying for
    minutes to hours after the name was registered or added. Lists of resolvers have no SOA or one of their own. Where
    nobody abroad told who runs the zone, the denial has the benefit of the doubt.
    """
    failure = "dns_nxdomain_error"
    found: tuple[Observation, ...] = ()
    for o in (*denied(case, failure), *repeats(case, failure)):
        soa = dns(o).soa
        if soa is None or not dns(o).qname.lower().endswith(f".{soa.zone}"):
            continue
        told = tuple(p for p in case.of("dns_answers", "dns", "parent") if dns(p).qname == soa.zone and _spoke(p))
        # Whoever takes all plain questions to itself knows of its own zone "abroad" too.
        told = tuple(p for p in told if dns(p).transport in _ENCRYPTED) or told
        same = tuple(p for p in told if p.failure is None and _same_zone(dns(p).soa, soa))
        if same or not told:
            found += (o, *same)
    return tuple(dict.fromkeys(found))


def _spoke(observation: Observation) -> bool:
    return observation.failure in (None, "dns_nxdomain_error", "dns_no_answer")


def _same_zone(one: Soa | None, other: Soa) -> bool:
    return one is not None and (one.zone, one.mname, one.rname) == (other.zone, other.mname, other.rname)


def lying_replies(case: Case) -> tuple[Observation, ...]:
    """Replies whose addresses are all wrong: no public site can have them, or TLS there is not the name's."""
    return tuple(
        o
        for o in main_replies(case)
        if dns(o).addresses and all(case.bogon(a) or case.wrong(a) for a in dns(o).addresses)
        if not any(case.right(a) for a in dns(o).addresses)
    )


def bogus_replies(case: Case) -> tuple[Observation, ...]:
    """Replies all of whose addresses are ones that no public site can have, and none of which verified."""
    return tuple(
        o
        for o in main_replies(case)
        if dns(o).addresses and all(case.bogon(a) and not case.right(a) for a in dns(o).addresses)
    )


def proven_truths(case: Case) -> tuple[Observation, ...]:
    """Foreign answers with an address that verified for the name."""
    return tuple(o for o in case.foreign_replies if any(case.proven_elsewhere(a) for a in dns(o).addresses))


def contradictions(case: Case) -> tuple[Observation, ...]:
    """Foreign answers that speak against a lie: proven ones, else encrypted ones with an address a site can have."""
    proven = proven_truths(case)
    if proven:
        return proven
    return tuple(
        o
        for o in case.foreign_replies
        if dns(o).transport in _ENCRYPTED and dns(o).addresses and not any(case.bogon(a) for a in dns(o).addresses)
    )


def overtook_the_truth(case: Case) -> tuple[Observation, ...]:
    """Replies that the user was given, none of them right, where a right one to the same datagram came from elsewhere later.

    A packet that was doubled on the way gets two answers of one resolver, which may differ; but both come equally far, so
    another TTL shows another sender.
    """
    late = tuple(o for o in case.of("late", "dns") if any(case.right(a) for a in dns(o).addresses))
    return tuple(
        o
        for o in main_replies(case)
        if dns(o).addresses and not any(case.right(a) for a in dns(o).addresses)
        if any(_one_datagram(o, right) and _from_elsewhere(o, right) for right in late)
    )


def _one_datagram(one: Observation, other: Observation) -> bool:
    a, b = dns(one), dns(other)
    return (one.operation.started_us, one.operation.address, a.transport, a.qname, a.qtype, a.query_index) == (
        other.operation.started_us,
        other.operation.address,
        b.transport,
        b.qname,
        b.qtype,
        b.query_index,
    )


def _from_elsewhere(one: Observation, other: Observation) -> bool:
    a, b = dns(one).reply_ttl, dns(other).reply_ttl
    return a is not None and b is not None and a != b


def asked_like_the_library(case: Case) -> tuple[Observation, ...]:
    """What the platform's resolver was asked without EDNS, and said: asked only where the C library alone was lied to."""
    return case.of("dns_answers", "dns", "no_edns")


def lies_like_the_librarys(case: Case) -> tuple[Observation, ...]:
    """Of these the lies: then it is questions that are told apart, not this host that lies."""
    asked = asked_like_the_library(case)
    return tuple(o for o in asked if dns(o).addresses and all(map(case.bogon, dns(o).addresses)))


def is_private(observation: Observation) -> bool:
    """Whether the resolver that replied is in this host or its own network."""
    told = dns(observation).resolver_is_private
    return told if told is not None else addresses.is_private(observation.operation.address or "")


def from_provider(observations: tuple[Observation, ...]) -> bool:
    """Whether whoever replied is neither in the own network nor a public filter that somebody chose."""
    return bool(observations) and all(
        not is_private(o) and not resolvers.is_filter(o.operation.address) and not is_unrouted(o) for o in observations
    )


def is_unrouted(observation: Observation) -> bool:
    """Whether a reply came from this side of the first router, such as from a household's router that takes all DNS."""
    return dns(observation).reply_ttl in _UNROUTED


def lies(case: Case) -> tuple[Observation, ...]:
    """Lies of the platform's resolvers: wrong addresses or denials, where a foreign answer says otherwise."""
    if not contradictions(case):
        return ()
    wrong = lying_replies(case)
    # Of the denials only policy-like ones: SERVFAIL and silence are the zone's or the resolver's trouble more often.
    refused = (*denied(case, "dns_nxdomain_error"), *denied(case, "dns_refused_error"))
    return wrong or refused


def same_manner(one: Observation, other: Observation) -> bool:
    """Whether two replies refuse in the same way: the same failure, or the same addresses."""
    if failed(one) or failed(other):
        return one.failure == other.failure and one.failure != "generic_timeout_error"
    return bool(dns(one).addresses) and set(dns(one).addresses) == set(dns(other).addresses)


def local_proofs(case: Case, *, inside: bool = False) -> tuple[Observation, ...]:
    """What shows that a private-address resolver made the lie itself rather than passing it on; with *inside* whoever told it
    is known to be in this house, whatever the address.

    An advertising domain refused in the same manner, or a never-asked label under the name answered in the same manner
    faster than any forwarder could have asked.
    """
    told = tuple(o for o in lies(case) if inside or is_private(o))
    if not told or is_unsteady(case, told):
        return ()
    advertising = refused_as_advertising(case, told)
    fast = tuple(
        o
        for o in case.of("dns_answers", "dns", "never_asked")
        if any(same_manner(o, lie) for lie in told) and _made_at_gateway(case, o)
    )
    return (*advertising, *fast)


def refused_as_advertising(case: Case, told: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Answers about advertising that are as these lies are: such lists are a filter's, which somebody has chosen."""
    asked = (*case.of("dns_answers", "dns", "filter"), *_own_filter_checks(case))
    return tuple(o for o in asked if any(same_manner(o, lie) for lie in told))


def is_unsteady(case: Case, told: tuple[Observation, ...]) -> bool:
    """Whether who told these lies answers for the name too, or denies innocuous names alike: then it keeps no list.

    A household's resolver that asks two others by turns does so when one of those has lost everything.
    """
    servers = {o.operation.address for o in told}
    otherwise = any(
        o.operation.address in servers and any(not (case.bogon(a) or case.wrong(a)) for a in dns(o).addresses)
        for o in case.of("dns_answers", "dns", "cd")
    )
    return otherwise or denies_strangers(case, told)


def denies_strangers(case: Case, told: tuple[Observation, ...]) -> bool:
    """Whether the same resolvers denied innocuous names of two operators in this run, in the manner of these denials."""
    servers = {o.operation.address for o in told if failed(o)}
    draws = (
        o
        for purpose in ("dns_answers", "neutral_pair", "neutral_chain")
        for o in case.view.everywhere(purpose, "dns", "draw")
    )
    own = (o for o in case.own.observations if not (o.member or "").startswith("filter/"))
    denied_alike = {
        resolvers.operator_of(dns(o).qname)
        for o in (*draws, *own)
        if isinstance(o.fact, DnsFact) and o.fact.qtype == "A" and o.operation.address in servers
        if failed(o) and any(same_manner(o, lie) for lie in told)
    }
    return len(denied_alike) >= 2


def _own_filter_checks(case: Case) -> tuple[Observation, ...]:
    return tuple(
        o for o in case.own.observations if (o.member or "").startswith("filter/") and isinstance(o.fact, DnsFact)
    )


def _made_at_gateway(case: Case, observation: Observation) -> bool:
    """Whether the reply took no longer than the way to the resolver and back, and 2 ms.

    The resolver's other replies are no measure: a forwarder without a memory asks for each of them.
    """
    took, way = observation.operation.duration_us, _way_us(case, observation.operation.address)
    return took is not None and way is not None and took <= way + GATEWAY_SLACK_US


def _way_us(case: Case, address: str | None) -> int | None:
    """The way to a resolver of the own network and back, by a connection to it that was taken or refused."""
    if addresses.is_loopback(address or ""):
        return 0
    # The kernel's own measure where there is one: a busy host is late to see that a connection was made.
    took = [
        tcp(o).rtt_us or o.operation.duration_us
        for o in case.of("dns_answers", "tcp", "gateway")
        if o.operation.address == address and o.failure in _ANSWERED
    ]
    return min((us for us in took if us is not None and us < _RESENT_US), default=None)


def from_beside(case: Case, observation: Observation) -> bool:
    """Whether a reply in somebody else's name came as fast as the own network's resolver replies, and 2 ms.

    Home routers with parental lists take questions about listed names to themselves wherever they were sent: the answer
    comes from beside, and is the household's own. Without a resolver in the own network there is no time to compare with,
    and only the TTL of a reply tells that it passed no router.
    """
    if is_unrouted(observation):
        return True
    beside = [
        o.operation.duration_us
        for o in (*case.own.observations, *case.observations)
        if isinstance(o.fact, DnsFact) and o.failure is None and o.operation.duration_us and is_private(o)
    ]
    took = observation.operation.duration_us
    return took is not None and bool(beside) and took <= min(beside) + GATEWAY_SLACK_US


def unresolved(observations: tuple[Observation, ...]) -> set[str]:
    """The operators behind some replies."""
    return {resolvers.operator_of(o.operation.address or "") for o in observations}


def shown(observations: tuple[Observation, ...]) -> str:
    """The addresses that they gave, as a sentence has them."""
    return ", ".join(sorted({a for o in observations for a in dns(o).addresses}))


def told_where(observations: tuple[Observation, ...]) -> Where:
    """A public unfiltered resolver abroad does not lie: somebody on the way to it did. The provider's is near."""
    known = any(resolvers.known(o.operation.address) for o in observations)
    return "unknown" if known else "access"


def serves_block_page(case: Case, found: tuple[str, ...]) -> bool:
    """Whether a notice of blocking was read at one of the addresses *found*."""
    for o in (*case.of("baseline", "http"), *case.of("dns_answers", "http")):
        if o.operation.address in found and o.failure is None and not http(o).verified_chain:
            page = fingerprints.read(http(o))
            if page is not None and page.blocks:
                return True
    return False


def kind_of_lie(case: Case, observations: tuple[Observation, ...]) -> str:
    """The signature of wrong answers, by what they lead to."""
    found = tuple(a for o in observations for a in dns(o).addresses)
    if found and all(case.bogon(a) for a in found):
        return "dns.injection.bogon"
    return "dns.injection.block_page" if serves_block_page(case, found) else "dns.injection.other"
