"""A proxy in place of a control: real SOCKS5 and CONNECT on loopback, and what can be seen through them."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from probe.control import client
from probe.control.proxy import Through
from probe.demo.internet import Internet, open_internet
from probe.demo.wire import DemoWire
from probe.demo.world import Rule
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.observations import TlsFact
from probe.settings import Settings
from probe.settings.controls import Control, Scheme
from probe.workflows.check import CheckRequest, check
from targets.loader import load_canaries
from targets.model import Asked, Endpoint
from tests.integration.control_world import site, world_of
from tests.integration.test_control_check import HomeWire

pytestmark = pytest.mark.anyio

NEWS = "https://news.example/"
LINE = ("www.debian.org", "www.gnu.org")
UP, DEAD = site(NEWS), site(NEWS, server=None)


@dataclass(slots=True, kw_only=True)
class Proxy:
    """A small proxy whose far end is a pretend Internet of its own."""

    wire: DemoWire
    kind: str
    login: tuple[str, str] | None = None
    reply: int | None = None
    """What it answers to every wish for a connection, if that is not what comes of it."""
    port: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)
    _busy: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            host, port = await (self._socks if self.kind == "socks5" else self._connect)(reader, writer)
            self.asked.append((host, port))
            far = await self._far(host, port)
            self._say(writer, opened=far is not None)
            if far is not None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pipe(reader, far[1]))
                    group.create_task(_pipe(far[0], writer))
        writer.close()

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
        _, count = await reader.readexactly(2)
        offered = await reader.readexactly(count)
        wanted = 2 if self.login else 0
        writer.write(bytes([5, wanted if wanted in offered else 0xFF]))
        if self.login:
            _, length = await reader.readexactly(2)
            user = await reader.readexactly(length)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(bytes([1, 0 if (user.decode(), password.decode()) == self.login else 1]))
        _, _, _, kind = await reader.readexactly(4)
        assert kind == 3, "only names are asked for"
        name = await reader.readexactly((await reader.readexactly(1))[0])
        return name.decode(), int.from_bytes(await reader.readexactly(2), "big")

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        wanted = f"Basic {base64.b64encode(':'.join(self.login).encode()).decode()}" if self.login else ""
        if wanted not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            raise ConnectionError
        host, _, port = head.split()[1].rpartition(":")
        return host, int(port)

    async def _far(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        answers = self.wire._internet.world.zone.get(host)
        place = self.wire.place(answers.addresses[0], port, "tcp") if answers and answers.addresses else None
        if place is None or self.reply is not None:
            return None
        return await asyncio.open_connection(*place)

    def _say(self, writer: asyncio.StreamWriter, *, opened: bool) -> None:
        reply = 0 if opened else 4 if self.reply is None else self.reply
        if self.kind == "socks5":
            writer.write(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        else:
            status = b"200 Connection established" if opened else f"{self.reply or 502} Bad Gateway".encode()
            writer.write(b"HTTP/1.1 " + status + b"\r\nVia: 1.1 x\r\n\r\n")

    @property
    def control(self) -> Control:
        scheme: Scheme = "socks5" if self.kind == "socks5" else "http"
        return Control(host="127.0.0.1", port=self.port, name="Tor", scheme=scheme, login=self.login)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(16_384):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def proxied(folder, kind, *scenes, **more) -> AsyncIterator[tuple[Proxy, Internet]]:
    """A proxy whose far end has these sites."""
    folder.mkdir(parents=True, exist_ok=True)
    async with open_internet(world_of(*scenes), folder) as internet:
        proxy = Proxy(wire=DemoWire(internet), kind=kind, **more)
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        async with server:
            proxy.port = server.sockets[0].getsockname()[1]
            yield proxy, internet


@contextlib.asynccontextmanager
async def home(tmp_path, port, abroad: Internet, *scenes) -> AsyncIterator[tuple[HomeWire, Trust]]:
    """The probe's side, which trusts the authorities of both Internets."""
    folder = tmp_path / "home"
    folder.mkdir()
    async with open_internet(world_of(*scenes), folder) as internet:
        both = tmp_path / "roots.pem"
        both.write_text(internet.trusted.read_text() + abroad.trusted.read_text())
        trust = Trust.load({"SSL_CERT_FILE": str(both)})
        warm(trust)
        yield HomeWire(internet, port), trust


async def look(wire, proxy: Control, trust, url: str = NEWS, deadline_s: float = 5.0):
    through = Through(wire=wire, proxy=proxy, trust=trust, user_agent="x", deadline_s=deadline_s)
    return await through.ask(url, LINE)


def of(answer, purpose: str = "baseline") -> list[tuple[str, str | None]]:
    return [(seen.operation.kind, seen.operation.failure) for seen in answer.seen if seen.purpose == purpose]


KINDS = [("socks5", None), ("socks5", ("user", "pass")), ("http", None), ("http", ("user", "pass"))]


@pytest.mark.parametrize(("kind", "login"), KINDS)
async def test_the_site_is_seen_through_it(tmp_path, kind, login):
    """Connection, greeting and page, by name; its own line too; no DNS, no address, no counters of the way there."""
    async with (
        proxied(tmp_path / "far", kind, UP, login=login) as (proxy, far),
        home(tmp_path, proxy.port, far, DEAD) as (wire, trust),
    ):
        answer = await look(wire, proxy.control, trust)

    assert answer.operation.failure is None
    assert of(answer) == [("tcp", None), ("tls", None), ("http", None)]
    assert of(answer, "own_side").count(("tls", None)) == 2
    assert ("news.example", 443) in proxy.asked
    for seen in answer.seen:
        assert seen.operation.address is None
        assert getattr(seen.operation.fact, "kernel", None) is None
        assert seen.group == "proxy"
    (greeting,) = [s.operation.fact for s in answer.seen if s.purpose == "baseline" and s.operation.kind == "tls"]
    assert isinstance(greeting, TlsFact)
    assert (greeting.verified, greeting.hello_acked) == (True, None)


CODES = [
    ("socks5", 1, []),
    ("socks5", 2, []),
    ("socks5", 3, [("tcp", "network_unreachable")]),
    ("socks5", 4, [("tcp", "host_unreachable")]),
    ("socks5", 5, [("tcp", "connection_refused")]),
    ("socks5", 6, [("tcp", "generic_timeout_error")]),
    ("socks5", 8, []),
    ("http", 502, []),
    ("http", 503, []),
    ("http", 403, []),
]


@pytest.mark.parametrize(("kind", "reply", "seen"), CODES)
async def test_what_a_proxy_says_of_a_failure(tmp_path, kind, reply, seen):
    """Codes with one meaning are a failure of the site; the others say nothing of it."""
    async with (
        proxied(tmp_path / "far", kind, UP, reply=reply) as (proxy, far),
        home(tmp_path, proxy.port, far, DEAD) as (wire, trust),
    ):
        answer = await look(wire, proxy.control, trust)

    assert answer.operation.failure is None
    assert of(answer) == seen


@pytest.mark.parametrize("kind", ["socks5", "http"])
async def test_a_proxy_that_wants_another_login_is_absent(tmp_path, kind):
    """With a reason, and nothing of it is evidence; no password in what is kept."""
    async with (
        proxied(tmp_path / "far", kind, UP, login=("user", "right")) as (proxy, far),
        home(tmp_path, proxy.port, far, DEAD) as (wire, trust),
    ):
        for login in (None, ("user", "wrong-secret")):
            answer = await look(wire, replace(proxy.control, login=login), trust)
            assert (answer.operation.failure, answer.seen) == ("unknown_failure: the proxy wants another login", ())
            assert "secret" not in repr(answer) + repr(replace(proxy.control, login=login))


NOT_PROXIES = [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "socks5", "unknown_failure: that is no SOCKS5 proxy"),
    (b"\x05\x00\x05", "http", "eof_error"),
    (b"x" * 40_000, "http", "unknown_failure: that is no HTTP proxy"),
    (b"220 mail.example ESMTP\r\n\r\n", "http", "unknown_failure: that is no HTTP proxy"),
    (b"", "socks5", "eof_error"),
]


@pytest.mark.parametrize(("said", "kind", "failure"), NOT_PROXIES, ids=range(len(NOT_PROXIES)))
async def test_what_is_no_proxy_is_a_reason(tmp_path, said, kind, failure):
    """Whatever answers there: a failure with words, no exception, no socket left open."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    folder = tmp_path / "home"
    folder.mkdir()
    async with server, open_internet(world_of(UP), folder) as internet:
        trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
        port = server.sockets[0].getsockname()[1]
        control = Control(host="127.0.0.1", port=port, name="Tor", scheme=kind)
        told = await look(HomeWire(internet, port), control, trust, deadline_s=2.0)

    assert told.seen == ()
    assert told.operation.failure in (failure, "connection_reset")


@pytest.mark.parametrize(("host", "counts"), [("127.0.0.1", True), ("localhost", True), ("proxy.example", False)])
async def test_what_can_be_read_on_the_way_says_nothing(tmp_path, host, counts, monkeypatch):
    """A greeting that is silent behind a proxy on this computer was sent from elsewhere; behind any other, from here."""
    reach = client.reach

    async def at_home(wire, control, deadline_s):
        return await reach(wire, replace(control, host="127.0.0.1"), deadline_s)

    monkeypatch.setattr(client, "reach", at_home)
    silent = site(NEWS, rule=Rule(name="", tls="silence"))
    async with (
        proxied(tmp_path / "far", "socks5", silent) as (proxy, far),
        home(tmp_path, proxy.port, far, DEAD) as (wire, trust),
    ):
        answer = await look(wire, replace(proxy.control, host=host), trust, deadline_s=2.0)

    assert of(answer) == [("tcp", None), *([("tls", "generic_timeout_error")] if counts else [])]


@pytest.mark.parametrize("kind", ["socks5", "http"])
async def test_a_check_through_a_proxy_leans(tmp_path, kind):
    """A site that is silent here and there through the proxy: never a word, and it says at no address."""
    async with (
        proxied(tmp_path / "far", kind, UP) as (proxy, far),
        home(tmp_path, proxy.port, far, DEAD) as (wire, trust),
    ):
        request = CheckRequest(
            asked=(Asked(number=1, endpoint=Endpoint(NEWS), target=NEWS),),
            settings=replace(Settings().hurried(4.0), proxies=(proxy.control,)),
            catalogue="test",
            canaries=load_canaries(),
            trust=trust,
        )
        outcome = await check(request, wire, lambda _event: None)

    verdict = outcome.results[0].verdict
    assert verdict.status == "inconclusive"
    assert {f.code for f in (*verdict.findings, *verdict.against) if f.family == "control"} == {"proxy_reaches"}
    assert {o.operation.address for o in outcome.observations if o.vantage == "control:Tor"} == {None}
    assert not outcome.bugs
