"""STUN's binding request (RFC 8489 §2, §5, §14): what calls begin with. Anybody may ask, and every server answers.

A server tells its asker under which public address it sees him. That is read, to know whether it is an answer, and never
kept: it is the user's own address.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from probe.instruments.apps.dialogue import Heard

HEADER_BYTES = 20
"""Type, length, cookie and transaction id: all of an answer that may be kept, for the user's address stands behind it."""
COOKIE = 0x2112A442
_HEADER = struct.Struct(">HHI12s")
_ATTRIBUTE = struct.Struct(">HH")
_REQUEST, _SUCCESS, _ERROR = 0x0001, 0x0101, 0x0111
_MAPPED, _ERROR_CODE, _XOR_MAPPED, _FINGERPRINT = 0x0001, 0x0009, 0x0020, 0x8028
_FINGERPRINT_XOR = 0x5354554E
_ADDRESS_BYTES = {1: 8, 2: 20}
"""Family (RFC 8489 §14.1) to the length of an address attribute: one byte of zero, family, port, address."""
_LONGEST = 2048
"""No binding response that fits a packet of the Internet is longer."""
_MOST_ATTRIBUTES = 64


@dataclass(frozen=True, slots=True)
class Mapped:
    """Under which address and port a server sees its asker. Never to be kept, nor shown."""

    family: int
    port: int
    address: bytes


class StunDialogue:
    """A binding request without any attribute, and any answer to its transaction id."""

    protocol = "stun"
    sent = "binding request"
    shown_bytes = HEADER_BYTES

    def __init__(self, rng: random.Random) -> None:
        self.transaction = rng.randbytes(12)

    def first(self) -> bytes:
        return _HEADER.pack(_REQUEST, 0, COOKIE, self.transaction)

    def heard(self, data: bytes) -> Heard:
        return read_answer(data, self.transaction)


def read_answer(data: bytes, transaction: bytes) -> Heard:
    """Whether *data* answers the binding request of *transaction*. A refusal is an answer too, and its code the detail."""
    fault = _unlike(data, transaction)
    if fault is not None:
        return Heard(done=True, expected=False, detail=fault)
    kind = int.from_bytes(data[:2])
    found = dict(reversed(list(attributes(data))))
    if kind == _ERROR:
        return Heard(done=True, expected=True, detail=_error(found.get(_ERROR_CODE, b"")))
    if mapped_of(data) is None:
        return Heard(done=True, expected=False, detail="a binding response without an address")
    return Heard(done=True, expected=True)


def mapped_of(data: bytes) -> Mapped | None:
    """The address in a binding response, plain as old servers give it (RFC 3489) or with the cookie's bits turned."""
    found = dict(reversed(list(attributes(data))))
    if (plain := _mapped(found.get(_XOR_MAPPED, b""), COOKIE.to_bytes(4) + data[8:HEADER_BYTES])) is not None:
        return plain
    return _mapped(found.get(_MAPPED, b""), bytes(16))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes of a message, as far as their lengths hold; each begins at a multiple of four bytes."""
    at = HEADER_BYTES
    for _ in range(_MOST_ATTRIBUTES):
        if at + _ATTRIBUTE.size > len(data):
            return
        kind, size = _ATTRIBUTE.unpack_from(data, at)
        at += _ATTRIBUTE.size
        if at + size > len(data):
            return
        yield kind, data[at : at + size]
        at += size + -size % 4


# ---------------------------------------------------------------------------------------------------------------------


def _unlike(data: bytes, transaction: bytes) -> str | None:
    """What makes *data* no answer to *transaction*; in words of ours, for an answer may say anything."""
    if not HEADER_BYTES <= len(data) <= _LONGEST:
        return f"{len(data)} bytes, {'too short for a header' if len(data) < HEADER_BYTES else 'too long'}"
    kind, size, cookie, named = _HEADER.unpack_from(data)
    if cookie != COOKIE or kind >> 14:
        return "no STUN: another cookie"
    if named != transaction:
        return "an answer to another transaction"
    if kind == _REQUEST:
        return "our own question come back"
    if kind not in (_SUCCESS, _ERROR):
        return f"a message of type {kind:#06x}"
    if size % 4 or HEADER_BYTES + size != len(data):
        return f"{len(data)} bytes, and its head says {HEADER_BYTES + size}"
    return None if _sealed(data) else "a wrong checksum"


def _sealed(data: bytes) -> bool:
    """Whether the fingerprint is right, where the last attribute is one (RFC 8489 §14.7)."""
    end = len(data) - 8
    if end < HEADER_BYTES or data[end : end + 4] != _ATTRIBUTE.pack(_FINGERPRINT, 4):
        return True
    return int.from_bytes(data[end + 4 :]) == zlib.crc32(data[:end]) ^ _FINGERPRINT_XOR


def _mapped(value: bytes, mask: bytes) -> Mapped | None:
    family = value[1] if len(value) > 1 else 0
    if len(value) != _ADDRESS_BYTES.get(family):
        return None
    port = int.from_bytes(value[2:4]) ^ int.from_bytes(mask[:2])
    address = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
    return Mapped(family, port, address)


def _error(value: bytes) -> str:
    """``error 420``: the class and number of an error (RFC 8489 §14.8), without its text."""
    if len(value) < 4 or value[2] & 0x07 not in range(3, 7) or value[3] > 99:
        return "an error without a code"
    return f"error {(value[2] & 0x07) * 100 + value[3]}"
