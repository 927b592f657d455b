"""The greeting in a client's first packets of QUIC, which anybody on the way can read (RFC 9001 §5): name and fingerprint.

The keys of an Initial follow from the connection ID that the client sends it to, so this needs neither state nor secrets.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from probe.instruments import quic_packets, tls_records
from probe.instruments.quic_packets import Initial
from probe.instruments.tls_records import ClientHello

_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
"""Of version 1 (RFC 9001 §5.2)."""
_MOST_PIECES = 64
_HANDSHAKE_HEAD = 4


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446 §7.1), for at most one block of SHA-256."""
    full = b"tls13 " + label
    return hmac.digest(secret, size.to_bytes(2) + bytes((len(full),)) + full + b"\0\1", hashlib.sha256)[:size]


def opened(datagram: bytes, packet: Initial) -> bytes | None:
    """The frames of a client's Initial; ``None`` if it cannot be read with the keys of its own connection ID."""
    client = _expand(hmac.digest(_SALT, packet.head.destination, hashlib.sha256), b"client in", 32)
    key, iv, protection = (
        _expand(client, b"quic key", 16),
        _expand(client, b"quic iv", 12),
        _expand(client, b"quic hp", 16),
    )
    at = packet.number_at
    # One block is a mask and no message (RFC 9001 §5.4.3), so the mode does what it should.
    mask = Cipher(algorithms.AES(protection), modes.ECB()).encryptor().update(datagram[at + 4 : at + 20])  # noqa: S305
    first = datagram[packet.head.start] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(datagram[at : at + size], mask[1:], strict=False))
    nonce = bytes(a ^ b for a, b in zip(iv, number.rjust(12, b"\0"), strict=True))
    head = bytes((first,)) + datagram[packet.head.start + 1 : at] + number
    try:
        return AESGCM(key).decrypt(nonce, datagram[at + size : packet.end], head)
    except InvalidTag:
        return None


@dataclass(slots=True)
class Greeting:
    """One ClientHello as its pieces come in, in any order. ``most``: the longest that is put together, in bytes."""

    most: int
    hello: ClientHello | None = None
    size: int = 0
    """How much of it has come without a gap."""
    _pieces: dict[int, bytes] = field(default_factory=dict)

    def feed(self, datagram: bytes, packet: Initial) -> None:
        """What *packet* has of it."""
        if self.hello is not None:
            return
        for offset, data in quic_packets.crypto(opened(datagram, packet) or b""):
            known = self._pieces.get(offset, b"")
            if len(data) > len(known) and offset + len(data) <= self.most and len(self._pieces) < _MOST_PIECES:
                self._pieces[offset] = data
        whole = self._whole()
        self.size = len(whole)
        size = _HANDSHAKE_HEAD + int.from_bytes(whole[1:4])
        if len(whole) >= max(size, _HANDSHAKE_HEAD):
            self._read(whole[:size])
            self._pieces.clear()

    def _whole(self) -> bytes:
        whole = b""
        for offset, data in sorted(self._pieces.items()):
            if offset > len(whole):
                break
            whole += data[len(whole) - offset :]
        return whole

    def _read(self, message: bytes) -> None:
        # A greeting over TCP comes in a record, which is what the reader takes.
        try:
            self.hello = tls_records.parse_client_hello(b"\x16\x03\x01" + len(message).to_bytes(2) + message)
        except ValueError:
            self.hello = None
