"""Handshakes and arms, against servers that answer, lie, stay silent or hang up."""

import asyncio
import socket
import ssl
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from probe.instruments import certificates, tcp, tls, tls_shake
from probe.instruments.tls import Handshaken, Hello
from probe.instruments.trust import Trust
from probe.observations import Operation, TlsFact
from probe.wire import Wire
from probe.wire.sockets import TcpOptions
from tests import nano

pytestmark = pytest.mark.anyio
NAME = "good.test"


def trusting(*names: str) -> Trust:
    """A trust whose shipped set holds the roots called *names*, and no system store."""
    return Trust("test", replaced=False, _shipped=tuple(der(name) for name in names), _system=None)


def der(name: str = "Nano Root") -> bytes:
    return ssl.PEM_cert_to_DER_cert(Path(nano.authority(name).file).read_text())


@dataclass
class Told:
    """A handshake's operation, its fact, and whether it gave a stream."""

    operation: Operation
    fact: TlsFact
    streamed: bool


async def open_stream(port: int, options: TcpOptions | None = None) -> tcp.TcpStream:
    connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5, options=options)
    assert connected.stream is not None
    return connected.stream


async def shake(
    behaviour: nano.Behaviour = nano.silent,
    *,
    context: ssl.SSLContext | None = None,
    trust: Trust | None = None,
    hello: Hello | None = None,
    host: str = NAME,
    deadline_s: float = 5,
) -> Told:
    async with nano.serve(behaviour, tls=context) as port:
        shaken: Handshaken = await tls.handshake(
            Wire(),
            await open_stream(port),
            hello=hello or Hello(host),
            trust=trust or trusting("Nano Root"),
            host=host,
            deadline_s=deadline_s,
        )
        if shaken.stream is not None:
            shaken.stream.close()
    assert isinstance(shaken.operation.fact, TlsFact)
    assert (shaken.stream is None) == (shaken.operation.failure is not None)
    return Told(shaken.operation, shaken.operation.fact, shaken.stream is not None)


async def arm(
    behaviour: nano.Behaviour = nano.silent,
    *,
    context: ssl.SSLContext | None = None,
    hello: Hello | None = None,
    deadline_s: float = 5,
) -> Told:
    async with nano.serve(behaviour, tls=context) as port:
        stream = await open_stream(port)
        operation = await tls.first_record(Wire(), stream, hello=hello or Hello(NAME), deadline_s=deadline_s)
        assert stream.socket.fileno() == -1
    assert isinstance(operation.fact, TlsFact)
    return Told(operation, operation.fact, streamed=False)


# ---------------------------------------------------------------------------------------------------------------------
# the handshake of a browser


async def test_a_good_handshake_is_told_in_full():
    """Version, cipher, protocol, chain, hello, acknowledgement and times are all there, and a stream."""
    told = await shake(context=nano.identity(NAME).context(alpn=["h2"]))

    assert (told.operation.failure, told.streamed) == (None, True)
    assert (told.fact.verified, told.fact.verify_code, told.fact.shipped_store_verifies) == (True, 0, True)
    assert told.fact.system_store_verifies is None
    assert (told.fact.version, told.fact.alpn, told.fact.resumed) == ("TLSv1.3", "h2", False)
    assert told.fact.cipher
    assert told.fact.server_hello
    assert told.fact.hello_acked in (True, None)
    assert told.fact.last_operation == "write_2"
    assert 0 < (told.fact.first_byte_us or 0) <= (told.operation.duration_us or 0)
    assert [c.subject for c in told.fact.chain] == [f"CN={NAME}", "CN=Nano Root CA 1"]
    assert told.fact.chain[0].names == (NAME,)
    assert told.fact.chain[0].der_base64 is None
    assert "OpenSSL" in (told.fact.stack or "")
    assert told.operation.bytes_sent >= (told.fact.hello_bytes or 0) >= 200
    assert told.operation.bytes_received > 500


async def test_the_stream_goes_on_where_the_handshake_ended():
    """What is written arrives, what is said is read, the end is empty bytes."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(100_000))[::-1])

    async with nano.serve(echo, tls=nano.identity(NAME).context()) as port:
        shaken = await tls.handshake(
            Wire(),
            await open_stream(port),
            hello=Hello(NAME),
            trust=trusting("Nano Root"),
            host=NAME,
            deadline_s=5,
        )
        assert shaken.stream is not None
        await shaken.stream.write(b"a" + b"b" * 99_999)
        received = b""
        while piece := await shaken.stream.read(5000):
            received += piece
        shaken.stream.close()

    assert received == b"b" * 99_999 + b"a"


async def test_another_name_is_an_invalid_hostname_with_its_chain():
    """Code 62; the chain was read although the verification failed, with its DER."""
    told = await shake(context=nano.identity("other.test").context())

    assert (told.operation.failure, told.fact.verify_code) == ("ssl_invalid_hostname", 62)
    assert (told.fact.verified, told.fact.shipped_store_verifies, told.streamed) == (False, False, False)
    assert told.fact.chain[0].names == ("other.test",)
    assert all(c.der_base64 for c in told.fact.chain)


async def test_an_expired_certificate_is_invalid_and_tells_its_dates():
    """Code 10, and the dates to hold against our clock."""
    told = await shake(context=nano.authority().issue(NAME, age=timedelta(days=100)).context())

    assert (told.operation.failure, told.fact.verify_code) == ("ssl_invalid_certificate", 10)
    assert told.fact.chain[0].not_after_us < Wire().now_us()
    assert told.fact.alert_sent == 45


async def test_a_certificate_of_the_future_is_invalid():
    """Code 9: not valid yet."""
    told = await shake(context=nano.authority().issue(NAME, age=timedelta(days=-1)).context())

    assert (told.operation.failure, told.fact.verify_code) == ("ssl_invalid_certificate", 9)


async def test_an_unknown_issuer_is_an_unknown_authority():
    """A forged chain: code 20, the forger's names in the fact."""
    told = await shake(context=nano.authority("Forger").issue(NAME).context())

    assert (told.operation.failure, told.fact.verify_code) == ("ssl_unknown_authority", 20)
    assert told.fact.chain[0].issuer == "CN=Forger CA 1"


async def test_verification_works_on_tls_1_2_too():
    """A chain in clear is read after failure as well."""
    context = nano.authority("Forger").issue(NAME).context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    told = await shake(context=context)

    assert (told.operation.failure, len(told.fact.chain)) == ("ssl_unknown_authority", 2)


async def test_a_root_that_only_the_system_trusts_is_not_verified():
    """The union lets the handshake end; the shipped set decides, and the disagreement is on record."""
    trust = Trust("test", replaced=False, _shipped=(der(),), _system=(der("Company"),))
    told = await shake(context=nano.authority("Company").issue(NAME).context(), trust=trust)

    assert (told.operation.failure, told.fact.verify_code) == ("ssl_unknown_authority", 20)
    assert (told.fact.verified, told.streamed) == (False, False)
    assert (told.fact.shipped_store_verifies, told.fact.system_store_verifies) == (False, True)
    assert told.fact.chain[0].der_base64


async def test_a_root_that_the_system_lacks_is_verified_and_told():
    """An old system store is a disagreement, not a failure."""
    trust = Trust("test", replaced=False, _shipped=(der(),), _system=(der("Company"),))
    told = await shake(context=nano.identity(NAME).context(), trust=trust)

    assert (told.operation.failure, told.fact.verified) == (None, True)
    assert (told.fact.shipped_store_verifies, told.fact.system_store_verifies) == (True, False)


async def test_a_root_that_both_stores_hold_verifies_in_both():
    """The usual case costs no second verification."""
    trust = Trust("test", replaced=False, _shipped=(der(),), _system=(der(), der("Company")))
    told = await shake(context=nano.identity(NAME).context(), trust=trust)

    assert (told.fact.shipped_store_verifies, told.fact.system_store_verifies) == (True, True)


async def test_the_users_file_replaces_both_stores():
    """With SSL_CERT_FILE its roots verify and neither store is said to have been asked."""
    trust = Trust.load({"SSL_CERT_FILE": nano.authority().file})
    told = await shake(context=nano.identity(NAME).context(), trust=trust)

    assert (told.fact.verified, told.fact.shipped_store_verifies, told.fact.system_store_verifies) == (True, None, None)


async def test_an_address_is_verified_without_a_server_name():
    """https://127.0.0.1: no SNI, and the certificate must name the address."""
    context = nano.identity("127.0.0.1").context()

    assert (await shake(context=context, hello=Hello(None), host="127.0.0.1")).operation.failure is None
    assert (await shake(context=context, hello=Hello(None), host="127.0.0.2")).fact.verify_code == 64


async def test_a_host_can_be_verified_under_another_server_name():
    """Front names: what is sent and what is meant are two things, and what is meant decides."""
    context = nano.identity("*.meant.test", "127.0.0.1").context()

    assert (await shake(context=context, hello=Hello("sent.test"), host="www.meant.test")).operation.failure is None
    assert (await shake(context=context, hello=Hello("sent.test"), host="127.0.0.1")).operation.failure is None
    told = await shake(context=context, hello=Hello("sent.test"), host="a.b.meant.test")
    assert (told.operation.failure, told.fact.verify_code) == ("ssl_invalid_hostname", 62)
    told = await shake(context=context, hello=Hello(None), host="sent.test")
    assert (told.operation.failure, told.fact.sni) == ("ssl_invalid_hostname", None)
    told = await shake(context=context, hello=Hello("sent.test"), host="192.0.2.1")
    assert told.fact.verify_code == 64


@pytest.mark.parametrize("name", ["", ".test", "a..test", "x" * 64 + ".test", "nul\x00.test"])
async def test_a_name_that_no_hello_can_carry_is_a_failure(name: str):
    """Nothing is sent, nothing is raised, the stream is closed."""
    told = await shake(host=name)

    assert (told.operation.failure, told.fact.hello_bytes) == ("ssl_failed_handshake", None)
    assert (await arm(hello=Hello(name))).operation.failure == "ssl_failed_handshake"


async def test_a_certificate_with_a_huge_san_is_capped():
    """Two thousand names are told as fifty, and the handshake still works."""
    names = [NAME, *(f"name-{n}.example.test" for n in range(2000))]
    told = await shake(context=nano.authority().issue(*names).context())

    assert told.operation.failure is None
    assert len(told.fact.chain[0].names) == certificates.MAX_NAMES


async def test_a_chain_over_the_stacks_limit_is_a_failed_handshake():
    """OpenSSL reads 100 KB of certificates and no more."""
    names = [NAME, *(f"name-{n}.{'x' * 60}.example.test" for n in range(1500))]
    told = await shake(context=nano.authority().issue(*names).context())

    assert told.operation.failure == "ssl_failed_handshake"


async def test_a_server_that_wants_a_certificate_tells_so_by_an_alert():
    """TLS 1.3 lets the client finish first; the first read then fails with the server's alert."""
    context = nano.identity(NAME).context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(nano.authority().file)
    async with nano.serve(nano.shaking(context)) as port:
        shaken = await tls.handshake(
            Wire(),
            await open_stream(port),
            hello=Hello(NAME),
            trust=trusting("Nano Root"),
            host=NAME,
            deadline_s=5,
        )
        assert shaken.stream is not None
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            await shaken.stream.read(100)
        shaken.stream.close()


async def test_an_alert_after_the_server_hello_is_told_with_it():
    """On TLS 1.2 a server refusing our lack of a certificate says 40 in clear before the end."""
    context = nano.identity(NAME).context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(nano.authority().file)
    told = await shake(nano.shaking(context))

    assert (told.operation.failure, told.fact.alert) == ("ssl_failed_handshake", 40)
    assert told.fact.server_hello


async def test_no_common_cipher_is_an_alert():
    """A server that shares no cipher with us says handshake_failure and never hello."""
    context = nano.identity(NAME).context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-CAMELLIA128-SHA256")
    told = await shake(nano.shaking(context))

    assert (told.operation.failure, told.fact.alert, told.fact.server_hello) == ("ssl_failed_handshake", 40, False)


async def test_an_alert_that_only_openssl_can_read_is_told_by_its_number():
    """In TLS 1.3 an alert about our Finished is encrypted; OpenSSL's symbol has the number."""
    error = ssl.SSLError(1, "x")
    error.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"

    assert tls_shake._alert(error) == 116
    error.reason = "SSLV3_ALERT_HANDSHAKE_FAILURE"
    assert tls_shake._alert(error) == 40
    error.reason = "WRONG_VERSION_NUMBER"
    assert tls_shake._alert(error) is None
    assert tls_shake._alert(OSError()) is None


@pytest.mark.parametrize("ask", [shake, arm])
async def test_silence_after_the_hello_is_a_timeout(ask):
    """Wrote, read nothing; the kernel says that the hello arrived."""
    told = await ask(nano.silent, deadline_s=0.3)

    assert (told.operation.failure, told.fact.last_operation) == ("generic_timeout_error", "write_1")
    assert (told.fact.server_hello, told.fact.first_byte_us, told.fact.first_bytes) == (False, None, None)
    assert told.fact.hello_acked in (True, None)


@pytest.mark.parametrize("ask", [shake, arm])
@pytest.mark.parametrize(
    ("behaviour", "failure", "errno"),
    [(nano.resetting, "connection_reset", "ECONNRESET"), (nano.closing, "eof_error", None)],
)
async def test_a_hang_up_after_the_hello_is_told_apart(ask, behaviour, failure: str, errno: str | None):
    """RST and FIN are two failures."""
    told = await ask(behaviour)

    assert (told.operation.failure, told.fact.errno, told.fact.last_operation) == (failure, errno, "write_1")


@pytest.mark.parametrize("ask", [shake, arm])
async def test_an_alert_is_never_success(ask):
    """ssl_failed_handshake with the alert's number, and no ServerHello."""
    told = await ask(nano.alerting(112))

    assert (told.operation.failure, told.fact.alert, told.fact.server_hello) == ("ssl_failed_handshake", 112, False)


@pytest.mark.parametrize("ask", [shake, arm])
async def test_what_is_no_tls_is_kept(ask):
    """A block page in plain HTTP on port 443: its first bytes are in the fact."""
    told = await ask(nano.saying(b"HTTP/1.1 302 Found\r\nLocation: http://warning.test/\r\n\r\n"))

    assert told.operation.failure == "ssl_failed_handshake"
    assert bytes.fromhex(told.fact.first_bytes or "").startswith(b"HTTP/1.1 302 Found")


# ---------------------------------------------------------------------------------------------------------------------
# an arm


async def test_an_arm_succeeds_at_the_server_hello_whatever_the_certificate():
    """Nothing is verified and the chain is not read."""
    told = await arm(context=nano.authority("Forger").issue("other.test").context())

    assert (told.operation.failure, told.fact.server_hello, told.fact.verified) == (None, True, None)
    assert (told.fact.verify, told.fact.chain) == (False, ())


async def test_an_arm_stops_at_the_first_record():
    """A ServerHello and then silence is success at once."""
    told = await arm(nano.saying(b"\x16\x03\x03\x00\x2a\x02", then=nano.silent))

    assert (told.operation.failure, told.fact.server_hello) == (None, True)
    assert (told.operation.duration_us or 0) < 2_000_000


async def test_an_arm_waits_behind_a_warning():
    """A warning is no answer; the silence after it is a timeout that has the alert's number."""
    told = await arm(nano.saying(bytes((21, 3, 3, 0, 2, 1, 112)), then=nano.silent), deadline_s=0.3)

    assert (told.operation.failure, told.fact.alert) == ("generic_timeout_error", 112)


async def test_small_and_nameless_hellos_go_out_as_asked():
    """The small hello is under 517 bytes, the nameless one has no server name; both are answered."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))

    small = await arm(listen, hello=Hello(NAME, small=True))
    nameless = await arm(listen, hello=Hello(None))

    assert len(heard[0]) == small.fact.hello_bytes
    assert (small.fact.hello_bytes or 0) < 517
    assert NAME.encode() in heard[0]
    assert nameless.fact.sni is None
    assert NAME.encode() not in heard[1]
    assert small.fact.hello_hash != nameless.fact.hello_hash


async def test_segments_capped_at_the_connect_are_told_with_the_handshake():
    """The path-MTU arm is recognised by its mss_cap."""
    async with nano.serve(nano.silent, tls=nano.identity(NAME).context()) as port:
        stream = await open_stream(port, TcpOptions(mss=1200))
        operation = await tls.first_record(Wire(), stream, hello=Hello(NAME, small=True), deadline_s=5)

    assert isinstance(operation.fact, TlsFact)
    assert (operation.failure, operation.fact.mss_cap) == (None, 1200)


async def test_one_byte_at_a_time_is_read_as_one_record():
    """A server's ServerHello may come in pieces of one byte."""
    told = await arm(nano.saying(*(bytes((b,)) for b in b"\x16\x03\x03\x00\x2a\x02"), gap_s=0.01, then=nano.silent))

    assert told.fact.server_hello


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's counters are Linux's")
async def test_a_hello_that_was_not_taken_is_told():
    """The other kernel's window is full, so the hello stays unacknowledged: that is not a silent server."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
        server.bind(("127.0.0.1", 0))
        server.listen()
        stream = await open_stream(server.getsockname()[1])
        await stream.write(b"x" * 60_000)
        operation = await tls.first_record(Wire(), stream, hello=Hello(NAME), deadline_s=0.3)

    assert isinstance(operation.fact, TlsFact)
    assert (operation.failure, operation.fact.hello_acked) == ("generic_timeout_error", False)


@pytest.mark.parametrize("way", ["handshake", "first_record"])
async def test_a_cancelled_handshake_closes_the_stream(way: str):
    """Whoever gives up leaves no socket behind."""
    async with nano.serve(nano.silent) as port:
        stream = await open_stream(port)
        job = (
            tls.handshake(Wire(), stream, hello=Hello(NAME), trust=trusting("Nano Root"), host=NAME, deadline_s=60)
            if way == "handshake"
            else tls.first_record(Wire(), stream, hello=Hello(NAME), deadline_s=60)
        )
        task = asyncio.get_running_loop().create_task(job)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert stream.socket.fileno() == -1
