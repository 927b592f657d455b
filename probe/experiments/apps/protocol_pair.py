"""A protocol's packets against packets of the same sizes in which there is nothing, at a control's echo: T I T I … T.

The echo is a server of the user's own that has nothing to do with any VPN and sends everything back, so only what is in between
can tell the two apart. Each arm is a flow from a fresh port: the protocol's first packet, and then data, because a first packet
that passes says little. Where it is stopped every time, it is followed along the way (``protocol_way.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.experiments import control_pairs
from probe.experiments.apps.protocol_way import Way
from probe.experiments.steps import Place, connect
from probe.instruments.apps import flow
from probe.instruments.apps.encrypted import EncryptedShape, RandomShape, Shape
from probe.instruments.apps.ikev2 import Ikev2Shape
from probe.instruments.apps.openvpn import OpenvpnShape
from probe.instruments.apps.wireguard import WireguardShape
from probe.observations import AppFact, Arm, Operation, Purpose

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from probe.control.protocol import SinkKind
    from probe.experiments.site import Site

PURPOSE: Purpose = "protocol_pair"
_FIRST_TRIES = 3
"""Of the random arm: where nothing comes back at all, nothing is learnt from the other."""
_STREAM_PATIENCE = 3.0
"""A connection is silent for so many times longer than a datagram's way takes: what is lost its kernel sends again later."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is held against random packets: how it is made, and over which of the control's echoes."""

    make: Callable[[random.Random], Shape]
    sink: SinkKind = "echo_udp"


SHAPES: Mapping[str, Compared] = {
    "openvpn": Compared(OpenvpnShape),
    "openvpn-tcp": Compared(lambda rng: OpenvpnShape(rng, framed=True), "echo_tcp"),
    "ikev2": Compared(Ikev2Shape),
    "wireguard": Compared(WireguardShape),
    "encrypted": Compared(EncryptedShape, "echo_tcp"),
}
"""What may stand behind ``protocol://``. Tor is not in it: from outside its link is TLS."""
SCHEMES = {"openvpn": "openvpn", "openvpn+tcp": "openvpn-tcp", "ikev2": "ikev2", "wireguard": "wireguard"}
"""What is compared where a server is silent that the user has named so."""


async def run(site: Site) -> None:
    """Compare at the first control that has an echo for it, and answers random packets."""
    compared = SHAPES.get(_protocol(site))
    if compared is None:
        return
    for control in site.settings.controls:
        announced = await control_pairs.announced_by(site, control)
        port = announced.port(compared.sink)
        if announced.address is None or port is None:
            continue
        # All at once: a comparison takes most of an endpoint's time, and none disturbs another.
        pair = _Pair(site, control.vantage, compared, announced.address, port)
        if await pair.alternate():
            site.succeeded |= pair.lived and site.asked.endpoint.scheme == "protocol"
            return


def _protocol(site: Site) -> str:
    scheme = site.asked.endpoint.scheme
    return site.asked.endpoint.host if scheme == "protocol" else SCHEMES.get(scheme, "")


class _Pair:
    """One protocol at one echo."""

    def __init__(self, site: Site, group: str, compared: Compared, address: str, port: int) -> None:
        self._site = site
        self._group = group
        self._compared = compared
        self._address, self._port = address, port
        self._patience_s = site.settings.deadlines.tls_soft / 2
        self._begun = 0.0
        self.lived = False
        """Whether a flow of the protocol has."""
        self._stopped: list[AppFact] = []

    async def alternate(self) -> bool:
        """I T I T … T until every round is done, T has passed at first, or I has failed twice running. Whether any random arm
        was answered.
        """
        if not await self._begin():
            return False
        lost, rounds = 0, self._site.settings.budgets.pair_rounds
        for number in range(rounds):
            if self._site.succeeded:
                break
            passed = await self._send("target", number)
            self.lived |= passed
            if (passed and number == 0) or number + 1 == rounds:
                break
            lost = 0 if await self._send("innocuous", number + 1) else lost + 1
            if lost >= 2:
                break
        if not self.lived and len(self._stopped) == rounds:
            await self._way().follow()
        return True

    def _way(self) -> Way:
        """How far the protocol's packets get. Where flows stop later, they are let go on as long as that before."""
        at_once = all(fact.messages_received == 0 for fact in self._stopped)
        return Way(
            self._site,
            self._address,
            self._port,
            self._shape,
            before=0 if at_once else flow.Pace().packets,
            over_udp=self._compared.sink == "echo_udp",
        )

    async def _begin(self) -> bool:
        """Whether random packets come back. A round trip is learnt with them, and with it how long silence is ordinary."""
        for _ in range(_FIRST_TRIES):
            if await self._send("innocuous", 0):
                return True
        return False

    async def _send(self, which: Arm, number: int) -> bool:
        """One arm from a fresh port, recorded; whether it lived to its end."""
        wire, deadlines = self._site.wire, self._site.settings.deadlines
        await wire.sleep(max(0.0, self._begun + deadlines.arm_gap - wire.monotonic()))
        self._begun = wire.monotonic()
        place = Place(purpose=PURPOSE, endpoint=self._site.number, group=self._group, arm=which, round=number)
        operation = await self._flow(place, self._shape(which))
        if operation is None:
            return False
        self._site.record(operation, **place.fields())
        fact = operation.fact
        assert isinstance(fact, AppFact)
        if which == "target" and operation.failure is not None:
            self._stopped.append(fact)
        if which == "innocuous" and fact.first_reply_us is not None:
            self._patience_s = max(deadlines.arm_floor, 4 * fact.first_reply_us / 1e6)
        return operation.failure is None

    def _shape(self, which: Arm) -> Shape:
        rng = self._site.wire.random
        shape = self._compared.make(rng)
        return shape if which == "target" else RandomShape(rng, shape, lettered=self._compared.sink == "echo_tcp")

    async def _flow(self, place: Place, shape: Shape) -> Operation | None:
        site, name = self._site, self._site.host
        if self._compared.sink == "echo_udp":
            await site.session.pacer.flow()
            return await flow.over_udp(
                site.wire, self._address, self._port, shape, patience_s=self._patience_s, name=name
            )
        stream = await connect(site.session, place, self._address, self._port, name=name)
        if stream is None:
            return None
        try:
            patience_s = _STREAM_PATIENCE * self._patience_s
            return await flow.over_tcp(site.wire, stream, shape, patience_s=patience_s, name=name)
        finally:
            stream.close()
