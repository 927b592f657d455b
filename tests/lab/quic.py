"""HTTP/3 at the addresses of sites that have it (RFC 9114), and a client for proofs. Both are aioquic's, none of it is ours.

    python -S -m tests.lab.quic serve '{"sites": [{"addresses": […], "page": FILE, "chain": FILE, "key": FILE}]}'
    python -S -m tests.lab.quic get ADDRESS NAME ROOT.pem [PADDING]
    python -S -m tests.lab.quic shake ADDRESS NAME

``get`` prints the status and the length of the page of NAME, sent to ADDRESS; PADDING is bytes of further ALPN names, with
which the greeting takes more than one datagram, as a browser's with post-quantum keys does. ROOT.pem may be ``-``: nothing
is verified then. ``shake`` ends with the handshake, whoever answers it. It exits with 1 and says why when nothing came in time. Servers are started without site-packages, so that they start quickly: this one adds them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import site
import ssl
import sys
from pathlib import Path
from typing import Any, cast

if importlib.util.find_spec("aioquic") is None:
    site.main()

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent

_WAIT_S = 3


class Pages(QuicConnectionProtocol):
    """One connection to a site: every request gets its page."""

    def __init__(self, *arguments: Any, page: bytes = b"", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._page = page
        self._http: H3Connection | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        for what in self._http.handle_event(event) if self._http else ():
            if isinstance(what, HeadersReceived):
                self._answer(self._http, what)

    def _answer(self, http: H3Connection | None, request: HeadersReceived) -> None:
        assert http is not None
        headers = [(b":status", b"200"), (b"content-type", b"text/html"), (b"server", b"nginx")]
        http.send_headers(request.stream_id, headers)
        http.send_data(request.stream_id, self._page, end_stream=True)
        self.transmit()


async def listen(sites: list[dict[str, Any]]) -> None:
    """Serve until the process is ended."""
    for row in sites:
        configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
        configuration.load_cert_chain(row["chain"], row["key"])
        page = Path(row["page"]).read_bytes()
        for address in row["addresses"]:
            if row.get("manner") == "versions":
                await asyncio.get_running_loop().create_datagram_endpoint(Versions, local_addr=(address, 443))
                continue
            retry = row.get("manner") == "retry"
            await serve(address, 443, configuration=configuration, create_protocol=_with_page(page), retry=retry)
    await asyncio.Event().wait()


class Versions(asyncio.DatagramProtocol):
    """Says which versions there are to whoever asks for another one (RFC 9000 §6), and nothing to anybody else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if len(data) < 1200 or not data[0] & 0x80 or data[1:5] == b"\0\0\0\1":
            return
        theirs = data[6 : 6 + data[5]]
        at = 6 + data[5]
        ours = data[at + 1 : at + 1 + data[at]]
        ids = bytes((len(ours),)) + ours + bytes((len(theirs),)) + theirs
        self._transport.sendto(b"\xc0\0\0\0\0" + ids + b"\0\0\0\1", addr)


def _with_page(page: bytes) -> Any:
    return lambda *arguments, **named: Pages(*arguments, page=page, **named)


class Asker(QuicConnectionProtocol):
    """The proofs' client: one request, and what came of it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._http = H3Connection(self._quic)
        self.status, self.length = "", 0
        self.done = asyncio.Event()

    async def get(self, name: str) -> None:
        stream = self._quic.get_next_available_stream_id()
        asked = {b":method": b"GET", b":scheme": b"https", b":authority": name.encode(), b":path": b"/"}
        self._http.send_headers(stream, list(asked.items()), end_stream=True)
        self.transmit()
        await self.done.wait()

    def quic_event_received(self, event: QuicEvent) -> None:
        for what in self._http.handle_event(event):
            self._take(what)

    def _take(self, what: H3Event) -> None:
        if isinstance(what, HeadersReceived):
            self.status = dict(what.headers)[b":status"].decode()
        if isinstance(what, DataReceived):
            self.length += len(what.data)
            if what.stream_ended:
                self.done.set()


async def get(address: str, name: str, roots: str, padding: int) -> str:
    """Status and bytes of the page of *name* at *address*. ``OSError`` or ``TimeoutError`` if nothing comes."""
    more = [f"{number:03}".ljust(200, "x") for number in range(padding // 200)]
    configuration = QuicConfiguration(alpn_protocols=["h3", *more], server_name=name)
    if roots == "-":
        configuration.verify_mode = ssl.CERT_NONE
    else:
        configuration.load_verify_locations(roots)
    async with (
        asyncio.timeout(_WAIT_S),
        connect(address, 443, configuration=configuration, create_protocol=Asker) as connection,
    ):
        asker = cast("Asker", connection)
        await asker.get(name)
        return f"{asker.status} {asker.length}"


async def shake(address: str, name: str) -> str:
    """A handshake with whoever is at *address*, which is asked for *name*. ``OSError`` or ``TimeoutError`` if it is not done."""
    configuration = QuicConfiguration(alpn_protocols=["h3"], server_name=name, verify_mode=ssl.CERT_NONE)
    async with asyncio.timeout(_WAIT_S), connect(address, 443, configuration=configuration):
        return "shaken"


def main(what: str, *arguments: str) -> None:
    if what == "serve":
        asyncio.run(listen(json.loads(arguments[0])["sites"]))
        return
    address, name, roots, *padding = (*arguments, "-") if what == "shake" else arguments
    padded = int(padding[0]) if padding else 0
    try:
        print(asyncio.run(shake(address, name) if what == "shake" else get(address, name, roots, padded)))
    except (OSError, TimeoutError) as error:
        sys.exit(f"nothing came: {error!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
