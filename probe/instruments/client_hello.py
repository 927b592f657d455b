"""A ClientHello built by hand (RFC 8446 §4.1.2), with or without an encrypted one inside (RFC 9849). Pure.

The ssl module cannot send the extension. What is sent here is shaped as browsers' own decoy is (RFC 9849 §6.2): of the right
form, and readable to nobody, for no key of any server is used. A server that does not know it goes on with the outer name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

ENCRYPTED = 0xFE0D
PADDING = 21
"""In the other arm it takes the place of the extension, and has its length: one thing is different (RFC 7685)."""
_X25519, _P256 = 0x001D, 0x0017
_CIPHERS = (0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
_SIGNATURES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
_ALPN = (b"h2", b"http/1.1")
_HKDF_SHA256, _AES_128_GCM = 0x0001, 0x0001
_KEY, _PAYLOAD = 32, 208
"""Bytes of a decoy's key and payload, one of the lengths that Chromium draws."""
_LONGEST_NAME = 255


def client_hello(sni: str, random: Random, *, encrypted: bool) -> bytes:
    """The TLS record. *sni* is the name in clear; *encrypted*: with the extension, else padding in its place.

    ``ValueError`` for a name that cannot be sent.
    """
    name = sni.encode("ascii")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError("no name that can be sent")
    inner = _decoy(random)
    variable = _extension(ENCRYPTED, inner) if encrypted else _extension(PADDING, bytes(len(inner)))
    extensions = b"".join(
        (
            _extension(0, _vector(2, b"\0" + _vector(2, name))),
            _extension(23, b""),  # extended master secret
            _extension(0xFF01, b"\0"),  # renegotiation info
            _extension(10, _vector(2, _numbers((_X25519, _P256)))),
            _extension(11, b"\1\0"),  # uncompressed points
            _extension(16, _vector(2, b"".join(_vector(1, one) for one in _ALPN))),
            _extension(13, _vector(2, _numbers(_SIGNATURES))),
            _extension(51, _vector(2, _numbers((_X25519,)) + _vector(2, random.randbytes(_KEY)))),
            _extension(45, b"\1\1"),  # keys with Diffie-Hellman only
            _extension(43, b"\4\3\4\3\3"),  # TLS 1.3 and 1.2
            variable,
        )
    )
    body = b"".join(
        (
            b"\3\3",
            random.randbytes(32),
            _vector(1, random.randbytes(32)),
            _vector(2, _numbers(_CIPHERS)),
            b"\1\0",
            _vector(2, extensions),
        )
    )
    message = b"\1" + _vector(3, body)
    return b"\x16\3\1" + _vector(2, message)


def _decoy(random: Random) -> bytes:
    """ECHClientHello of the outer kind (RFC 9849 §5)."""
    suite = _numbers((_HKDF_SHA256, _AES_128_GCM))
    key, payload = random.randbytes(_KEY), random.randbytes(_PAYLOAD)
    return b"\0" + suite + random.randbytes(1) + _vector(2, key) + _vector(2, payload)


def _vector(length_size: int, data: bytes) -> bytes:
    return len(data).to_bytes(length_size) + data


def _numbers(numbers: tuple[int, ...]) -> bytes:
    return b"".join(number.to_bytes(2) for number in numbers)


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2) + _vector(2, data)
