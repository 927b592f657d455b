"""Resolvers over QUIC in the pretend Internet: the program's own instrument asks over the demo's wire, on loopback."""

import functools
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aioquic")

from probe.demo.internet import Internet
from probe.demo.wire import DemoWire
from probe.demo.world import NXDOMAIN, Reply, Resolver, Rule
from probe.instruments import doq
from probe.instruments.dns_message import Question
from probe.instruments.trust import Trust
from probe.observations import QuicFact
from tests.integration.test_demo_internet import OTHER, SITE, opened

pytestmark = pytest.mark.anyio

NAME, NEIGHBOUR = "lamps.example", "candles.example"
RESOLVERS = (
    Resolver(address=SITE, names=(NAME,), over_quic=True, lies={"liar.example": NXDOMAIN}),
    Resolver(address=OTHER, names=(NEIGHBOUR,), over_quic=True),
)
with_doq = functools.partial(opened, resolvers=RESOLVERS, zone={"social.example": Reply(("21.9.9.9",))})


async def ask(wire: DemoWire, internet: Internet, question: Question, host: str = NAME, **more: Any) -> doq.Asked:
    """One question, with patience for a computer that is busy with other things, unless silence is expected."""
    trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
    kept = {"address": SITE, "deadline_s": 20.0, **more}
    done = await doq.ask(wire, question=question, host=host, sni=host, trust=trust, **kept)
    assert done is not None
    return done


async def test_it_says_what_it_says_over_its_other_ways(tmp_path: Path) -> None:
    """A name's address, a lie that comes before the truth, and a name that nobody has."""
    async with with_doq(tmp_path) as (wire, internet):
        for name, code, addresses in (
            ("social.example", 0, ("21.9.9.9",)),
            ("liar.example", 3, ()),
            ("nobody.example", 3, ()),
        ):
            done = await ask(wire, internet, Question(name))
            assert done.reply is not None
            assert done.reply.fields["rcode"] == code
            found = done.reply.fields["answers"]
            assert tuple(answer.value for answer in found) == addresses


async def test_its_certificate_is_for_its_name(tmp_path: Path) -> None:
    """Who asks it by another name finds that out, and gets no answer."""
    async with with_doq(tmp_path) as (wire, internet):
        done = await ask(wire, internet, Question("social.example"), host="bank.example")
        assert done.operation.failure == "ssl_failed_handshake"
        assert done.reply is None


async def test_the_box_drops_its_name_and_not_its_neighbours(tmp_path: Path) -> None:
    """The forbidden resolver is silent, another one answers meanwhile."""
    async with with_doq(tmp_path, rules=(Rule(name=NAME, quic=True),)) as (wire, internet):
        silent = await ask(wire, internet, Question("social.example"), deadline_s=0.4)
        assert isinstance(silent.operation.fact, QuicFact)
        assert (silent.operation.fact.datagrams_received, silent.reply) == (0, None)
        answered = await ask(wire, internet, Question("social.example"), host=NEIGHBOUR, address=OTHER)
        assert answered.reply is not None


async def test_others_are_not_asked_over_quic(tmp_path: Path) -> None:
    """A resolver that is asked over UDP alone is silent there."""
    async with opened(tmp_path, resolvers=(Resolver(address=SITE, names=(NAME,)),)) as (wire, internet):
        assert (await ask(wire, internet, Question("social.example"), deadline_s=0.3)).reply is None
