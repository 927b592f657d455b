"""A control that lies: it speaks the protocol, measures nothing, and says what it was told to say.

    python -m tests.lab.control_liar MANNER --listen HOST:PORT --token-file FILE [--country CC]

``up``: everything can be reached. ``down``: nothing can, but for the well-known sites that show its line. ``changes``: one and
the other by turns. ``nonsense``: an answer of another shape. ``page``: an ordinary web page. ``slow``: no answer, for minutes.
Nothing of ``probe.control.server`` is used.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from probe.control import certificate

MANNERS = ("up", "down", "changes", "nonsense", "page", "slow")
_WELL_KNOWN = ("www.debian.org", "www.python.org", "www.kernel.org")
_SOMEWHERE = "104.18.27.10"
_SILENCE_S = 300.0


def _operation(
    kind: str, name: str, address: str | None, fact: dict[str, Any], failure: str | None, **place: Any
) -> dict[str, Any]:
    return {
        "kind": kind,
        "fact": fact,
        "purpose": "baseline",
        "group": "v4",
        "hop": 0,
        "round": 0,
        "member": None,
        "name": name,
        "address": address,
        "port": None if address is None else 443,
        "failure": failure,
        "started_us": time.time_ns() // 1000,
        "duration_us": 20_000,
        "bytes_sent": 0,
        "bytes_received": 0,
        **place,
    }


def _greeting(name: str, address: str, **place: Any) -> dict[str, Any]:
    fact = {"sni": name, "verify": True, "verified": True, "server_hello": True, "cipher": "TLS_AES_128_GCM_SHA256"}
    return _operation("tls", name, address, fact, None, **place)


def claims(url: str, addresses: list[str], *, up: bool) -> list[dict[str, Any]]:
    """A whole account of *url*, and of a line that works."""
    host, at = urlsplit(url).hostname or "", [*addresses, _SOMEWHERE][:4]
    line = [
        _greeting(site, _SOMEWHERE, purpose="own_side", group="before", member=f"foreign/{site}")
        for site in _WELL_KNOWN
    ]
    answers = [{"name": host, "rtype": "A", "value": address, "ttl": 60} for address in at]
    told = [
        _operation(
            "dns", host, None, {"transport": "udp", "role": role, "qname": host, "qtype": "A", "answers": answers}, None
        )
        for role in ("system", "foreign")
    ]
    for address in at:
        told.append(_operation("tcp", host, address, {}, None if up else "generic_timeout_error"))
        if up:
            page = {"method": "GET", "url": url, "verified_chain": True, "status": 200, "body_length": 20_000}
            told += [_greeting(host, address), _operation("http", host, address, page, None)]
    return [*line, *told]


class Liar:
    """One lying control."""

    def __init__(self, manner: str, country: str | None) -> None:
        self._manner, self._country = manner, country
        self._asked = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, and lie."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [
                line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
            ]
            asked = json.loads(await reader.readexactly(int(lengths[0])) if lengths else b"{}")
            if self._manner == "slow":
                await asyncio.sleep(_SILENCE_S)
            body = self._body(asked)
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()

    def _body(self, asked: dict[str, Any]) -> bytes:
        self._asked += 1
        if self._manner == "page":
            return b"<html><title>Welcome</title></html>"
        if self._manner == "nonsense":
            return b'{"protocol": "dalel.control/1", "observations": [{"kind": "tcp", "purpose": "blocked"}, 7]}'
        up = self._manner == "up" or (self._manner == "changes" and self._asked % 2 == 1)
        told = claims(asked.get("url", ""), asked.get("addresses", []), up=up)
        told += [{**one, "round": 1} for one in told if not up and one["purpose"] == "baseline"]
        document = {"protocol": "dalel.control/1", "software": "a liar", "observations": told}
        return json.dumps(document | ({"country": self._country} if self._country else {})).encode()


async def _serve(options: argparse.Namespace) -> None:
    host, _, port = options.listen.rpartition(":")
    shown = certificate.make(dt.datetime.now(dt.UTC))
    server = await asyncio.start_server(
        Liar(options.manner, options.country).answer, host, int(port), ssl=shown.context
    )
    print(f"  --control 'https://{options.listen}#token=TOKEN&sha256={shown.sha256}'", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manner", choices=MANNERS)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--token-file")
    parser.add_argument("--country")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args(sys.argv[1:])))


if __name__ == "__main__":
    main()
