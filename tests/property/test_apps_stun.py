"""STUN answers: what servers send is understood, what anybody sends is survived, and the user's address is not kept."""

from __future__ import annotations

import ipaddress
import random
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.instruments.apps import stun
from probe.instruments.apps.stun import COOKIE, HEADER_BYTES, StunDialogue, mapped_of, read_answer

relaxed = settings(max_examples=300, deadline=None)
# RFC 5769 §2.1 to §2.3: the test vectors, whose transaction id is b7e7a701bc34d686fa87dfae.
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
ANSWER_4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90"
    "c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
ANSWER_6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9"
    "d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
BLANK = struct.Struct(">HHI12s")

ports = st.integers(0, 65_535)
addresses = st.ip_addresses()


def message(kind: int, *found: tuple[int, bytes], transaction: bytes = TRANSACTION, sealed: bool = False) -> bytes:
    """A message as a server makes it."""
    body = b"".join(struct.pack(">HH", k, len(v)) + v + bytes(-len(v) % 4) for k, v in found)
    head = BLANK.pack(kind, len(body) + 8 * sealed, COOKIE, transaction)
    seal = struct.pack(">HHI", 0x8028, 4, zlib.crc32(head + body) ^ 0x5354554E) if sealed else b""
    return head + body + seal


def turned(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> tuple[int, bytes]:
    """XOR-MAPPED-ADDRESS."""
    mask = COOKIE.to_bytes(4) + TRANSACTION
    packed = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    return 0x0020, bytes([0, 1 if address.version == 4 else 2]) + (port ^ (COOKIE >> 16)).to_bytes(2) + packed


@pytest.mark.parametrize(
    ("data", "address"), [(ANSWER_4, "192.0.2.1"), (ANSWER_6, "2001:db8:1234:5678:11:2233:4455:6677")]
)
def test_the_vectors_of_the_standard_are_answers(data: bytes, address: str) -> None:
    """RFC 5769: both families, with a checksum that is right."""
    heard = read_answer(data, TRANSACTION)
    assert (heard.done, heard.expected, heard.say, heard.detail) == (True, True, b"", None)
    mapped = mapped_of(data)
    assert mapped is not None
    assert (ipaddress.ip_address(mapped.address), mapped.port) == (ipaddress.ip_address(address), 32853)


@relaxed
@given(address=addresses, port=ports, sealed=st.booleans(), padding=st.binary(max_size=60))
def test_what_a_server_says_is_read(address: ipaddress.IPv4Address, port: int, sealed: bool, padding: bytes) -> None:
    """Whatever stands before it, the address is found, and no word of it is in what is made of the answer."""
    data = message(0x0101, (0x8022, padding), turned(address, port), sealed=sealed)
    mapped = mapped_of(data)
    assert mapped is not None
    assert (mapped.address, mapped.port) == (address.packed, port)
    heard = read_answer(data, TRANSACTION)
    assert (heard.expected, heard.detail) == (True, None)


@relaxed
@given(address=addresses, port=ports)
def test_old_servers_give_it_plainly(address: ipaddress.IPv4Address, port: int) -> None:
    """RFC 3489: MAPPED-ADDRESS."""
    value = bytes([0, 1 if address.version == 4 else 2]) + port.to_bytes(2) + address.packed
    mapped = mapped_of(message(0x0101, (0x0001, value)))
    assert mapped is not None
    assert (mapped.address, mapped.port) == (address.packed, port)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "0 bytes, too short for a header"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no STUN: another cookie"),
        (ANSWER_4[:-1], "79 bytes, and its head says 80"),
        (ANSWER_4[:-4] + bytes(4), "a wrong checksum"),
        (message(0x0101, turned(ipaddress.ip_address("192.0.2.1"), 1), transaction=bytes(12)), "an answer to another transaction"),
        (message(0x0001), "our own question come back"),
        (message(0x0101), "a binding response without an address"),
        (message(0x0101, (0x0020, bytes(8))), "a binding response without an address"),
        (message(0x0113), "a message of type 0x0113"),
        (bytes(2049), "2049 bytes, too long"),
    ],
)  # fmt: skip
def test_what_is_no_answer_says_why(data: bytes, detail: str) -> None:
    """Only an answer to this very question counts; whoever answers everything with the same bytes gives none."""
    heard = read_answer(data, TRANSACTION)
    assert (heard.done, heard.expected, heard.detail) == (True, False, detail)


def test_a_refusal_is_an_answer() -> None:
    """A server that wants a name first speaks STUN, and to us."""
    heard = read_answer(message(0x0111, (0x0009, b"\0\0\4\1Unauthorized")), TRANSACTION)
    assert (heard.expected, heard.detail) == (True, "error 401")
    assert read_answer(message(0x0111), TRANSACTION).detail == "an error without a code"


@relaxed
@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(lambda body: ANSWER_4[:HEADER_BYTES] + body))
def test_any_bytes_are_heard(data: bytes) -> None:
    """No exception, and a plain word."""
    heard = StunDialogue(random.Random(7)).heard(data)
    assert heard.done
    assert heard.detail is None or (len(heard.detail) <= 80 and heard.detail.isprintable())
    read_answer(data, TRANSACTION)
    mapped_of(data)


@relaxed
@given(at=st.integers(0, len(ANSWER_4) - 1), bit=st.integers(0, 7))
def test_one_wrong_bit_is_no_answer(at: int, bit: int) -> None:
    """The checksum sees what the lengths do not; a flaw in the checksum's own head leaves an answer without one."""
    data = bytearray(ANSWER_4)
    data[at] ^= 1 << bit
    seal = len(ANSWER_4) - 8
    if not seal <= at < seal + 4:
        assert read_answer(bytes(data), TRANSACTION).expected is False


def test_thousands_of_wrong_answers_cost_little() -> None:
    """A bounded run over broken answers of all kinds: no exception, linear time, nothing grows."""
    rng = random.Random(20261122)
    dialogue = StunDialogue(rng)
    good = message(0x0101, *((0x8000 + n, bytes(4)) for n in range(40)), transaction=dialogue.transaction)
    begun = time.process_time()
    for _ in range(20_000):
        data = bytearray(good[: rng.randrange(len(good) + 1)])
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        dialogue.heard(bytes(data))
    assert dialogue.heard(bytes(65_507)).expected is False
    assert time.process_time() - begun < 20
    assert set(vars(dialogue)) == {"transaction"}


def test_a_question_is_twenty_bytes_and_the_same_again() -> None:
    """RFC 8489 §5: type, length, cookie, transaction; a resend is the same question."""
    dialogue = StunDialogue(random.Random(7))
    first = dialogue.first()
    assert BLANK.unpack(first) == (0x0001, 0, COOKIE, dialogue.transaction)
    assert dialogue.first() == first
    answer = message(0x0101, turned(ipaddress.ip_address("192.0.2.1"), 5), transaction=dialogue.transaction)
    assert dialogue.heard(answer).expected is True
    assert stun.HEADER_BYTES == StunDialogue.shown_bytes == len(first)
