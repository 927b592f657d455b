"""What stays open while the rest is shut: asked only when the own side has failed twice, of a handful of canary addresses.

In January 2022 Kazakhstan was cut off but for questions (UDP 53) and the ports of BGP and BFD (TCP 179 and 3785). Whoever
sees that knows two things more than that nothing works: the line is alive, and somebody chose what passes it. A port where
nobody listens is as good as one with a service, for the refusal had to come back as well; so each address is asked at
ports that nobody would leave open too, and a few names are tried where connections are made and greetings are not
delivered. All of it is some fifty packets. No echo requests: they need a privilege on some hosts, and say nothing of ports.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from probe.experiments.session import guarded
from probe.experiments.steps import Place, arm, connect
from probe.instruments import dns, ntp, quic
from probe.observations import TcpFact
from probe.wire.resolvers import Nameserver

if TYPE_CHECKING:
    from probe.experiments.session import Session
    from probe.observations import Operation

GROUP = "holes"
TCP_PORTS = (53, 179, 853, 3785, 5222)
"""DNS, BGP, encrypted DNS, BFD's, messengers'."""
UDP_PORTS = (53, 123, 443)
"""DNS, the time, HTTP/3."""
SHUT_PORTS = (443, 22, 8080)
"""Asked beside them: if these pass as well, nothing is shut there, or the web alone, as where a proxy is to be used."""
MOST_ADDRESSES = 5
NAME_ROUNDS = 2
"""How often a listed name and an unlisted one take turns at one address abroad."""


async def run(session: Session, known: Sequence[str] = ()) -> None:
    """Ask the canaries that are addresses, and those of *known* (addresses of sites abroad from better times), each at every
    port. A name of this country and one from abroad are tried at those of *known* that take connections.
    """
    addresses = [canary.where for canary in session.canaries.family("literal")]
    addresses += [address for address in known if address not in addresses]
    asking: list[Awaitable[None]] = []
    for address in addresses[:MOST_ADDRESSES]:
        asking += [_tcp(session, address, port) for port in (*SHUT_PORTS, *TCP_PORTS)]
        asking += [_udp(session, address, port) for port in UDP_PORTS]
    async with asyncio.TaskGroup() as group:
        for question in asking:
            group.create_task(guarded(session, "holes", question, endpoint=None))


async def search(session: Session) -> None:
    """Both, at the canaries abroad whose addresses this run has learned. One that is given for several operators' names is
    none of theirs: somebody leads all names to a box of his own.
    """
    operators = {canary.where: canary.operator for canary in session.canaries.family("foreign")}
    at: dict[str, dict[str | None, str]] = defaultdict(dict)
    for o in session.recorder.observations:
        family, _, name = (o.member or "").partition("/")
        if o.purpose == "own_side" and family == "foreign" and isinstance(o.fact, TcpFact) and o.operation.address:
            at[o.operation.address][operators.get(name)] = name
    found = [(name, address) for address, whose in at.items() if len(whose) == 1 for name in whose.values()]
    await run(session, [address for _, address in found])
    await names(session, found)


async def names(session: Session, at: Sequence[tuple[str, str]]) -> None:
    """*at* are (name, address) of sites abroad: each name takes turns with one of this country's at its own address."""
    domestic = session.canaries.family("domestic")
    if not domestic:
        return
    async with asyncio.TaskGroup() as group:
        for name, address in at:
            group.create_task(
                guarded(session, "holes", _turns(session, name, domestic[0].where, address), endpoint=None)
            )


async def _turns(session: Session, foreign: str, domestic: str, address: str) -> None:
    patience_s = session.settings.deadlines.own_side
    for number in range(NAME_ROUNDS):
        for sni, which in ((foreign, "target"), (domestic, "innocuous")):
            place = Place(
                purpose="own_side",
                group=GROUP,
                member=f"listed/{address}",
                arm="target" if which == "target" else "innocuous",
                round=number,
            )
            answer = await arm(session, place, address, 443, sni=sni, deadline_s=patience_s, connect_s=patience_s)
            if not answer.connected:
                return  # where no connection is made nobody has read a name
            await session.wire.sleep(session.settings.deadlines.arm_gap)


def _place(transport: str, port: int, address: str) -> Place:
    return Place(purpose="own_side", group=GROUP, member=f"hole/{transport}/{port}/{address}")


async def _tcp(session: Session, address: str, port: int) -> None:
    place = _place("tcp", port, address)
    stream = await connect(session, place, address, port, deadline_s=session.settings.deadlines.own_side)
    if stream is not None:
        stream.close()


async def _udp(session: Session, address: str, port: int) -> None:
    await session.pacer.flow()
    operation = await _ask(session, address, port)
    session.record(operation, **_place("udp", port, address).fields())


async def _ask(session: Session, address: str, port: int) -> Operation:
    patience_s = session.settings.deadlines.own_side
    if port == ntp.PORT:
        return await ntp.ask(session.wire, address, deadline_s=patience_s)
    if port == quic.PORT:
        return await quic.ping(session.wire, address, deadline_s=patience_s)
    asked = await dns.ask_udp(
        session.wire,
        Nameserver(address),
        dns.Question(session.neutrals.canaries[0].where),
        role="foreign",
        deadline_s=patience_s,
        resend_s=session.settings.deadlines.dns_resend,
    )
    asked.lingering.close()
    return asked.operation
