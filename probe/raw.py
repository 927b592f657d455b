"""What the packets that came back look like: their TTL, IP-ID, window and flags, heard by a process of its own.

Every other instrument does without privilege. This one needs CAP_NET_RAW and scapy (extra ``[raw]``), and nothing needs this
one: where either is missing, nothing is heard, and that is no evidence. Scapy is GPL-2.0-only and is imported here alone, in
the child, which keeps CAP_NET_RAW until its sockets are open (root also what it takes to become nobody), and no privilege from
then on.

The kernel hands over what a filter lets through: TCP from the addresses and ports that were named, no more of each packet
than its headers. The child tells of these; what does not belong to a flow of this run is forgotten by whoever listens, unseen.
The child ends with its deadline, at so many packets, when its input is closed, and with its parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib.util
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_PACKETS = 2_000
LONGEST_S = 30.0
_HEADERS = 128
"""Bytes of a packet that are looked at: both headers with their options (RFC 791, RFC 9293, RFC 8200), no more of its content
than fits beside."""
_START_S = 8.0
"""Until the child listens: it imports for a second, on a small computer for several."""
_END_S = 1.0
_CAP_SETGID, _CAP_SETUID, _CAP_NET_RAW = 6, 7, 13
_NOBODY = 65534
_MOST_ADDRESSES = 16
_LINE_BYTES = 4_096
_MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class Heard:
    """One TCP packet that came from *address*, *port* to a port of this host; ``identification`` is IPv4's, ``size`` of its
    payload.
    """

    at_us: int
    address: str
    port: int
    own_port: int
    ttl: int
    identification: int | None
    window: int
    flags: str
    size: int

    @property
    def flow(self) -> tuple[str, int, int]:
        return self.address, self.port, self.own_port


def is_available() -> bool:
    """Whether packets may be listened to here: Linux, the capability, and the package."""
    return sys.platform == "linux" and has_capability() and importlib.util.find_spec("scapy") is not None


def has_capability(status: Path = Path("/proc/self/status")) -> bool:
    """Whether this process has CAP_NET_RAW in effect (proc(5))."""
    return bool(_mask("CapEff", status) >> _CAP_NET_RAW & 1)


def _permitted() -> int:
    return _mask("CapPrm", Path("/proc/self/status"))


def _mask(name: str, status: Path) -> int:
    """One of this process's sets of capabilities; 0 where the kernel tells none."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith(f"{name}:")), 0)


# ---------------------------------------------------------------------------------------------------------------------
# the side that listens


@dataclass(slots=True)
class Ear:
    """What the child has told so far, the newest last; at most ``MOST_PACKETS``."""

    packets: list[Heard] = field(default_factory=list)

    def of(self, flows: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], list[Heard]]:
        """Packets of these flows only: (address, port, port of ours) → what came, in order."""
        found: dict[tuple[str, int, int], list[Heard]] = {flow: [] for flow in flows}
        for packet in self.packets:
            if packet.flow in found:
                found[packet.flow].append(packet)
        return {flow: packets for flow, packets in found.items() if packets}


@contextlib.asynccontextmanager
async def listening(places: Sequence[tuple[str, int]], *, deadline_s: float) -> AsyncIterator[Ear | None]:
    """Hear TCP from *places* (address, port) while the block runs, *deadline_s* at most; ``None`` where it cannot be done."""
    child = await _start(places, min(deadline_s, LONGEST_S)) if is_available() and places else None
    if child is None:
        yield None
        return
    ear = Ear()
    try:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(child, ear))
            yield ear
            await _end(child, reading)
            reading.cancel()
    finally:
        await _stop(child)


async def _stop(child: asyncio.subprocess.Process) -> None:
    """Kill it if it lives, and read what is left: a pipe that nobody reads never tells that it has ended.

    One that has said all is about to end. Whoever kills it in that moment takes its end out of asyncio's hands, which writes
    "Unknown child process" into the daemon's log.
    """
    assert child.stdout is not None
    if child.stdout.at_eof():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await child.wait()
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    while await child.stdout.read(_LINE_BYTES):
        pass
    await child.wait()


async def _start(places: Sequence[tuple[str, int]], deadline_s: float) -> asyncio.subprocess.Process | None:
    """The child, once it listens; ``None`` if it does not come to that."""
    words = [f"{address},{port}" for address, port in list(places)[:_MOST_ADDRESSES]]
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "probe.raw",
            str(os.getpid()),
            f"{deadline_s:.1f}",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE_BYTES,
        )
    except OSError:
        return None
    said = b""
    try:
        assert child.stdout is not None
        async with asyncio.timeout(_START_S):
            said = await child.stdout.readline()
    except (TimeoutError, ValueError):
        pass  # too late, or it says something else
    finally:
        if said.strip() != b"listening":
            await _stop(child)
    return child if said.strip() == b"listening" else None


async def _read(child: asyncio.subprocess.Process, ear: Ear) -> None:
    assert child.stdout is not None
    # A line that is too long, or no packet: nothing more is believed.
    with contextlib.suppress(ValueError, RecursionError):
        async for line in child.stdout:
            if len(ear.packets) < MOST_PACKETS:
                ear.packets.append(_heard(json.loads(line)))


def _heard(values: Any) -> Heard:
    if not isinstance(values, list) or len(values) != len(Heard.__slots__):
        raise ValueError(values)
    return Heard(*values)


async def _end(child: asyncio.subprocess.Process, reading: asyncio.Task[None]) -> None:
    """Close its input, and wait until it has said all that it has heard, or for a moment."""
    assert child.stdin is not None
    child.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_S):
            await reading


# ---------------------------------------------------------------------------------------------------------------------
# the child


def main(arguments: Sequence[str]) -> int:
    """``python -m probe.raw PARENT DEADLINE ADDRESS,PORT …``: one line of JSON a packet, after a first line ``listening``."""
    parent, deadline_s, *words = arguments
    places = [(address, int(port)) for address, _, port in (word.rpartition(",") for word in words)]
    _end_with(int(parent))
    _keep(1 << _CAP_NET_RAW | 1 << _CAP_SETGID | 1 << _CAP_SETUID)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    from scapy.layers.inet import IP, TCP
    from scapy.layers.inet6 import IPv6

    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in _open(places)]
        _keep(0)
        _say("listening")
        for data, at_us, version in _packets(sockets, float(deadline_s)):
            packet = IPv6(data) if version == 6 else IP(data)
            if TCP in packet:
                _say(json.dumps(_told(packet, packet[TCP], at_us, version)))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _told(packet: Any, segment: Any, at_us: int, version: int) -> list[Any]:
    """The fields of :class:`Heard`, in order."""
    length = packet.plen if version == 6 else packet.len - 4 * packet.ihl
    ttl, identification = (packet.hlim, None) if version == 6 else (packet.ttl, packet.id)
    size = max(length - 4 * (segment.dataofs or 5), 0)
    flags = str(segment.flags)
    return [at_us, packet.src, segment.sport, segment.dport, ttl, identification, segment.window, flags, size]


def _end_with(parent: int) -> None:
    """Die when the parent does (prctl(2), PR_SET_PDEATHSIG), gain nothing by executing (PR_SET_NO_NEW_PRIVS)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(1, signal.SIGKILL)
    libc.prctl(38, 1, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def _keep(capabilities: int) -> None:
    """Give up every capability but these (capset(2), version 3), and the user that may do everything with files."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not capabilities and os.geteuid() == 0:
        with contextlib.suppress(OSError):  # without CAP_SETUID it stays root by name only
            os.setgroups(())
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
    mine = capabilities & _permitted()
    header = struct.pack("=Ii", 0x20080522, 0)
    data = struct.pack("=IIIIII", mine, mine, 0, 0, 0, 0)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")


_ETHERTYPE = {4: 0x0800, 6: 0x86DD}


def _open(places: Sequence[tuple[str, int]]) -> list[socket.socket]:
    """A packet socket for each version of IP that is needed, with its filter; what it hears begins with the IP header."""
    found = []
    for version, ethertype in _ETHERTYPE.items():
        mine = [place for place in places if (":" in place[0]) == (version == 6)]
        if not mine:
            continue
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ethertype))
        program = ctypes.create_string_buffer(bpf(mine, version))
        attached = struct.pack("HP", len(program.raw) // 8, ctypes.addressof(program))
        sock.setsockopt(socket.SOL_SOCKET, 26, attached)  # SO_ATTACH_FILTER
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:  # what came before the filter was there is nobody's business
                sock.recv(1)
        found.append(sock)
    return found


def _packets(sockets: Sequence[socket.socket], deadline_s: float) -> Iterable[tuple[bytes, int, int]]:
    """Packets with when they came (UTC, µs) and their version, until the end; see the module."""
    until, left = time.monotonic() + deadline_s, MOST_PACKETS
    while left > 0 and (wait := until - time.monotonic()) > 0:
        readable, _, _ = select.select([sys.stdin, *sockets], [], [], wait)
        for sock in readable:
            if not isinstance(sock, socket.socket):
                continue
            with contextlib.suppress(BlockingIOError):
                data = sock.recv(_HEADERS)
                yield data, time.time_ns() // 1000, data[0] >> 4
                left -= 1
        if sys.stdin in readable and len(readable) == 1:
            return


# ---------------------------------------------------------------------------------------------------------------------
# the filter


def bpf(places: Sequence[tuple[str, int]], version: int) -> bytes:
    """A classic BPF program (bpf(4), as Linux takes it) for packets that begin with an IP header: TCP from one of *places*, and
    the first bytes of it only. Of IPv6 it takes what has no extension header before TCP, of IPv4 no later fragments.
    """
    load_byte, load_half, load_word, load_ip_length = 0x30, 0x28, 0x20, 0xB1
    load_half_behind, equal, any_bit, accept = 0x48, 0x15, 0x45, 0x06
    head = [(load_byte, 9 if version == 4 else 6, "", ""), (equal, socket.IPPROTO_TCP, "", "drop")]
    if version == 4:
        head += [(load_half, 6, "", ""), (any_bit, 0x1FFF, "drop", "")]
    code: list[tuple[int, int, str, str]] = head
    for number, (address, port) in enumerate(places):
        other = f"place{number + 1}"
        code.append((0, number, "label", ""))
        packed = socket.inet_pton(socket.AF_INET6 if version == 6 else socket.AF_INET, address.partition("%")[0])
        start = 8 if version == 6 else 12
        for at in range(0, len(packed), 4):
            code += [(load_word, start + at, "", ""), (equal, int.from_bytes(packed[at : at + 4], "big"), "", other)]
        if version == 4:
            code += [(load_ip_length, 0, "", ""), (load_half_behind, 0, "", "")]
        else:
            code.append((load_half, 40, "", ""))
        code += [(equal, port, "", other), (accept, _HEADERS, "", "")]
    code += [(0, len(places), "label", ""), (accept, 0, "", "")]
    return _assembled(code)


def _assembled(code: Sequence[tuple[int, int, str, str]]) -> bytes:
    """Instructions with named places to jump to, as ``struct sock_filter``; ``drop`` is the last one."""
    labels: dict[str, int] = {}
    plain: list[tuple[int, int, str, str]] = []
    for instruction in code:
        if instruction[2] == "label":
            labels[f"place{instruction[1]}"] = len(plain)
        else:
            plain.append(instruction)
    labels["drop"] = len(plain) - 1
    packed = b""
    for number, (operation, operand, if_true, if_false) in enumerate(plain):
        jumps = [labels[name] - number - 1 if name else 0 for name in (if_true, if_false)]
        packed += struct.pack("=HBBI", operation, *jumps, operand)
    return packed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
