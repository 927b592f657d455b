"""Other ways out of this host: found, bound to, and believed only once they were well."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from probe.daemon.watch import BoundWire, OtherWays
from probe.experiments.pacing import Pacer
from probe.incidents.model import OwnSide
from probe.instruments.trust import Trust
from probe.settings import Settings
from probe.wire import Wire, this_host
from probe.wire.this_host import WayOut
from probe.workflows import watching
from probe.workflows.kit import ClockOffset, Kit
from probe.workflows.watching import Came
from targets.loader import load_canaries
from tests import nano

LINE = WayOut("eth0", "192.168.1.10", is_mobile=False)
PHONE = WayOut("wwan0", "100.64.0.7", is_mobile=True)
DONGLE = WayOut("enx001122334455", "10.0.0.5", is_mobile=False)


def route(interface: str, metric: int) -> list[str]:
    return [interface, "00000000", "0101A8C0", "0003", "0", "0", str(metric), "00000000"]


def test_ways_out_come_in_the_order_in_which_the_system_prefers_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """By metric, one an interface, those without an address of their own left out."""
    routes = [route("wwan0", 700), route("eth0", 100), route("tun0", 50), route("eth0", 200)]
    addresses = {"eth0": LINE.address, "wwan0": PHONE.address}
    monkeypatch.setattr(this_host, "_default_routes_v4", lambda: routes)
    monkeypatch.setattr(this_host, "_address_of", addresses.get)
    assert this_host.ways_out() == (LINE, PHONE)


@pytest.mark.anyio
async def test_flows_leave_from_the_address_that_is_meant() -> None:
    """Connections and datagrams alike; without one the system chooses."""
    peers: list[str] = []

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])

    wire = Wire()
    async with nano.serve(note) as port, nano.serve_udp(lambda _data: [b"pong"]) as server:
        for source in ("127.0.0.2", None):
            wire.source = source
            (await wire.connect("127.0.0.1", port)).close()
            with wire.udp("127.0.0.1", server.port) as sock:
                sock.connect()
                sock.send(b"ping")
                async with asyncio.timeout(5):
                    await sock.receive()
        async with asyncio.timeout(5):
            while len(peers) < 2:
                await asyncio.sleep(0.01)
        heard = [peer[0] for _, peer in server.heard]
    assert peers == heard == ["127.0.0.2", "127.0.0.1"]


@pytest.mark.anyio
async def test_an_address_that_has_gone_is_an_error_and_leaves_no_socket() -> None:
    """The way may vanish between two looks."""
    wire = Wire()
    wire.source = "192.0.2.77"
    with pytest.raises(OSError, match="assign requested address"):
        await wire.connect("127.0.0.1", 9)


def test_a_bound_wire_asks_public_resolvers_over_ipv4() -> None:
    """What the system knows belongs to the preferred way."""
    wire = BoundWire(PHONE, ("8.8.8.8",))
    assert [server.address for server in wire.nameservers()] == ["8.8.8.8"]
    assert (wire.host().default_route_v4, wire.host().default_route_v6, wire.gateway()) == (True, False, None)
    assert wire.source == PHONE.address


@dataclass
class Lines:
    """What looks by each way would say now, and which looks were kept."""

    status: dict[str, str] = field(default_factory=dict)
    kept: list[tuple[str, str]] = field(default_factory=list)
    whole: int = 0

    async def look(
        self, kit: Kit, wire: Any, _settings: Settings, archive: object = None, *, full: bool = False
    ) -> Came:
        status = self.status[wire.source]
        self.whole += full
        if archive is not None:
            assert kit.interface is not None
            self.kept.append((kit.interface, status))
        own = OwnSide(run="", at_us=1, status=status, interface=kit.interface)  # type: ignore[arg-type]
        return Came(run="", own_side=own, bytes_sent=5, bytes_received=7)


@pytest.mark.anyio
async def test_a_way_counts_once_it_was_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A way that was silent from the start may be this host's own routing; one that falls silent is told; a new one starts anew."""
    lines, found = Lines({PHONE.address: "no_network", DONGLE.address: "ok"}), [LINE, PHONE]
    monkeypatch.setattr(watching, "look", lines.look)
    wire = Wire()
    kit = Kit(
        trust=Trust("none", replaced=False, _shipped=(), _system=None),
        canaries=load_canaries(),
        catalogue="test",
        clock=ClockOffset(lambda: 0.0),
        pacer=Pacer(wire, 10, 100),
    )
    ways = OtherWays(lambda: tuple(found))

    async def statuses(*, full: bool = False) -> list[tuple[str | None, str]]:
        came = await ways.look(kit, Settings(), object(), full=full)  # type: ignore[arg-type]
        return [(one.own_side.interface, one.own_side.status) for one in came if one.own_side is not None]

    assert await statuses() == []
    (cost,) = await ways.look(kit, Settings(), object())  # type: ignore[arg-type]
    assert (cost.own_side, cost.bytes_sent, cost.bytes_received) == (None, 5, 7)
    lines.status[PHONE.address] = "ok"
    assert await statuses() == [("mobile", "ok")]
    lines.status[PHONE.address] = "no_network"
    assert await statuses() == [("mobile", "no_network")]
    assert lines.whole == 0
    lines.status[PHONE.address] = "ok"
    assert await statuses(full=True) == [("mobile", "ok")]
    assert lines.whole == 1, "what was told of a way ends with a whole look by that way"
    lines.status[PHONE.address] = "no_network"
    found.append(DONGLE)
    assert await statuses() == [("mobile", "no_network"), ("fixed", "ok")]
    found.remove(PHONE)
    await statuses()
    found.append(PHONE)
    assert await statuses() == [("fixed", "ok")]
    assert ("mobile", "no_network") in lines.kept
    assert kit.interface is None


def test_no_interface_is_no_way_out() -> None:
    """An interface that there is not has no address."""
    assert this_host._address_of("nosuchinterface") is None
    assert isinstance(socket.inet_aton(this_host._address_of("lo") or ""), bytes)
