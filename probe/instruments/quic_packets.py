"""The open part of QUIC packets: what every version has (RFC 8999), and what version 1 adds to it (RFC 9000 §17.2). Pure.

Whatever the bytes are, nothing here raises: what cannot be read is ``None``, or left out.
"""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST = 1200
"""A client's first datagram is at least so long, and a server answers nothing shorter (RFC 9000 §14.1)."""
VERSION_1 = 1
NOBODYS_VERSION = 0x1A2A3A4A
"""One of those that are set aside so that no server speaks them (RFC 9000 §15: 0x?a?a?a?a)."""
_VERSION_1 = VERSION_1.to_bytes(4)
_LONG, _FIXED = 0x80, 0x40
_INITIAL, _RETRY = 0, 3
_SAMPLED = 20
"""The least that follows a length in version 1: a packet number and the sample for its protection (RFC 9001 §5.4.2)."""
_MOST_VERSIONS = 64


@dataclass(frozen=True, slots=True)
class Long:
    """The head of a packet with a long header: its version and both connection IDs, those of whom it goes to and comes from.

    ``start`` to ``rest`` is the head within the datagram.
    """

    first: int
    version: int
    destination: bytes
    source: bytes
    start: int
    rest: int

    @property
    def is_initial(self) -> bool:
        """Whether it is a version 1 Initial."""
        return self.version == VERSION_1 and self.first >> 4 & 3 == _INITIAL

    @property
    def is_retry(self) -> bool:
        """Whether it is a version 1 Retry."""
        return self.version == VERSION_1 and self.first >> 4 & 3 == _RETRY


@dataclass(frozen=True, slots=True)
class Initial:
    """A version 1 Initial within a datagram: its head, the token that it shows, where its packet number begins, its end."""

    head: Long
    token: bytes
    number_at: int
    end: int


def head(datagram: bytes, start: int = 0) -> Long | None:
    """The long header that begins at *start* (RFC 8999 §5.1); ``None`` for anything else."""
    if len(datagram) < start + 7 or not datagram[start] & _LONG:
        return None
    at = start + 6 + datagram[start + 5]
    if at >= len(datagram):
        return None
    end = at + 1 + datagram[at]
    if end > len(datagram):
        return None
    version = int.from_bytes(datagram[start + 1 : start + 5])
    return Long(datagram[start], version, datagram[start + 6 : at], datagram[at + 1 : end], start, end)


def versions(datagram: bytes, ours: bytes, theirs: bytes) -> tuple[int, ...] | None:
    """Those that a server says it speaks, if this is its word to a packet that went from *ours* to *theirs* (RFC 8999 §6)."""
    seen = head(datagram)
    if seen is None or seen.version != 0 or (seen.destination, seen.source) != (ours, theirs):
        return None
    listed = datagram[seen.rest :]
    if not listed or len(listed) % 4:
        return None
    return tuple(int.from_bytes(listed[at : at + 4]) for at in range(0, min(len(listed), 4 * _MOST_VERSIONS), 4))


def ping(ours: bytes, theirs: bytes, filling: bytes) -> bytes:
    """A packet of a version that nobody speaks, filled up with *filling* to a datagram that a server may answer.

    Behind the connection IDs it looks like an Initial of version 1: there are servers that read on before they look at the
    version (aioquic's does).
    """
    opened = bytes((_LONG | _FIXED,)) + NOBODYS_VERSION.to_bytes(4) + _with_length(theirs) + _with_length(ours) + b"\0"
    left = SMALLEST - len(opened) - 2
    return opened + (1 << 14 | left).to_bytes(2) + filling[:left].ljust(left, b"\0")


def negotiation(to: Long) -> bytes:
    """A server's word to *to*: it speaks version 1 (RFC 8999 §6)."""
    return bytes((_LONG | _FIXED,)) + bytes(4) + _with_length(to.source) + _with_length(to.destination) + _VERSION_1


def initials(datagram: bytes) -> tuple[Initial, ...]:
    """The version 1 Initials in a datagram, which may hold several packets (RFC 9000 §12.2)."""
    found, at = [], 0
    while (seen := head(datagram, at)) is not None and seen.version == VERSION_1 and not seen.is_retry:
        token, body = b"", seen.rest
        if seen.is_initial:
            sized = _integer(datagram, body)
            if sized is None:
                break
            body = sized[1] + sized[0]
            token = datagram[sized[1] : body]
        sized = _integer(datagram, body)
        if sized is None or sized[0] < _SAMPLED or sized[1] + sized[0] > len(datagram):
            break
        length, number_at = sized
        if seen.is_initial:
            found.append(Initial(seen, token, number_at, number_at + length))
        at = number_at + length
    return tuple(found)


def crypto(frames: bytes) -> tuple[tuple[int, bytes], ...]:
    """Offset and bytes of the CRYPTO frames (RFC 9000 §19.6) in the frames of a client's Initial, up to one of another kind
    than padding, PING and these.
    """
    found, at = [], 0
    while at < len(frames):
        kind, at = frames[at], at + 1
        if kind in (0, 1):
            continue
        offset = _integer(frames, at) if kind == 6 else None
        size = _integer(frames, offset[1]) if offset is not None else None
        if offset is None or size is None:
            break
        at = size[1] + size[0]
        found.append((offset[0], frames[size[1] : at]))
    return tuple(found)


def _with_length(connection: bytes) -> bytes:
    return bytes((len(connection),)) + connection


def _integer(data: bytes, at: int) -> tuple[int, int] | None:
    """A variable-length integer (RFC 9000 §16) and where it ends; ``None`` where the bytes end before."""
    if at >= len(data):
        return None
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        return None
    return int.from_bytes(data[at : at + size]) & ((1 << (8 * size - 2)) - 1), at + size
