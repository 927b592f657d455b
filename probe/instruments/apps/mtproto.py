"""Telegram's own first question, as its apps put it: ``req_pq_multi`` to a data centre, ``resPQ`` back with our nonce in it.

The apps' bytes: transport obfuscation and the intermediate transport (https://core.telegram.org/mtproto/mtproto-transports). A
64-byte head of random looks is the key of AES-256-CTR in both directions, so there is nothing in it that a device could match
by its bytes, and a plain shape would be stopped where the apps are not. Inside: unencrypted messages
(https://core.telegram.org/mtproto/description) of the handshake (https://core.telegram.org/mtproto/auth_key), whose names are
at https://core.telegram.org/schema/mtproto. Whoever answers has read the head and the question; no password, key or account
is in it, and nothing is begun that the server would have to keep.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from probe.instruments.apps import aes
from probe.instruments.apps.dialogue import Heard

if TYPE_CHECKING:
    import random

PROTOCOL = "mtproto"
SENT = "req_pq_multi"
_INTERMEDIATE = b"\xee\xee\xee\xee"
_REQ_PQ_MULTI = 0xBE7E8EF1
_RES_PQ = 0x05162463
_VECTOR = 0x1CB5C415
_HEAD_BYTES = 64
_NEVER_FIRST = (b"HEAD", b"POST", b"GET ", b"OPTI", _INTERMEDIATE, b"\xdd\xdd\xdd\xdd", b"\x16\x03\x01\x02")
"""What the head must not begin with: a server would take it for something else."""
_ABRIDGED = 0xEF
_ERRORS = range(-1000, -399)
"""Transport errors: minus an HTTP-like code, in place of a message."""
_QUICK_ACK = 0x80000000
_LONGEST = 4096
"""The answer has some hundred bytes. All that comes is decrypted, and that takes time."""

_Cipher = Callable[[bytes], bytes]


class MtprotoDialogue:
    """One exchange. *now_us* (UTC) is in the message's number, because a server passes over old ones and those of tomorrow."""

    protocol = PROTOCOL
    sent = SENT

    def __init__(self, rng: random.Random, now_us: int) -> None:
        self._nonce = rng.randbytes(16)
        self._now_us = now_us
        self._head = _head(rng)
        self._ours, self._theirs = ciphers(self._head)
        self._heard = bytearray()

    def first(self) -> bytes:
        """The head and the question behind it: 64 + 4 + 40 bytes."""
        shown = self._ours(self._head)
        body = struct.pack("<I16s", _REQ_PQ_MULTI, self._nonce)
        # Unix time × 2³², divisible by 4 (client's messages are).
        number = (self._now_us << 32) // 1_000_000 & ~3 & 0x7FFFFFFFFFFFFFFF
        message = struct.pack("<QQI", 0, number, len(body)) + body
        return self._head[:56] + shown[56:] + self._ours(struct.pack("<I", len(message)) + message)

    def heard(self, data: bytes) -> Heard:
        """The next bytes of the stream."""
        if len(self._heard) + len(data) > _LONGEST:
            return Heard(done=True, expected=False)
        self._heard += self._theirs(data)
        if len(self._heard) < 4:
            return Heard(done=False)
        (length,) = struct.unpack_from("<I", self._heard)
        if length & _QUICK_ACK or not 4 <= length <= _LONGEST - 4:
            return Heard(done=True, expected=False)
        if len(self._heard) < 4 + length:
            return Heard(done=False)
        return self._read(bytes(self._heard[4 : 4 + length]))

    def _read(self, packet: bytes) -> Heard:
        """One whole packet of the transport, as it was meant."""
        if len(packet) == 4:
            (code,) = struct.unpack("<i", packet)
            # Nobody who has not read the head can say so: it is a word of the server's own.
            return Heard(done=True, expected=code in _ERRORS, detail=f"an error of the transport ({-code})"[:80])
        return Heard(done=True, expected=is_res_pq(packet, self._nonce))


def is_res_pq(message: bytes, nonce: bytes) -> bool:
    """Whether *message* is an unencrypted ``resPQ`` with *nonce* in it, whole: a number to take apart, a list of keys."""
    if len(message) < 20 + 36:
        return False
    key, _number, length, name, theirs = struct.unpack_from("<QQII16s", message)
    if key != 0 or length != len(message) - 20 or name != _RES_PQ or theirs != nonce:
        return False
    rest = message[56:]
    if not rest or not 0 < rest[0] <= 8:  # pq is a number of at most 64 bits
        return False
    keys = rest[(rest[0] + 4) // 4 * 4 :]
    if len(keys) < 8:
        return False
    vector, count = struct.unpack_from("<II", keys)
    return bool(vector == _VECTOR and count * 8 == len(keys) - 8)


def _head(rng: random.Random) -> bytes:
    """64 random bytes with the name of the transport in them, that begin with nothing that means something."""
    while True:
        head = bytearray(rng.randbytes(_HEAD_BYTES))
        if head[0] != _ABRIDGED and bytes(head[:4]) not in _NEVER_FIRST and any(head[4:8]):
            head[56:60] = _INTERMEDIATE
            return bytes(head)


def ciphers(head: bytes) -> tuple[_Cipher, _Cipher]:
    """What encrypts in the direction of who made *head*, and what decrypts the other one."""
    secret = head[8:56]
    back = secret[::-1]
    return aes.counting(secret[:32], secret[32:]), aes.counting(back[:32], back[32:])
