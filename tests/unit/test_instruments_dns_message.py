"""DNS messages: what is asked, and what any bytes are as a reply."""

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from probe.instruments.dns_message import MAX_ANSWERS, PAYLOAD, Question, Reply, build, fact, read
from probe.observations import Soa

ASKED = Question("Example.test")


def reply_to(question: Question, *answers: str, rcode: int = 0, query_id: int = 7, flags: int = 0, **options) -> bytes:
    query = dns.message.from_wire(build(question, query_id))
    message = dns.message.make_response(query)
    message.set_rcode(dns.rcode.Rcode.make(rcode))
    message.flags |= flags
    for answer in answers:
        name, kind, value = answer.split(" ", 2)
        message.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
    if options:
        message.use_edns(0, payload=PAYLOAD, **options)
    return message.to_wire(max_size=65535)


def test_a_query_asks_with_edns_and_recursion():
    """RD is set, the payload is 1232, CD and DO are not unless asked for, the name is sent as given."""
    query = dns.message.from_wire(build(ASKED, 4711))

    assert (query.id, query.edns, query.payload) == (4711, 0, 1232)
    assert query.flags == dns.flags.RD
    assert not query.ednsflags & dns.flags.DO
    assert query.question[0].name.to_text() == "Example.test."


def test_a_query_can_disable_checking_and_ask_for_dnssec_or_go_without_edns():
    """CD, DO and plain RFC 1035 are the question's to choose."""
    query = dns.message.from_wire(build(Question("x.test", "AAAA", checking_disabled=True, dnssec_ok=True), 1))
    plain = dns.message.from_wire(build(Question("x.test", edns=False), 1))

    assert query.flags & dns.flags.CD
    assert query.ednsflags & dns.flags.DO
    assert plain.edns == -1


@pytest.mark.parametrize(("name", "qtype"), [("a" * 64 + ".test", "A"), ("a..test", "A"), ("x.test", "NOSUCHTYPE")])
def test_what_cannot_be_asked_is_a_value_error(name: str, qtype: str):
    """A label over 63 bytes, an empty one, or an unknown type are the caller's mistake."""
    with pytest.raises(ValueError, match="cannot be asked"):
        build(Question(name, qtype), 1)


def test_a_good_reply_is_usable():
    """Answers come with owner, type, value and TTL; the alias is told too."""
    data = reply_to(ASKED, "Example.test. CNAME www.test.", "www.test. A 192.0.2.1")
    reply = read(data, ASKED, 7)
    seen = fact(ASKED, reply, transport="udp", role="system")

    assert (reply.usable, reply.failure) == (True, None)
    assert [(a.name, a.rtype, a.value, a.ttl) for a in seen.answers] == [
        ("Example.test", "CNAME", "www.test", 60),
        ("www.test", "A", "192.0.2.1", 60),
    ]
    assert seen.addresses == ("192.0.2.1",)
    assert seen.reply_bytes == len(data)


@pytest.mark.parametrize(
    ("rcode", "failure"),
    [(1, "dns_server_misbehaving"), (2, "dns_servfail_error"), (3, "dns_nxdomain_error"), (5, "dns_refused_error")],
)
def test_a_refusal_is_usable_and_a_failure(rcode: int, failure: str):
    """The resolver's "no" ends the wait and has its own word."""
    reply = read(reply_to(ASKED, rcode=rcode), ASKED, 7)

    assert (reply.usable, reply.failure) == (True, failure)


def test_a_reply_without_the_type_asked_for_is_no_answer():
    """NOERROR with only an alias is dns_no_answer."""
    assert read(reply_to(ASKED, "Example.test. CNAME www.test."), ASKED, 7).failure == "dns_no_answer"
    assert read(reply_to(ASKED), ASKED, 7).failure == "dns_no_answer"


def test_a_truncated_reply_is_not_an_empty_one():
    """TC says that there is more; it is recorded and is no failure."""
    reply = read(reply_to(ASKED, flags=dns.flags.TC), ASKED, 7)

    assert (reply.usable, reply.failure, reply.fields["truncated"]) == (True, None, True)


def test_another_id_is_told_and_never_usable():
    """A reply under an id that we did not send is kept with its answers, as what it is."""
    reply = read(reply_to(ASKED, "Example.test. A 192.0.2.1", query_id=8), ASKED, 7)

    assert (reply.usable, reply.failure) == (False, "dns_reply_with_wrong_query_id")
    assert reply.fields["answers"][0].value == "192.0.2.1"


@pytest.mark.parametrize("other", [Question("other.test"), Question("Example.test", "AAAA")])
def test_an_answer_to_another_question_is_never_usable(other: Question):
    """The name and the type must be ours."""
    reply = read(reply_to(other, "x.test. A 192.0.2.1"), ASKED, 7)

    assert (reply.usable, reply.failure, reply.fields["malformed"]) == (
        False,
        "dns_server_misbehaving",
        "answers another question",
    )


def test_an_address_of_another_class_is_garbage():
    """A router with a bad memory turned IN into class 17: what stands there is no address that could be connected to."""
    sound = reply_to(ASKED, "example.test. A 192.0.2.1")
    record = sound.rindex(b"\x00\x01\x00\x01")
    reply = read(sound[: record + 2] + b"\x00\x11" + sound[record + 4 :], ASKED, 7)

    assert (reply.usable, reply.failure) == (False, "dns_server_misbehaving")
    assert reply.fields["malformed"] == "answers in another class"
    assert "answers" not in reply.fields


def test_our_own_query_sent_back_is_no_reply():
    """A mirror does not resolve."""
    reply = read(build(ASKED, 7), ASKED, 7)

    assert (reply.usable, reply.fields["malformed"]) == (False, "a query, not a reply")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x07" + bytes(9),
        b"\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + b"\xc0\x0c\x00\x01\x00\x01",
        b"\x00\x07\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x01a\xc0\x0c\x00\x01\x00\x01",
        b"\x00\x07\x81\x80\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
    ids=["empty", "short", "points to itself", "loops", "counts without records"],
)
def test_garbage_and_loops_are_misbehaving(data: bytes):
    """Compression loops and cut messages are malformed data, not exceptions."""
    reply = read(data, ASKED, 7)

    assert (reply.usable, reply.failure) == (False, "dns_server_misbehaving")
    assert reply.fields["malformed"]


def test_the_zone_that_a_denial_is_from_is_kept():
    """The authority section's SOA, names in lower case, with its TTL; ``None`` without one."""
    message = dns.message.from_wire(reply_to(ASKED, rcode=3))
    message.authority.append(dns.rrset.from_text("Test.", 61, "IN", "SOA", "A.Nic.test. host.nic.TEST. 17 1 2 3 4"))

    assert read(message.to_wire(), ASKED, 7).fields["soa"] == Soa(
        zone="test", mname="a.nic.test", rname="host.nic.test", serial=17, ttl=61
    )
    assert read(reply_to(ASKED, rcode=3), ASKED, 7).fields["soa"] is None


def test_extended_errors_and_authentication_are_kept():
    """RFC 8914 codes and the AD bit are facts of the reply."""
    options = [dns.edns.EDEOption(dns.edns.EDECode.BLOCKED, "x"), dns.edns.EDEOption(dns.edns.EDECode.CENSORED)]
    reply = read(reply_to(ASKED, rcode=2, flags=dns.flags.AD, options=options), ASKED, 7)

    assert reply.fields["extended_errors"] == (15, 16)
    assert reply.fields["authenticated_data"] is True


def test_a_huge_reply_is_capped():
    """A thousand answers are read as the first 64, and a long value is cut."""
    data = reply_to(ASKED, *(f"Example.test. A 10.0.{n // 250}.{n % 250 + 1}" for n in range(1000)))
    long = reply_to(Question("x.test", "TXT"), 'x.test. TXT "' + '" "'.join(["y" * 250] * 9) + '"')

    assert len(read(data, ASKED, 7).fields["answers"]) == MAX_ANSWERS
    assert len(read(long, Question("x.test", "TXT"), 7).fields["answers"][0].value) == 255


def test_two_replies_mean_the_same_whatever_the_order_and_ttl():
    """Round-robin order is no difference; another address is."""

    def meaning(*answers: str) -> object:
        return read(reply_to(ASKED, *answers), ASKED, 7).meaning

    one, two, three = (f"Example.test. A 192.0.2.{n}" for n in (1, 2, 3))
    assert meaning(one, two) == meaning(two, one)
    assert meaning(one, two) != meaning(one, three)


def test_silence_is_a_fact_without_a_reply():
    """No reply leaves everything about one unmeasured."""
    silent = fact(ASKED, None, transport="udp", role="foreign")

    assert (silent.rcode, silent.reply_bytes, silent.authenticated_data) == (None, None, None)


def test_a_servers_complaint_without_a_question_is_usable():
    """FORMERR often comes back without the question; that is still the server's word."""
    data = b"\x00\x07\x80\x01" + bytes(8)

    assert read(data, ASKED, 7) == Reply(read(data, ASKED, 7).fields, "dns_server_misbehaving", usable=True)
