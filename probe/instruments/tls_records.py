"""TLS records read from outside (RFC 8446 §4 and §5): our own ClientHello, and the server's first records. Pure.

The ssl module tells neither what it sent nor which alert came, so the bytes are read here as they pass.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
CLIENT_HELLO, SERVER_HELLO = 1, 2
FATAL = 2

_SERVER_NAME, _GROUPS, _ALPN, _PADDING, _VERSIONS = 0, 10, 16, 21, 43
# The name and what is padded after it are the variable of the experiment, not the stack's fingerprint.
_NOT_THE_STACK = frozenset({_SERVER_NAME, _PADDING})


class _Reader:
    """Reads integers and length-prefixed vectors; ``ValueError`` past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("ends too early")
        self._at += count
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, length_size: int) -> _Reader:
        return _Reader(self.take(self.number(length_size)))

    def numbers(self, size: int) -> tuple[int, ...]:
        """All that is left, as numbers of *size* bytes."""
        found = []
        while self.more:
            found.append(self.number(size))
        return tuple(found)

    @property
    def more(self) -> bool:
        return self._at < len(self._data)


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a ClientHello offers, in its order; ``sni`` is the name in clear."""

    version: int
    ciphers: tuple[int, ...]
    extensions: tuple[int, ...]
    groups: tuple[int, ...] = ()
    alpn: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    sni: str | None = None

    @property
    def fingerprint(self) -> str:
        """32 hex digits of SHA-256 over versions, ciphers, extension order, groups and ALPN.

        Not over random, key share and server name (nor its padding): two hellos of one stack have one fingerprint.
        """
        shown = (
            (self.version, *self.versions),
            self.ciphers,
            tuple(kind for kind in self.extensions if kind not in _NOT_THE_STACK),
            self.groups,
            self.alpn,
        )
        text = ",".join("-".join(str(item) for item in part) for part in shown)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def parse_client_hello(data: bytes) -> ClientHello:
    """The ClientHello in the TLS records *data*. ``ValueError`` when there is none."""
    reader = _Reader(_handshake_bytes(data))
    if reader.number(1) != CLIENT_HELLO:
        raise ValueError("not a ClientHello")
    body = reader.vector(3)
    version = body.number(2)
    body.take(32)
    body.vector(1)  # session id
    ciphers = body.vector(2).numbers(2)
    body.vector(1)  # compression methods
    extensions = _extensions(body.vector(2)) if body.more else {}
    return ClientHello(
        version=version,
        ciphers=ciphers,
        extensions=tuple(extensions),
        groups=_numbers(extensions.get(_GROUPS), 2),
        alpn=_alpn(extensions.get(_ALPN)),
        versions=_numbers(extensions.get(_VERSIONS), 1),
        sni=_sni(extensions.get(_SERVER_NAME)),
    )


def _handshake_bytes(data: bytes) -> bytes:
    records, joined = _Reader(data), bytearray()
    while records.more:
        if records.number(1) != HANDSHAKE:
            raise ValueError("not a handshake record")
        records.take(2)
        joined += records.take(records.number(2))
    return bytes(joined)


def _extensions(reader: _Reader) -> dict[int, bytes]:
    found = {}
    while reader.more:
        kind = reader.number(2)
        found[kind] = reader.take(reader.number(2))
    return found


def _numbers(extension: bytes | None, length_size: int) -> tuple[int, ...]:
    return () if extension is None else _Reader(extension).vector(length_size).numbers(2)


def _alpn(extension: bytes | None) -> tuple[str, ...]:
    if extension is None:
        return ()
    names, found = _Reader(extension).vector(2), []
    while names.more:
        found.append(names.take(names.number(1)).decode("latin-1"))
    return tuple(found)


def _sni(extension: bytes | None) -> str | None:
    if not extension:
        return None
    entry = _Reader(extension).vector(2)
    entry.number(1)  # name type 0, the only one there is
    return entry.take(entry.number(2)).decode("latin-1")


# ---------------------------------------------------------------------------------------------------------------------


class Inbound:
    """Follows the server's records until they are encrypted; remembers a ServerHello and the alerts in clear.

    ``answered`` says that enough has come to know what the first real record is: a ServerHello, a fatal alert, or no TLS.
    """

    FIRST_BYTES = 64

    def __init__(self) -> None:
        self.server_hello = False
        self.alert: int | None = None
        self.fatal = False
        self.not_tls = False
        self.first = b""
        self._pending = bytearray()
        self._skip = 0
        self._over = False

    @property
    def answered(self) -> bool:
        return self.server_hello or self.fatal or self.not_tls

    def feed(self, data: bytes) -> None:
        """The next bytes that the server sent."""
        if len(self.first) < self.FIRST_BYTES:
            self.first += data[: self.FIRST_BYTES - len(self.first)]
        if self._over:
            return
        self._pending += data
        while not self._over and self._step():
            pass

    def _step(self) -> bool:
        """Use up one record's beginning, or what is left of one; ``False`` when more bytes are needed."""
        skipped = min(self._skip, len(self._pending))
        del self._pending[:skipped]
        self._skip -= skipped
        if self._skip or not self._pending:
            return False
        kind, length = self._pending[0], int.from_bytes(self._pending[3:5])
        if kind not in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE) or (len(self._pending) > 1 and self._pending[1] != 3):
            # After a ServerHello it is application data: the rest is encrypted.
            self.not_tls = not self.server_hello
            self._over = True
            return False
        needed = 5 + min(length, 2 if kind == ALERT else 1)
        if len(self._pending) < max(needed, 5):
            return False
        self._look(kind, bytes(self._pending[5:needed]))
        self._skip = 5 + length
        return True

    def _look(self, kind: int, payload: bytes) -> None:
        if kind == CHANGE_CIPHER_SPEC:
            self._over = True
            self.not_tls = not self.server_hello
        elif kind == ALERT and len(payload) == 2:
            self.alert = payload[1]
            self.fatal = payload[0] == FATAL
        elif kind == HANDSHAKE and payload and not self.server_hello:
            self.server_hello = payload[0] == SERVER_HELLO
            self.not_tls = not self.server_hello


def alert_in(data: bytes) -> int | None:
    """The number of the last alert in clear among the records *data* that we sent; ``None`` if there is none."""
    watch = Inbound()
    watch.server_hello = True  # a client's records are no ServerHello; only alerts matter
    watch.feed(data)
    return watch.alert


Form = Literal["segments", "records", "both"]


def cut(hello: bytes, form: Form) -> tuple[bytes, ...]:
    """A ClientHello in two pieces that are to be sent one after the other, cut in the middle of the name that it carries.

    ``segments``: the same bytes; ``records``: two records (RFC 8446 §5.1 allows it), in one piece; ``both``: two records,
    each a piece of its own. One without a name is cut in its middle.
    """
    at = _middle_of_name(hello)
    if form == "segments":
        return hello[:at], hello[at:]
    head, fragments = hello[:3], (hello[5:at], hello[at:])
    records = tuple(head + len(fragment).to_bytes(2) + fragment for fragment in fragments)
    return records if form == "both" else (b"".join(records),)


def _middle_of_name(hello: bytes) -> int:
    name = parse_client_hello(hello).sni
    place = hello.find(name.encode()) if name else -1
    return place + len(name or "") // 2 if place > 0 else len(hello) // 2
