"""WireGuard's handshake initiation and what answers it (Donenfeld, "WireGuard", NDSS 2017, §5.4; Noise_IKpsk2).

A server answers only keys that it knows, and is silent to all others, unless it is busy and sends a cookie first. So silence
says nothing of a server that does not know ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import random
import struct

from probe.instruments.apps.dialogue import Heard

_CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
_IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
_LABEL_MAC1 = b"mac1----"
_INITIATION, _RESPONSE, _COOKIE, _DATA = 1, 2, 3, 4
_SIZES = {_RESPONSE: 92, _COOKIE: 64}
_KEY = 32
_FIRST = 148
_TAI_EPOCH = 2**62 + 10
"""TAI64's label of 1970, ten seconds of difference included (cr.yp.to/libtai/tai64.html)."""


def read_key(text: str) -> bytes | None:
    """The 32 bytes of a public key as WireGuard writes it (base64); ``None`` if it is none."""
    try:
        # In a URL a plus may have become a space, and the last sign may have been left off.
        key = base64.b64decode(text.replace(" ", "+").rstrip("=") + "=", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _KEY else None


class WireguardDialogue:
    """An initiation to the server whose public key is *server_key*; answered if our index comes back in an answer or a cookie.

    Keys have 32 bytes. *own_key*: our private one, if the server knows it; else a new one. *now_us*: UTC, microseconds.
    """

    protocol = "wireguard"
    sent = "handshake initiation"

    def __init__(self, rng: random.Random, server_key: bytes, *, now_us: int, own_key: bytes | None = None) -> None:
        self.index = rng.randbytes(4)
        own, ephemeral = own_key or rng.randbytes(_KEY), rng.randbytes(_KEY)
        self._first = _initiation(self.index, server_key, own, ephemeral, _tai64n(now_us))

    def first(self) -> bytes:
        return self._first

    def heard(self, data: bytes) -> Heard:
        return read_answer(data, self.index)


def read_answer(data: bytes, index: bytes) -> Heard:
    """Whether *data* is an answer or a cookie to the initiation of *index*."""
    kind = data[0] if data else 0
    if kind not in _SIZES or data[1:4] != bytes(3) or len(data) != _SIZES[kind]:
        return Heard(done=True, expected=False, detail=f"type {kind}, {len(data)} bytes")
    receiver = data[8:12] if kind == _RESPONSE else data[4:8]
    if receiver != index:
        return Heard(done=True, expected=False, detail="an answer to another index")
    return Heard(done=True, expected=True, detail="a cookie: the server is busy" if kind == _COOKIE else None)


# ---------------------------------------------------------------------------------------------------------------------
# the initiation


def _initiation(index: bytes, server: bytes, own: bytes, ephemeral: bytes, timestamp: bytes) -> bytes:
    """§5.4.2: our ephemeral key, our static one and a timestamp, both encrypted, and what shows that we know the server's."""
    chain = hashlib.blake2s(_CONSTRUCTION).digest()
    state = _hash(_hash(chain, _IDENTIFIER), server)
    public = _public(ephemeral)
    state = _hash(state, public)
    (chain,) = _derive(chain, public, 1)
    chain, key = _derive(chain, _agreed(ephemeral, server), 2)
    static = _sealed(key, _public(own), state)
    state = _hash(state, static)
    chain, key = _derive(chain, _agreed(own, server), 2)
    stamp = _sealed(key, timestamp, state)
    message = bytes([_INITIATION, 0, 0, 0]) + index + public + static + stamp
    mac1 = hashlib.blake2s(message, digest_size=16, key=_hash(_LABEL_MAC1, server)).digest()
    return message + mac1 + bytes(16)  # no cookie yet, so mac2 is zero


def _hash(first: bytes, second: bytes) -> bytes:
    return hashlib.blake2s(first + second).digest()


def _derive(key: bytes, data: bytes, count: int) -> tuple[bytes, ...]:
    """HKDF (RFC 5869) over HMAC with BLAKE2s, as Noise has it."""
    secret, found, last = _mac(key, data), list[bytes](), b""
    for number in range(1, count + 1):
        last = _mac(secret, last + bytes([number]))
        found.append(last)
    return tuple(found)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.blake2s).digest()


# The library takes 8 MB, and is imported when somebody's WireGuard is asked for.


def _sealed(key: bytes, data: bytes, beside: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key).encrypt(bytes(12), data, beside)


def _public(private: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _agreed(private: bytes, public: bytes) -> bytes:
    """Of one of the few keys that agree with everybody (RFC 7748 §6.1): nothing but zeros, as everybody knows."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return bytes(_KEY)


def _tai64n(now_us: int) -> bytes:
    """Twelve bytes: seconds and nanoseconds. A later one is all that a server asks for."""
    seconds, rest_us = divmod(max(0, now_us), 1_000_000)
    return struct.pack(">QI", _TAI_EPOCH + seconds, rest_us * 1000)


class WireguardShape:
    """What a connection looks like from outside: an initiation, then transport data (§5.4.6)."""

    protocol = "wireguard"

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._index, self._theirs = rng.randbytes(4), rng.randbytes(4)

    def first(self) -> bytes:
        """Of bytes that nobody but the server could tell from an initiation; mac2 is zero."""
        body = self._rng.randbytes(_FIRST - 8 - 16)
        return bytes([_INITIATION, 0, 0, 0]) + self._index + body + bytes(16)

    def data(self, number: int, size: int) -> bytes:
        """Packet *number* (from 1) after the first, of about *size* bytes: what is encrypted is padded to 16."""
        body = max(16, (size - 16) // 16 * 16)
        head = bytes([_DATA, 0, 0, 0]) + self._theirs + (number - 1).to_bytes(8, "little")
        return head + self._rng.randbytes(body)
