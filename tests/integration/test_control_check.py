"""A check with a control, from the question to the verdict: two pretend Internets, and real TLS between them."""

import asyncio
import contextlib
import datetime as dt
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from probe.cli.measure import _pieces
from probe.control import certificate, client
from probe.control.protocol import Request
from probe.demo.internet import Internet, open_internet
from probe.demo.scene import Scene
from probe.demo.wire import DemoWire
from probe.demo.world import NXDOMAIN, Page, Rule, Server
from probe.experiments.control import AT_ONCE
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.observations import HttpFact, TlsFact
from probe.report.details import observation_lines
from probe.report.document import check_document, json_text
from probe.settings import Settings
from probe.settings.controls import Control
from probe.workflows.check import CheckOutcome, CheckRequest, check
from targets.loader import load_canaries
from targets.model import Asked, Endpoint
from tests.integration.control_world import TOKEN, serving, short, site, world_of
from tests.ports import free_port

pytestmark = pytest.mark.anyio

NEWS = "https://news.example/"
BLOCKED = site(NEWS, server=None)
"""Its address is silent here: a null route, or a dead server."""
UP = site(NEWS)
HELSINKI = "control:Helsinki"


class HomeWire(DemoWire):
    """The probe's pretend Internet, from which one real place on loopback can be reached: the control."""

    def __init__(self, internet: Internet, port: int) -> None:
        super().__init__(internet)
        self._control = ("127.0.0.1", port)

    def place(self, address, port, transport):
        return (address, port) if (address, port) == self._control else super().place(address, port, transport)


@contextlib.asynccontextmanager
async def home(folder: Path, *scenes, port: int) -> AsyncIterator[tuple[HomeWire, Trust]]:
    """The probe's side."""
    folder.mkdir(parents=True, exist_ok=True)
    async with open_internet(world_of(*scenes), folder) as internet:
        trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
        warm(trust)
        yield HomeWire(internet, port), trust


async def checked(
    tmp_path: Path, here: Scene | tuple[Scene, ...], controls: tuple[Control, ...], port: int, url: str = NEWS
) -> CheckOutcome:
    """One check of the news site from a network where it is *here*."""
    scenes = here if isinstance(here, tuple) else (here,)
    tmp_path.mkdir(parents=True, exist_ok=True)
    async with home(tmp_path / "home", *scenes, port=port) as (wire, trust):
        request = CheckRequest(
            asked=(Asked(number=1, endpoint=Endpoint(url), target=url),),
            settings=replace(Settings().hurried(4.0), controls=controls),
            catalogue="test",
            canaries=load_canaries(),
            trust=trust,
            database=f"sqlite:///{tmp_path / 'kept.db'}",
        )
        return await check(request, wire, lambda _event: None)


def control_codes(outcome: CheckOutcome) -> set[str]:
    """What the judge heard of controls."""
    verdict = outcome.results[0].verdict
    return {f.code for f in (*verdict.findings, *verdict.against) if f.family == "control"}


def exchanges(outcome: CheckOutcome) -> list[tuple[str, str | None, str | None]]:
    """How controls were asked: kind of the last operation, its failure, and who."""
    kept = [o for o in outcome.observations if o.purpose == "control" and o.vantage == "local"]
    return [(o.operation.kind, o.failure, o.member) for o in kept]


async def test_a_site_that_is_up_elsewhere_leans_to_blocked(tmp_path):
    """The control's facts are kept in the same run, under its vantage, at the address that fails here."""
    async with serving(tmp_path / "abroad", world_of(UP)) as control:
        outcome = await checked(tmp_path, BLOCKED, (control.control,), control.port)

    result = outcome.results[0]
    assert (result.verdict.status, result.verdict.leaning) == ("inconclusive", "blocked")
    assert control_codes(outcome) == {"control_reaches"}
    assert exchanges(outcome) == [("http", None, HELSINKI)]
    there = [o for o in outcome.observations if o.vantage == HELSINKI and o.endpoint == 1]
    assert {o.operation.kind for o in there} == {"dns", "tcp", "tls", "http"}
    assert {o.operation.address for o in there if o.purpose == "siblings"} == {"22.1.0.10"}
    assert outcome.unsaved is None
    assert not outcome.bugs
    own = [o for o in outcome.observations if o.endpoint == 1 and o.vantage == "local"]
    assert result.bytes_sent == sum(o.operation.bytes_sent for o in own)
    document = json.loads(json_text(check_document(_pieces(outcome, None))))
    schema = files("probe.schema").joinpath("check.json").read_text(encoding="utf-8")
    jsonschema.validate(document, json.loads(schema), jsonschema.Draft202012Validator)
    shown = "\n".join(observation_lines(outcome.observations, result, everything=False))
    assert shown.count(f"({HELSINKI} ") == len(there)
    from storage.archive import Archive

    archive = Archive.open(f"sqlite:///{tmp_path / 'kept.db'}")
    try:
        _, _, kept = archive.load(outcome.run.id)
    finally:
        archive.close()
    assert [o for o in kept if o.vantage == HELSINKI and o.endpoint == 1] == there


async def test_a_site_that_is_down_there_too_leans_to_an_outage(tmp_path):
    """One control does not make it a word."""
    async with serving(tmp_path / "abroad", world_of(BLOCKED)) as control:
        outcome = await checked(tmp_path, BLOCKED, (control.control,), control.port)

    assert (outcome.results[0].verdict.status, outcome.results[0].verdict.leaning) == ("inconclusive", "outage")
    assert control_codes(outcome) == {"control_fails_too"}


async def test_a_name_that_is_denied_here_only(tmp_path):
    """The word comes from what was seen here; the control adds nothing to it."""
    lied_to = site(NEWS, lie=NXDOMAIN)
    async with serving(tmp_path / "abroad", world_of(UP)) as control:
        alone = await checked(tmp_path / "1", lied_to, (), control.port)
        outcome = await checked(tmp_path / "2", lied_to, (control.control,), control.port)

    assert "control_reaches" in control_codes(outcome)
    assert outcome.results[0].verdict.status == alone.results[0].verdict.status


async def test_a_healthy_site_is_nobody_elses_business(tmp_path):
    """Nothing is asked of a control about what works."""
    async with serving(tmp_path / "abroad", world_of(UP)) as control:
        outcome = await checked(tmp_path, UP, (control.control,), control.port)
        assert control.wire.connected == []

    assert outcome.results[0].verdict.status == "accessible"
    assert exchanges(outcome) == []


async def test_what_is_private_is_told_to_nobody(tmp_path, monkeypatch):
    """Neither a site that is named by a private address, nor such an address of another one."""
    told: list[Request] = []
    ask = client.ask

    async def overheard(wire, control, request, **more):
        told.append(request)
        return await ask(wire, control, request, **more)

    monkeypatch.setattr(client, "ask", overheard)
    async with serving(tmp_path / "abroad", world_of(UP)) as control:
        bare = await checked(tmp_path / "1", BLOCKED, (control.control,), control.port, url="https://10.9.9.9/")
        own = site(NEWS, hosts=("10.9.9.9", "22.1.0.10"), server=None)
        await checked(tmp_path / "2", own, (control.control,), control.port)

    assert exchanges(bare) == []
    assert told[0] == Request(NEWS, ("22.1.0.10",))
    assert not any(request.addresses for request in told[1:])
    assert len({request.url for request in told[1:]} & {NEWS}) == 0


async def test_an_absent_control_is_no_evidence(tmp_path):
    """Down: the same verdict as without it, and it says that the control was silent."""
    port = free_port()
    gone = Control(host="127.0.0.1", port=port, name="Helsinki", token=TOKEN, sha256="0" * 64)
    alone = await checked(tmp_path / "1", BLOCKED, (), port)
    outcome = await checked(tmp_path / "2", BLOCKED, (gone,), port)

    assert exchanges(outcome) == [("tcp", "connection_refused", HELSINKI)]
    said, without = outcome.results[0].verdict, alone.results[0].verdict
    assert (said.status, said.leaning, said.findings) == (without.status, without.leaning, said.findings)
    assert "control_silent" in said.settle
    assert control_codes(outcome) == set()


async def test_an_absent_control_is_not_asked_for_every_site(tmp_path):
    """A whole list that fails does not wait for it again and again; each result says that it was silent."""
    port = free_port()
    gone = Control(host="127.0.0.1", port=port, name="Helsinki", token=TOKEN, sha256="0" * 64)
    urls = [f"https://site{n}.example/" for n in range(14)]
    async with home(tmp_path / "home", *(site(url, server=None) for url in urls), port=port) as (wire, trust):
        request = CheckRequest(
            asked=tuple(Asked(number=n, endpoint=Endpoint(url), target=url) for n, url in enumerate(urls, start=1)),
            settings=replace(Settings().hurried(4.0), controls=(gone,)),
            catalogue="test",
            canaries=load_canaries(),
            trust=trust,
        )
        outcome = await check(request, wire, lambda _event: None)

    assert 1 <= len(exchanges(outcome)) <= AT_ONCE
    assert all("control_silent" in result.verdict.settle for result in outcome.results)


async def test_a_control_that_cannot_reach_anybody_says_nothing(tmp_path):
    """Cut off itself: what it reports of the site is kept, and not heard."""
    cut_off = replace(world_of(BLOCKED), servers=())
    async with serving(tmp_path / "abroad", cut_off) as control:
        outcome = await checked(tmp_path, BLOCKED, (control.control,), control.port)

    assert set(exchanges(outcome)) == {("http", None, HELSINKI)}
    assert control_codes(outcome) == set()


async def test_a_censored_control_is_not_believed_to_prove_an_outage(tmp_path):
    """It fails for the same reason: never more than a leaning."""
    censored = site(NEWS, rule=Rule(name="", tls="silence"))
    async with serving(tmp_path / "abroad", world_of(censored)) as control:
        outcome = await checked(tmp_path, censored, (control.control,), control.port)

    assert outcome.results[0].verdict.status == "blocked", outcome.results[0].verdict


async def test_it_follows_the_hop_that_fails(tmp_path):
    """A site that sends on to one that is silent: the control is asked about the second, not the first."""
    there = Page(status=302, headers=(("Location", "https://next.example/"),))
    first = site(NEWS, server=Server(address="", names=(), pages={"": there}))
    silent = site("https://next.example/", server=None)
    # From there the first one sends nobody on: only who asks about the second hears of it.
    async with serving(tmp_path / "abroad", world_of(UP, site("https://next.example/"))) as control:
        outcome = await checked(tmp_path, (first, silent), (control.control,), control.port)

    assert control_codes(outcome) == {"control_reaches"}


# ---------------------------------------------------------------------------------------------------------------------
# the client alone


async def asked(wire: HomeWire, control: Control, trust: Trust, deadline_s: float = 10.0) -> client.Answer:
    return await client.ask(
        wire, control, Request(NEWS, ("22.1.0.10",)), trust=trust, deadline_s=deadline_s, reach_s=2.0
    )


async def test_the_token_is_shown_only_to_the_pinned_certificate(tmp_path):
    """Somebody else on that port learns nothing, and is no control."""
    async with serving(tmp_path / "abroad", world_of(UP)) as control:
        async with home(tmp_path / "home", UP, port=control.port) as (wire, trust):
            wrong = replace(control.control, sha256="ab" * 32)
            answer = await asked(wire, wrong, trust)
            assert isinstance(answer.operation.fact, TlsFact)
            assert (answer.operation.failure, answer.seen) == ("ssl_unknown_authority", ())
            unpinned = await asked(wire, replace(control.control, sha256=None), trust)
            assert (unpinned.operation.failure, unpinned.seen) == ("ssl_unknown_authority", ())
        assert '"path": "/v1/measure"' not in control.log.getvalue()


async def test_an_ordinary_certificate_needs_no_pin(tmp_path):
    """One that the run's own trust verifies for the name."""
    async with home(tmp_path / "home", UP, port=1) as (wire, trust):
        there = Control(host="news.example", port=443, name="x", token=TOKEN)
        answer = await asked(wire, there, trust)
    # A web server and no control: it is believed to be who it is, asked, and answers with a page.
    assert isinstance(answer.operation.fact, HttpFact)
    assert (answer.operation.failure, answer.seen) == ("json_parse_error", ())


async def test_a_control_whose_name_is_unknown(tmp_path):
    """The reason is kept under the name that the user gave it."""
    async with home(tmp_path / "home", UP, port=1) as (wire, trust):
        answer = await asked(wire, Control(host="control.example", port=443, name="Oslo", token=TOKEN), trust)

    assert (answer.operation.failure, answer.seen) == ("dns_nxdomain_error", ())
    assert "control.example" not in repr(answer)


async def test_a_refused_token_is_said(tmp_path):
    """401 is a failure with its status, and no evidence."""
    abroad = serving(tmp_path / "abroad", world_of(UP))
    async with abroad as control, home(tmp_path / "home", UP, port=control.port) as (wire, trust):
        answer = await asked(wire, replace(control.control, token="x" * 20), trust)

    assert isinstance(answer.operation.fact, HttpFact)
    assert (answer.operation.failure, answer.operation.fact.status) == ("http_unexpected_status_code", 401)
    assert answer.seen == ()


async def test_what_is_kept_of_the_exchange_names_no_address(tmp_path):
    """Whoever reads an export must not learn where the control is."""
    abroad = serving(tmp_path / "abroad", world_of(UP), limits=short())
    async with abroad as control, home(tmp_path / "home", UP, port=control.port) as (wire, trust):
        answer = await asked(wire, control.control, trust)

    assert answer.operation.failure is None
    assert "127.0.0.1" not in repr(answer.operation)
    assert TOKEN not in repr(answer)
    assert TOKEN not in repr(control.control)


LIES = [
    (b"", "json_parse_error"),
    (b"<html>", "json_parse_error"),
    (b'{"protocol": "dalel.control/9", "observations": []}', "json_parse_error"),
    (b'{"protocol": "dalel.control/1", "observations": [{}]}', "json_parse_error"),
    (b'{"protocol": "dalel.control/1", "observations": ' + b"[" * 3000 + b"]" * 3000 + b"}", "json_parse_error"),
    (b'{"protocol": "dalel.control/1", "observations": [' + b"0," * 600_000 + b"0]}", "json_parse_error"),
    (None, "generic_timeout_error"),
]


@contextlib.asynccontextmanager
async def impostor(body: bytes | None) -> AsyncIterator[Control]:
    """A server that answers every request with *body*, or never."""
    shown = certificate.make(dt.datetime.now(dt.UTC))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if body is None:
                await reader.read()
            else:
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=shown.context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Control(host="127.0.0.1", port=port, name="Helsinki", token=TOKEN, sha256=shown.sha256)


@pytest.mark.parametrize(("body", "failure"), LIES, ids=range(len(LIES)))
async def test_nonsense_is_a_reason_and_no_evidence(tmp_path, body, failure):
    """Another protocol, another shape, too deep, too long, or nothing at all: a fact about the control."""
    async with impostor(body) as control, home(tmp_path, UP, port=control.port) as (wire, trust):
        answer = await asked(wire, control, trust, deadline_s=10.0 if body is not None else 1.5)

    assert (answer.operation.failure, answer.seen) == (failure, ())


def claiming(*, up: bool) -> bytes:
    """A whole answer, well-formed, and a lie from end to end."""
    place = {"group": "v4", "hop": 0, "member": None}
    plain = {"started_us": 1, "bytes_sent": 0, "bytes_received": 0, "address": "22.1.0.10", "port": 443}
    fact = {"verify": True, "sni": "news.example", "verified": up or None, "server_hello": up}
    line = [
        {
            **plain,
            **place,
            "kind": "tls",
            "purpose": "own_side",
            "member": f"foreign/{name}",
            "failure": None,
            "name": name,
        }
        | {"fact": {**fact, "sni": name, "verified": True, "server_hello": True}}
        for name in ("www.debian.org", "www.gnu.org")
    ]
    failure = None if up else "generic_timeout_error"
    claim = {
        **plain,
        **place,
        "kind": "tls",
        "purpose": "baseline",
        "failure": failure,
        "name": "news.example",
        "fact": fact,
    }
    return json.dumps({"protocol": "dalel.control/1", "software": "liar", "observations": [*line, claim]}).encode()


@pytest.mark.parametrize(("up", "code"), [(True, "control_reaches"), (False, "control_fails_too")])
async def test_a_lying_control_never_makes_a_word(tmp_path, up, code):
    """Everything is fine, or everything is down: heard, and no more than a leaning."""
    async with impostor(claiming(up=up)) as control:
        outcome = await checked(tmp_path, BLOCKED, (control,), control.port)

    assert control_codes(outcome) == {code}
    assert outcome.results[0].verdict.status == "inconclusive"


def test_the_pin_is_of_the_certificate_that_is_shown():
    """The line to paste names what a client will see."""
    shown = certificate.make(dt.datetime.now(dt.UTC))
    assert len(shown.sha256) == 64
    assert shown.context.verify_mode == ssl.CERT_NONE
