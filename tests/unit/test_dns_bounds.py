"""How much of a DNS message is taken apart: enough for every honest one, and a bounded part of any other."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest

from probe.instruments import dns_bounds, dns_message
from probe.instruments.dns_message import Question
from tests.fuzz.readers.names import _deep

NAME = "www.facebook.com"
ASKED = Question(NAME)


def reply(answers: int = 1, authority: int = 0, additional: int = 0, name: str = NAME) -> bytes:
    """A reply with so many records, each of its own name, and EDNS at its end."""
    made = dns.message.make_response(dns.message.from_wire(dns_message.build(Question(name), 7)))
    for section, count, kind, value in (
        (made.answer, answers, "A", "192.0.2.1"),
        (made.authority, authority, "NS", "a.example.net."),
        (made.additional, additional, "AAAA", "2001:db8::1"),
    ):
        section += [dns.rrset.from_text(f"n{n}.{name}.", 60, "IN", kind, value) for n in range(count)]
    return made.to_wire(max_size=65_535)


@pytest.mark.parametrize("counts", [(0, 0, 0), (1, 0, 0), (64, 13, 27), (3, 32, 31)])
def test_honest_messages_are_whole(counts):
    """A referral of the root with all its addresses, and as many answers as are kept: not a byte is changed."""
    data = reply(*counts)
    assert dns_bounds.bounded(data) == data
    assert dns_message.read(data, ASKED, 7).failure in (None, "dns_no_answer")


def test_deep_names_are_no_wonder():
    """The reverse name of an IPv6 address has 34 labels."""
    name = ".".join("0" * 32) + ".ip6.arpa"
    assert dns_bounds.bounded(reply(12, name=name))


def test_more_answers_than_are_kept_are_left_over():
    """The first 64 are read; what stands behind the answers cannot be found then, and is not looked for."""
    data = dns_bounds.bounded(reply(100, 2, 2))
    assert [int.from_bytes(data[at : at + 2]) for at in (4, 6, 8, 10)] == [1, 64, 0, 0]
    read = dns_message.read(reply(100, 2, 2), Question(NAME), 7)
    assert read.usable
    assert len(read.fields["answers"]) == 64


def test_a_message_that_is_all_names_is_none():
    """By pointers 2 KB hold some ten thousand labels; it is malformed, and no longer looked at."""
    with pytest.raises(ValueError, match="too many names"):
        dns_bounds.bounded(_deep(128))
    read = dns_message.read(_deep(128), ASKED, 7)
    assert (read.failure, read.usable) == ("dns_server_misbehaving", False)
    assert dns_bounds.bounded(_deep(1)) == _deep(1)


@pytest.mark.parametrize("data", [b"\xc0\x0c", b"\x01", b"\xc0", b"\x3f" + bytes(9), b"\xff" * 40])
def test_names_that_go_nowhere_are_left_to_the_parser(data):
    """Pointers to themselves, labels beyond the end: no exception, and no end that never comes."""
    head = b"\0\7\x81\x80\0\1\0\1\0\1\0\1"
    assert dns_bounds.bounded(head + data)[12:] == data
