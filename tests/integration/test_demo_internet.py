"""The pretend Internet, talked to by the standard library and dnspython over the demo's wire."""

import asyncio
import contextlib
import datetime as dt
import errno
import http.client
import io
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import dns.message
import dns.rcode
import pytest
from cryptography import x509

from probe.demo import web
from probe.demo.internet import PORTAL, Internet, open_internet
from probe.demo.pages import article
from probe.demo.wire import DemoWire
from probe.demo.world import NXDOMAIN, SILENCE, Page, Portal, Reply, Resolver, Rule, Server, World
from probe.verdict.findings.resets import FAR_US
from probe.wire.datagrams import UdpSocket
from probe.wire.resolvers import Nameserver

SITE, OTHER, PUBLIC, PROVIDER = "22.1.0.10", "22.2.0.10", "8.8.8.8", "21.0.0.53"
pytestmark = pytest.mark.anyio


def world(**changes) -> World:
    """Two web servers, a provider's resolver and a public one."""
    kept = {
        "servers": (Server(address=SITE, names=("videos.example",)), Server(address=OTHER, names=("other.example",))),
        "zone": {"videos.example": Reply((SITE,)), "other.example": Reply((OTHER,))},
        "resolvers": (Resolver(address=PROVIDER), Resolver(address=PUBLIC, names=("dns.google",), encrypted=True)),
        "nameservers": (Nameserver(PROVIDER),),
    }
    return World(**{**kept, **changes})


@contextlib.asynccontextmanager
async def opened(tmp_path: Path, **changes) -> AsyncIterator[tuple[DemoWire, Internet]]:
    """A wire into a world."""
    async with asyncio.timeout(20), open_internet(world(**changes), tmp_path) as internet:
        yield DemoWire(internet), internet


async def secured(wire: DemoWire, internet: Internet, address: str, name: str, port: int = 443):
    """A verified TLS connection as asyncio streams."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(internet.trusted)
    sock = await wire.connect(address, port)
    try:
        return await asyncio.open_connection(sock=sock, ssl=context, server_hostname=name)
    except BaseException:
        sock.close()
        raise


async def fetch(reader, writer, name: str, path: str = "/") -> http.client.HTTPResponse:
    """One GET over streams that are open already, parsed by http.client."""
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        return parsed(await reader.read())
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def parsed(data: bytes) -> http.client.HTTPResponse:
    class Canned:
        def makefile(self, *_args, **_kwargs):
            return io.BytesIO(data)

    response = http.client.HTTPResponse(Canned())  # type: ignore[arg-type]
    response.begin()
    return response


async def asked(wire: DemoWire, server: str, name: str, qtype: str = "A", within_s: float = 5.0) -> dns.message.Message:
    """One question over UDP."""
    query = dns.message.make_query(name, qtype)
    with wire.udp(server, 53) as sock:
        sock.connect()
        sock.send(query.to_wire())
        reply = dns.message.from_wire((await next_datagram(sock, within_s)).data)
    assert query.is_response(reply)
    return reply


async def next_datagram(sock: UdpSocket, within_s: float = 5.0):
    async with asyncio.timeout(within_s):
        return await sock.receive()


async def test_a_healthy_site_is_verified_and_read(tmp_path: Path) -> None:
    """A site's chain verifies for its name against the pretend authority, and its page is served."""
    async with opened(tmp_path) as (wire, internet):
        reader, writer = await secured(wire, internet, SITE, "videos.example")
        response = await fetch(reader, writer, "videos.example")
        assert response.status == 200
        assert b"Welcome" in response.read()


async def test_a_stranger_is_shown_the_servers_own_certificate(tmp_path: Path) -> None:
    """A server answers any name, and its certificate is for its own: the handshake fails on the name alone."""
    async with opened(tmp_path) as (wire, internet):
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            await secured(wire, internet, SITE, "somebody.example")
        assert raised.value.verify_code == 62  # X509_V_ERR_HOSTNAME_MISMATCH


@pytest.mark.parametrize(
    ("condition", "code"), [("expired", 10), ("self_signed", 18), ("unknown_issuer", 20), ("wrong_name", 62)]
)
async def test_broken_certificates_fail_as_they_should(tmp_path: Path, condition, code: int) -> None:
    """Each condition of a certificate fails verification with the code of that condition and no other."""
    broken = (Server(address=SITE, names=("videos.example",), certificate=condition),)
    async with opened(tmp_path, servers=broken) as (wire, internet):
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            await secured(wire, internet, SITE, "videos.example")
        assert raised.value.verify_code in {code, 21 if code == 20 else code}


async def test_a_clock_that_is_behind_sees_certificates_from_the_future(tmp_path: Path) -> None:
    """Where the true time is a year ahead of this host, certificates are not yet valid here, and NTP says so."""
    ahead = 365 * 86400.0
    async with opened(tmp_path, ahead_s=ahead, clocks=(OTHER,)) as (wire, internet):
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            await secured(wire, internet, SITE, "videos.example")
        assert raised.value.verify_code == 9  # X509_V_ERR_CERT_NOT_YET_VALID
        with wire.udp(OTHER, 123) as sock:
            sock.connect()
            sock.send(b"\x23" + b"\0" * 39 + b"12345678")
            data = (await next_datagram(sock)).data
        assert data[24:32] == b"12345678"
        theirs = struct.unpack_from("!I", data, 40)[0] - 2_208_988_800
        assert theirs - wire.now_us() / 1e6 == pytest.approx(ahead, abs=5)


@pytest.mark.parametrize("where", [SITE, OTHER])
@pytest.mark.parametrize(
    ("trouble", "seen"),
    [("reset", "reset"), ("eof", b""), ("alert", bytes((21, 3, 3, 0, 2, 2, 112))), ("silence", None)],
)
async def test_the_box_stops_a_name_wherever_it_goes(tmp_path: Path, where: str, trouble, seen) -> None:
    """A forbidden name in a ClientHello meets the box at its own address and at a neutral one alike."""
    async with opened(tmp_path, rules=(Rule(name="videos.example", tls=trouble),)) as (wire, _):
        assert await first_bytes(wire, where, hello("www.videos.example")) == seen
        assert (await first_bytes(wire, where, hello("other.example")))[:1] == b"\x16"


def hello(name: str) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


async def first_bytes(wire: DemoWire, address: str, data: bytes, port: int = 443):
    """What comes back first: bytes, "reset", or ``None`` for silence."""
    loop = asyncio.get_running_loop()
    with await wire.connect(address, port) as sock:
        await loop.sock_sendall(sock, data)
        try:
            async with asyncio.timeout(0.4):
                return await loop.sock_recv(sock, 4096)
        except ConnectionResetError:
            return "reset"
        except TimeoutError:
            return None


@pytest.mark.parametrize(("trouble", "seen"), [("reset", "reset"), ("eof", b""), ("silence", None)])
async def test_the_box_reads_unencrypted_requests(tmp_path: Path, trouble, seen) -> None:
    """A forbidden Host meets the box; another name at the same server is served."""
    async with opened(tmp_path, rules=(Rule(name="videos.example", http=trouble),)) as (wire, _):
        ask = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
        assert await first_bytes(wire, OTHER, ask % b"videos.example", 80) == seen
        assert (await first_bytes(wire, OTHER, ask % b"other.example", 80)).startswith(b"HTTP/1.1 200 OK")


async def test_a_block_page_takes_the_place_of_a_page(tmp_path: Path) -> None:
    """The box puts its own page in front of an unencrypted request for a forbidden name."""
    page = Page(status=403, body=article("Blocked", "by order"))
    async with opened(tmp_path, rules=(Rule(name="videos.example", page=page),)) as (wire, _):
        data = await first_bytes(wire, SITE, b"GET / HTTP/1.1\r\nHost: videos.example\r\n\r\n", 80)
        assert data.startswith(b"HTTP/1.1 403 Forbidden")
        assert b"by order" in data


async def test_a_page_that_is_put_in_comes_from_farther_than_the_household(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a forged certificate does; another name's page comes at once."""
    monkeypatch.setattr(web, "BOX_S", 0.3)
    async with opened(tmp_path, rules=(Rule(name="videos.example", page=Page(body="no")),)) as (wire, _):
        asked = asyncio.get_running_loop().time()
        assert (await first_bytes(wire, SITE, b"GET / HTTP/1.1\r\nHost: videos.example\r\n\r\n", 80)).endswith(b"no")
        assert asyncio.get_running_loop().time() - asked >= 0.3


async def test_an_interceptor_is_farther_than_the_household(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its certificate comes later than anything that the own router could have sent, however quick this computer is."""
    assert web.BOX_S > FAR_US / 1e6
    monkeypatch.setattr(web, "BOX_S", 0.3)
    async with opened(tmp_path, rules=(Rule(name="videos.example", forger="unknown"),)) as (wire, internet):
        asked = asyncio.get_running_loop().time()
        with pytest.raises(ssl.SSLCertVerificationError):
            await secured(wire, internet, SITE, "videos.example")
        assert asyncio.get_running_loop().time() - asked >= 0.3


@pytest.mark.parametrize(("forger", "organization"), [("national", "ISCA"), ("unknown", "Gateway Inspection")])
async def test_an_interceptor_signs_for_the_name(tmp_path: Path, forger, organization: str) -> None:
    """An intercepted handshake shows a certificate for the right name, by an issuer that nobody trusts."""
    async with opened(tmp_path, rules=(Rule(name="videos.example", forger=forger),)) as (wire, internet):
        with pytest.raises(ssl.SSLCertVerificationError):
            await secured(wire, internet, SITE, "videos.example")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = await wire.connect(SITE, 443)
        _, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname="videos.example")
        leaf = x509.load_der_x509_certificate(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.close()
        await writer.wait_closed()
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "videos.example" in names.get_values_for_type(x509.DNSName)
        assert organization in leaf.issuer.rfc4514_string()


async def test_resolvers_say_the_truth_and_the_provider_may_lie(tmp_path: Path) -> None:
    """The provider's resolver lies about a name and everything below it; a public one does not."""
    liar = Resolver(address=PROVIDER, lies={"videos.example": NXDOMAIN})
    async with opened(tmp_path, resolvers=(liar, Resolver(address=PUBLIC))) as (wire, _):
        assert (await asked(wire, PROVIDER, "www.videos.example")).rcode() == dns.rcode.NXDOMAIN
        assert (await asked(wire, PROVIDER, "other.example")).answer[0][0].address == OTHER
        assert (await asked(wire, PUBLIC, "videos.example")).answer[0][0].address == SITE
        assert not (await asked(wire, PUBLIC, "videos.example", "AAAA")).answer
        assert (await asked(wire, PUBLIC, "nobody.example")).rcode() == dns.rcode.NXDOMAIN


async def test_the_box_answers_before_the_resolver_and_where_none_is(tmp_path: Path) -> None:
    """A forged answer overtakes the true one, which still comes; it also comes from an address without a resolver."""
    rule = Rule(name="videos.example", dns=Reply(("10.10.34.35",)))
    async with opened(tmp_path, rules=(rule,)) as (wire, _):
        query = dns.message.make_query("videos.example", "A")
        with wire.udp(PUBLIC, 53) as sock:
            sock.connect()
            sock.send(query.to_wire())
            replies = [dns.message.from_wire((await next_datagram(sock)).data) for _ in range(2)]
        assert [reply.answer[0][0].address for reply in replies] == ["10.10.34.35", SITE]
        assert (await asked(wire, OTHER, "videos.example")).answer[0][0].address == "10.10.34.35"
        with pytest.raises(TimeoutError):
            await asked(wire, OTHER, "other.example", within_s=0.3)


@pytest.mark.parametrize("port", [53, 853])
async def test_resolvers_answer_over_streams(tmp_path: Path, port: int) -> None:
    """A public resolver answers two questions on one connection, plain and encrypted."""
    async with opened(tmp_path) as (wire, internet):
        if port == 853:
            reader, writer = await secured(wire, internet, PUBLIC, PUBLIC, 853)
        else:
            reader, writer = await asyncio.open_connection(sock=await wire.connect(PUBLIC, 53))
        for _ in range(2):
            query = dns.message.make_query("videos.example", "A").to_wire()
            writer.write(len(query).to_bytes(2, "big") + query)
            length = int.from_bytes(await reader.readexactly(2), "big")
            assert dns.message.from_wire(await reader.readexactly(length)).answer[0][0].address == SITE
        writer.close()
        await writer.wait_closed()


async def test_resolvers_answer_over_https(tmp_path: Path) -> None:
    """DNS over HTTPS at the resolver's own address, whose certificate is for that address (RFC 8484)."""
    async with opened(tmp_path) as (wire, internet):
        reader, writer = await secured(wire, internet, PUBLIC, PUBLIC)
        query = dns.message.make_query("videos.example", "A", id=0).to_wire()
        head = f"POST /dns-query HTTP/1.1\r\nHost: {PUBLIC}\r\nContent-Length: {len(query)}\r\n\r\n"
        writer.write(head.encode() + query)
        response = parsed(await reader.read())
        writer.close()
        await writer.wait_closed()
        assert response.getheader("content-type") == "application/dns-message"
        assert dns.message.from_wire(response.read()).answer[0][0].address == SITE


async def test_refused_silent_and_unreachable_are_three_things(tmp_path: Path) -> None:
    """A refused port refuses, an unknown address is silent, and an unreachable one fails with the router's ICMP."""
    refusing = (Server(address=SITE, names=("videos.example",), ports=(80,), refused=(443,)),)
    async with opened(tmp_path, servers=refusing, unreachable=frozenset({"22.9.0.10"})) as (wire, _):
        with pytest.raises(ConnectionRefusedError):
            await wire.connect(SITE, 443)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await wire.connect("22.8.0.10", 443)
        with pytest.raises(OSError) as raised:
            await wire.connect("22.9.0.10", 443)
        assert raised.value.errno == errno.EHOSTUNREACH
        assert raised.value.icmp == (3, 1, "21.0.0.1")  # type: ignore[attr-defined]


async def test_a_server_may_break_off_in_mid_page(tmp_path: Path) -> None:
    """A page that is cut short arrives in part and ends in a reset."""
    cut = Server(address=SITE, names=("videos.example",), pages={"": Page(body="x" * 1000, cut_after=100)})
    async with opened(tmp_path, servers=(cut,)) as (wire, _):
        with await wire.connect(SITE, 80) as sock:
            await asyncio.get_running_loop().sock_sendall(sock, b"GET / HTTP/1.1\r\nHost: videos.example\r\n\r\n")
            head, _, body = (await until_reset(sock)).partition(b"\r\n\r\n")
        assert b"Content-Length: 1001" in head
        assert body == b"x" * 100


async def until_reset(sock: socket.socket) -> bytes:
    """Everything that comes before a reset; an ordinary end is an error here."""
    data = b""
    try:
        while more := await asyncio.get_running_loop().sock_recv(sock, 4096):
            data += more
    except ConnectionResetError:
        return data
    raise AssertionError("the connection ended in an orderly way")


async def test_without_a_route_the_kernel_says_so(tmp_path: Path) -> None:
    """An unplugged host fails at once, for connections and for datagrams, and has no default route."""
    async with opened(tmp_path, link="no_route") as (wire, _):
        with pytest.raises(OSError, match="unreachable"):
            await wire.connect(SITE, 443)
        with wire.udp(PROVIDER, 53) as sock, pytest.raises(OSError, match="unreachable"):
            sock.connect()
        assert wire.host().default_route_v4 is False


async def test_a_portal_answers_for_everybody_and_lets_nothing_else_out(tmp_path: Path) -> None:
    """Behind a portal every unencrypted request gets its page, wherever it goes, and nothing encrypted gets through."""
    portal = Portal(page=Page(status=302, headers=(("Location", "http://login.hotel.example/"),)))
    resolvers = (Resolver(address=PORTAL), Resolver(address=PUBLIC))
    names = {"resolvers": resolvers, "nameservers": (Nameserver(PORTAL),)}
    async with opened(tmp_path, portal=portal, **names) as (wire, _):
        for address in (SITE, "22.77.0.1"):
            reply = await first_bytes(wire, address, b"GET / HTTP/1.1\r\nHost: videos.example\r\n\r\n", 80)
            assert b"Location: http://login.hotel.example/" in reply
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await wire.connect(SITE, 443)
        assert (await asked(wire, PORTAL, "videos.example")).answer[0][0].address == SITE
        with pytest.raises(TimeoutError):
            await asked(wire, PUBLIC, "videos.example", within_s=0.2)


async def test_the_c_librarys_word_is_the_hosts_file_then_the_resolver(tmp_path: Path) -> None:
    """getaddrinfo gives the hosts file's address before any resolver's, names failures, and waits out silence."""
    liar = Resolver(address=PROVIDER, lies={"videos.example": SILENCE, "gone.example": NXDOMAIN})
    async with opened(tmp_path, resolvers=(liar,), hosts_file={"feed.example": ("0.0.0.0",)}) as (wire, _):
        assert await wire.getaddrinfo("feed.example", 1) == ("0.0.0.0",)
        assert await wire.getaddrinfo("other.example", 1) == (OTHER,)
        assert await wire.getaddrinfo("gone.example", 1) == "EAI_NONAME"
        assert await wire.getaddrinfo("videos.example", 0.05) is None


async def test_no_socket_of_the_wire_leaves_loopback(tmp_path: Path) -> None:
    """Every connection that succeeds has a loopback address at its other end."""
    async with opened(tmp_path) as (wire, _):
        for address, port in ((SITE, 443), (OTHER, 80), (PUBLIC, 853)):
            with await wire.connect(address, port) as sock:
                assert sock.getpeername()[0] == "127.0.0.1"
                assert sock.family == socket.AF_INET


async def test_dates_of_pages_are_the_true_time(tmp_path: Path) -> None:
    """The Date header follows the world's clock, not this host's."""
    async with opened(tmp_path, ahead_s=86400.0) as (wire, _):
        data = await first_bytes(wire, SITE, b"GET / HTTP/1.1\r\nHost: videos.example\r\n\r\n", 80)
        date = parsed(data + b"\r\n").getheader("Date")
        assert date is not None
        theirs = dt.datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=dt.UTC)
        assert theirs - dt.datetime.now(dt.UTC) > dt.timedelta(hours=23)
