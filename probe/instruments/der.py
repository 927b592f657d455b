"""The names in a certificate, read by hand: one malformed extension must not cost the others.

A parser of whole certificates refuses all extensions where one is wrong. Browsers go by the subject alternative name
alone, and so do we. Only what that takes of DER (ITU-T X.690) is here; everything read is a stranger's word.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

_SEQUENCE, _OCTETS, _OBJECT, _BOOLEAN = 0x30, 0x04, 0x06, 0x01
_EXTENSIONS = 0xA3
"""``[3] EXPLICIT Extensions`` of TBSCertificate (RFC 5280 §4.1)."""
_ALTERNATIVE_NAME = bytes((0x55, 0x1D, 0x11))
"""2.5.29.17 (RFC 5280 §4.2.1.6)."""
_DNS, _ADDRESS = 0x82, 0x87
"""``[2] dNSName`` and ``[7] iPAddress`` of GeneralName."""


def names(tbs: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """DNS names and addresses of the subject alternative name in *tbs* (TBSCertificate, DER), in order; of the first one."""
    hosts: list[str] = []
    addresses: list[str] = []
    for tag, value in _members(_alternative_name(tbs)):
        if tag == _DNS:
            hosts.append(value.decode("ascii", "backslashreplace"))
        elif tag == _ADDRESS and len(value) in (4, 16):
            addresses.append(str(ipaddress.ip_address(value)))
    return tuple(hosts), tuple(addresses)


def _alternative_name(tbs: bytes) -> bytes:
    for tag, wrapped in _members(_inside(tbs, _SEQUENCE)):
        if tag != _EXTENSIONS:
            continue
        for _, extension in _members(_inside(wrapped, _SEQUENCE)):
            parts = [part for part in _members(extension) if part[0] != _BOOLEAN]
            if [t for t, _ in parts] == [_OBJECT, _OCTETS] and parts[0][1] == _ALTERNATIVE_NAME:
                return _inside(parts[1][1], _SEQUENCE)
    return b""


def _inside(data: bytes, tag: int) -> bytes:
    """What the first element of *data* holds, if it is a *tag*; else nothing."""
    return next((value for found, value in _members(data) if found == tag), b"")


def _members(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, value) of the elements in *data*, until one does not fit: short tags, definite lengths."""
    at = 0
    while at + 2 <= len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 3 or at + size > len(data):
                return
            length, at = int.from_bytes(data[at : at + size]), at + size
        if at + length > len(data):
            return
        yield tag, data[at : at + length]
        at += length
