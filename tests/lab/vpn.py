"""Servers of VPN protocols as they answer a first packet, and a client for proofs. None of it is the probe's code.

    python -S -m tests.lab.vpn serve '{"places": [[ADDRESS, PORT, MANNER], …]}'
    python -S -m tests.lab.vpn ask KIND ADDRESS PORT [COUNT]
    python -S -m tests.lab.vpn count ADDRESS PORT COUNT

MANNER: ``openvpn``, ``openvpn-tcp``, ``ikev2``, ``ikev2-group`` (wants another group), ``wireguard`` (knows everybody's key),
``wireguard-busy`` (a cookie), ``silent``, ``silent-tcp``, ``echo``, ``page-tcp`` (a web server's page).
KIND: ``openvpn``, ``openvpn-tcp``, ``ikev2``, ``wireguard``, ``noise``, ``noise-tcp``, ``letters-tcp``. ``ask`` sends the kind's first packet, up to three
times, and prints ``answered``, ``silence``, ``reset``, ``closed`` or ``refused``; with COUNT also so many packets of data one by
one, and prints ``lives`` if the last one was answered, ``stops`` if not. ``count`` sends so many random datagrams, each once, and
prints how many came back.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import sys
import time
from typing import Any, cast

_WAIT_S = 0.7
_TRIES = 3
_PAGE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


# ---------------------------------------------------------------------------------------------------------------------
# what servers say


def answer(manner: str, data: bytes) -> bytes:
    """What a server says to a first packet; nothing to one that it does not understand."""
    if manner == "echo":
        return data
    if manner == "openvpn" and data[:1] == b"\x38" and len(data) >= 14:
        return b"\x40" + os.urandom(8) + b"\x01" + bytes(4) + data[1:9] + bytes(4)
    if manner.startswith("ikev2") and len(data) >= 28 and data[18] == 34:
        if manner == "ikev2-group":  # INVALID_KE_PAYLOAD, group 19
            return _ike(data[:8], 41, struct.pack(">BBHBBHH", 0, 0, 10, 0, 0, 17, 19))
        nonce = struct.pack(">BBH", 0, 0, 36) + os.urandom(32)
        chosen = struct.pack(">BBH", 40, 0, 12) + bytes(8)
        return _ike(data[:8], 33, chosen + nonce)
    if manner == "wireguard" and len(data) == 148 and data[0] == 1:
        return b"\x02\x00\x00\x00" + os.urandom(4) + data[4:8] + os.urandom(80)
    if manner == "wireguard-busy" and len(data) == 148 and data[0] == 1:
        return b"\x03\x00\x00\x00" + data[4:8] + os.urandom(56)
    return b""


def _ike(spi: bytes, following: int, body: bytes) -> bytes:
    return struct.pack(">8s8sBBBBII", spi, os.urandom(8), following, 0x20, 34, 0x20, 0, 28 + len(body)) + body


class Server(asyncio.DatagramProtocol):
    """One place over UDP."""

    def __init__(self, manner: str) -> None:
        self._manner = manner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        said = answer(self._manner, data)
        if said:
            self._transport.sendto(said, addr)


async def _serve_stream(manner: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        data = await reader.read(4096)
        said = _PAGE if manner == "page" else b""
        inside = answer(manner, data[2:])
        if inside:
            said = len(inside).to_bytes(2) + inside
        writer.write(said)
        await writer.drain()
        while await reader.read(4096):
            pass
    except OSError:
        pass
    writer.close()


async def serve(places: list[tuple[str, int, str]]) -> None:
    loop = asyncio.get_running_loop()
    for address, port, manner in places:
        if manner.endswith("-tcp"):
            kind = manner.removesuffix("-tcp")
            await asyncio.start_server(lambda r, w, kind=kind: _serve_stream(kind, r, w), address, port)  # type: ignore[misc]
        else:
            await loop.create_datagram_endpoint(lambda manner=manner: Server(manner), local_addr=(address, port))  # type: ignore[misc]
    await asyncio.Event().wait()


# ---------------------------------------------------------------------------------------------------------------------
# a client


def first(kind: str) -> bytes:
    """A first packet, made here and nowhere else."""
    if kind == "openvpn":
        return b"\x38" + os.urandom(8) + bytes(5)
    if kind == "wireguard":
        return b"\x01\x00\x00\x00" + os.urandom(128) + bytes(16)
    if kind == "ikev2":
        body = struct.pack(">BBH", 0, 0, 36) + os.urandom(32)
        return struct.pack(">8s8sBBBBII", os.urandom(8), bytes(8), 40, 0x20, 34, 8, 0, 28 + len(body)) + body
    return (b"letters of a harmless kind" if kind == "letters" else b"\x81") + os.urandom(150)


def ask(kind: str, address: str, port: int, count: int) -> str:
    kind, _, over = kind.partition("-")
    packet = first(kind)
    if over == "tcp" and kind == "openvpn":
        packet = len(packet).to_bytes(2) + packet
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if over == "tcp" else socket.SOCK_DGRAM) as sock:
        sock.settimeout(_WAIT_S)
        try:
            sock.connect((address, port))
            said = _exchange(sock, packet, again=over != "tcp")
            for _ in range(count if said == "answered" else 0):
                said = "lives" if _exchange(sock, os.urandom(100), again=over != "tcp") == "answered" else "stops"
                if said == "stops":
                    break
        except ConnectionRefusedError:
            return "refused"
        except ConnectionResetError:
            return "reset"
        except TimeoutError:
            return "silence"
    return said


def _exchange(sock: socket.socket, packet: bytes, *, again: bool) -> str:
    for _ in range(_TRIES if again else 1):
        sock.sendall(packet)
        try:
            return "answered" if sock.recv(4096) else "closed"
        except TimeoutError:
            continue
    return "silence"


def count_back(address: str, port: int, count: int) -> int:
    sent, back = {number.to_bytes(2) + os.urandom(60) for number in range(count)}, set[bytes]()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_WAIT_S)
        sock.connect((address, port))
        for packet in sorted(sent):
            sock.send(packet)
            time.sleep(0.005)
        try:
            while len(back) < count:
                back.add(sock.recv(4096))
        except OSError:
            pass
    return len(back & sent)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(json.loads(sys.argv[2])["places"]))
    elif sys.argv[1] == "count":
        print(count_back(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        print(ask(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]) if len(sys.argv) > 5 else 0))
