"""A connection that is encrypted from its first byte, as Shadowsocks, VMess and obfs4 are, and one that is only random.

What the Great Firewall takes for fully encrypted is measured: it lets pass a first packet with few or many ones in it, with
printable bytes at its beginning, in most of it or in one long run, or which begins as TLS or HTTP does (Wu et al., "How the
Great Firewall of China Detects and Blocks Fully Encrypted Traffic", USENIX Security 2023, §4). Here the one is none of these,
and the other differs from it in a few letters at its beginning.
"""

from __future__ import annotations

import random
from typing import Protocol

_PRINTABLE = range(0x20, 0x7F)
_FEWEST_ONES, _MOST_ONES = 3.4, 4.6
_LONGEST_RUN = 20
_HEAD = 6
_LETTERS = 24
"""More than any of these rules asks for."""
FIRST = 197
"""Bytes: a salt of 32, a length, an address and the beginning of a greeting (shadowsocks.org, AEAD)."""
_TRIES = 64


def is_exempt(data: bytes) -> bool:
    """Whether a first packet would be let pass by those rules."""
    if not data:
        return True
    ones = int.from_bytes(data).bit_count() / len(data)
    printable = [byte in _PRINTABLE for byte in data]
    if not _FEWEST_ONES < ones < _MOST_ONES:
        return True
    if all(printable[:_HEAD]) or sum(printable) * 2 > len(data):
        return True
    return _run(printable) > _LONGEST_RUN or data[:3] in (b"\x16\x03\x01", b"\x16\x03\x02", b"\x16\x03\x03")


def _run(printable: list[bool]) -> int:
    longest = run = 0
    for one in printable:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest


def encrypted(rng: random.Random, size: int) -> bytes:
    """*size* random bytes that look like nothing else. From some thirty on, nearly all do; of a few bytes none may."""
    data = rng.randbytes(size)
    for _ in range(_TRIES):
        if not is_exempt(data):
            break
        data = rng.randbytes(size)
    return data


def plain(rng: random.Random, size: int) -> bytes:
    """The same, but for letters at the beginning."""
    letters = bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=min(size, _LETTERS)))
    return letters + rng.randbytes(size - len(letters))


class Shape(Protocol):
    """What a connection looks like from outside, packet by packet; both need no answer to go on."""

    protocol: str

    def first(self) -> bytes:
        """What the client begins with."""
        ...

    def data(self, number: int, size: int) -> bytes:
        """Packet *number* (from 1) after it, of about *size* bytes."""
        ...


class EncryptedShape:
    """What a fully encrypted connection looks like from outside: nothing."""

    protocol = "encrypted"

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def first(self) -> bytes:
        return encrypted(self._rng, FIRST)

    def data(self, number: int, size: int) -> bytes:  # noqa: ARG002 - all are alike
        """*size* bytes of the stream."""
        return self._rng.randbytes(size)


class RandomShape:
    """The arm that a protocol is held against: packets of the sizes of *like*, in which there is nothing to be found.

    *lettered*: it begins with letters, so that a stream is none of those that are stopped for being fully encrypted.
    """

    protocol = "random"

    def __init__(self, rng: random.Random, like: Shape, *, lettered: bool = False) -> None:
        self._rng, self._like, self._lettered = rng, like, lettered

    def first(self) -> bytes:
        """Its first byte is another one: some protocols are known by no more than that, and chance has it once in 256 times."""
        like = self._like.first()
        data = plain(self._rng, len(like)) if self._lettered else self._rng.randbytes(len(like))
        return bytes([(data[0] + 1) % 256]) + data[1:] if data[:1] == like[:1] and not self._lettered else data

    def data(self, number: int, size: int) -> bytes:
        """As many bytes as the other's packet *number* has."""
        return self._rng.randbytes(len(self._like.data(number, size)))
