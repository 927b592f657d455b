"""Servers of VPN protocols and a relay of Tor on loopback, as they are named and as the walk asks them."""

import asyncio
import base64
import contextlib
import random
from dataclasses import replace

import pytest

from probe.experiments.apps import walk
from probe.observations import AppFact, TlsFact
from probe.settings import Settings
from probe.wire import Wire
from targets.address import parse_endpoint
from targets.model import Asked, Canaries
from tests import nano
from tests.integration.sites import session_of, site_of
from tests.lab import vpn

pytestmark = pytest.mark.anyio

ADDRESS = "198.51.100.7"
KEY = base64.b64encode(bytes(range(1, 33))).decode().replace("+", "%2B")
VERSIONS = bytes.fromhex("000007000400030004") + b"\x00\x00\x00\x00\x81\x00\x00"
SETTINGS = replace(Settings().hurried(8), only=("website",), families=(4,))


class There(Wire):
    """The server's address is on loopback, whatever its port."""

    def __init__(self, port):
        super().__init__(rng=random.Random(7))
        self.port = port

    def place(self, address, port, transport):
        assert address == ADDRESS
        return ("127.0.0.1", self.port)


async def asked(url, port):
    """What the walk records of *url*, whose server is at that port of loopback."""
    canaries = Canaries(members=(), innocuous=())
    wire = There(port)
    one = Asked(number=1, endpoint=parse_endpoint(url), target=url)
    session = session_of(wire, one, settings=SETTINGS, canaries=canaries)
    session.own_side_known.set()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        site = site_of(session, group)
        await walk.run(site)
    return site, session.recorder.observations


@contextlib.asynccontextmanager
async def datagrams(manner):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: vpn.Server(manner), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("url", "manner"),
    [
        (f"openvpn://{ADDRESS}", "openvpn"),
        (f"ikev2://{ADDRESS}", "ikev2"),
        (f"ikev2://{ADDRESS}", "ikev2-group"),
        (f"wireguard://{ADDRESS}?key={KEY}", "wireguard"),
        (f"wireguard://{ADDRESS}:1?key={KEY}", "wireguard-busy"),
    ],
)
async def test_a_server_that_answers_works(url, manner):
    """By servers that were written without the codec, for the lab."""
    async with datagrams(manner) as port:
        site, seen = await asked(url, port)
    assert site.succeeded
    (fact,) = [o.fact for o in seen if isinstance(o.fact, AppFact)]
    assert (fact.expected, fact.answered, fact.messages_sent) == (True, True, 1)
    assert fact.protocol == url.partition(":")[0]


@pytest.mark.parametrize("manner", ["silent", "echo", "ikev2"])
async def test_a_server_that_does_not_speak_it_is_none(manner):
    """Silence, our own packet, nothing that fits: not reached, and no exception."""
    async with datagrams(manner) as port:
        site, seen = await asked(f"openvpn://{ADDRESS}", port)
    assert not site.succeeded
    (fact,) = [o.fact for o in seen if isinstance(o.fact, AppFact)]
    assert fact.expected is (False if manner == "echo" else None)


async def test_openvpn_over_tcp():
    """With its length before it."""
    listener = await asyncio.start_server(lambda r, w: vpn._serve_stream("openvpn", r, w), "127.0.0.1", 0)
    try:
        site, _ = await asked(f"openvpn+tcp://{ADDRESS}:1194", listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
    assert site.succeeded


def relay(say):
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            assert await reader.readexactly(11) == bytes.fromhex("0000070006000300040005")
            writer.write(say)
            await writer.drain()
            await reader.read()
        writer.close()

    return serve


@pytest.mark.parametrize(("say", "works"), [(VERSIONS, True), (b"HTTP/1.1 400 Bad Request\r\n\r\n", False)])
async def test_a_relay_of_tor(say, works):
    """Inside TLS under a drawn name, whoever's certificate it is; a web server is none."""
    context = nano.identity("relay.example").context()
    listener = await asyncio.start_server(relay(say), "127.0.0.1", 0, ssl=context)
    try:
        site, seen = await asked(f"tor://{ADDRESS}:9001", listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
    assert site.succeeded is works
    (greeted,) = [o for o in seen if isinstance(o.fact, TlsFact)]
    assert greeted.fact.sni.startswith("www.")
    assert greeted.fact.sni.endswith(".com")
    assert greeted.operation.name == ADDRESS
    (said,) = [o for o in seen if isinstance(o.fact, AppFact)]
    assert (said.fact.protocol, said.fact.expected) == ("tor", works)


@pytest.mark.parametrize(
    ("say", "failure", "expected"),
    [(b"SSH-2.0-x\r\n", "unknown_failure: not tor", False), (b"", "eof_error", None)],
)
async def test_who_does_not_shake_hands_is_no_relay(say, failure, expected):
    """Words that are no TLS, or an end: an answer in Tor's protocol that did not come."""

    async def serve(reader, writer):
        await reader.read(4096)
        writer.write(say)
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        site, seen = await asked(f"tor://{ADDRESS}:9001", listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
    assert not site.succeeded
    (said,) = [o for o in seen if isinstance(o.fact, AppFact)]
    assert (said.failure, said.fact.expected) == (failure, expected)
