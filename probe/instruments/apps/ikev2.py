"""IKEv2's first exchange, ``IKE_SA_INIT`` (RFC 7296 §1.2, §3): anybody may ask, and every server answers.

A server that wants another group, a cookie first, or nothing that was proposed says so in a notification that is bound to our
SPI: that is the protocol, answered.
"""

from __future__ import annotations

import random
import struct

from probe.instruments.apps.dialogue import Heard

MARKED_PORT = 4500
"""Where four zero bytes tell it from ESP (RFC 3948 §2.2)."""
_HEADER = struct.Struct(">8s8sBBBBII")
_PAYLOAD = struct.Struct(">BBH")
_VERSION = 0x20
_SA_INIT, _AUTH = 34, 35
_INITIATOR, _RESPONSE = 0x08, 0x20
_NONE, _SA, _KE, _NONCE, _NOTIFY, _ENCRYPTED = 0, 33, 34, 40, 41, 46
_GROUP = 14
"""MODP, 2048 bits (RFC 3526 §3): the one that nearly everybody has."""
_GROUP_BYTES = 256
_MOST_PAYLOADS = 32
_NOTIFICATIONS = {
    5: "INVALID_MAJOR_VERSION",
    7: "INVALID_SYNTAX",
    14: "NO_PROPOSAL_CHOSEN",
    17: "INVALID_KE_PAYLOAD",
    24: "AUTHENTICATION_FAILED",
    16390: "COOKIE",
    16406: "REDIRECT",
}
# (type, number, key bits): AES-CBC and AES-GCM, SHA-2, and groups 14, 19 and 31 (IANA "IKEv2 Parameters").
_WITH_INTEGRITY = ((1, 12, 256), (1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 14, 0), (4, 19, 0), (4, 31, 0))
_COMBINED = ((1, 20, 256), (1, 20, 128), (2, 5, 0), (4, 14, 0), (4, 19, 0), (4, 31, 0))


class Ikev2Dialogue:
    """An ``IKE_SA_INIT`` request, and any answer to it under our SPI. *marked*: on port 4500 four zero bytes stand before
    (RFC 7296 §2.23).
    """

    protocol = "ikev2"
    sent = "IKE_SA_INIT"

    def __init__(self, rng: random.Random, *, marked: bool = False) -> None:
        self.spi = rng.randbytes(8)
        # Below the group's prime, whose first bytes are all ones; never 0 or 1 (RFC 6989 §2.1).
        self._public = b"\x7f" + rng.randbytes(_GROUP_BYTES - 2) + b"\x02"
        self._nonce = rng.randbytes(32)
        self._marker = bytes(4) if marked else b""

    def first(self) -> bytes:
        exchange = _payload(_NONCE, _GROUP.to_bytes(2) + bytes(2) + self._public)
        body = _payload(_KE, _proposals()) + exchange + _payload(_NONE, self._nonce)
        size = _HEADER.size + len(body)
        return self._marker + _HEADER.pack(self.spi, bytes(8), _SA, _VERSION, _SA_INIT, _INITIATOR, 0, size) + body

    def heard(self, data: bytes) -> Heard:
        if self._marker and data.startswith(self._marker):
            data = data[len(self._marker) :]
        return read_answer(data, self.spi)


def _payload(following: int, body: bytes) -> bytes:
    return _PAYLOAD.pack(following, 0, _PAYLOAD.size + len(body)) + body


def _proposals() -> bytes:
    both = (_proposal(1, _WITH_INTEGRITY, last=False), _proposal(2, _COMBINED, last=True))
    return b"".join(both)


def _proposal(number: int, transforms: tuple[tuple[int, int, int], ...], *, last: bool) -> bytes:
    body = b"".join(
        _transform(kind, identifier, bits, last=index + 1 == len(transforms))
        for index, (kind, identifier, bits) in enumerate(transforms)
    )
    # Protocol 1 is IKE, whose first proposals name no SPI.
    return struct.pack(">BBHBBBB", 0 if last else 2, 0, 8 + len(body), number, 1, 0, len(transforms)) + body


def _transform(kind: int, identifier: int, bits: int, *, last: bool) -> bytes:
    # Attribute 14, the key's length, in the short format (RFC 7296 §3.3.5).
    attribute = struct.pack(">HH", 0x8000 | 14, bits) if bits else b""
    return struct.pack(">BBHBBH", 0 if last else 3, 0, 8 + len(attribute), kind, 0, identifier) + attribute


def read_answer(data: bytes, spi: bytes) -> Heard:
    """Whether *data* answers the ``IKE_SA_INIT`` request of *spi*; the notification that it makes is the detail."""
    if len(data) < _HEADER.size:
        return Heard(done=True, expected=False, detail=f"{len(data)} bytes, too short for a header")
    ours, _theirs, following, version, exchange, flags, _number, size = _HEADER.unpack_from(data)
    if ours != spi:
        return Heard(done=True, expected=False, detail="an answer to another SPI")
    if version >> 4 != _VERSION >> 4:
        return Heard(done=True, expected=False, detail=f"version {version >> 4}")
    if exchange != _SA_INIT or not flags & _RESPONSE or not _HEADER.size <= size <= len(data):
        return Heard(done=True, expected=False, detail=f"exchange {exchange}, flags {flags:#04x}, {len(data)} bytes")
    kinds, said = _payloads(data[_HEADER.size : size], following)
    if _SA in kinds or said:
        return Heard(done=True, expected=True, detail=said)
    return Heard(done=True, expected=False, detail="an answer that says nothing")


def _payloads(body: bytes, following: int) -> tuple[set[int], str | None]:
    """The kinds of payloads in *body*, as far as their lengths hold, and the first notification by its name."""
    kinds, said = set[int](), None
    for _ in range(_MOST_PAYLOADS):
        if following == _NONE or len(body) < _PAYLOAD.size:
            break
        kind, (following, _critical, size) = following, _PAYLOAD.unpack_from(body)
        if not _PAYLOAD.size <= size <= len(body):
            break
        kinds.add(kind)
        if kind == _NOTIFY and size >= _PAYLOAD.size + 4 and said is None:
            number = int.from_bytes(body[6:8])
            said = _NOTIFICATIONS.get(number, f"notification {number}")
        body = body[size:]
    return kinds, said


class Ikev2Shape:
    """What a connection looks like from outside: ``IKE_SA_INIT``, ``IKE_AUTH``, then ESP in UDP (RFC 3948 §2.1)."""

    protocol = "ikev2"

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._dialogue = Ikev2Dialogue(rng)
        self._theirs = rng.randbytes(8)
        self._security = b"\xc1" + rng.randbytes(3)

    def first(self) -> bytes:
        return self._dialogue.first()

    def data(self, number: int, size: int) -> bytes:
        """Packet *number* (from 1) after the first, of *size* bytes."""
        if number <= 2:
            body = _payload(_NONE, self._rng.randbytes(max(0, size - _HEADER.size - _PAYLOAD.size)))
            whole = _HEADER.size + len(body)
            spis = (self._dialogue.spi, self._theirs)
            return _HEADER.pack(*spis, _ENCRYPTED, _VERSION, _AUTH, _INITIATOR, number, whole) + body
        return self._security + (number - 2).to_bytes(4) + self._rng.randbytes(max(0, size - 8))
