"""Tickets of real servers: nginx with and without, of both versions of TLS, and after its keys have changed."""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from probe.instruments import http, tcp, tls
from probe.instruments.tickets import Ticket
from probe.instruments.tls import Hello
from probe.instruments.trust import Trust
from probe.observations import TlsFact
from probe.wire import Wire
from tests import nano
from tests.ports import free_port

pytestmark = pytest.mark.anyio
NAME = "good.test"

_CONFIGURATION = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name {name};
    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
    ssl_protocols {protocols}; ssl_session_tickets {tickets}; ssl_session_cache {cache};
    location / {{ return 200 "hello\\n"; }}
  }}
}}
"""


@contextlib.asynccontextmanager
async def nginx(
    folder: Path, protocols: str = "TLSv1.3", tickets: str = "on", cache: str = "none"
) -> AsyncIterator[int]:
    """One nginx on a free port of loopback, until the block is left."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program, "nginx is not there: apt-get install nginx-light"
    identity = nano.identity(NAME)
    pem = serialization.Encoding.PEM
    (folder / "chain.pem").write_bytes(b"".join(c.public_bytes(pem) for c in identity.chain))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(identity.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    port = free_port()
    words = {"folder": folder, "port": port, "name": NAME, "protocols": protocols, "tickets": tickets, "cache": cache}
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(**words))
    process = await asyncio.create_subprocess_exec(program, "-c", str(folder / "nginx.conf"), "-p", str(folder))
    try:
        async with asyncio.timeout(20):
            while not await _listens(port):
                assert process.returncode is None, (folder / "error.log").read_text()
                await asyncio.sleep(0.02)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def trusting() -> Trust:
    der = ssl.PEM_cert_to_DER_cert(Path(nano.authority().file).read_text())
    return Trust("test", replaced=False, _shipped=(der,), _system=None)


async def visit(port: int, trust: Trust, ticket: Ticket | None = None) -> tuple[TlsFact, Ticket | None]:
    """A handshake and a page, as a full check has them; the fact and the ticket that came of it."""
    wire = Wire()
    connected = await tcp.connect(wire, "127.0.0.1", port, deadline_s=5)
    assert connected.stream is not None
    shaken = await tls.handshake(
        wire, connected.stream, hello=Hello(NAME), trust=trust, host=NAME, deadline_s=5, ticket=ticket
    )
    assert shaken.stream is not None, shaken.operation
    page = await http.request(
        wire,
        shaken.stream,
        method="HEAD",
        url=f"https://{NAME}:{port}/",
        user_agent="test",
        verified_chain=True,
        head_deadline_s=5,
        body_deadline_s=5,
        body_cap=1000,
        header_cap=10_000,
    )
    assert page.failure is None
    assert isinstance(shaken.operation.fact, TlsFact)
    return shaken.operation.fact, shaken.stream.ticket(NAME, wire.monotonic())


@pytest.mark.parametrize(
    ("protocols", "tickets", "cache"),
    [
        pytest.param("TLSv1.3", "on", "none", id="1.3, tickets"),
        pytest.param("TLSv1.2", "on", "none", id="1.2, tickets"),
        pytest.param("TLSv1.2", "off", "shared:s:1m", id="1.2, the server keeps sessions itself"),
        pytest.param("TLSv1.3", "off", "shared:s:1m", id="1.3, the server keeps sessions itself"),
    ],
)
async def test_nginx_takes_its_ticket_three_times(tmp_path: Path, protocols: str, tickets: str, cache: str) -> None:
    """Each visit's ticket serves for the next one, and the proof behind all of them stays the first one's."""
    trust = trusting()
    async with nginx(tmp_path, protocols, tickets, cache) as port:
        first, ticket = await visit(port, trust)
        assert first.resumed is False
        for _ in range(3):
            assert ticket is not None
            fact, renewed = await visit(port, trust, ticket)
            assert (fact.resumed, fact.verified, fact.chain) == (True, True, ())
            assert renewed is not None
            assert renewed.proven == ticket.proven
            ticket = renewed


@pytest.mark.parametrize("protocols", ["TLSv1.2", "TLSv1.3"])
async def test_nginx_without_sessions_is_visited_in_full(tmp_path: Path, protocols: str) -> None:
    """Where nothing is given, or what is given is not taken, each visit verifies the chain."""
    trust = trusting()
    async with nginx(tmp_path, protocols, "off", "off") as port:
        _, ticket = await visit(port, trust)
        fact, _ = await visit(port, trust, ticket)
    assert (fact.resumed, fact.verified, len(fact.chain)) == (False, True, 2)


async def test_nginx_with_other_keys_shows_its_chain(tmp_path: Path) -> None:
    """A server that was restarted refuses its old ticket, and the handshake goes on in full."""
    trust = trusting()
    async with nginx(tmp_path) as port:
        _, ticket = await visit(port, trust)
    async with nginx(tmp_path) as port:
        fact, renewed = await visit(port, trust, ticket)
    assert ticket is not None
    assert (fact.resumed, fact.verified, len(fact.chain)) == (False, True, 2)
    assert fact.ticket_age_s is not None
    assert renewed is not None
