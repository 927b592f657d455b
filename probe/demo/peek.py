"""What a box on the path can read of a connection's first bytes: the SNI of a ClientHello, the Host of a request.

Pure: bytes in, words out.
"""

from __future__ import annotations

from collections.abc import Iterator

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_ENCRYPTED = 0xFE0D


def hello_complete(data: bytes) -> bool:
    """Whether *data* holds a whole first TLS record, or is no TLS at all (then there is nothing to wait for)."""
    if not data:
        return False
    if data[0] != _HANDSHAKE:
        return True
    return len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big")


def server_name(data: bytes) -> str | None:
    """The SNI of the ClientHello that *data* begins with (RFC 6066 §3), or ``None`` where there is none."""
    # list length (2), name type (1), name length (2), name
    found = _extension(data, _SERVER_NAME)
    return found[5:].decode("ascii", "replace").lower() if found is not None else None


def has_encrypted(data: bytes) -> bool:
    """Whether the ClientHello that *data* begins with has an encrypted one inside (RFC 9849 §5)."""
    return _extension(data, _ENCRYPTED) is not None


def _extension(data: bytes, wanted: int) -> bytes | None:
    if len(data) < 6 or data[0] != _HANDSHAKE or data[5] != _CLIENT_HELLO:
        return None
    try:
        return dict(_each(_extensions(data[5:]))).get(wanted)
    except IndexError:
        return None


def _extensions(hello: bytes) -> bytes:
    at = 4 + 2 + 32  # handshake header, version, random
    at += 1 + hello[at]  # session id
    at += 2 + int.from_bytes(hello[at : at + 2], "big")  # cipher suites
    at += 1 + hello[at]  # compression methods
    length = int.from_bytes(hello[at : at + 2], "big")
    return hello[at + 2 : at + 2 + length]


def _each(extensions: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extensions):
        kind = int.from_bytes(extensions[at : at + 2], "big")
        end = at + 4 + int.from_bytes(extensions[at + 2 : at + 4], "big")
        yield kind, extensions[at + 4 : end]
        at = end


def head_complete(data: bytes) -> bool:
    """Whether *data* holds the whole head of an HTTP/1.1 request."""
    return b"\r\n\r\n" in data


def host_header(data: bytes) -> str | None:
    """The Host of the HTTP/1.1 request that *data* begins with, without its port."""
    for line in data.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"host":
            return value.strip().decode("ascii", "replace").partition(":")[0].lower()
    return None
