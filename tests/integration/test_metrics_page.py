"""The page on loopback: who is answered, what with, and how long anybody may take."""

import asyncio
import contextlib
import time

import pytest

from probe.daemon.metrics import Figures
from probe.daemon.metrics_of import page as daemons_page
from probe.daemon.metrics_page import LONGEST_IDLE_S, MOST_CONNECTIONS, Health, Server, health_of, split
from probe.incidents.model import Reading
from storage import outbox
from storage.archive import Archive
from tests.ports import free_port

pytestmark = pytest.mark.anyio
HOUR_US = 3_600_000_000


@contextlib.asynccontextmanager
async def page(host="127.0.0.1", health=None, metrics=None, deadline_s=5.0):
    async def text():
        return "dalel_x 1\n"

    server = Server(
        metrics=metrics or text, health=lambda: health or Health(ok=True, words="ok"), deadline_s=deadline_s
    )
    async with server.listening(host, 0) as port:
        yield port


async def said(port, data):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            return (await reader.read()).decode()
        return ""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def request(path="/metrics", method="GET", host="127.0.0.1:9464"):
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (request(), 200, "dalel_x 1\n"),
        (request("/metrics?x=1", host="localhost"), 200, "dalel_x 1\n"),
        (request("/healthz", host="[::1]:9464"), 200, "ok\n"),
        (request(method="HEAD"), 200, ""),
        (request("/"), 404, None),
        (request("/metrics/../x"), 404, None),
        (request(method="POST"), 405, None),
        (request(host="evil.example"), 403, None),
        (request(host="127.0.0.1.evil.example"), 403, None),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400, None),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400, None),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000, 431, None),
    ],
)
async def test_only_what_is_asked_for_rightly_is_answered(data, status, body):
    """One path each, GET or HEAD, and at a loopback address a loopback name: a web page's own name is somebody else's."""
    async with page() as port:
        answer = await said(port, data)

    assert answer.startswith(f"HTTP/1.1 {status} ")
    if body is not None:
        assert answer.partition("\r\n\r\n")[2] == body


async def test_where_it_was_bound_elsewhere_any_name_is_answered():
    """Whoever opened it to a network meant it; Prometheus asks by a name of that network."""
    async with page("0.0.0.0") as port:
        assert (await said(port, request(host="probe.lan:9464"))).startswith("HTTP/1.1 200")


async def test_what_is_not_well_is_503_with_its_words():
    """For whoever watches the watcher."""
    async with page(health=Health(ok=False, words="nothing has been measured for 20 minutes")) as port:
        answer = await said(port, request("/healthz"))

    assert answer.startswith("HTTP/1.1 503")
    assert "for 20 minutes" in answer


async def test_a_bug_in_the_figures_is_500_and_no_more():
    """The daemon goes on."""

    async def broken():
        raise ZeroDivisionError

    async with page(metrics=broken) as port:
        assert (await said(port, request())).startswith("HTTP/1.1 500")
        assert (await said(port, request("/healthz"))).startswith("HTTP/1.1 200")


async def test_somebody_slow_is_let_go():
    """Half a request, and nothing more."""
    async with page(deadline_s=0.2) as port:
        assert (await said(port, b"GET /metrics HTTP/1.1\r\n")).startswith("HTTP/1.1 408")


async def test_no_more_than_a_few_are_answered_at_once():
    """The others are sent away, and there is room again when somebody goes."""
    async with page() as port, contextlib.AsyncExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.push_async_callback(writer.wait_closed)
            stack.callback(writer.close)
            writer.write(b"GET")
            await writer.drain()
        await asyncio.sleep(0.1)
        assert await said(port, request()) == ""
        writer.close()
        for _ in range(100):
            if answer := await said(port, request()):
                break
            await asyncio.sleep(0.05)
    assert answer.startswith("HTTP/1.1 200")


async def test_leaving_ends_every_connection():
    """Nothing is waited for at the end, and nothing is reported as a bug."""
    trouble = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: trouble.append(context))
    async with page() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET")
        await writer.drain()
        await asyncio.sleep(0.05)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    await asyncio.sleep(0.05)
    assert trouble == []


def test_health_is_a_matter_of_when_something_was_measured():
    """Quarter of an hour after the last sign, or after the start."""
    late = 2 * LONGEST_IDLE_S

    assert health_of(None, LONGEST_IDLE_S, 0).ok
    assert health_of(late - 60, late, 0).ok
    assert health_of(None, late, 0) == Health(ok=False, words="nothing has been measured for 30 minutes")


@pytest.mark.parametrize(
    ("listen", "place"),
    [("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:1", ("::1", 1)), ("probe.lan:2", ("probe.lan", 2))],
)
def test_where_to_listen_is_a_host_and_a_port(listen, place):
    """IPv6 in brackets."""
    assert split(listen) == place


class Said:
    """The lines of a daemon's log."""

    def __init__(self):
        self.lines = []

    def __call__(self, event, words, **_facts):
        self.lines.append((event, words))


async def test_the_page_of_a_daemon_has_its_archive_in_it(tmp_path):
    """Size, messages that wait, memory; and what the daemon has counted."""
    port, said_lines = free_port(), Said()
    figures = Figures("dalel 1", "r")
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        two = [outbox.Message(made_us=moment, channel="x", incident="one") for moment in (1, 2)]
        outbox.put(archive, [outbox.Message(made_us=1, channel="x"), *two]).result()
        async with daemons_page(f"127.0.0.1:{port}", figures, archive, lambda: 3_000_000_000, said_lines):
            text = await said(port, request())
            assert (await said(port, request("/healthz"))).startswith("HTTP/1.1 200")
    assert "dalel_messages_waiting 2" in text  # what has become of one incident goes in one
    assert "dalel_db_bytes " in text
    assert "dalel_tasks " in text
    assert f"http://127.0.0.1:{port}/metrics" in said_lines.lines[0][1]


async def test_health_asks_no_clock_that_somebody_may_set(tmp_path):
    """Ahead of what is measured by hours, or far behind: neither makes a daemon ill that measures."""
    port, figures, clock = free_port(), Figures("d", "r"), [4 * HOUR_US]
    figures.last_sign_s = time.monotonic()
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        async with daemons_page(f"127.0.0.1:{port}", figures, archive, lambda: clock[0], Said()):
            for now_us in (10**18, 0):
                clock[0] = now_us
                assert (await said(port, request("/healthz"))).startswith("HTTP/1.1 200")


async def test_what_was_measured_is_as_old_as_it_is_where_the_clock_is_wrong(tmp_path):
    """Times of readings are corrected, so the page's own now must be: a day's difference would hide all of them."""
    port, figures, now_us = free_port(), Figures("d", "r"), 100 * HOUR_US
    figures.measured([Reading(run="r", endpoint=1, url="https://a.test/", at_us=1, until_us=2, status="accessible")])
    figures.offset_us = 2 - now_us
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        async with daemons_page(f"127.0.0.1:{port}", figures, archive, lambda: now_us, Said()):
            assert "dalel_check_success{" in await said(port, request())


@pytest.mark.parametrize("port", [None, 99999])
async def test_a_port_that_cannot_be_had_is_said_and_no_more(tmp_path, port):
    """Measuring is worth more than its figures."""
    told = Said()
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        async with page() as taken, daemons_page(_at(port or taken), Figures("d", "r"), archive, lambda: 0, told):
            pass
    assert "Measuring goes on without them" in told.lines[0][1]


def _at(port):
    return f"127.0.0.1:{port}"
