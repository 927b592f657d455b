"""Questions that may get only so many routers far: what is made of each, and how few are asked."""

import asyncio
import errno
import os
import socket
import sys
import types
from collections.abc import Callable
from typing import Any, Self

import dns.message
import pytest

from probe.experiments import dns_way
from probe.instruments import dns_path, path
from probe.instruments.dns import Question
from probe.observations import Observation, Operation, PathFact, Recorder
from probe.verdict import questions_way
from probe.wire import Wire
from probe.wire.datagrams import Datagram
from targets.model import Asked, Canaries, Canary, Endpoint

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="sockets of Linux")]
NAME, OTHER, SERVER = "www.example.test", "www.another.test", "203.0.113.53"
HOPS = ("192.168.1.1", "92.47.144.1", "62.115.44.1", "80.239.128.9")
Says = Callable[[str, int], str | None]
"""(name, TTL) → the address of the router that speaks, ``answer``, ``stranger`` or silence."""


class Socket:
    """A socket on a way with routers."""

    def __init__(self, says: Says) -> None:
        self._says = says
        self._ttl = 64
        self._heard: list[bytes] = []
        self._word: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        return None

    def connect(self) -> None:
        return None

    def own_address(self) -> str:
        return "192.168.1.10"

    def set_ttl(self, ttl: int) -> bool:
        self._ttl = ttl
        return True

    def send(self, data: bytes) -> None:
        query = dns.message.from_wire(data)
        said = self._says(query.question[0].name.to_text().removesuffix("."), self._ttl)
        if said == "answer":
            self._heard.append(dns.message.make_response(query).to_wire())
        elif said == "stranger":
            query.id ^= 1
            self._heard.append(dns.message.make_response(query).to_wire())
        elif said is not None:
            self._word = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
            self._word.icmp = (11, 0, said)  # type: ignore[attr-defined]

    async def receive(self) -> Datagram:
        if self._word is not None:
            raise self._word
        if not self._heard:
            await asyncio.Event().wait()
        return Datagram(self._heard.pop(), SERVER, 53, 60, 0)


class Way(Wire):
    def __init__(self, says: Says) -> None:
        super().__init__()
        self._says = says

    def udp(self, address: str, port: int) -> Any:
        assert (address, port) == (SERVER, 53)
        return Socket(self._says)

    def gateway(self) -> str | None:
        return HOPS[0]


def open_way(_name: str, ttl: int) -> str | None:
    """Routers that all speak, and a resolver behind them."""
    return HOPS[ttl - 1] if ttl <= len(HOPS) else "answer"


def lost_at_home(name: str, ttl: int) -> str | None:
    return None if name == NAME else open_way(name, ttl)


async def asked(says: Says, ttl: int) -> Operation:
    return await dns_path.let_go(Way(says), SERVER, Question(NAME), ttl=ttl, deadline_s=0.05)


@pytest.mark.parametrize(
    ("ttl", "came", "hop_is", "hop"),
    [(1, "icmp", "gateway", None), (2, "icmp", "public", HOPS[1]), (9, "answer", None, None)],
)
async def test_what_comes_is_told(ttl: int, came: str, hop_is: str | None, hop: str | None):
    """The first router's address is nobody's business; those outside may be kept."""
    operation = await asked(open_way, ttl)
    fact = operation.fact
    assert isinstance(fact, PathFact)
    assert (fact.sent, fact.ttl, fact.came, fact.hop_is, fact.hop) == ("question", ttl, came, hop_is, hop)
    assert operation.failure == ("host_unreachable" if came == "icmp" else None)
    assert (operation.name, operation.address, operation.port) == (NAME, SERVER, 53)


@pytest.mark.parametrize("said", [None, "stranger"])
async def test_silence_and_what_answers_no_question_of_ours(said: str | None):
    operation = await asked(lambda _name, _ttl: said, 3)
    assert isinstance(operation.fact, PathFact)
    assert (operation.fact.came, operation.failure) == ("nothing", "generic_timeout_error")


async def test_a_name_that_cannot_be_asked_is_not_sent():
    operation = await dns_path.let_go(Way(open_way), SERVER, Question("a" * 64), ttl=1, deadline_s=0.05)
    assert isinstance(operation.fact, PathFact)
    assert (operation.fact.came, operation.bytes_sent) == (None, 0)


async def test_a_real_socket_hears_answers_and_refusals():
    """On loopback nothing is between us and the machine itself."""

    class Loopback(Wire):
        def place(self, address: str, port: int, transport: Any) -> tuple[str, int] | None:
            return ("127.0.0.1", at)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        at = server.getsockname()[1]
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(dns_path.let_go(Loopback(), SERVER, Question(NAME), ttl=1, deadline_s=5))
            query, client = await asyncio.to_thread(server.recvfrom, 4096)
            server.sendto(dns.message.make_response(dns.message.from_wire(query)).to_wire(), client)
    answered = asking.result()
    refused = await dns_path.let_go(Loopback(), SERVER, Question(NAME), ttl=1, deadline_s=5)
    assert isinstance(answered.fact, PathFact)
    assert answered.fact.came == "answer"
    assert refused.failure == "connection_refused"


# ---------------------------------------------------------------------------------------------------------------------
# what is asked


class Site:
    """As much of an endpoint as the experiment looks at."""

    def __init__(self, says: Says, session: Any = None) -> None:
        self.host, self.number, self.wire = NAME, 1, Way(says)
        self.settings = types.SimpleNamespace(deadline_scale=0.02)
        self.asked = Asked(number=1, endpoint=Endpoint(f"https://{NAME}/"), target=NAME)

        async def flow() -> None:
            return None

        self.session = session or types.SimpleNamespace(
            recorder=Recorder(),
            asked=(self.asked,),
            pacer=types.SimpleNamespace(is_used_up=False, flow=flow),
            neutrals=types.SimpleNamespace(innocuous=lambda _like, _avoid: OTHER),
            canaries=Canaries(members=(Canary(family="resolver", where="8.8.8.8", operator="google"),)),
            ways={},
        )

    def record(self, operation: Operation, **place: Any) -> Observation:
        observation: Observation = self.session.recorder.add(operation, **place)
        return observation

    @property
    def sent(self) -> tuple[list[int], list[int]]:
        """TTLs of questions about the name, and about the other one."""
        facts = [(o.arm, o.fact) for o in self.session.recorder.observations]
        told = {arm: [f.ttl for a, f in facts if a == arm and f.sent == "question"] for arm in ("target", "innocuous")}
        return sorted(told["target"]), sorted(told["innocuous"])


@pytest.fixture
def suspected(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS has lied about the name, at that resolver."""
    monkeypatch.setattr(questions_way, "whom_to_ask", lambda _case: SERVER)
    monkeypatch.setattr(path, "AVAILABLE", True)


@pytest.mark.usefixtures("suspected")
async def test_an_ordinary_line_costs_six_questions_and_a_further_name_two():
    """The routers are looked for once a run."""
    site = Site(open_way)
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([1, 2, 3], [1, 2, 3])
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([1, 1, 2, 2, 3], [1, 2, 3])


@pytest.mark.usefixtures("suspected")
async def test_what_gets_lost_is_asked_again_beside_the_other():
    """Each silence twice, and each word of a router that it is held against."""
    site = Site(lost_at_home)
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3])


@pytest.mark.usefixtures("suspected")
async def test_what_is_answered_is_not_lost():
    """Answers that are put in behind the own router: there is no silence to be tried again."""
    site = Site(lambda name, ttl: "answer" if name == NAME and ttl > 1 else open_way(name, ttl))
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([1, 2, 3], [1, 2, 3])


@pytest.mark.usefixtures("suspected")
async def test_a_first_router_that_is_far_outside_is_asked_about_the_name_too():
    """Behind a company's four."""
    site = Site(lambda _name, ttl: f"10.0.0.{ttl}" if ttl < 5 else "92.47.144.1")
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6])


@pytest.mark.usefixtures("suspected")
async def test_where_no_router_outside_speaks_little_is_asked():
    site = Site(lambda _name, ttl: "answer" if ttl > 4 else None)
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([1, 2, 3], [1, 2, 3, 4, 5, 6])


@pytest.mark.usefixtures("suspected")
async def test_an_answer_at_once_asks_whether_ttls_are_kept(monkeypatch: pytest.MonkeyPatch):
    """A router that sends everything on as from afar would have any question answered."""
    tried: list[tuple[str, int, int]] = []

    async def syn(_wire: Wire, address: str, port: int, *, ttl: int, deadline_s: float) -> Operation:
        tried.append((address, port, ttl))
        return Operation(fact=PathFact(sent="syn", ttl=ttl, came="icmp"), started_us=1)

    monkeypatch.setattr(path, "syn", syn)
    site = Site(lambda _name, _ttl: "answer")
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert tried == [("8.8.8.8", 443, 1)]
    tried.clear()
    await dns_way.follow(Site(open_way))  # type: ignore[arg-type]
    assert tried == []


async def test_nothing_is_asked_where_nothing_speaks_for_a_block(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(path, "AVAILABLE", True)
    site = Site(open_way)
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([], [])


@pytest.mark.usefixtures("suspected")
@pytest.mark.parametrize("cause", ["no_flows", "not_here"])
async def test_nothing_is_asked_that_cannot_be(cause: str, monkeypatch: pytest.MonkeyPatch):
    """No flows are left, or this system never tells of routers."""
    site = Site(open_way)
    site.session.pacer.is_used_up = cause == "no_flows"
    monkeypatch.setattr(path, "AVAILABLE", cause != "not_here")
    await dns_way.follow(site)  # type: ignore[arg-type]
    assert site.sent == ([], [])


@pytest.mark.usefixtures("suspected")
async def test_endpoints_at_once_look_for_the_routers_once():
    """The second one waits for what the first one finds."""
    first = Site(open_way)
    second = Site(open_way, first.session)
    await asyncio.gather(dns_way.follow(first), dns_way.follow(second))  # type: ignore[arg-type]
    assert first.sent == ([1, 1, 2, 2, 3], [1, 2, 3])
