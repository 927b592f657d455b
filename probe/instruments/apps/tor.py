"""The first cell of a link between Tor's relays: ``VERSIONS``, inside TLS (tor-spec, "Negotiating and initializing channels").

Until a version is agreed on, the number of a circuit has two bytes. Which relay it is, its certificates say; that a relay
speaks is all that is asked here.
"""

from __future__ import annotations

import base64
import random

from probe.instruments.apps.dialogue import Heard

_VERSIONS = 7
_OURS = (3, 4, 5)
_HEAD = 5
_LONGEST = 1024
"""Bytes of versions in one cell: a relay names three or four."""


class TorDialogue:
    """``VERSIONS``, and the relay's own, with one in common."""

    protocol = "tor"
    sent = "VERSIONS"

    def __init__(self, rng: random.Random) -> None:
        self.name = _name(rng)
        """For the greeting of TLS: what Tor's own clients send there is drawn anew each time."""
        self._kept = b""

    def first(self) -> bytes:
        body = b"".join(version.to_bytes(2) for version in _OURS)
        return bytes(2) + bytes([_VERSIONS]) + len(body).to_bytes(2) + body

    def heard(self, data: bytes) -> Heard:
        self._kept += data[: _HEAD + _LONGEST - len(self._kept)]
        if len(self._kept) < _HEAD:
            return Heard(done=False)
        size = int.from_bytes(self._kept[3:_HEAD])
        if self._kept[:3] != bytes([0, 0, _VERSIONS]) or size % 2 or not 0 < size <= _LONGEST:
            return Heard(done=True, expected=False, detail=f"command {self._kept[2]}, no VERSIONS")
        body = self._kept[_HEAD : _HEAD + size]
        if len(body) < size:
            return Heard(done=False)
        theirs = {int.from_bytes(body[at : at + 2]) for at in range(0, size, 2)}
        if theirs.isdisjoint(_OURS):
            return Heard(done=True, expected=False, detail="no version in common")
        return Heard(done=True, expected=True, detail=f"version {max(theirs.intersection(_OURS))}")


def _name(rng: random.Random) -> str:
    text = base64.b32encode(rng.randbytes(12)).decode("ascii").lower().rstrip("=")
    return f"www.{text}.com"
