"""DNS messages of the pretend Internet: a question's bytes and what is said of the name, in; a reply's bytes, out. Pure."""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from probe.demo.world import Reply

TTL_S = 60
_RCODES = {
    "noerror": dns.rcode.NOERROR,
    "nxdomain": dns.rcode.NXDOMAIN,
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
}


def parse(data: bytes) -> dns.message.Message | None:
    """The query in *data*, or ``None`` where there is none with exactly one question."""
    try:
        query = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None
    return query if len(query.question) == 1 and not query.flags & dns.flags.QR else None


def asked_name(query: dns.message.Message) -> str:
    """The name asked for, in lower case and without the final dot."""
    return query.question[0].name.to_text(omit_final_dot=True).lower()


def reply(query: dns.message.Message, what: Reply) -> bytes | None:
    """The reply that says *what*, or ``None`` for silence."""
    if what.rcode == "silence":
        return None
    message = dns.message.make_response(query, recursion_available=True)
    if what.rcode == "loop":
        message.use_edns(False)
        return _looped(message.to_wire())
    message.set_rcode(_RCODES[what.rcode])
    question = query.question[0]
    kind = dns.rdatatype.to_text(question.rdtype)
    values = [a for a in what.addresses if kind == ("AAAA" if ":" in a else "A")]
    if values:
        message.answer.append(dns.rrset.from_text(question.name, TTL_S, "IN", kind, *values))
    elif what.rcode in ("noerror", "nxdomain"):
        # RFC 2308: the SOA of the zone says for how long the name, or this type of it, does not exist.
        zone = question.name.parent() if len(question.name.labels) > 2 else question.name
        soa = f"ns1.{zone} hostmaster.{zone} 1 7200 900 1209600 300"
        message.authority.append(dns.rrset.from_text(zone, TTL_S, "IN", "SOA", soa))
    return message.to_wire()


def _looped(empty: bytes) -> bytes:
    """*empty*, a reply without answers or options, with one address record whose name is a pointer to that same pointer."""
    head = empty[:6] + (1).to_bytes(2, "big") + empty[8:12]
    record = (0xC000 | len(empty)).to_bytes(2, "big") + bytes((0, 1, 0, 1, 0, 0, 0, TTL_S, 0, 4, 192, 0, 2, 1))
    return head + empty[12:] + record
