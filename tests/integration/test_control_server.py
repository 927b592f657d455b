"""A control answers those it knows about places that everybody may see, and nobody about anything else."""

import asyncio
import contextlib
import gzip
import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from probe.control import protocol
from probe.demo.world import Page, Reply, Server, World
from tests.integration.control_world import TOKEN, parsed, serving, short, site, world_of

pytestmark = pytest.mark.anyio

NEWS, INSIDE = "https://news.example/", "https://inside.example/"
SCHEMA = json.loads(files("probe.schema").joinpath("control.json").read_text(encoding="utf-8"))
METADATA = "169.254.169.254"


def leading_to(url: str) -> Server:
    """A site that sends its visitors to *url*."""
    return Server(address="", names=(), pages={"": Page(status=302, headers=(("Location", url),))})


def kinds(document, purpose):
    return {o["kind"] for o in document["observations"] if o["purpose"] == purpose}


async def test_it_sees_what_a_probe_sees(tmp_path):
    """Names, connections, greetings and pages, at its own addresses and at those that were given; and its own line."""
    async with serving(tmp_path, world_of(site(NEWS))) as control:
        status, told = await control.measure(NEWS, "22.1.0.10")

    assert status == 200
    assert told["protocol"] == "dalel.control/1"
    assert kinds(told, "baseline") == {"dns", "tcp", "tls", "http"}
    assert kinds(told, "siblings") == {"tcp", "tls", "http"}
    assert kinds(told, "dns_answers") == {"dns"}
    assert len({o["member"] for o in told["observations"] if o["purpose"] == "own_side" and o["kind"] == "tls"}) == 3
    assert all(o["failure"] is None for o in told["observations"] if o["purpose"] != "dns_answers")
    jsonschema.validate(told, SCHEMA)
    seen = protocol.reply_from_json(json.dumps(told).encode())
    assert len(seen) == len(told["observations"])


async def test_no_page_no_resolver_and_no_header_leaves_it(tmp_path):
    """Lengths, hashes and names of headers; what the control's own network is like is nobody's business."""
    page = Page(
        body="<title>t</title>a secret page", headers=(("Content-Type", "text/html"), ("Set-Cookie", "secret=1"))
    )
    news = site(NEWS, server=Server(address="", names=(), pages={"": page}))
    async with serving(tmp_path, world_of(news)) as control:
        _, told = await control.measure(NEWS)

    assert "secret" not in json.dumps(told)
    pages = [o["fact"] for o in told["observations"] if o["kind"] == "http" and o["purpose"] == "baseline"]
    # A control that is slow itself looks twice.
    assert {(p["status"], p["title"], "Set-Cookie" in [n for n, _ in p["headers"]]) for p in pages} == {
        (200, "t", True)
    }
    systems = [o for o in told["observations"] if o["kind"] == "dns" and o["fact"]["role"] == "system"]
    assert systems
    assert {o["address"] for o in systems} == {None}


TWELVE = [
    "http://127.0.0.1/",
    "http://10.1.2.3/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://168.63.129.16/",
    "tcp://192.168.1.1:443",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://127.1/",
    "http://0177.0.0.1/",
    "https://user@news.example/",
    "tcp://news.example:22",
    "https://news.example:6379/",
    "file:///etc/passwd",
    "gopher://news.example/",
    "http://news.example:80@127.0.0.1/",
]


@pytest.mark.parametrize("url", TWELVE)
async def test_it_goes_nowhere_private(tmp_path, url):
    """Not by number, in any spelling, behind any prefix, at any odd port, by any odd scheme."""
    async with serving(tmp_path, world_of(site(NEWS))) as control:
        status, told = await control.measure(url)
        went = [address for address, _ in control.wire.connected]

    names = url.partition("//")[2].partition("/")[0]
    assert status in (400, 403) or (status == 200 and not kinds(told, "baseline") & {"tcp", "tls", "http"}), names
    assert all(address.startswith("21.") for address in went)


@pytest.mark.parametrize(
    "place",
    [
        f"http://{METADATA}/latest/meta-data/",
        "http://10.0.0.1/",
        "https://inside.example/",
        "http://[::ffff:10.0.0.1]/",
        "https://other.example:22/",
        "http://127.0.0.1:8443/",
    ],
)
async def test_a_redirect_leads_nowhere_private(tmp_path, place):
    """Every hop is looked at anew: a metadata service, a private name, an odd port."""
    hidden = site(INSIDE, answer=Reply(("10.0.0.7",)))
    away = site(NEWS, server=leading_to(place))
    async with serving(tmp_path, world_of(away, hidden, site("https://other.example/"))) as control:
        status, told = await control.measure(NEWS)
        went = set(control.wire.connected)

    assert status == 200
    assert "http" in kinds(told, "baseline")
    assert {address for address, _ in went if not address.startswith("21.")} == {"22.1.0.10"}
    assert {port for _, port in went} <= {80, 443}


@pytest.mark.parametrize("answer", [("10.0.0.7",), ("10.0.0.7", "22.1.0.10"), (METADATA,), ("100.64.0.9",)])
async def test_a_private_answer_is_neither_gone_to_nor_told(tmp_path, answer):
    """What names mean in the control's own network stays there."""
    async with serving(tmp_path, world_of(site(INSIDE, answer=Reply(answer)))) as control:
        status, told = await control.measure(INSIDE)
        went = {address for address, _ in control.wire.connected}

    assert status == 200
    assert not {a for a in answer if not a.startswith("22.")} & went
    assert not any(a in json.dumps(told) for a in answer if not a.startswith("22."))


class Flipping(dict[str, Reply]):
    """A zone whose owner answers with a public address, then with a private one, and so on."""

    def get(self, name, default=None):
        if name != "inside.example":
            return super().get(name, default)
        self.asked = getattr(self, "asked", 0) + 1
        return Reply(("22.1.0.10",)) if self.asked % 2 else Reply(("10.0.0.7",))


async def test_a_name_that_changes_its_answer_gains_nothing(tmp_path):
    """DNS rebinding: the address that was looked at is the one that is connected to."""
    world: World = world_of(site(INSIDE))
    world = replace(world, zone=Flipping(world.zone))
    async with serving(tmp_path, world) as control:
        for _ in range(3):
            status, told = await control.measure(INSIDE)
            assert status == 200
            assert "10.0.0.7" not in json.dumps(told)
        went = {address for address, _ in control.wire.connected}

    assert "22.1.0.10" in went
    assert "10.0.0.7" not in went


async def test_given_addresses_are_looked_at_too(tmp_path):
    """A probe that was lied to passes the lie on."""
    async with serving(tmp_path, world_of(site(NEWS)), own=frozenset({"22.9.0.9"})) as control:
        status, _ = await control.measure(NEWS, "10.0.0.7", METADATA, "22.9.0.9", "::1")
        went = {address for address, _ in control.wire.connected}

    assert status == 200
    assert not went & {"10.0.0.7", METADATA, "22.9.0.9", "::1"}


async def test_its_own_host_is_no_target(tmp_path):
    """By its public address too, behind which firewalls are lower."""
    async with serving(tmp_path, world_of(site(NEWS)), own=frozenset({"22.1.0.10"})) as control:
        assert (await control.measure("http://22.1.0.10/"))[0] == 403
        _, told = await control.measure(NEWS)
        went = {address for address, _ in control.wire.connected}

    assert kinds(told, "baseline") == {"dns"}
    assert "22.1.0.10" not in went


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "wrong-but-of-the-same-len!!"])
async def test_only_those_it_knows(tmp_path, token):
    """No token, a wrong one, one that is nearly right: refused before anything is read or done."""
    async with serving(tmp_path, world_of(site(NEWS))) as control:
        status, told = await control.post({"protocol": "dalel.control/1", "url": NEWS}, token=token)
        assert control.wire.connected == []

    assert (status, told["error"]) == (401, "the token is not known here")


BAD = [
    (b"", 400),
    (b"{", 400),
    (b"[]", 400),
    (b"\xff\xfe", 400),
    (b"[" * 5000, 400),
    (b'{"protocol": "dalel.control/2", "url": "https://news.example/"}', 400),
    (b'{"protocol": "dalel.control/1"}', 400),
    (b'{"protocol": "dalel.control/1", "url": 7}', 400),
    (b'{"protocol": "dalel.control/1", "url": "https://news.example/", "addresses": ["news.example"]}', 400),
    (b'{"protocol": "dalel.control/1", "url": "https://news.example/", "addresses": ["fe80::1%eth0"]}', 400),
    (b'{"protocol": "dalel.control/1", "url": "https://news.example/", "deep": true}', 400),
    (json.dumps({"protocol": "dalel.control/1", "url": NEWS, "addresses": ["22.1.0.10"] * 9}).encode(), 400),
    (b'{"protocol": "dalel.control/1", "url": "' + b"a" * 20_000 + b'"}', 413),
]


@pytest.mark.parametrize(("body", "expected"), BAD)
async def test_a_bad_question_is_one_clear_refusal(tmp_path, body, expected):
    """Whatever is sent, nothing is measured and the server stays."""
    async with serving(tmp_path, world_of(site(NEWS))) as control:
        status, told = await control.post(body)
        assert control.wire.connected == []
        assert (await control.post({}, path="/nowhere"))[0] == 404

    assert status == expected
    assert told["error"]
    assert '"bug"' not in control.log.getvalue()


RAW = [
    (b"\x16\x03\x01nonsense\r\n\r\n", 400),
    (b"GET /v1/measure HTTP/1.1\r\nHost: c\r\n\r\n", 405),
    (b"GET /healthz HTTP/1.1\r\nHost: c\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    (b"POST /healthz HTTP/1.1\r\nHost: c\r\nContent-Length: 0\r\n\r\n", 405),
    (b"GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: c\r\n\r\n", 404),
    (
        f"POST /v1/measure HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 999999999\r\n\r\n",
        413,
    ),
]


@pytest.mark.parametrize(("data", "expected"), RAW)
async def test_what_is_no_request_is_refused(tmp_path, data, expected):
    """Garbage, too long a head, another method, another path, a body that is announced too long."""
    async with serving(tmp_path, world_of(site(NEWS)), limits=short()) as control:
        answered = await control.raw(data.encode() if isinstance(data, str) else data)

    assert parsed(answered)[0] == expected


async def test_a_body_without_end_is_cut_off(tmp_path):
    """Chunk after chunk, none of them announced."""
    head = (
        f"POST /v1/measure HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunks = (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 8
    async with serving(tmp_path, world_of(site(NEWS)), limits=short()) as control:
        answered = await control.raw(head.encode() + chunks)

    assert parsed(answered)[0] == 413


async def test_whoever_is_slow_is_let_go(tmp_path):
    """A byte now and then, or none: the connection ends when the time for a request is over, and others are served."""
    async with serving(tmp_path, world_of(site(NEWS)), limits=short()) as control:
        reader, writer = await control.open()
        writer.write(b"POST /v1/me")
        begun = asyncio.get_running_loop().time()
        assert (await control.raw(b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert parsed(await reader.read())[0] == 408
        assert asyncio.get_running_loop().time() - begun < 3
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_connections_held_open_keep_nobody_out(tmp_path):
    """Above the cap the one that has been silent for longest is closed; whoever says what he wants is served."""
    async with serving(tmp_path, world_of(site(NEWS)), limits=short(connections=2, request_s=5.0)) as control:
        kept = []
        for _ in range(2):
            kept.append(await control.open())
            await asyncio.sleep(0.1)
        assert (await control.raw(b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n")).startswith(b"HTTP/1.1 200")
        with contextlib.suppress(ConnectionError):
            assert await kept[0][0].read() == b""
        reader, writer = kept[1]
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n")
        assert parsed(await reader.read())[0] == 200
        for _, writer in kept:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_one_address_has_so_many_and_no_more(tmp_path):
    """What it opens beyond is closed at once; once it lets one go, it is let in again, and other addresses always are."""
    hello = b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n"
    async with serving(tmp_path, world_of(site(NEWS)), limits=short(connections_each=2, request_s=30.0)) as control:
        kept = [await control.open() for _ in range(2)]
        with pytest.raises(OSError):
            await control.open()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", control.port, ssl=control._context, local_addr=("127.0.0.2", 0)
        )
        writer.write(hello)
        assert parsed(await reader.read())[0] == 200
        for _, one in [*kept, (reader, writer)]:
            one.transport.abort()
            with contextlib.suppress(OSError):
                await one.wait_closed()
        await asyncio.sleep(0.2)
        assert (await control.raw(hello)).startswith(b"HTTP/1.1 200")


async def test_a_token_has_its_measure(tmp_path):
    """Beyond the burst the answer is 429, and when to come again."""
    async with serving(tmp_path, world_of(site(NEWS)), limits=short(burst=1, per_minute=6.0)) as control:
        assert (await control.measure(NEWS))[0] == 200
        question = {"protocol": "dalel.control/1", "url": NEWS}
        body = json.dumps(question).encode()
        head = f"POST /v1/measure HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
        answered = await control.raw(head.encode() + body)

    assert parsed(answered)[0] == 429
    assert b"retry-after: 1" in answered.lower()


async def test_it_stops_when_what_was_begun_is_done(tmp_path):
    """Draining: the answer that is being made still arrives, and nobody new is let in."""
    async with contextlib.AsyncExitStack() as stack:
        control = await stack.enter_async_context(serving(tmp_path, world_of(site(NEWS))))
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(control.measure(NEWS))
            while not control.wire.connected:
                await asyncio.sleep(0.01)
            group.create_task(stack.aclose())
        assert answer.result()[0] == 200
        with pytest.raises(OSError):
            await control.open()
    assert '"draining", "running": 1' in control.log.getvalue()


async def test_its_log_names_nobody(tmp_path, caplog):
    """Neither who asks nor what is asked about, in lines that programs can read."""
    async with serving(tmp_path, world_of(site(NEWS)), limits=short()) as control:
        await control.measure(NEWS, "22.1.0.10")
        await control.post({}, token="nobody")
        await control.raw(b"\x00")
        reader, writer = await asyncio.open_connection("127.0.0.1", control.port)
        writer.write(b"this is no TLS")
        await reader.read()
        writer.close()
        # What asyncio says of trouble in a transport has both addresses in it.
        asyncio.get_running_loop().call_exception_handler({"message": "of 127.0.0.1", "exception": OSError("x")})

    assert caplog.text == ""
    text = control.log.getvalue()
    assert [json.loads(line)["event"] for line in text.splitlines()].count("answered") >= 2
    assert not any(word in text for word in ("127.0.0.1", "news.example", "22.1.0.10", TOKEN, "nobody"))


async def test_health_needs_no_token(tmp_path):
    """It says that it is there, and no more."""
    async with serving(tmp_path, world_of(site(NEWS))) as control:
        answered = await control.raw(b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n")

    assert parsed(answered) == (200, {"protocol": "dalel.control/1", "status": "ok"})


async def test_its_answers_are_packed_for_those_who_unpack(tmp_path):
    """A fifth of the bytes or less; whoever does not say so gets it plain."""
    question = json.dumps({"protocol": "dalel.control/1", "url": NEWS}).encode()
    head = (
        f"POST /v1/measure HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(question)}\r\n"
    )
    async with serving(tmp_path, world_of(site(NEWS))) as control:
        plain = await control.raw(head.encode() + b"\r\n" + question)
        packed = await control.raw(head.encode() + b"Accept-Encoding: gzip\r\n\r\n" + question)

    told, _, body = packed.partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in told.lower()
    assert b"content-encoding" not in plain.partition(b"\r\n\r\n")[0].lower()
    assert kinds(json.loads(gzip.decompress(body)), "baseline") == {"dns", "tcp", "tls", "http"}
    assert 5 * len(packed) < len(plain)
