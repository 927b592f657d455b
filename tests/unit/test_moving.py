"""A laptop that is carried from one network to another: what was seen in the one is not added up with what is in the other."""

from dataclasses import replace

import pytest

from probe.experiments import network
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer
from probe.experiments.session import Session
from probe.incidents.machine import START, run, wants
from probe.incidents.model import MOVED, Fact, OwnSide
from probe.instruments.trust import Trust
from probe.settings import Settings
from probe.wire import Wire, this_host
from probe.wire.resolvers import Nameserver
from probe.wire.this_host import HostState
from probe.workflows.whereabouts import Whereabouts, noted, whereabouts
from targets.loader import load_canaries
from tests.incident_facts import TAKES, at, burst, kinds, look, reading

HOME = Whereabouts("192.168.1.1", "02:00:00:00:00:01", frozenset({"192.168.1.1"}), ())


def moved(minutes):
    return OwnSide(run="", at_us=at(minutes), status="inconclusive", method=MOVED, kind="cheap")


class Host(Wire):
    """A host whose routes are told to it."""

    def __init__(self, *, v4=True, v6=False, gateway="192.168.1.1", nameservers=("192.168.1.1",)):
        super().__init__()
        self.routes = HostState(
            default_route_v4=v4, default_route_v6=v6, tunnels=(), proxies=(), in_container=False, suspended_s=0.0
        )
        self.way, self.servers = gateway, nameservers

    def host(self):
        return self.routes

    def gateway(self):
        return self.way

    def gateway6(self):
        return None

    def router(self):
        return None

    def nameservers(self):
        return tuple(Nameserver(address) for address in self.servers)


@pytest.mark.parametrize(
    ("now", "is_other"),
    [
        (HOME, False),
        (replace(HOME, gateway="10.0.0.1"), True),
        (replace(HOME, router="02:00:00:00:00:02"), True),
        (replace(HOME, router=None), False),
        (replace(HOME, nameservers=frozenset({"9.9.9.9"})), True),
        (replace(HOME, nameservers=HOME.nameservers | {"9.9.9.9"}), False),
        (replace(HOME, nameservers=frozenset()), False),
        (replace(HOME, tunnels=("wg",)), True),
    ],
)
def test_another_router_other_resolvers_or_a_tunnel_are_another_network(now, is_other):
    """A resolver more or less is none, and what is not known at the moment tells nothing."""
    kept, other = noted(HOME, now)
    assert other is is_other
    if not other:
        assert noted(kept, replace(HOME, router="02:00:00:00:00:02"))[1]


def test_a_host_without_a_way_out_is_nowhere():
    """A router that restarts does not carry the host elsewhere."""
    assert whereabouts(Host(v4=False)) is None
    assert whereabouts(Host(gateway=None, nameservers=())) is None
    assert whereabouts(Host()) == replace(HOME, router=None)


def test_the_routers_hardware_address_is_read_where_the_kernel_knows_it(monkeypatch, tmp_path):
    """An entry that was never answered is all zeros."""
    table = "IP address  HW type  Flags  HW address         Mask  Device\n{}  0x1  0x2  {}  *  eth0\n"
    (tmp_path / "arp").write_text(table.format("192.168.1.1", "02:00:00:00:00:01"))
    monkeypatch.setattr(this_host, "Path", lambda _: tmp_path / "arp")
    assert this_host.hardware_address("192.168.1.1") == "02:00:00:00:00:01"
    assert this_host.hardware_address("192.168.1.10") is None
    (tmp_path / "arp").write_text(table.format("192.168.1.1", "00:00:00:00:00:00"))
    assert this_host.hardware_address("192.168.1.1") is None


def test_failures_of_two_networks_are_not_added_up():
    """Two here and one there are no incident; three there are."""
    first, second, third = burst(10)
    before: list[Fact] = [look(9), reading(8), first, second, look(10.5)]
    after: list[Fact] = [look(30), replace(third, at_us=at(31), until_us=at(31.1)), look(32)]
    assert kinds(run(START, [*before, *after])[1]) == ["opened"]
    state, events = run(START, [*before, moved(29), *after])
    assert events == ()
    assert wants(state).bursts == {first.url}
    state, events = run(state, [*burst(35), look(37)])
    assert kinds(events) == ["opened"]
    (incident,) = state.incidents.values()
    # It was so when it was first looked at there: that all was well in another network says nothing of its beginning.
    assert (incident.began_after_us, incident.began_by_us) == (None, at(31.1))


def test_an_own_side_that_was_down_elsewhere_is_not_down_here():
    """Nor does one look here make three of two there."""
    down = [look(n, "upstream") for n in (10, 12, 14)]
    state, events = run(START, [look(8), *down, moved(15), look(15, "upstream")])
    assert events == ()
    assert kinds(run(START, [look(8), *down, look(15, "upstream")])[1]) == ["opened"]
    assert state.tracks["", ""].failing


def test_an_incident_ends_only_by_what_is_seen_in_one_network():
    """One success before and one after a move are two of three no longer."""
    opened: list[Fact] = [look(9), reading(8), *burst(10), look(11)]
    goods = [reading(20), reading(21), reading(22)]
    assert "closed" in kinds(run(START, [*opened, *goods])[1])
    assert "closed" not in kinds(run(START, [*opened, goods[0], moved(20.5), *goods[1:2]])[1])


def test_an_incident_of_another_network_is_left_and_not_over():
    """All is well at the café: what is blocked at home may go on. Seen there as well it goes on, and has an end."""
    opened: list[Fact] = [look(9), reading(8), *burst(10), look(11), moved(15), look(15)]
    state, events = run(START, [*opened, *(reading(n) for n in (20, 21, 22))])
    (incident,) = state.incidents.values()
    assert [dict(event.detail) for event in events if event.kind == "closed"] == [{"moved": True}]
    assert (incident.state, incident.ended_by_us) == ("closed", None)
    assert incident.closed_us == at(22) + TAKES
    here_too: list[Fact] = [reading(20, "blocked"), *(reading(n) for n in (30, 31, 32))]
    (incident,) = run(START, [*opened, *here_too])[0].incidents.values()
    assert (incident.state, incident.ended_by_us) == ("closed", at(30) + TAKES)


@pytest.mark.anyio
async def test_a_translator_of_an_earlier_network_serves_nobody_in_the_next():
    """The wire lives for months: where IPv4 has a way of its own, nothing is sent to where the translator was."""
    wire = Host(v4=False, v6=True)
    wire.translator = "64:ff9b::"

    def session():
        made = Session(
            wire=wire,
            settings=Settings(),
            trust=Trust("none", replaced=False, _shipped=(), _system=None),
            canaries=load_canaries(),
            asked=(),
            pacer=Pacer(wire, 10, 100),
            neutrals=Neutrals(load_canaries(), wire.random),
        )
        network._host(made, "before", 0)
        return made

    assert session().translator_asked is not None
    assert wire.place("8.8.8.8", 53, "udp") == ("64:ff9b::808:808", 53)
    wire.routes = replace(wire.routes, default_route_v4=True)
    assert session().translator_asked is None
    assert wire.place("8.8.8.8", 53, "udp") == ("8.8.8.8", 53)
