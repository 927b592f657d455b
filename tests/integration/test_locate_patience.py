"""How long the way is followed: what is lost once is sent again, and nothing is begun when the time is over."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from probe.experiments import locate
from probe.experiments.steps import Place
from probe.instruments import path
from probe.observations import Observation, Operation, PathFact, Recorder
from probe.wire import Wire
from probe.wire.sockets import TcpOptions

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not path.AVAILABLE, reason="only Linux says how far a packet got"),
]
AT = "203.0.113.9"


class Losing(Wire):
    """A wire that loses the first SYNs; the others are answered by a server on loopback. Its time is what a test says."""

    def __init__(self, lost: int, port: int) -> None:
        super().__init__()
        self.lost = lost
        self.now = 0.0
        self._port = port

    def place(self, address: str, port: int, transport: str) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def monotonic(self) -> float:
        return self.now

    async def connect(
        self,
        address: str,
        port: int,
        options: TcpOptions | None = None,
        *,
        before_close: Callable[[socket.socket], None] | None = None,
    ) -> socket.socket:
        if self.lost:
            self.lost -= 1
            raise TimeoutError
        return await super().connect(address, port, options, before_close=before_close)


def names(wire: Wire, recorder: Recorder) -> locate.Names:
    async def no_turn() -> None:
        """Nobody else is here."""

    def record(operation: Operation, place: Place) -> Observation:
        return recorder.add(operation, **place.fields())

    tools = locate.Tools(wire, no_turn, record, Place(purpose="locate", endpoint=0))
    return locate.Names(tools, locate.Ground(AT, 443, "www.example.com", "www.example.org"))


def sent(recorder: Recorder) -> list[int]:
    return [o.fact.ttl for o in recorder.observations if isinstance(o.fact, PathFact)]


@pytest.mark.parametrize(("lost", "answered"), [(0, True), (2, True), (3, False)])
async def test_one_lost_packet_is_no_reason_to_follow_nothing(lost: int, answered: bool):
    """The place itself is asked up to three times; one that gives no answer is not followed."""
    recorder = Recorder()
    with socket.create_server(("127.0.0.1", 0)) as server:
        followed = names(Losing(lost, server.getsockname()[1]), recorder)
        assert await followed.all_the_way() == answered
        assert len(sent(recorder)) == min(lost + 1, 3)


async def test_a_place_that_gives_no_answer_is_not_followed():
    """Its silence would be taken for every router's."""
    recorder = Recorder()
    with socket.create_server(("127.0.0.1", 0)) as server:
        await names(Losing(99, server.getsockname()[1]), recorder).sweep()
    assert len(sent(recorder)) == 3


async def test_nothing_is_begun_when_the_time_is_over():
    """What was begun may take longer, on a busy computer; the sweep itself has a beginning and an end."""
    recorder = Recorder()
    wire = Losing(0, 1)
    followed = names(wire, recorder)
    assert not followed.is_late()
    wire.now = locate.LONGEST_S + 0.1
    assert followed.is_late()
    assert locate.MOST_S > locate.LONGEST_S


async def test_what_was_slow_once_is_forgotten():
    """A hiccup makes silence longer for as long as it is fresh, and not for the rest of the sweep."""
    wire = Losing(0, 1)
    followed = names(wire, Recorder())
    calm_s = followed.silence_s()
    followed._was_late(0.4)
    assert followed.silence_s() == pytest.approx(max(calm_s, followed._resend_s(None) + 0.8))
    wire.now = 60.0
    assert followed.silence_s() == calm_s


async def test_where_another_name_is_not_heard_of_the_targets_is_not_said():
    """Its silence would say nothing; and whoever holds a name against a port must hear the other one first."""
    recorder = Recorder()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        followed = names(Losing(0, silent.getsockname()[1]), recorder)
        await followed._shoot(3, None)
    said = [
        (o.arm, o.fact.came) for o in recorder.observations if isinstance(o.fact, PathFact) and o.fact.sent == "hello"
    ]
    assert said == [("innocuous", "nothing")]
