"""The first packets of VPN protocols and of Tor: what is sent is the protocol's, and only an answer to it counts."""

import base64
import hashlib
import random
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from probe.instruments.apps import encrypted, wireguard
from probe.instruments.apps.encrypted import EncryptedShape, RandomShape
from probe.instruments.apps.ikev2 import Ikev2Dialogue, Ikev2Shape
from probe.instruments.apps.openvpn import OpenvpnDialogue, OpenvpnShape
from probe.instruments.apps.tor import TorDialogue
from probe.instruments.apps.wireguard import WireguardDialogue, WireguardShape


def rng():
    return random.Random(7)


# ---------------------------------------------------------------------------------------------------------------------
# OpenVPN


def openvpn_answer(session, *, opcode=8, count=1):
    return bytes([opcode << 3]) + b"S" * 8 + bytes([count]) + bytes(4) * count + session + bytes(4)


def test_openvpn_begins_with_the_clients_reset():
    """Fourteen bytes: opcode 7 with key 0, a session, no acknowledgement, packet 0."""
    dialogue = OpenvpnDialogue(rng())
    assert dialogue.first() == b"\x38" + dialogue.session + b"\x00" + bytes(4)
    assert OpenvpnDialogue(rng(), framed=True).first()[:3] == b"\x00\x0e\x38"


def test_a_reset_that_acknowledges_ours_is_openvpn():
    """Over UDP as one datagram, over TCP in whatever pieces."""
    dialogue = OpenvpnDialogue(rng())
    assert dialogue.heard(openvpn_answer(dialogue.session)).expected is True

    framed = OpenvpnDialogue(rng(), framed=True)
    whole = b"\x00\x1a" + openvpn_answer(framed.session)
    heard = [framed.heard(whole[at : at + 1]) for at in range(len(whole))]
    assert [one.done for one in heard] == [False] * (len(whole) - 1) + [True]
    assert heard[-1].expected is True


@pytest.mark.parametrize(
    "make",
    [
        lambda session: openvpn_answer(b"another!"),
        lambda session: openvpn_answer(session, opcode=7),
        lambda session: openvpn_answer(session)[:-5],
        lambda session: b"\x40" + b"S" * 8 + b"\x00" + bytes(4),
        lambda session: b"HTTP/1.1 400 Bad Request\r\n\r\n",
        lambda session: b"",
    ],
)
def test_anything_else_is_not_openvpn(make):
    """Another's session, our own packet come back, half of one, no acknowledgement, words, nothing."""
    dialogue = OpenvpnDialogue(rng())
    heard = dialogue.heard(make(dialogue.session))
    assert heard.done
    assert heard.expected is False
    assert heard.detail
    assert len(heard.detail) <= 80


def test_an_echo_of_the_reset_is_not_openvpn():
    """A server that sends everything back is none."""
    dialogue = OpenvpnDialogue(rng())
    assert dialogue.heard(dialogue.first()).expected is False


# ---------------------------------------------------------------------------------------------------------------------
# IKEv2


def ike_answer(
    spi, payloads=((33, bytes(8)), (34, bytes(8)), (40, bytes(8))), *, flags=0x20, exchange=34, version=0x20
):
    body, kinds = b"", [kind for kind, _ in payloads] + [0]
    for index, (_, content) in enumerate(payloads):
        body += struct.pack(">BBH", kinds[index + 1], 0, 4 + len(content)) + content
    return struct.pack(">8s8sBBBBII", spi, b"R" * 8, kinds[0], version, exchange, flags, 0, 28 + len(body)) + body


def notification(number):
    return (41, struct.pack(">BBH", 0, 0, number) + b"x")


def test_ike_sa_init_is_well_formed():
    """Its length is its own, and SA, KE and Nonce follow each other to its end (RFC 7296 §3)."""
    dialogue = Ikev2Dialogue(rng())
    packet = dialogue.first()
    spi, zero, following, version, exchange, flags, number, size = struct.unpack(">8s8sBBBBII", packet[:28])
    assert (spi, zero, version, exchange, flags, number) == (dialogue.spi, bytes(8), 0x20, 34, 8, 0)
    assert size == len(packet)
    kinds, at = [], 28
    while following:
        kinds.append(following)
        following, _, length = struct.unpack(">BBH", packet[at : at + 4])
        at += length
    assert kinds == [33, 34, 40]
    assert at == len(packet)
    assert 250 <= size <= 1200
    assert Ikev2Dialogue(rng(), marked=True).first()[:4] == bytes(4)


@pytest.mark.parametrize(
    ("payloads", "detail"),
    [
        (((33, bytes(8)), (34, bytes(8)), (40, bytes(8))), None),
        ((notification(17),), "INVALID_KE_PAYLOAD"),
        ((notification(16390),), "COOKIE"),
        ((notification(14),), "NO_PROPOSAL_CHOSEN"),
        ((notification(9999),), "notification 9999"),
    ],
)
def test_any_answer_under_our_spi_is_ike(payloads, detail):
    """A choice, another group, a cookie first, or nothing of what was proposed."""
    dialogue = Ikev2Dialogue(rng())
    heard = dialogue.heard(ike_answer(dialogue.spi, payloads))
    assert (heard.done, heard.expected, heard.detail) == (True, True, detail)


@pytest.mark.parametrize(
    "make",
    [
        lambda spi: ike_answer(b"another!"),
        lambda spi: ike_answer(spi, flags=0x08),
        lambda spi: ike_answer(spi, exchange=35),
        lambda spi: ike_answer(spi, version=0x10),
        lambda spi: ike_answer(spi, ()),
        lambda spi: ike_answer(spi)[:-1],
        lambda spi: spi,
        lambda spi: Ikev2Dialogue(rng()).first(),
    ],
)
def test_anything_else_is_not_ike(make):
    """Another's SPI, a request, another exchange or version, nothing in it, cut off, or our own packet come back."""
    dialogue = Ikev2Dialogue(rng())
    heard = dialogue.heard(make(dialogue.spi))
    assert (heard.done, heard.expected) == (True, False)
    assert heard.detail


# ---------------------------------------------------------------------------------------------------------------------
# WireGuard

SERVER = bytes(range(1, 33))


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def kdf(key, data, count):
    """HKDF written once more, by the paper (§5.4)."""
    import hmac

    secret, found = hmac.new(key, data, hashlib.blake2s).digest(), [b""]
    for number in range(count):
        found.append(hmac.new(secret, found[-1] + bytes([number + 1]), hashlib.blake2s).digest())
    return found[1:]


def test_a_server_can_read_the_initiation():
    """By the responder's half of Noise_IK: our static key and the time come out, and mac1 holds."""
    own = bytes(range(64, 96))
    dialogue = WireguardDialogue(rng(), public(SERVER), now_us=1_700_000_000_500_000, own_key=own)
    packet = dialogue.first()
    assert len(packet) == 148
    assert packet[:4] == b"\x01\x00\x00\x00"

    def blake(*parts):
        return hashlib.blake2s(b"".join(parts)).digest()

    def dh(theirs):
        return X25519PrivateKey.from_private_bytes(SERVER).exchange(X25519PublicKey.from_public_bytes(theirs))

    chain = blake(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
    state = blake(blake(chain, b"WireGuard v1 zx2c4 Jason@zx2c4.com"), public(SERVER))
    ephemeral, static, stamp = packet[8:40], packet[40:88], packet[88:116]
    state = blake(state, ephemeral)
    (chain,) = kdf(chain, ephemeral, 1)
    chain, key = kdf(chain, dh(ephemeral), 2)
    assert ChaCha20Poly1305(key).decrypt(bytes(12), static, state) == public(own)
    state = blake(state, static)
    chain, key = kdf(chain, dh(public(own)), 2)
    seconds, nanoseconds = struct.unpack(">QI", ChaCha20Poly1305(key).decrypt(bytes(12), stamp, state))
    assert (seconds - 2**62, nanoseconds) == (1_700_000_010, 500_000_000)
    mac = hashlib.blake2s(packet[:116], digest_size=16, key=blake(b"mac1----", public(SERVER))).digest()
    assert packet[116:] == mac + bytes(16)


def test_only_an_answer_to_our_index_is_wireguard():
    """The response and the cookie reply of the right size; nothing else, and not our own packet."""
    dialogue = WireguardDialogue(rng(), public(SERVER), now_us=0)
    index = dialogue.index
    response = b"\x02\x00\x00\x00" + b"T" * 4 + index + bytes(80)
    cookie = b"\x03\x00\x00\x00" + index + bytes(56)
    assert dialogue.heard(response).expected is True
    assert dialogue.heard(cookie).expected is True
    assert "cookie" in (dialogue.heard(cookie).detail or "")
    for other in (
        response[:-1],
        response + b"x",
        cookie[:-1],
        b"\x02\x00\x00\x01" + response[4:],
        response.replace(index, b"else"),
        cookie.replace(index, b"else"),
        dialogue.first(),
        b"",
    ):
        heard = dialogue.heard(other)
        assert (heard.done, heard.expected) == (True, False)


def test_a_key_is_read_as_wireguard_writes_it():
    """44 characters of base64, with what a URL makes of them, and no other length."""
    key = public(SERVER)
    text = base64.b64encode(key).decode()
    assert wireguard.read_key(text) == key
    assert wireguard.read_key(text.rstrip("=")) == key
    assert wireguard.read_key(text.replace("+", " ")) == key
    for wrong in ("", "x", text[:-4], text + "AAAA", "ключ"):
        assert wireguard.read_key(wrong) is None
    assert len(WireguardDialogue(rng(), bytes(32), now_us=0).first()) == 148


# ---------------------------------------------------------------------------------------------------------------------
# Tor


def test_tor_begins_with_its_versions():
    """A cell of variable length on circuit 0, and a name that is drawn anew."""
    assert TorDialogue(rng()).first() == bytes.fromhex("0000070006000300040005")
    assert TorDialogue(rng()).name != TorDialogue(random.Random(8)).name


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (bytes.fromhex("000007000400030004") + b"\x00\x00\x00\x00\x81", True),
        (bytes.fromhex("00000700040001 0002".replace(" ", "")), False),
        (bytes.fromhex("0000070003000300"), False),
        (bytes.fromhex("00000800040003000400"), False),
        (bytes.fromhex("000007ffff00030004"), False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
    ],
)
def test_only_versions_in_common_are_tor(answer, expected):
    """None in common, half a version, another cell, an endless one, a web server."""
    heard = TorDialogue(rng()).heard(answer)
    assert (heard.done, heard.expected) == (True, expected)


def test_a_cell_may_come_in_pieces():
    """Nothing is said until all of it is here."""
    dialogue = TorDialogue(rng())
    answer = bytes.fromhex("000007000400030004")
    heard = [dialogue.heard(answer[at : at + 1]) for at in range(len(answer))]
    assert [one.done for one in heard] == [False] * 8 + [True]
    assert (heard[-1].expected, heard[-1].detail) == (True, "version 4")


# ---------------------------------------------------------------------------------------------------------------------
# random packets, and shapes


def test_what_is_fully_encrypted_and_what_is_not():
    """By the five rules that were measured (USENIX Security 2023, §4)."""
    for seed in range(50):
        assert not encrypted.is_exempt(encrypted.encrypted(random.Random(seed), 197))
        assert encrypted.is_exempt(encrypted.plain(random.Random(seed), 197))
    assert encrypted.is_exempt(b"")
    assert encrypted.is_exempt(bytes(100))
    assert encrypted.is_exempt(b"\xff" * 100)
    assert encrypted.is_exempt(b"\x80" + b"all that follows can be read, to its end")


def test_a_random_arm_has_the_sizes_of_the_other():
    """Packet by packet, whatever the protocol's are."""
    for shape in (OpenvpnShape, Ikev2Shape, WireguardShape, EncryptedShape):
        for lettered in (False, True):
            real = shape(rng())
            other = RandomShape(random.Random(9), shape(rng()), lettered=lettered)
            assert len(real.first()) == len(other.first())
            assert real.first() != other.first()
            for number in range(1, 9):
                assert len(real.data(number, 150)) == len(other.data(number, 150))
            assert other.first()[:6].isalpha() or not lettered


def test_a_random_arm_never_begins_as_the_other():
    """OpenVPN's first byte is all that some devices look at, and one of 256 random packets would have it."""
    rng = random.Random(5)
    drawn = {RandomShape(rng, OpenvpnShape(rng)).first()[0] for _ in range(4000)}
    assert drawn == set(range(256)) - {0x38}


def test_shapes_are_of_their_protocols():
    """The first packet is the dialogue's, and data carry what a device looks for: opcodes, types, counters."""
    shape = OpenvpnShape(rng())
    packets = [shape.first(), *(shape.data(number, 150) for number in range(1, 7))]
    assert [packet[0] >> 3 for packet in packets] == [7, 5, 4, 4, 4, 9, 9]
    assert {len(packet) for packet in packets[2:]} == {150}
    framed = OpenvpnShape(rng(), framed=True)
    assert all(int.from_bytes(packet[:2]) == len(packet) - 2 for packet in (framed.first(), framed.data(1, 90)))

    guard = WireguardShape(rng())
    assert [(packet := guard.data(number, 150))[:4] + packet[8:16] for number in (1, 2)] == [
        b"\x04\x00\x00\x00" + bytes(8),
        b"\x04\x00\x00\x00\x01" + bytes(7),
    ]
    assert (len(guard.first()), guard.first()[:4], guard.first()[-16:]) == (148, b"\x01\x00\x00\x00", bytes(16))

    ike = Ikev2Shape(rng())
    assert ike.first()[16:19] == bytes([33, 0x20, 34])
    assert ike.data(1, 150)[16:19] == bytes([46, 0x20, 35])
    assert ike.data(4, 150)[4:8] == (2).to_bytes(4)
