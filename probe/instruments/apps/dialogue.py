"""The shape of a protocol's first words, and what came instead of them in a few words of ours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

MOST_BYTES = 64 * 1024
"""More than this is no first answer of any protocol here."""
_DETAIL_LENGTH = 80
_TLS_RECORDS = {0x14: "a change of cipher", 0x15: "an alert", 0x16: "a greeting", 0x17: "data"}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a dialogue makes of what came.

    ``done``: nothing more is needed. ``expected``: whether it was an answer of the protocol that is bound to a number, key or
    id of ours; ``None`` while that is not known. ``say``: what is to be said next. ``detail``: what came instead, in a few
    words of ours; where there are none, the exchange finds some.
    """

    done: bool
    expected: bool | None = None
    say: bytes = b""
    detail: str | None = None


class Dialogue(Protocol):
    """One protocol's first words, once. Knows neither sockets nor time; randomness is given to it when it is made."""

    protocol: str
    """As :class:`probe.observations.AppFact` has it."""
    sent: str
    """What the first message is called."""

    def first(self) -> bytes:
        """The first message."""
        ...

    def heard(self, data: bytes) -> Heard:
        """A datagram, or the next bytes of the stream. Never raises, whatever comes, and takes no more than linear time."""
        ...


def describe(data: bytes) -> str:
    """What *data*, the beginning of an answer, looks like: in our words, nothing of it is quoted."""
    return _named(data)[:_DETAIL_LENGTH]


def _named(data: bytes) -> str:
    if not data:
        return "nothing"
    if data.startswith(b"HTTP/"):
        return "an answer of a web server (HTTP)"
    if data[:1] in (b"\x14", b"\x15", b"\x16", b"\x17") and data[1:2] == b"\x03":
        return f"{_TLS_RECORDS[data[0]]} of TLS"
    if data.startswith(b"SSH-"):
        return "a greeting of SSH"
    if data.lstrip()[:1] == b"<":
        return "a web page without a head"
    size = f"{len(data)} bytes" if len(data) > 1 else "one byte"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in data[:64]):
        return f"text ({size})"
    if not any(data):
        return f"{size}, all of them zero"
    return f"{size} of something else"
