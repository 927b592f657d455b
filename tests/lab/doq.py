"""Resolvers that are asked over QUIC (DoQ, RFC 9250), and a client for proofs. QUIC is aioquic's; none of it is the probe's code.

    python -S -m tests.lab.doq serve '{"places": [[ADDRESS, MANNER, CHAIN, KEY, SHOWN, ITS_KEY], …]}'
    python -S -m tests.lab.doq ask ADDRESS NAME ROOT.pem QUESTION

What a server does, by its manner: ``good`` asks the resolver at its own address over UDP and passes on what that says, ``refuses``
answers REFUSED, ``mute`` shakes hands and never answers, ``ends`` ends the stream without a word, ``stranger`` has somebody
else's certificate (SHOWN), ``closed``: nobody listens. Over TLS it is ``good`` whatever the manner, with CHAIN. ``ask`` prints the answer's code and how many records it has, or exits with 1 and says why nothing came.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import json
import site
import socket
import ssl
import sys
from typing import Any

if importlib.util.find_spec("aioquic") is None:
    site.main()

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent, StreamDataReceived

_PORT = 853
_WAIT_S = 6


def _said(manner: str, address: str, query: bytes) -> bytes | None:
    """The whole message that goes back; ``None``: nothing at all."""
    if manner == "mute":
        return None
    if manner == "ends":
        return b""
    if manner == "refuses":
        reply = query[:2] + b"\x81\x85" + query[4:6] + bytes(6) + query[12:]
        end = reply.index(b"\0", 12) + 5
        reply = reply[:end]
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1.0)
            sock.connect((address, 53))
            sock.send(query)
            reply = sock.recv(4096)
    return len(reply).to_bytes(2) + reply


class Resolver(QuicConnectionProtocol):
    """One connection: every question gets its answer, on its own stream."""

    def __init__(self, *arguments: Any, manner: str, address: str, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._manner, self._address = manner, address
        self._asked: dict[int, bytes] = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        if not isinstance(event, StreamDataReceived):
            return
        asked = self._asked[event.stream_id] = self._asked.get(event.stream_id, b"") + event.data
        if event.end_stream:
            said = _said(self._manner, self._address, asked[2:])
            if said is not None:
                self._quic.send_stream_data(event.stream_id, said, end_stream=True)
                self.transmit()


async def over_tls(address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Questions, one after the other (RFC 7858)."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
            writer.write(_said("good", address, query) or b"")
            await writer.drain()
    writer.close()


async def listen(places: list[list[str]]) -> None:
    """Serve until the process is ended."""
    for address, manner, chain, key, shown, its_key in places:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        await asyncio.start_server(functools.partial(over_tls, address), address, _PORT, ssl=context)
        if manner == "closed":
            continue
        configuration = QuicConfiguration(is_client=False, alpn_protocols=["doq"])
        configuration.load_cert_chain(shown, its_key)

        def make(*arguments: Any, manner: str = manner, address: str = address, **named: Any) -> Resolver:
            return Resolver(*arguments, manner=manner, address=address, **named)

        await serve(address, _PORT, configuration=configuration, create_protocol=make)
    await asyncio.Event().wait()


async def ask(address: str, name: str, roots: str, question: str) -> str:
    """One question, verified unless *roots* is ``-``."""
    mode = ssl.CERT_NONE if roots == "-" else ssl.CERT_REQUIRED
    configuration = QuicConfiguration(alpn_protocols=["doq"], server_name=name, verify_mode=mode)
    if roots != "-":
        configuration.load_verify_locations(roots)
    labels = b"".join(bytes((len(label),)) + label.encode() for label in question.split("."))
    query = b"\0\0\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"
    async with connect(address, _PORT, configuration=configuration) as client:
        reader, writer = await client.create_stream()
        writer.write(len(query).to_bytes(2) + query)
        writer.write_eof()
        reply = (await reader.read())[2:]
    return f"{reply[3] & 15} {int.from_bytes(reply[6:8])}" if len(reply) >= 12 else "nothing"


def main(words: list[str]) -> int:
    if words[0] == "serve":
        asyncio.run(listen(json.loads(words[1])["places"]))
        return 0
    try:
        print(asyncio.run(asyncio.wait_for(ask(*words[1:]), _WAIT_S)))
    except (OSError, TimeoutError, ConnectionError) as error:
        print(f"{type(error).__name__} {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
