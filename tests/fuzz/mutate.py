"""Real messages made wrong: bits, ends, lengths, pieces of one in another. The same random source makes the same again."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

EDGES = (0, 1, 2, 3, 0x0C, 0x1F, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
"""Bytes at which readers turn: ends of ranges, compression pointers of DNS, lengths of QUIC and DER."""
_MOST_REPEATS = 5_000

Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def _flip(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    for _ in range(rng.randint(1, 8)):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _edge(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    for _ in range(rng.randint(1, 4)):
        if data:
            data[rng.randrange(len(data))] = rng.choice(EDGES)


def _truncate(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    del data[rng.randint(0, len(data)) :]


def _extend(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    data += rng.choice((rng.randbytes(rng.randint(1, 64)), bytes((rng.choice(EDGES),)) * rng.randint(1, 2_000)))


def _drop(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    at = rng.randint(0, len(data))
    del data[at : at + rng.randint(1, 16)]


def _insert(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    at = rng.randint(0, len(data))
    data[at:at] = rng.randbytes(rng.randint(1, 16))


def _splice(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = rng.choice(seeds)
    if other:
        begin, at = rng.randrange(len(other)), rng.randint(0, len(data))
        size = rng.choice((rng.randint(1, 40), len(other)))
        data[at : at + rng.choice((0, size))] = other[begin : begin + size]


def _length(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    """Something that may be a length of one to four bytes: none, all, what is left, one more, one less."""
    width = rng.choice((1, 2, 2, 3, 4))
    if len(data) < width:
        return
    at = rng.randint(0, len(data) - width)
    left, top = len(data) - at - width, 256**width - 1
    here = int.from_bytes(data[at : at + width])
    value = rng.choice((0, 1, top, top >> 1, left, left + 1, left - 1, here + 1, here - 1, len(data)))
    data[at : at + width] = (max(0, min(value, top))).to_bytes(width)


def _repeat(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    """A piece many times over: what is not linear shows here."""
    if data:
        at = rng.randrange(len(data))
        piece = bytes(data[at : at + rng.choice((1, 2, rng.randint(1, 40)))])
        data[at:at] = piece * rng.choice((2, rng.randint(2, 50), rng.randint(50, _MOST_REPEATS)))


MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _flip,
    _edge,
    _truncate,
    _extend,
    _drop,
    _insert,
    _splice,
    _splice,
    _length,
    _length,
    _repeat,
)


def mutated(rng: random.Random, seeds: Sequence[bytes], longest: int) -> bytes:
    """One of *seeds* after one to five mutations, or nothing but noise; at most *longest* bytes."""
    if rng.random() < 0.02:
        return rng.randbytes(rng.choice((rng.randint(0, 16), rng.randint(0, 2_000))))[:longest]
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        rng.choice(MUTATIONS)(rng, data, seeds)
        del data[longest:]
    return bytes(data)
