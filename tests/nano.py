"""Small servers that misbehave on command, on loopback, and certificates that look like the web's.

``serve`` and ``serve_udp`` run one behaviour each for the length of an ``async with``. Behaviours are plain functions; the
ones that tests share are here, the rest stand beside the test that needs them.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import ipaddress
import shutil
import socket
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.ports import free_port

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# ---------------------------------------------------------------------------------------------------------------------
# TCP


@contextlib.asynccontextmanager
async def serve(
    behaviour: Behaviour, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve *behaviour* on a free port of *address*; gives the port. All connections are closed at the end."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    listener = socket.create_server(
        (address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=100
    )
    listener.setblocking(False)

    async def accept() -> None:
        while True:
            sock, _peer = await loop.sock_accept(listener)
            # asyncio does it for its own servers' sockets; without it answers wait 40 ms for a delayed ACK.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tasks.add(loop.create_task(run(sock)))

    async def run(sock: socket.socket) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=tls)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            try:
                await behaviour(reader, writer)
                await asyncio.wait_for(writer.drain(), 5)
                writer.close()
            except BaseException:
                transport.abort()
                raise

    accepting = loop.create_task(accept())
    try:
        yield listener.getsockname()[1]
    finally:
        for task in (accepting, *tasks):
            task.cancel()
        await asyncio.gather(accepting, *tasks, return_exceptions=True)
        listener.close()
        await asyncio.sleep(0)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a RST: SO_LINGER of zero seconds throws the connection away."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Read for ever, say nothing."""
    while await reader.read(65536):
        pass
    await asyncio.Event().wait()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the first bytes with a RST."""
    await reader.read(65536)
    reset(writer)


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the first bytes with a FIN."""
    await reader.read(65536)
    writer.write_eof()


def saying(*parts: bytes, gap_s: float = 0.0, then: Behaviour | None = None) -> Behaviour:
    """Answer the first bytes with *parts*, *gap_s* apart, and then do *then* (close, by default)."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(gap_s)
        if then is not None:
            await then(reader, writer)

    return behaviour


def alerting(number: int, *, level: int = 2) -> Behaviour:
    """Answer a ClientHello with one TLS alert."""
    return saying(bytes((21, 3, 3, 0, 2, level, number)))


def shaking(context: ssl.SSLContext) -> Behaviour:
    """A TLS server by hand: its alerts reach the client (asyncio's servers hang up without a word), then it hangs up."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        with contextlib.suppress(ssl.SSLError):
            while True:
                try:
                    server.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(65536))
        writer.write(outgoing.read())

    return behaviour


def refused_port(address: str = "127.0.0.1") -> int:
    """A port where nobody listens."""
    return free_port(address)


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port that leaves SYNs unanswered, because its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as held:
        port = server.getsockname()[1]
        for _ in range(4):
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(("127.0.0.1", port))
        yield port


# ---------------------------------------------------------------------------------------------------------------------
# UDP


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, behaviour: Callable[[bytes], Sequence[bytes | tuple[float, bytes]]]) -> None:
        self.behaviour = behaviour
        self.heard: list[tuple[bytes, tuple[str, int]]] = []
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # asyncio's own is no DatagramTransport on 3.11

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((data, addr))
        for reply in self.behaviour(data):
            delay, payload = reply if isinstance(reply, tuple) else (0.0, reply)
            asyncio.get_running_loop().call_later(delay, self._send, payload, addr)

    def _send(self, payload: bytes, addr: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(payload, addr)


@dataclass
class UdpServer:
    """A running UDP server: its port, and what it has heard from whom."""

    port: int
    heard: list[tuple[bytes, tuple[str, int]]]


@contextlib.asynccontextmanager
async def serve_udp(
    behaviour: Callable[[bytes], Sequence[bytes | tuple[float, bytes]]], *, address: str = "127.0.0.1"
) -> AsyncIterator[UdpServer]:
    """Answer each datagram with what *behaviour* returns for it, each reply at once or after its delay in seconds."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(behaviour), local_addr=(address, 0))
    try:
        yield UdpServer(transport.get_extra_info("sockname")[1], protocol.heard)
    finally:
        transport.close()
        await asyncio.sleep(0)


# ---------------------------------------------------------------------------------------------------------------------
# certificates


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


_CA_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Identity:
    """A leaf with its key and what a server sends along."""

    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey

    def context(self, *, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """A server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            for certificate in self.chain:
                file.write(certificate.public_bytes(serialization.Encoding.PEM))
            file.write(
                self.key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
            file.flush()
            context.load_cert_chain(file.name)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context


class Authority:
    """A root and an intermediate with the extensions that the web's have (strict verifiers insist on them)."""

    def __init__(self, name: str = "Nano Root") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._ca(name, name, self._key, self._key, path_length=None)
        self._intermediate_key = ec.generate_private_key(ec.SECP256R1())
        self.intermediate = self._ca(f"{name} CA 1", name, self._intermediate_key, self._key, path_length=0)

    def _ca(
        self,
        name: str,
        issuer: str,
        key: ec.EllipticCurvePrivateKey,
        signer: ec.EllipticCurvePrivateKey,
        *,
        path_length: int | None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + timedelta(days=3000))
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(_CA_USAGE, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
                critical=False,
            )
            .sign(signer, hashes.SHA256())
        )

    def issue(self, *names: str, age: timedelta = timedelta(days=30), life: timedelta = timedelta(days=90)) -> Identity:
        """A leaf for *names*, *age* old, valid for *life*."""
        key = ec.generate_private_key(ec.SECP256R1())
        start = datetime.now(UTC) - age
        leaf = (
            x509.CertificateBuilder()
            .subject_name(_name(names[0][:64]))
            .issuer_name(self.intermediate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + life)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._intermediate_key.public_key()),
                critical=False,
            )
            .sign(self._intermediate_key, hashes.SHA256())
        )
        return Identity((leaf, self.intermediate), key)

    @functools.cached_property
    def file(self) -> str:
        """The path of a PEM file with the root."""
        directory = tempfile.mkdtemp(prefix="nano-")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        path = Path(directory, "roots.pem")
        path.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))
        return str(path)


def authority(name: str = "Nano Root") -> Authority:
    """The authority called *name*, made once a session."""
    return _authority(name)


@functools.cache
def _authority(name: str) -> Authority:
    return Authority(name)


@functools.cache
def identity(*names: str) -> Identity:
    """A good leaf of the usual authority for *names*, made once a session."""
    return authority().issue(*names)


# ---------------------------------------------------------------------------------------------------------------------
# HTTP/2


def h2_answering(
    headers: Sequence[tuple[str, str]],
    *body: bytes,
    gap_s: float = 0.0,
    end: bool = True,
    heard: list[h2.events.Event] | None = None,
) -> Behaviour:
    """Answer the first request over HTTP/2 with *headers* and *body*; ``end=False`` leaves the stream open."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if heard is not None:
                    heard.append(event)
                if isinstance(event, h2.events.StreamEnded):
                    await answer(connection, writer, event.stream_id)
            writer.write(connection.data_to_send())

    async def answer(connection: h2.connection.H2Connection, writer: asyncio.StreamWriter, stream_id: int) -> None:
        connection.send_headers(stream_id, headers)
        for piece in body:
            connection.send_data(stream_id, piece)
            writer.write(connection.data_to_send())
            await asyncio.sleep(gap_s)
        if end:
            connection.end_stream(stream_id)
        writer.write(connection.data_to_send())

    return behaviour
