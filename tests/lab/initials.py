"""What a middlebox reads out of QUIC: the names in Initial packets of clients (RFC 9000 §17.2.2, RFC 9001 §5).

The keys of an Initial follow from the connection ID that the client chose, so whoever is on the path can read it. A greeting
may lie in several datagrams and its pieces in any order: ``Greeting`` puts the CRYPTO frames together.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import site
from dataclasses import dataclass, field

if importlib.util.find_spec("cryptography") is None:
    # The router is started without site-packages, so that labs start quickly. Only a censor of QUIC needs them.
    site.main()

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.lab import packets

VERSION_1 = 1
_SALT_1 = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_LARGEST_GREETING = 16384


@dataclass(frozen=True, slots=True)
class Long:
    """The open part of a packet with a long header; *start* to *end* is the packet within the datagram."""

    version: int
    destination: bytes
    kind: int
    """0 Initial, 1 0-RTT, 2 Handshake, 3 Retry (version 1)."""
    start: int
    number_at: int
    end: int


def version(datagram: bytes) -> int | None:
    """The version that a datagram's first packet says; ``None`` if it has no long header. 0 is version negotiation."""
    if len(datagram) < 7 or not datagram[0] & 0x80:
        return None
    return int.from_bytes(datagram[1:5], "big")


def initials(datagram: bytes) -> list[Long]:
    """The Initial packets of version 1 in a datagram. What cannot be read is left out."""
    found, at = [], 0
    while at < len(datagram) and (packet := _long(datagram, at)) is not None:
        if packet.kind == 0:
            found.append(packet)
        at = packet.end
    return found


def _long(data: bytes, start: int) -> Long | None:
    try:
        if data[start] & 0xC0 != 0xC0 or int.from_bytes(data[start + 1 : start + 5], "big") != VERSION_1:
            return None
        kind = data[start] >> 4 & 3
        at = start + 6 + data[start + 5]
        destination = data[start + 6 : at]
        at += 1 + data[at]
        if kind == 3:
            return None
        if kind == 0:
            token, at = _integer(data, at)
            at += token
        length, at = _integer(data, at)
    except IndexError:
        return None
    if at + length > len(data) or length < 20:
        return None
    return Long(VERSION_1, destination, kind, start, at, at + length)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer (RFC 9000 §16), and where it ends."""
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + size], "big") & ((1 << (8 * size - 2)) - 1), at + size


# ---------------------------------------------------------------------------------------------------------------------
# keys


def _expand(secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label of TLS 1.3 with an empty context (RFC 8446 §7.1), for at most one block of SHA-256."""
    full = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes((len(full),)) + full + b"\0"
    return hmac.digest(secret, info + b"\1", hashlib.sha256)[:size]


def keys(connection: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, IV and header-protection key of a client's Initials, from the connection ID that it chose first."""
    secret = _expand(hmac.digest(_SALT_1, connection, hashlib.sha256), "client in", 32)
    return _expand(secret, "quic key", 16), _expand(secret, "quic iv", 12), _expand(secret, "quic hp", 16)


def opened(datagram: bytes, packet: Long, connection: bytes) -> bytes | None:
    """The frames in an Initial of the client; ``None`` if these are not its keys."""
    key, iv, protection = keys(connection)
    sample = datagram[packet.number_at + 4 : packet.number_at + 20]
    # One block of a mask, which is what the RFC asks for; nothing is kept secret here.
    encryptor = Cipher(algorithms.AES(protection), modes.ECB()).encryptor()
    mask = encryptor.update(sample)
    first = datagram[packet.start] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    hidden = datagram[packet.number_at : packet.number_at + size]
    number = bytes(a ^ b for a, b in zip(hidden, mask[1:], strict=False))
    head = bytes((first,)) + datagram[packet.start + 1 : packet.number_at] + number
    nonce = bytes(a ^ b for a, b in zip(iv, number.rjust(12, b"\0"), strict=True))
    try:
        return AESGCM(key).decrypt(nonce, datagram[packet.number_at + size : packet.end], head)
    except InvalidTag:
        return None


def crypto(frames: bytes) -> list[tuple[int, bytes]]:
    """Offset and bytes of the CRYPTO frames; reading ends at a frame that an Initial of a client's first flight has not."""
    found, at = [], 0
    try:
        while at < len(frames):
            kind, at = frames[at], at + 1
            if kind in (0, 1):  # padding, ping
                continue
            if kind != 6:
                break
            offset, at = _integer(frames, at)
            size, at = _integer(frames, at)
            found.append((offset, frames[at : at + size]))
            at += size
    except IndexError:
        pass
    return found


# ---------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Greeting:
    """One connection's ClientHello as it comes in. ``keep``: pieces of earlier datagrams are remembered."""

    connection: bytes
    keep: bool = True
    _pieces: dict[int, bytes] = field(default_factory=dict)

    def name(self, datagram: bytes) -> str | None:
        """The server name once all of the greeting is here; ``None`` before, ``""`` if it names nobody."""
        if not self.keep:
            self._pieces.clear()
        for packet in initials(datagram):
            for offset, data in crypto(opened(datagram, packet, self.connection) or b""):
                if offset + len(data) <= _LARGEST_GREETING:
                    self._pieces[offset] = max(data, self._pieces.get(offset, b""), key=len)
        whole = self._whole()
        size = int.from_bytes(whole[1:4], "big") + 4 if len(whole) >= 4 else None
        if size is None or len(whole) < size:
            return None
        # As a record of TCP's, for the reader that is there already.
        return packets.sni(b"\x16\x03\x01" + size.to_bytes(2, "big") + whole[:size])

    def _whole(self) -> bytes:
        whole = b""
        for offset, data in sorted(self._pieces.items()):
            if offset > len(whole):
                break
            whole += data[len(whole) - offset :]
        return whole
