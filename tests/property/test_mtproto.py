"""Whatever a stranger says in place of a data centre: nothing is raised, and only an answer to our own nonce is one."""

from __future__ import annotations

import random
import struct

from hypothesis import example, given, settings
from hypothesis import strategies as st

from probe.instruments.apps import websocket
from probe.instruments.apps.dialogue import MOST_BYTES, describe
from probe.instruments.apps.mtproto import MtprotoDialogue, is_res_pq
from tests.lab.mtproto import Flow

pure = settings(max_examples=300, deadline=None)
NOW_US = 1_795_000_000_000_000
SEEDS = st.integers(0, 2**32)
CUTS = st.lists(st.integers(1, 40), max_size=12)
NONCE = bytes(range(16))


def dialogue(seed: int = 1, now_us: int = NOW_US) -> MtprotoDialogue:
    return MtprotoDialogue(random.Random(seed), now_us)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    pieces = []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    return [piece for piece in (*pieces, data) if piece]


def res_pq(nonce: bytes = NONCE, pq: bytes = bytes(8), keys: tuple[int, ...] = (1, 2)) -> bytes:
    """A whole answer by the schema."""
    number = bytes((len(pq),)) + pq
    body = struct.pack("<I16s16s", 0x05162463, nonce, bytes(16)) + number + bytes(-len(number) % 4)
    body += struct.pack(f"<II{len(keys)}Q", 0x1CB5C415, len(keys), *keys)
    return struct.pack("<QQI", 0, 5, len(body)) + body


@pure
@given(SEEDS, st.integers(0, 2**62), CUTS, CUTS)
def test_a_data_centre_answers_however_its_bytes_are_cut(seed, now_us, ours, theirs):
    """The lab's server, which shares no code with the probe, reads every head and question; its answer is known in the end."""
    told, flow = dialogue(seed, now_us), Flow("answer")
    answers = [flow.feed(piece) for piece in in_pieces(told.first(), ours)]
    whole = b"".join(answer for answer in answers if answer)
    heard = [told.heard(piece) for piece in in_pieces(whole, theirs)]
    assert [one.done for one in heard] == [False] * (len(heard) - 1) + [True]
    assert heard[-1].expected is True


@pure
@given(SEEDS)
def test_a_head_begins_with_nothing_that_means_something(seed):
    """Neither a request of the web, nor a greeting of TLS, nor a transport without obfuscation; 108 bytes in all."""
    first = dialogue(seed).first()
    assert len(first) == 64 + 4 + 40
    assert first[0] != 0xEF
    assert first[:4] not in (b"HEAD", b"POST", b"GET ", b"OPTI", b"\xee" * 4, b"\xdd" * 4, b"\x16\x03\x01\x02")
    assert first[4:8] != bytes(4)


@pure
@given(st.lists(st.binary(max_size=400), max_size=8))
@example([b"HTTP/1.1 400 Bad Request\r\n\r\n"])
@example([b"\x15\x03\x01\x00\x02\x02\x28"])
@example([bytes(MOST_BYTES), b"x"])
def test_strangers_bytes_are_never_an_answer(pieces):
    """Nothing is raised, and nothing is expected."""
    told = dialogue()
    told.first()
    assert not any(told.heard(piece).expected for piece in pieces)


@pure
@given(SEEDS, st.sampled_from(["echo", "http", "noise", "other"]))
def test_what_does_not_know_the_nonce_is_not_expected(seed, manner):
    """Our own bytes sent back, a page, noise, and an answer to somebody else's question."""
    told, flow = dialogue(seed), Flow(manner)
    heard = told.heard(flow.feed(told.first()) or b"")
    assert not heard.expected


def test_an_error_of_the_transport_is_the_servers_own_word():
    """It is encrypted with the key in our head: whoever says so has read it."""
    told = dialogue()
    heard = told.heard(Flow("flood").feed(told.first()) or b"")
    assert (heard.done, heard.expected, heard.detail) == (True, True, "an error of the transport (429)")


@pure
@given(st.binary(max_size=200))
def test_any_message_can_be_looked_at(message):
    """Nothing is raised."""
    assert is_res_pq(message, NONCE) is False


@pure
@given(st.binary(min_size=1, max_size=8), st.lists(st.integers(0, 2**64 - 1), max_size=6), st.data())
def test_only_a_whole_answer_is_one(pq, keys, data):
    """Every byte of the schema is needed, and none may be left over; the nonce must be ours."""
    whole = res_pq(pq=pq, keys=tuple(keys))
    assert is_res_pq(whole, NONCE)
    assert not is_res_pq(whole, bytes(16))
    assert not is_res_pq(whole[: data.draw(st.integers(0, len(whole) - 1))], NONCE)
    assert not is_res_pq(whole + b"x", NONCE)


@pure
@given(st.lists(st.binary(max_size=300), max_size=6), st.booleans())
def test_strangers_frames_are_read_within_bounds(pieces, opened):
    """Nothing is raised, before the change and after it; no more comes out than went in."""
    frames = websocket.Frames("key")
    if opened:
        frames.feed(f"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {websocket.accepted('key')}\r\n\r\n".encode())
        assert frames.is_open
    out = [frames.feed(piece) for piece in pieces]
    assert sum(map(len, out)) <= sum(map(len, pieces))


@pure
@given(st.binary(max_size=70_000 // 64), st.integers(0, 64), st.binary(min_size=4, max_size=4))
def test_a_frame_of_ours_is_unmasked_to_what_was_meant(payload, times, mask):
    """Each length has its form (RFC 6455 §5.2)."""
    payload = payload * times
    told = websocket.frame(payload, mask)
    head = 2 + (0 if len(payload) < 126 else 2 if len(payload) < 65536 else 8)
    assert told[0] == 0x82
    assert told[head : head + 4] == mask
    assert bytes(b ^ mask[i % 4] for i, b in enumerate(told[head + 4 :])) == payload


def test_the_answer_to_a_key_is_the_standards_example():
    """RFC 6455 §1.3."""
    assert websocket.accepted("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pure
@given(st.binary(max_size=300))
def test_what_came_is_described_in_our_own_words(data):
    """In a line of at most 80 characters that can be printed."""
    told = describe(data)
    assert 0 < len(told) <= 80
    assert told.isprintable()
