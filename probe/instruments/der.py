"""The names in a certificate, read by hand: one malformed extension must not cost the others.

A parser of whole certificates refuses all extensions where one is wrong. Browsers go by the subject alternative name
alone, and so do we. Of DER (ITU-T X.690) only what certificates take is here; everything read is a stranger's word.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTETS, OBJECT, SEQUENCE, SET = 0x01, 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
_EXTENSIONS = 0xA3
"""``[3] EXPLICIT Extensions`` of TBSCertificate (RFC 5280 §4.1)."""
_ALTERNATIVE_NAME = bytes((0x55, 0x1D, 0x11))
"""2.5.29.17 (RFC 5280 §4.2.1.6)."""
_DNS, _ADDRESS = 0x82, 0x87
"""``[2] dNSName`` and ``[7] iPAddress`` of GeneralName."""


class Element(NamedTuple):
    """One element: its tag, what it holds, and both with the header as they came."""

    tag: int
    value: bytes
    whole: bytes


def names(tbs: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """DNS names and addresses of the subject alternative name in *tbs* (TBSCertificate, DER), in order; of the first one.

    What no name has (other letters than ASCII, NUL) is written as an escape: a control may not send it, no database takes it.
    """
    hosts: list[str] = []
    addresses: list[str] = []
    for tag, value, _ in members(_alternative_name(tbs)):
        if tag == _DNS:
            hosts.append(value.decode("ascii", "backslashreplace").replace("\0", "\\x00"))
        elif tag == _ADDRESS and len(value) in (4, 16):
            addresses.append(str(ipaddress.ip_address(value)))
    return tuple(hosts), tuple(addresses)


def _alternative_name(tbs: bytes) -> bytes:
    for tag, wrapped, _ in members(_inside(tbs, SEQUENCE)):
        if tag != _EXTENSIONS:
            continue
        for extension in members(_inside(wrapped, SEQUENCE)):
            parts = [part for part in members(extension.value) if part.tag != BOOLEAN]
            if [part.tag for part in parts] == [OBJECT, OCTETS] and parts[0].value == _ALTERNATIVE_NAME:
                return _inside(parts[1].value, SEQUENCE)
    return b""


def _inside(data: bytes, tag: int) -> bytes:
    """What the first element of *data* holds, if it is a *tag*; else nothing."""
    return next((one.value for one in members(data) if one.tag == tag), b"")


def members(data: bytes) -> Iterator[Element]:
    """The elements in *data*, until one does not fit: short tags, definite lengths."""
    at = 0
    while at + 2 <= len(data):
        begins, tag, length = at, data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 3 or at + size > len(data):
                return
            length, at = int.from_bytes(data[at : at + size]), at + size
        if at + length > len(data):
            return
        yield Element(tag, data[at : at + length], data[begins : at + length])
        at += length


def elements(data: bytes) -> list[Element]:
    """The elements that *data* is made of; ``ValueError`` where anything is left over."""
    found = list(members(data))
    if sum(len(one.whole) for one in found) != len(data):
        raise ValueError("no DER")
    return found
