"""The apps' own protocols: whatever answers their first message, in whatever pieces (probe/instruments/apps/)."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Hashable
from functools import partial

from probe.instruments.apps import mtproto, stun, websocket
from probe.instruments.apps.dialogue import Dialogue, describe
from probe.instruments.apps.exchange import over_tcp
from probe.instruments.apps.ikev2 import Ikev2Dialogue
from probe.instruments.apps.mtproto import MtprotoDialogue
from probe.instruments.apps.openvpn import OpenvpnDialogue
from probe.instruments.apps.stun import StunDialogue
from probe.instruments.apps.tor import TorDialogue
from probe.instruments.apps.wireguard import WireguardDialogue
from probe.observations import AppFact
from probe.wire import Wire
from tests.fuzz.harness import Subject
from tests.fuzz.readers import Heard, cut, done, sound
from tests.unit.test_apps_vpn import ike_answer, notification, openvpn_answer

Make = Callable[[random.Random], Dialogue]
_WIRE = Wire()
_NOW_US = 1_763_000_000_000_000
_ALIKE = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"\x15\x03\x03\0\x02\x02\x28", bytes(40))


def _rng() -> random.Random:
    return random.Random(7)


def _heard(make: Make, data: bytes) -> Hashable:
    """A dialogue by itself never raises, and does not change its mind by the way that its answer is cut."""
    dialogue = make(_rng())
    dialogue.first()
    heard = [dialogue.heard(piece) for piece in cut(data) or (b"",)][-1]
    assert heard.detail is None or len(heard.detail) <= 80
    assert heard.detail is None or heard.detail.isprintable()
    assert len(heard.say) <= 65_536
    return heard.done, heard.expected, heard.detail if heard.expected else (heard.detail or "").split()[:1] == []


def _exchanged(make: Make, data: bytes) -> Hashable:
    """The same by an exchange over a connection, whose fact can be kept."""
    operation = done(over_tcp(_WIRE, Heard(*cut(data)), make(_rng()), deadline_s=9))
    fact = operation.fact
    assert isinstance(fact, AppFact)
    assert fact.detail is None or (len(fact.detail) <= 80 and fact.detail.isprintable())
    assert len(fact.first_bytes or "") <= 64
    return sound(operation), fact.expected, describe(data).split()[-1]


def _both(make: Make, data: bytes) -> Hashable:
    return _heard(make, data), _exchanged(make, data)


def _telegram(data: bytes) -> Hashable:
    """What a data centre says is encrypted with a key that it was told: the same stream twice is no change."""
    dialogue = MtprotoDialogue(_rng(), _NOW_US)
    return _both(lambda rng: MtprotoDialogue(rng, _NOW_US), dialogue._theirs(data))


def _res_pq() -> bytes:
    nonce = MtprotoDialogue(_rng(), _NOW_US)._nonce
    body = struct.pack("<I16s16s", 0x05162463, nonce, bytes(16)) + b"\x08" + bytes(8) + bytes(3)
    body += struct.pack("<IIQ", 0x1CB5C415, 1, 5)
    message = struct.pack("<QQI", 0, 1, len(body)) + body
    assert mtproto.is_res_pq(message, nonce)
    return struct.pack("<I", len(message)) + message


def _websocket(data: bytes) -> Hashable:
    """Frames behind an upgrade; and a beginning that is none."""
    frames = websocket.Frames("key")
    size = 0
    for piece in cut(data):
        size += len(frames.feed(piece))
    assert size <= len(data)
    assert frames.refused is None or frames.refused.isprintable()
    return frames.is_open, frames.refused, frames.closed, size > 0


def _stun() -> tuple[bytes, ...]:
    dialogue = StunDialogue(_rng())
    head = struct.Struct(">HHI12s")
    mapped = b"\0\x01\x12\x34" + bytes(4)
    attributes = struct.pack(">HH", 0x20, 8) + mapped + struct.pack(">HH", 0x8022, 3) + b"abc\0"
    error = struct.pack(">HH", 9, 9) + b"\0\0\x04\x01nope!\0\0\0"
    return (
        head.pack(0x0101, len(attributes), stun.COOKIE, dialogue.transaction) + attributes,
        head.pack(0x0111, len(error), stun.COOKIE, dialogue.transaction) + error,
        head.pack(0x0101, 12, stun.COOKIE, dialogue.transaction) + struct.pack(">HH", 1, 8) + mapped,
    )


_UPGRADE = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {websocket.accepted('key')}\r\n\r\n"
_OPENVPN = OpenvpnDialogue(_rng())
_IKE = Ikev2Dialogue(_rng())
_WIREGUARD = WireguardDialogue(_rng(), bytes(31) + b"\x09", now_us=0)
_VPNS: tuple[tuple[str, Make, tuple[bytes, ...]], ...] = (
    ("openvpn", OpenvpnDialogue, (openvpn_answer(_OPENVPN.session), _OPENVPN.first())),
    (
        "openvpn-tcp",
        partial(OpenvpnDialogue, framed=True),
        (b"\x00\x1a" + openvpn_answer(OpenvpnDialogue(_rng(), framed=True).session),),
    ),
    ("ikev2", Ikev2Dialogue, (ike_answer(_IKE.spi), ike_answer(_IKE.spi, (notification(17),)), _IKE.first())),
    (
        "wireguard",
        lambda rng: WireguardDialogue(rng, bytes(31) + b"\x09", now_us=0),
        (
            b"\x02\0\0\0TTTT" + _WIREGUARD.index + bytes(80),
            b"\x03\0\0\0" + _WIREGUARD.index + bytes(56),
            _WIREGUARD.first(),
        ),
    ),
    ("tor", TorDialogue, (bytes.fromhex("000007000400030004") + bytes(5), bytes.fromhex("000007ffff00030004"))),
    ("stun", StunDialogue, _stun()),
)
SUBJECTS = (
    *(Subject(name=name, read=partial(_both, make), seeds=(*seeds, *_ALIKE)) for name, make, seeds in _VPNS),
    Subject(
        name="mtproto",
        read=_telegram,
        longest=1_500,
        seconds=0.6,
        seeds=(_res_pq(), b"\4\0\0\0" + struct.pack("<i", -404), *_ALIKE),
    ),
    Subject(
        name="websocket",
        read=_websocket,
        seeds=(_UPGRADE.encode() + b"\x82\x05hello\x82\x7e\0\x7e" + bytes(126) + b"\x88\0", _ALIKE[0]),
        longest=80_000,
        seconds=0.6,  # thirty thousand frames with nothing in them
    ),
)
