"""OpenVPN's first exchange: the client's reset, and a server's that answers it (``ssl_pkt.h``, ``reliable.c`` of OpenVPN 2).

A packet begins with five bits of opcode and three of key number, then the sender's session (8 bytes), a list of packet
numbers that are acknowledged (a count, 4 bytes each, and the session of the other side if there is one), and its own number.
Over TCP two bytes of length stand before each. Servers with ``tls-auth`` or ``tls-crypt`` are silent: most commercial ones.
"""

from __future__ import annotations

import random

from probe.instruments.apps.dialogue import Heard

_SESSION = 8
_NUMBER = 4
_CONTROL, _ACK = 4, 5
_CLIENT_RESET, _SERVER_RESET, _DATA_V2 = 7, 8, 9
_LONGEST = 2048
"""A control packet fits one datagram; a longer one over TCP is none of a server that has only been greeted."""


def _opcode(number: int) -> bytes:
    """With key number 0, which is the first."""
    return bytes([number << 3])


class OpenvpnDialogue:
    """P_CONTROL_HARD_RESET_CLIENT_V2, and P_CONTROL_HARD_RESET_SERVER_V2 that acknowledges it. *framed*: over TCP."""

    protocol = "openvpn"
    sent = "P_CONTROL_HARD_RESET_CLIENT_V2"

    def __init__(self, rng: random.Random, *, framed: bool = False) -> None:
        self.session = rng.randbytes(_SESSION)
        self._framed = framed
        self._kept = b""

    def first(self) -> bytes:
        # No acknowledgements, and this is packet 0.
        return self._frame(_opcode(_CLIENT_RESET) + self.session + bytes(1 + _NUMBER))

    def _frame(self, packet: bytes) -> bytes:
        return len(packet).to_bytes(2) + packet if self._framed else packet

    def heard(self, data: bytes) -> Heard:
        if not self._framed:
            return read_reset(data, self.session)
        self._kept += data[: _LONGEST + 2 - len(self._kept)]
        if len(self._kept) < 2:
            return Heard(done=False)
        size = int.from_bytes(self._kept[:2])
        if not 1 <= size <= _LONGEST:
            return Heard(done=True, expected=False, detail="no length of a packet")
        packet = self._kept[2 : 2 + size]
        return read_reset(packet, self.session) if len(packet) == size else Heard(done=False)


def read_reset(packet: bytes, session: bytes) -> Heard:
    """Whether *packet* is a server's reset that acknowledges one of *session*."""
    opcode = packet[0] >> 3 if packet else 0
    if opcode != _SERVER_RESET:
        return Heard(done=True, expected=False, detail=f"opcode {opcode}, {len(packet)} bytes")
    begin = 1 + _SESSION
    count = packet[begin] if len(packet) > begin else 0
    echoed = begin + 1 + _NUMBER * count
    if not count or len(packet) < echoed + _SESSION + _NUMBER:
        return Heard(done=True, expected=False, detail="a reset that acknowledges nothing")
    if packet[echoed : echoed + _SESSION] != session:
        return Heard(done=True, expected=False, detail="a reset to another session")
    return Heard(done=True, expected=True)


class OpenvpnShape:
    """What a connection looks like from outside: the reset, an acknowledgement, a few pieces of a TLS handshake, data."""

    protocol = "openvpn"

    def __init__(self, rng: random.Random, *, framed: bool = False) -> None:
        self._rng = rng
        self._dialogue = OpenvpnDialogue(rng, framed=framed)
        self._theirs = rng.randbytes(_SESSION)
        self._frame = self._dialogue._frame  # noqa: SLF001 - one file, one format

    def first(self) -> bytes:
        return self._dialogue.first()

    def data(self, number: int, size: int) -> bytes:
        """Packet *number* (from 1) after the first, of *size* bytes over UDP."""
        if number == 1:
            packet = _opcode(_ACK) + self._dialogue.session + self._acknowledges(0)
        elif number <= 4:
            head = _opcode(_CONTROL) + self._dialogue.session + self._acknowledges(number - 1)
            head += (number - 1).to_bytes(_NUMBER)
            # A record of a TLS handshake (RFC 8446 §5.1).
            body = b"\x16\x03\x01" + max(0, size - len(head) - 5).to_bytes(2)
            packet = head + body + self._rng.randbytes(max(0, size - len(head) - len(body)))
        else:
            # P_DATA_V2: peer 0, the packet's number, and then what is encrypted.
            head = _opcode(_DATA_V2) + bytes(3) + (number - 4).to_bytes(_NUMBER)
            packet = head + self._rng.randbytes(max(0, size - len(head)))
        return self._frame(packet)

    def _acknowledges(self, number: int) -> bytes:
        return b"\x01" + number.to_bytes(_NUMBER) + self._theirs
