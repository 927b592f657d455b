"""Web servers of the pretend Internet, and the box on the path in front of each of them.

``serve`` is one connection from its accept to its end. First the box looks at what the connection shows (SNI, Host) and
does what its rule says; only what it lets pass reaches the server, which may have troubles of its own.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from probe.demo import answers, openvpn, telegram
from probe.demo.authority import Authority, Identity
from probe.demo.pages import WELCOME, Request, read_request, response
from probe.demo.peek import has_encrypted, head_complete, hello_complete, host_header, server_name
from probe.demo.streams import Plain, Secured, Stream, drain, peek, reset_on_close
from probe.demo.world import (
    AppManner,
    Forger,
    Page,
    Reply,
    Resolver,
    Rule,
    Server,
    Trouble,
    World,
    rule_for,
    says,
    truth,
)

DOH_PATH = "/dns-query"
BOX_S = 0.02
"""The box is in the provider's network, farther away than any router of a household: what comes sooner might be a gateway's."""
_FATAL, _UNRECOGNIZED_NAME = 2, 112
_NOT_FOUND = Page(status=404)
_BAD_REQUEST = Page(status=400)


@dataclass(frozen=True, slots=True)
class Realm:
    """What every server of one world shares: the world, who signs for whom, and the true time."""

    world: World
    public: Authority
    forgers: Mapping[Forger, Authority]
    now: Callable[[], dt.datetime]


async def serve(realm: Realm, server: Server, resolver: Resolver | None, port: int, sock: socket.socket) -> None:
    """Serve one connection to *port*, and close it. Never raises for what the other side does."""
    with sock:
        try:
            if server.app is not None:
                await _serve_app(realm, server.app, Plain(sock))
            elif port == 80:
                await _serve_plain(realm, server, sock)
            elif port == 53:
                await _serve_dns(realm, resolver, Plain(sock))
            else:
                await _serve_tls(realm, server, resolver, port, sock)
        except (OSError, ValueError):
            # The other side went away, or sent what no browser would: a server's ordinary day. ssl.SSLError is an OSError.
            return


async def _serve_app(realm: Realm, manner: AppManner, stream: Plain) -> None:
    if manner == "telegram":
        await telegram.serve(stream, os.urandom)
    elif manner == "openvpn":
        await openvpn.serve(stream, os.urandom)
    elif await stream.read() and manner == "page":
        await stream.write(response(_BAD_REQUEST, method="GET", now=realm.now()))
        await stream.finish()
    else:
        await drain(stream.sock)


async def befall(trouble: Trouble, sock: socket.socket, seen: bytes) -> None:
    """Do *trouble* to a connection of which *seen* has been peeked at."""
    if trouble == "reset":
        reset_on_close(sock)
        return
    if trouble == "silence":
        await drain(sock)
        return
    # A close with unread bytes would be a RST, so they are read first.
    sock.recv(len(seen))
    if trouble == "alert":
        sock.send(bytes((21, 3, 3, 0, 2, _FATAL, _UNRECOGNIZED_NAME)))
    sock.shutdown(socket.SHUT_WR)
    await drain(sock)


# ---------------------------------------------------------------------------------------------------------------------


async def _serve_tls(realm: Realm, server: Server, resolver: Resolver | None, port: int, sock: socket.socket) -> None:
    hello = await peek(sock, hello_complete)
    if not hello:
        return
    name = server_name(hello)
    rule = rule_for(realm.world, name)
    signer, identity = realm.public, Identity(server.names, server.certificate)
    stopped = _stopped(rule, hello)
    if stopped is not None:
        await befall(stopped, sock, hello)
        return
    if rule is not None and rule.holds_s:
        await asyncio.sleep(rule.holds_s)
    if rule is not None and rule.forger is not None:
        # A forged certificate copies the names of the true one.
        await asyncio.sleep(BOX_S)
        signer, identity = (
            realm.forgers[rule.forger],
            Identity(tuple(dict.fromkeys((name or rule.name, *server.names)))),
        )
    elif server.on_hello is not None:
        await befall(server.on_hello, sock, hello)
        return
    elif server.certificate == "unknown_issuer":
        signer = realm.forgers["unknown"]
    stream = Secured(sock, signer.context(identity))
    await stream.handshake()
    if port == 853:
        await _serve_dns(realm, resolver, stream)
    else:
        await _serve_http(realm, server, resolver, stream)


def _stopped(rule: Rule | None, hello: bytes) -> Trouble | None:
    """What *rule* has for this greeting, if anything."""
    if rule is None:
        return None
    return rule.tls or (rule.ech if has_encrypted(hello) else None)


async def _serve_plain(realm: Realm, server: Server, sock: socket.socket) -> None:
    head = await peek(sock, head_complete)
    if not head:
        return
    rule = rule_for(realm.world, host_header(head))
    if rule is not None and rule.http is not None:
        await befall(rule.http, sock, head)
        return
    page = server.plain
    if rule is not None and rule.page is not None:
        await asyncio.sleep(BOX_S)
        page = rule.page
    if page is not None:
        await _respond(realm, Plain(sock), page)
        return
    await _serve_http(realm, server, None, Plain(sock))


async def _respond(realm: Realm, stream: Stream, page: Page) -> None:
    request = await read_request(stream)
    if request is not None:
        await _send(realm, stream, request, page)


async def _serve_http(realm: Realm, server: Server, resolver: Resolver | None, stream: Stream) -> None:
    request = await read_request(stream)
    if request is None:
        return
    if server.on_request == "silence":
        await drain(stream.sock)
        return
    if server.on_request == "reset":
        reset_on_close(stream.sock)
        return
    if server.on_request is not None:
        await stream.finish()
        return
    if server.script is not None:
        async for piece in server.script(request.path):
            await stream.write(piece)
        await stream.finish()
        return
    path = urlsplit(request.path)
    if resolver is not None and path.path == DOH_PATH:
        await _doh(realm, resolver, stream, request)
        return
    page = server.pages.get(path.path) or server.pages.get("", WELCOME)
    await _send(realm, stream, request, page)


async def _send(realm: Realm, stream: Stream, request: Request, page: Page) -> None:
    await stream.write(response(page, method=request.method, now=realm.now()))
    if page.cut_after is not None and request.method != "HEAD":
        # What was sent should arrive before the RST, which throws away whatever is still under way.
        await asyncio.sleep(0.05)
        reset_on_close(stream.sock)
        return
    await stream.finish()


# ---------------------------------------------------------------------------------------------------------------------
# names over streams


def _reply(realm: Realm, resolver: Resolver | None, data: bytes) -> bytes | None:
    query = answers.parse(data)
    if query is None:
        return None
    name = answers.asked_name(query)
    what: Reply = says(realm.world, resolver, name) if resolver is not None else truth(realm.world, name)
    return answers.reply(query, what)


async def _serve_dns(realm: Realm, resolver: Resolver | None, stream: Stream) -> None:
    data = b""
    while True:
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            more = await stream.read()
            if not more:
                return
            data += more
        length = int.from_bytes(data[:2], "big")
        reply = _reply(realm, resolver, data[2 : 2 + length])
        data = data[2 + length :]
        if reply is None:
            await drain(stream.sock)
            return
        await stream.write(len(reply).to_bytes(2, "big") + reply)


async def _doh(realm: Realm, resolver: Resolver, stream: Stream, request: Request) -> None:
    data = request.body
    if request.method == "GET":
        encoded = parse_qs(urlsplit(request.path).query).get("dns", [""])[0]
        data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    reply = _reply(realm, resolver, data)
    if reply is None:
        await _send(realm, stream, request, _NOT_FOUND)
        return
    page = Page(headers=(("Content-Type", "application/dns-message"),))
    await stream.write(response(page, method=request.method, now=realm.now(), body=reply))
    await stream.finish()
