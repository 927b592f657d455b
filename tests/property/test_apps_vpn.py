"""Whatever a server of a VPN protocol or of Tor sends: an answer or none, never an exception, and nothing grows."""

import random
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.instruments.apps import wireguard
from probe.instruments.apps.dialogue import Dialogue
from probe.instruments.apps.ikev2 import Ikev2Dialogue
from probe.instruments.apps.openvpn import OpenvpnDialogue
from probe.instruments.apps.tor import TorDialogue
from probe.instruments.apps.wireguard import WireguardDialogue

KEY = bytes(range(1, 33))
MAKERS: dict[str, Callable[[], Dialogue]] = {
    "openvpn": lambda: OpenvpnDialogue(random.Random(7)),
    "openvpn+tcp": lambda: OpenvpnDialogue(random.Random(7), framed=True),
    "ikev2": lambda: Ikev2Dialogue(random.Random(7)),
    "wireguard": lambda: WireguardDialogue(random.Random(7), KEY, now_us=0),
    "tor": lambda: TorDialogue(random.Random(7)),
}
BEGINNINGS = {
    "openvpn": b"\x40SSSSSSSS\x01\x00\x00\x00\x00" + OpenvpnDialogue(random.Random(7)).session,
    "openvpn+tcp": b"\x00\x1a\x40SSSSSSSS\x01\x00\x00\x00\x00" + OpenvpnDialogue(random.Random(7)).session,
    "ikev2": Ikev2Dialogue(random.Random(7)).spi + b"RRRRRRRR\x29\x20\x22\x20\x00\x00\x00\x00\x00\x00",
    "wireguard": b"\x02\x00\x00\x00",
    "tor": b"\x00\x00\x07\x00",
}


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8), st.booleans(), st.booleans())
def test_any_bytes_are_heard(name, pieces, plausible, echoed):
    """In any pieces, also behind a plausible beginning, or behind our own packet come back."""
    dialogue = MAKERS[name]()
    first = dialogue.first()
    for piece in ([BEGINNINGS[name]] if plausible else []) + ([first] if echoed else []) + pieces:
        heard = dialogue.heard(piece)
        assert isinstance(heard.done, bool)
        assert heard.expected in (True, False, None)
        assert heard.detail is None or (len(heard.detail) <= 80 and heard.detail.isprintable())
        assert heard.expected is None or heard.done
    assert dialogue.first() == first


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_grows_with_what_comes(name):
    """Megabytes of one byte, or of a beginning that never ends: what is kept stays small."""
    for piece in (b"\x00" * 65_536, b"\x00\x00\x07\xff\xff" + b"\x00" * 65_531, b"\x07\xff" + b"\x40" * 65_534):
        dialogue = MAKERS[name]()
        for _ in range(32):
            dialogue.heard(piece)
        kept = sum(sys.getsizeof(getattr(dialogue, field)) for field in vars(dialogue))
        assert kept < 8_192


@pytest.mark.parametrize("name", MAKERS)
def test_damage_to_anything_is_no_exception(name):
    """Every beginning of every length, and every byte of a good one replaced."""
    base = bytearray(BEGINNINGS[name] + bytes(80))
    for size in range(len(base)):
        MAKERS[name]().heard(bytes(base[:size]))
    for at in range(len(base)):
        for value in (0x00, 0x01, 0x7F, 0x80, 0xFF):
            damaged = bytearray(base)
            damaged[at] = value
            MAKERS[name]().heard(bytes(damaged))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda data: __import__("base64").b64encode(data).decode()))
def test_any_text_is_a_key_or_none(text):
    """32 bytes, or nothing."""
    key = wireguard.read_key(text)
    assert key is None or len(key) == 32
