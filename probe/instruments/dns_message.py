"""DNS messages in and out (RFC 1035, 6891, 8914): pure, bytes to facts. dnspython builds and parses, nothing else here.

A reply is *usable* when it is a well-formed answer to our question under our id. Anything else is kept as what it is,
because a censor's packet often is not well-formed, but it never ends the wait for a usable one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype

from probe.instruments import dns_bounds, failures
from probe.observations import Answer, DnsFact, Soa

PAYLOAD = 1232  # dnsflagday.net/2020: fits every path without fragments
MAX_ANSWERS = dns_bounds.MOST_ANSWERS
MAX_VALUE = 255
MAX_EXTENDED_ERRORS = 8

WRONG_ID = "dns_reply_with_wrong_query_id"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``checking_disabled`` sets CD, ``dnssec_ok`` DO; ``edns=False`` asks as RFC 1035 did, without OPT."""

    qname: str
    qtype: str = "A"
    checking_disabled: bool = False
    dnssec_ok: bool = False
    edns: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """One datagram or message that came back: its part of a ``DnsFact``, its failure, and whether it ends the wait."""

    fields: dict[str, Any] = field(hash=False)
    failure: str | None
    usable: bool

    @property
    def meaning(self) -> tuple[object, ...]:
        """What makes two replies the same: everything but TTLs and the order of the answers."""
        answers = sorted((a.name.lower(), a.rtype, a.value) for a in self.fields.get("answers", ()))
        return (self.failure, self.fields.get("rcode"), self.fields.get("malformed"), tuple(answers))


def build(question: Question, query_id: int) -> bytes:
    """The query as bytes. ``ValueError`` for a name or type that cannot be asked."""
    try:
        message = dns.message.make_query(
            dns.name.from_text(question.qname),
            question.qtype,
            use_edns=0 if question.edns else False,
            payload=PAYLOAD,
            want_dnssec=question.dnssec_ok,
            id=query_id,
        )
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"cannot be asked: {type(error).__name__}") from error
    if question.checking_disabled:
        message.flags |= dns.flags.CD
    return message.to_wire()


def read(data: bytes, question: Question, query_id: int) -> Reply:
    """What *data* says as a reply to *question* asked under *query_id*. Total: any bytes give a reply."""
    if len(data) < 12:
        return _garbage("shorter than a header", data)
    if int.from_bytes(data[:2]) != query_id:
        return replace(_read(data, question), failure=WRONG_ID, usable=False)
    return _read(data, question)


def _garbage(why: str, data: bytes) -> Reply:
    return Reply({"malformed": why, "reply_bytes": len(data)}, failures.MISBEHAVING, usable=False)


def _read(data: bytes, question: Question) -> Reply:
    try:
        message = dns.message.from_wire(dns_bounds.bounded(data), ignore_trailing=True)
        fields = _fields(message) | {"reply_bytes": len(data)}
    except (dns.exception.DNSException, ValueError, LookupError) as error:
        return _garbage(type(error).__name__, data)
    if not message.flags & dns.flags.QR:
        return _garbage("a query, not a reply", data)
    if not _same_question(message, question):
        return Reply(fields | {"malformed": "answers another question"}, failures.MISBEHAVING, usable=False)
    if any(rrset.rdclass != dns.rdataclass.IN for rrset in message.answer):
        # What an address is in another class nobody has said (RFC 3597 §4): a bit that fell over on the way.
        return _garbage("answers in another class", data)
    return Reply(fields, _failure(message, fields), usable=True)


def _same_question(message: dns.message.Message, question: Question) -> bool:
    if not message.question:
        return message.rcode() != 0  # servers that could not read the query leave it out
    asked = message.question[0]
    return (
        len(message.question) == 1
        and asked.name == dns.name.from_text(question.qname)
        and asked.rdtype == dns.rdatatype.from_text(question.qtype)
        and asked.rdclass == 1
    )


def _failure(message: dns.message.Message, fields: dict[str, Any]) -> str | None:
    failure = failures.from_rcode(int(message.rcode()))
    if failure is None and not message.flags & dns.flags.TC and not _answers_the_type(message, fields):
        return "dns_no_answer"
    return failure


def _answers_the_type(message: dns.message.Message, fields: dict[str, Any]) -> bool:
    (asked,) = message.question
    wanted = dns.rdatatype.to_text(asked.rdtype)
    return any(wanted in (answer.rtype, "ANY") for answer in fields["answers"])


def _fields(message: dns.message.Message) -> dict[str, Any]:
    return {
        "rcode": int(message.rcode()),
        "answers": _answers(message),
        "extended_errors": tuple(
            int(option.code) for option in message.options if isinstance(option, dns.edns.EDEOption)
        )[:MAX_EXTENDED_ERRORS],
        "authenticated_data": bool(message.flags & dns.flags.AD),
        "truncated": bool(message.flags & dns.flags.TC),
        "soa": _soa(message),
    }


def _soa(message: dns.message.Message) -> Soa | None:
    """The first SOA record of the answer, or else of the authority section."""
    for rrset in (*message.answer, *message.authority):
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset):
            record: Any = rrset[0]
            return Soa(
                zone=rrset.name.to_text(omit_final_dot=True).lower()[:MAX_VALUE],
                mname=record.mname.to_text(omit_final_dot=True).lower()[:MAX_VALUE],
                rname=record.rname.to_text(omit_final_dot=True).lower()[:MAX_VALUE],
                serial=int(record.serial),
                ttl=int(rrset.ttl),
            )
    return None


def _answers(message: dns.message.Message) -> tuple[Answer, ...]:
    records = ((rrset, rdata) for rrset in message.answer for rdata in rrset)
    return tuple(
        Answer(
            name=rrset.name.to_text(omit_final_dot=True),
            rtype=dns.rdatatype.to_text(rrset.rdtype),
            value=_value(rdata),
            ttl=int(rrset.ttl),
        )
        for rrset, rdata in (pair for pair, _ in zip(records, range(MAX_ANSWERS), strict=False))
    )


def _value(rdata: Any) -> str:
    text = str(rdata.to_text())
    return (text.removesuffix(".") if len(text) > 1 else text)[:MAX_VALUE]


def fact(question: Question, reply: Reply | None, **place: Any) -> DnsFact:
    """The fact of *question* and *reply* (``None``: silence), with where and how it was asked in *place*."""
    return DnsFact(
        qname=question.qname,
        qtype=question.qtype,
        checking_disabled=question.checking_disabled,
        dnssec_ok=question.dnssec_ok,
        **place,
        **(reply.fields if reply else {}),
    )
