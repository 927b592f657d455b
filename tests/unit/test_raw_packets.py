"""Packets that are listened to: what the filter lets through, what is ours of it, and what is said of it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from probe import raw
from probe.experiments import packets as experiment
from probe.observations import Arrived
from probe.observations.as_json import fact_from_json, fact_to_json
from probe.raw import Ear, Heard, bpf
from tests.unit.facts import SITE
from tests.unit.verdict_scenarios_handshakes import reset_marked_otherwise

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these sockets")
PLACES = (("157.240.205.35", 443), ("8.8.8.8", 53))
PLACES6 = (("2a03:2880:f12f:83:face:b00c:0:25de", 443),)


def four(src: str, sport: int, *, protocol: int = 6, options: bytes = b"", offset: int = 0) -> bytes:
    """An IPv4 packet with the beginning of a segment."""
    ihl = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | ihl, 0, ihl * 4 + 20, 7, offset, 57, protocol, 0)
    addresses = socket.inet_aton(src) + socket.inet_aton("192.168.1.10")
    return head + addresses + options + struct.pack("!HHIIBBHHH", sport, 40_000, 1, 2, 0x50, 0x12, 500, 0, 0)


def six(src: str, sport: int, *, protocol: int = 6) -> bytes:
    """An IPv6 packet with the beginning of a segment."""
    addresses = socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, "2a5c:2f90:0:10::10")
    segment = struct.pack("!HHIIBBHHH", sport, 40_000, 1, 2, 0x50, 0x04, 500, 0, 0)
    return struct.pack("!IHBB", 6 << 28, len(segment), protocol, 57) + addresses + segment


def passes(program: bytes, packet: bytes) -> int:
    """How many bytes of *packet* a filter lets through: the instructions that ours have, as the kernel reads them."""
    code = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    a = x = at = 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        if operation == 0x06:
            return int(operand)
        if operation == 0xB1:
            x = 4 * (packet[operand] & 0xF)
        elif operation in (0x30, 0x28, 0x20, 0x48):
            size = {0x30: 1, 0x28: 2, 0x20: 4, 0x48: 2}[operation]
            start = operand + (x if operation == 0x48 else 0)
            if start + size > len(packet):
                return 0
            a = int.from_bytes(packet[start : start + size], "big")
        else:
            at += if_true if (a == operand if operation == 0x15 else a & operand) else if_false


@pytest.mark.parametrize(
    ("packet", "passed"),
    [
        (four("157.240.205.35", 443), True),
        (four("8.8.8.8", 53), True),
        (four("157.240.205.35", 443, options=bytes(8)), True),
        (four("157.240.205.35", 53), False),
        (four("8.8.8.8", 443), False),
        (four("157.240.205.36", 443), False),
        (four("157.240.205.35", 443, protocol=17), False),
        (four("157.240.205.35", 443, offset=100), False),
        (four("157.240.205.35", 443)[:15], False),
    ],
    ids=range(9),
)
def test_the_filter_lets_through_what_comes_from_the_places_that_were_named(packet: bytes, passed: bool) -> None:
    """TCP, from one of the addresses and its own port, and the first fragment of it; of that no more than headers."""
    assert passes(bpf(PLACES, 4), packet) == (raw._HEADERS if passed else 0)


def test_the_filter_knows_ipv6() -> None:
    """The same, by sixteen bytes of an address."""
    program = bpf(PLACES6, 6)
    address = PLACES6[0][0]
    assert passes(program, six(address, 443))
    assert not passes(program, six(address, 80))
    assert not passes(program, six(address, 443, protocol=17))
    assert not passes(program, six("2a03:2880:f12f:83:face:b00c:0:25df", 443))


def test_headers_are_told_as_they_are() -> None:
    """TTL, IP-ID, window and flags of both versions, by scapy; IPv6 has no IP-ID."""
    from scapy.layers.inet import IP, TCP
    from scapy.layers.inet6 import IPv6

    packet: Any = IP(four("157.240.205.35", 443, options=bytes(8)))
    told = Heard(*raw._told(packet, packet[TCP], 5, 4))
    assert told == Heard(5, "157.240.205.35", 443, 40_000, 57, 7, 500, "SA", 0)
    packet = IPv6(six(PLACES6[0][0], 443))
    assert Heard(*raw._told(packet, packet[TCP], 5, 6)) == Heard(5, PLACES6[0][0], 443, 40_000, 57, None, 500, "R", 0)


def heard(own_port: int, flags: str, at_us: int = 0, ttl: int = 60) -> Heard:
    return Heard(at_us, SITE, 443, own_port, ttl, 1, 500, flags, 0)


def test_what_is_not_ours_is_dropped() -> None:
    """A browser beside us talks to the same site from a port of its own."""
    ear = Ear([heard(40_000, "SA"), heard(50_000, "SA"), heard(40_000, "R", 9)])
    assert ear.of({(SITE, 443, 40_000), (SITE, 443, 40_001)}) == {(SITE, 443, 40_000): [ear.packets[0], ear.packets[2]]}


def test_of_a_long_flow_the_beginning_and_the_end_are_kept() -> None:
    """However much comes, a fact stays small and says how much it leaves out; it survives being kept."""
    fact = experiment._fact(7, [heard(7, "PA" if n else "SA", 1_000 + n) for n in range(50)])
    assert (len(fact.packets), fact.left_out) == (12, 38)
    assert (fact.packets[0], fact.packets[-1].after_us) == (
        Arrived(after_us=0, flags="SA", ttl=60, window=500, identification=1),
        49,
    )
    assert fact_from_json("packets", fact_to_json(fact)) == fact


@pytest.mark.parametrize(("mask", "able"), [("0000000000002000", True), ("0000000000001000", False), ("", False)])
def test_the_capability_is_looked_for(tmp_path: Path, mask: str, able: bool) -> None:
    """In what is in effect; where the kernel tells nothing, there is none."""
    status = tmp_path / "status"
    status.write_text(f"CapPrm:\t0000000000002000\n{f'CapEff:{chr(9)}{mask}{chr(10)}' if mask else ''}")
    assert raw.has_capability(status) == able
    assert not raw.has_capability(tmp_path / "none")


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder whose program is started in place of this interpreter, where listening is allowed."""
    program = tmp_path / "child"
    monkeypatch.setattr(raw, "is_available", lambda: True)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(raw, "_START_S", 10.0)
    return program


def write(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


async def listen() -> list[Heard] | None:
    async with raw.listening(PLACES, deadline_s=1) as ear:
        pass
    return None if ear is None else ear.packets


@linux_only
@pytest.mark.parametrize(
    "script", ["exit 1", "echo something else; exec sleep 60", "printf listening; exec cat /dev/zero"]
)
def test_a_child_that_does_not_listen_hears_nothing(children: Path, script: str) -> None:
    """Whatever is the matter with it: no evidence, no error, and no process is left."""
    write(children, script)
    assert asyncio.run(listen()) is None


@linux_only
def test_what_the_child_says_is_read_to_its_end(children: Path) -> None:
    """Once its input is closed it says the rest; what is no packet ends it, and so does a line without an end."""
    row = '[1, "157.240.205.35", 443, 40000, 57, 7, 500, "R", 0]'
    write(children, f"echo listening; cat >/dev/null; echo '{row}'; echo '{row}'; echo no; echo '{row}'")
    assert asyncio.run(listen()) == [Heard(1, "157.240.205.35", 443, 40_000, 57, 7, 500, "R", 0)] * 2


@linux_only
def test_a_child_that_ends_by_itself_is_not_killed(children: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killing what is just ending makes asyncio complain of an unknown child, in the log of whoever watches."""
    killed: list[int] = []
    monkeypatch.setattr(asyncio.subprocess.Process, "kill", lambda child: killed.append(child.pid))
    write(children, "echo listening; cat >/dev/null")
    for _ in range(5):
        assert asyncio.run(listen()) == []
    assert killed == []


@linux_only
def test_a_child_that_says_too_much_or_does_not_end_is_ended(children: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, and so is the time for its last words."""
    monkeypatch.setattr(raw, "MOST_PACKETS", 3)
    monkeypatch.setattr(raw, "_END_S", 0.3)
    row = '[1, "157.240.205.35", 443, 40000, 57, 7, 500, "R", 0]'
    write(children, f"echo listening; for n in 1 2 3 4 5; do echo '{row}'; done; exec sleep 60")
    assert len(asyncio.run(listen()) or ()) == 3


@linux_only
def test_where_it_may_not_listen_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the capability, without the package, without a place."""
    monkeypatch.setattr(raw, "is_available", lambda: False)
    monkeypatch.setattr(raw, "_start", None)
    assert asyncio.run(listen()) is None


@linux_only
def test_a_child_of_somebody_else_ends_at_once() -> None:
    """It is told whose it is: one whose parent has gone before it could say so hears nothing."""
    with pytest.raises(SystemExit):
        raw.main([str(os.getpid()), "1", "127.0.0.1,1"])


# ---------------------------------------------------------------------------------------------------------------------
# what is said of it

CODE = "reset_marked_otherwise"


def test_a_reset_with_another_ttl_is_a_hint_and_no_word() -> None:
    """It leans, and the verdict stays what it is without it."""
    verdict = reset_marked_otherwise().verdict()
    (found,) = [f for f in verdict.findings if f.code == CODE]
    assert (found.parameters["reset_ttl"], found.parameters["server_ttl"]) == (61, 52)
    assert verdict.status == "inconclusive"


@pytest.mark.parametrize(
    "ttls",
    [
        ((52, 61),),
        ((52, 52), (52, 52)),
        ((52, 53), (52, 53)),
        ((52, 61), (52, 61), (52, 52)),
    ],
)
def test_one_connection_or_one_that_is_alike_says_nothing(ttls: tuple[tuple[int, int], ...]) -> None:
    """A router more or less is the way's; a server that resets by itself does it from its own distance."""
    assert CODE not in reset_marked_otherwise(*ttls).codes()
