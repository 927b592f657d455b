"""Who takes messages, on loopback: nginx for webhooks and ntfy, a small mail server, and a certificate that is trusted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import email
import email.policy
import ipaddress
import json
import shutil
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from probe.instruments.trust import Trust
from tests.ports import free_port


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain and a key as files, and a trust that believes it."""

    chain: Path
    key: Path

    @property
    def trust(self) -> Trust:
        return Trust.load({"SSL_CERT_FILE": str(self.chain)})

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def certificate(folder: Path) -> Certificate:
    """For ``localhost`` and 127.0.0.1, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return Certificate(chain, secret)


# ---------------------------------------------------------------------------------------------------------------------
# nginx

_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  log_format asked escape=json '{{"uri":"$request_uri","authorization":"$http_authorization",'
    '"key":"$http_idempotency_key","host":"$http_host","agent":"$http_user_agent","body":"$request_body"}}';
  client_body_buffer_size 1m; client_max_body_size 1m;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{inside};
    location / {{ return 200 '{{"id":"x"}}'; }}
    location /gone {{ return 410; }} location /busy {{ return 503; }} location /away {{ return 302 https://127.0.0.9/; }} }}
  server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl;
    ssl_certificate {chain}; ssl_certificate_key {key};
    location / {{ access_log {folder}/asked.log asked; proxy_pass http://127.0.0.1:{inside}; }} }}
}}
"""


@dataclass(slots=True)
class Web:
    """nginx: what it was asked, and at which ports. ``/gone``, ``/busy`` and ``/away`` answer 410, 503 and 302."""

    folder: Path
    plain: int
    secure: int

    def asked(self) -> list[dict[str, str]]:
        """Every request so far, with its body."""
        path = self.folder / "asked.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    async def bodies(self, count: int) -> list[dict]:
        """The bodies of *count* requests, once they are in the log (it is written after the answer)."""
        until = time.monotonic() + 10
        while len(self.asked()) < count and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return [json.loads(asked["body"]) for asked in self.asked()]


@contextlib.asynccontextmanager
async def web(folder: Path, shown: Certificate, ports: Web | None = None) -> AsyncIterator[Web]:
    """nginx, until the block is left; at the *ports* of an earlier one, if told."""
    folder.mkdir()
    made = ports or Web(folder, free_port(), free_port())
    places = {"plain": made.plain, "secure": made.secure, "inside": free_port()}
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, chain=shown.chain, key=shown.key, **places))
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program, "nginx is not there: apt-get install nginx-light"
    arguments = ("-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log"))
    process = await asyncio.create_subprocess_exec(program, *arguments)
    try:
        await answers(made.plain)
        yield made
    finally:
        process.terminate()
        await process.wait()


async def answers(port: int) -> None:
    """Return when something listens at *port*."""
    until = time.monotonic() + 20
    while True:
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            assert time.monotonic() < until, f"nothing listens at port {port}"
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return


# ---------------------------------------------------------------------------------------------------------------------
# mail


@dataclass(slots=True)
class Mail:
    """A mail server that says what it is told to: ``answers`` maps the start of a line to what is answered to it.

    ``hangs``: the verb after which it says nothing any more.
    """

    port: int = 0
    shown: Certificate | None = None
    at_once: bool = False
    offers: tuple[str, ...] = ("STARTTLS", "AUTH PLAIN LOGIN")
    answers: dict[str, str] = field(default_factory=dict)
    hangs: str | None = None
    letters: list[EmailMessage] = field(default_factory=list)
    greeted: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    talks: list[asyncio.Task] = field(default_factory=list)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.talks.append(task)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "220 mail.test ESMTP")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == self.hangs:
                await reader.read()
                return
            if answer := next((said for start, said in self.answers.items() if line.upper().startswith(start)), None):
                await self._say(writer, answer)
            elif verb == "EHLO":
                self.greeted.append(line.split()[1])
                await self._say(writer, "250-mail.test", *(f"250-{offer}" for offer in self.offers), "250 8BITMIME")
            elif verb == "STARTTLS":
                await self._say(writer, "220 go on")
                assert self.shown is not None
                await writer.start_tls(self.shown.context)
            elif verb == "AUTH":
                _empty, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                self.logins.append((user, password))
                await self._say(writer, "235 welcome")
            elif verb == "DATA":
                await self._say(writer, "354 go on")
                text = await reader.readuntil(b"\r\n.\r\n")
                self.encrypted.append(writer.get_extra_info("ssl_object") is not None)
                self.letters.append(email.message_from_bytes(text[:-5], policy=email.policy.SMTP))
                await self._say(writer, "250 taken")
            else:
                await self._say(writer, "250 yes")
            if verb == "QUIT":
                return

    async def _say(self, writer: asyncio.StreamWriter, *lines: str) -> None:
        writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await writer.drain()


@contextlib.asynccontextmanager
async def mail(shown: Certificate, **manners) -> AsyncIterator[Mail]:
    """The mail server, until the block is left."""
    made = Mail(shown=shown, **manners)
    context = shown.context if made.at_once else None
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
        if made.talks:
            _done, left = await asyncio.wait(made.talks, timeout=10)
            assert not left, "a client has not hung up"
