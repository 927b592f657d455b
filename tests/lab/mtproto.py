"""Telegram's data centres as they answer the first question, and a client for proofs. None of it is the probe's code.

    python -S -m tests.lab.mtproto serve '{"places": [[ADDRESS, PORT, MANNER], …]}'
    python -S -m tests.lab.mtproto ask ADDRESS PORT [plain]

A server understands what Telegram's do: obfuscated flows (64 bytes of a key before all else), and the abridged and the
intermediate transport without it; inside, ``req_pq_multi``, which it answers with ``resPQ``. MANNER is what it does instead:

* ``answer``: as it should; ``silent``: reads and says nothing; ``close``, ``reset``: at the first bytes;
* ``http``: a web server's page; ``echo``: the same bytes; ``noise``: random ones; ``other``: ``resPQ`` to another nonce;
* ``flood``: the transport's own error 429; ``half``: the first half of the answer, then nothing.

``ws:ADDRESS`` in place of a manner: a websocket's inside on a port of loopback, for nginx to stand before.
``ask`` asks as the apps do (``plain``: without the obfuscation), and prints ``answered``, ``other``, ``error``, ``silence``, ``reset``,
``closed`` or ``refused``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import importlib.util
import json
import os
import site
import socket
import struct
import sys
import time
from collections.abc import Callable

if importlib.util.find_spec("cryptography") is None:
    site.main()

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_WAIT_S = 3
_REQ_PQ, _RES_PQ, _VECTOR = 0xBE7E8EF1, 0x05162463, 0x1CB5C415
_FINGERPRINTS = (0xD09D1D85DE64FD85, 0x0BC35F3509F7B7A5)
_PQ = bytes.fromhex("17ed48941a08f981")
_PAGE = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 23\r\nConnection: close\r\n\r\n<h1>400 Bad Request</h1"


def _ctr(secret: bytes) -> Callable[[bytes], bytes]:
    return Cipher(algorithms.AES(secret[:32]), modes.CTR(secret[32:48])).encryptor().update


class Flow:
    """One connection as a data centre sees it: bytes in, bytes out."""

    def __init__(self, manner: str) -> None:
        self._manner = manner
        self._inside = bytearray()
        self._raw = bytearray()
        self._in: Callable[[bytes], bytes] | None = None
        self._out: Callable[[bytes], bytes] = bytes
        self._transport = ""

    def feed(self, data: bytes) -> bytes | None:
        """What is said to *data*; ``None``: the connection is ended."""
        if self._manner in ("silent", "close", "reset"):
            return b"" if self._manner == "silent" else None
        if self._manner in ("http", "echo", "noise"):
            return {"http": _PAGE, "echo": data, "noise": os.urandom(84)}[self._manner]
        if self._in is None:
            self._raw += data
            if not self._begin():
                return b""
            data = b""
        self._inside += self._in(data) if self._in else data
        packet = self._packet()
        return b"" if packet is None else self._answer(packet)

    def _begin(self) -> bool:
        """Find out the transport; whether it is known by now."""
        raw = bytes(self._raw)
        plain: Callable[[bytes], bytes] = bytes
        if raw[:1] == b"\xef":
            self._transport, self._in, rest = "abridged", plain, raw[1:]
        elif raw[:4] == b"\xee\xee\xee\xee":
            self._transport, self._in, rest = "intermediate", plain, raw[4:]
        elif len(raw) < 64:
            return False
        else:
            secret = raw[8:56]
            self._in, self._out = _ctr(secret), _ctr(secret[::-1])
            name = self._in(raw[:64])[56:60]
            self._transport = {b"\xef" * 4: "abridged", b"\xee" * 4: "intermediate"}.get(name, "")
            rest = self._in(raw[64:])
        self._inside += rest
        return True

    def _packet(self) -> bytes | None:
        held = self._inside
        if self._transport == "abridged" and held:
            length, at = held[0] * 4, 1
        elif self._transport == "intermediate" and len(held) >= 4:
            length, at = struct.unpack_from("<I", held)[0], 4
        else:
            return None
        return bytes(held[at : at + length]) if len(held) >= at + length else None

    def _answer(self, packet: bytes) -> bytes:
        if len(packet) != 40 or packet[:8] != bytes(8) or struct.unpack_from("<I", packet, 20)[0] != _REQ_PQ:
            return self._out(struct.pack("<Ii", 4, -404))
        if self._manner == "flood":
            return self._out(struct.pack("<Ii", 4, -429))
        nonce = os.urandom(16) if self._manner == "other" else packet[24:40]
        body = struct.pack("<I16s16sB8s3xII", _RES_PQ, nonce, os.urandom(16), 8, _PQ, _VECTOR, len(_FINGERPRINTS))
        body += struct.pack(f"<{len(_FINGERPRINTS)}Q", *_FINGERPRINTS)
        message = struct.pack("<QQI", 0, (time.time_ns() << 32) // 10**9 & ~3 | 1, len(body)) + body
        head = bytes((len(message) // 4,)) if self._transport == "abridged" else struct.pack("<I", len(message))
        whole = self._out(head + message)
        return whole[: len(whole) // 2] if self._manner == "half" else whole


async def _serve(manner: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    flow = Flow(manner)
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(60):
            while data := await reader.read(4096):
                said = flow.feed(data)
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
    if manner == "reset":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def _serve_websocket(manner: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 6455, as far as one answer needs it."""
    flow = Flow(manner)
    with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(60):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = {n.strip().lower(): v.strip() for n, _, v in (x.partition(":") for x in head.split("\r\n")[1:])}
            key = fields.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            if fields.get("sec-websocket-protocol") != "binary":
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            writer.write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: binary\r\n\r\n".encode()
            )
            while True:
                _, size = await reader.readexactly(2)
                length = size & 0x7F
                if length == 126:
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                mask = await reader.readexactly(4)
                data = bytes(b ^ mask[i % 4] for i, b in enumerate(await reader.readexactly(length)))
                said = flow.feed(data)
                if said is None:
                    return
                if said:
                    writer.write(b"\x82" + bytes((len(said),)) + said)
    writer.close()


async def serve(places: list[list[object]]) -> None:
    """Answer at every place until the process is ended."""
    for address, port, manner in places:
        word = str(manner)
        speak = _serve_websocket if word.startswith("ws:") else _serve
        its = word.removeprefix("ws:")
        await asyncio.start_server(lambda r, w, s=speak, m=its: s(m, r, w), str(address), int(str(port)))  # type: ignore[misc]
    await asyncio.Event().wait()


# ---------------------------------------------------------------------------------------------------------------------
# a client for proofs


def ask(address: str, port: int, *, plain: bool) -> str:
    """Ask once; what came of it, in a word."""
    # In clear few bits are set, by more than chance: a device that counts them must see a shape each time.
    nonce = bytes(8) + os.urandom(8) if plain else os.urandom(16)
    key = bytes((0x55,)) + os.urandom(55) + b"\xee" * 4 + os.urandom(4)
    body = struct.pack("<I16s", _REQ_PQ, nonce)
    message = struct.pack("<QQI", 0, (time.time_ns() << 32) // 10**9 & ~3, len(body)) + body
    inside = struct.pack("<I", len(message)) + message
    into, out = _ctr(key[8:56]), _ctr(key[8:56][::-1])
    sent = b"\xee\xee\xee\xee" + inside if plain else key[:56] + into(key)[56:] + into(inside)
    got = b""
    try:
        with socket.create_connection((address, port), _WAIT_S) as sock:
            sock.sendall(sent)
            while data := sock.recv(4096):
                got += data if plain else out(data)
                if len(got) >= 4 + 20 + 36 and got[28:44] == nonce and got[24:28] == struct.pack("<I", _RES_PQ):
                    return "answered"
                if len(got) >= 4 + 20 + 36 or (len(got) >= 4 and struct.unpack_from("<I", got)[0] > 1024):
                    return "other"
                if len(got) == 8 and got[:4] == struct.pack("<I", 4):
                    return "error"
    except TimeoutError:
        return "silence"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "reset"
    return "other" if got else "closed"


def main() -> None:
    if sys.argv[1] == "serve":
        asyncio.run(serve(json.loads(sys.argv[2])["places"]))
    else:
        print(ask(sys.argv[2], int(sys.argv[3]), plain=sys.argv[4:] == ["plain"]))


if __name__ == "__main__":
    main()
