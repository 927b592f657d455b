"""A laptop that is carried from one network to another: what was seen in the one is not added up with what is in the other."""

import json
from dataclasses import replace

import pytest

from probe.experiments import network
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer
from probe.experiments.session import Session
from probe.incidents.machine import START, resume, run, wants
from probe.incidents.model import MOVED, Fact, OwnSide
from probe.incidents.state import shadowed
from probe.instruments.trust import Trust
from probe.settings import Settings
from probe.wire import Wire, this_host
from probe.wire.resolvers import Nameserver
from probe.wire.this_host import HostState
from probe.workflows import whereabouts as places
from probe.workflows.kit import ClockOffset, Kit
from probe.workflows.whereabouts import Whereabouts, hint_from, hint_of, is_elsewhere, noted, whereabouts
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
        self.way, self.servers, self.mac = gateway, nameservers, None

    def host(self):
        return self.routes

    def gateway(self):
        return self.way

    def gateway6(self):
        return None

    def router(self):
        return self.mac

    def nameservers(self):
        return tuple(Nameserver(address) for address in self.servers)


PLACES = [
    (HOME, False),
    (replace(HOME, gateway="10.0.0.1"), True),
    (replace(HOME, router="02:00:00:00:00:02"), True),
    (replace(HOME, router=None), False),
    (replace(HOME, nameservers=frozenset({"9.9.9.9"})), True),
    (replace(HOME, nameservers=HOME.nameservers | {"9.9.9.9"}), False),
    (replace(HOME, nameservers=frozenset()), False),
    (replace(HOME, tunnels=("wg",)), True),
]


@pytest.mark.parametrize(("now", "is_other"), PLACES)
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


@pytest.fixture
def unlike(monkeypatch):
    """One in 256 other places looks the same in a hint, but not here."""
    monkeypatch.setattr(places, "_HINT_BYTES", 8)


@pytest.mark.usefixtures("unlike")
@pytest.mark.parametrize(("now", "is_other"), PLACES)
def test_a_hint_tells_the_next_process_as_much(now, is_other):
    """What is another network while a process lives is one after a restart."""
    hint = hint_from(json.loads(json.dumps(hint_of(HOME))))
    assert hint is not None
    assert is_elsewhere(hint, now) is is_other


def test_a_hint_names_no_place():
    """A byte of each part, another one each time: no address is in it, and no two of them show that it was one network."""
    hints = [hint_of(HOME) for _ in range(40)]
    assert all(len(hint["router"]) == len(hint["gateway"]) == len(hint["nameservers"][0]) == 2 for hint in hints)
    assert len({hint["router"] for hint in hints}) > 10
    assert len({hint["salt"] for hint in hints}) == 40


@pytest.mark.parametrize(
    "said", [{}, {"salt": "00"}, hint_of(HOME) | {"salt": "x"}, hint_of(HOME) | {"nameservers": 1}]
)
def test_what_is_no_hint_tells_nothing(said):
    """A file that was cut off, or is somebody else's, moves nobody."""
    assert hint_from(said) is None


def kit_after(hint):
    """What a process begins with, after one that left *hint*."""
    return Kit(
        trust=Trust("none", replaced=False, _shipped=(), _system=None),
        canaries=load_canaries(),
        catalogue="test",
        clock=ClockOffset(lambda: 0.0),
        pacer=Pacer(Host(), 10, 100),
        before=hint_from(hint) if hint is not None else None,
    )


@pytest.mark.usefixtures("unlike")
def test_a_process_that_begins_elsewhere_has_moved_once():
    """And one that begins where the last one was, or knows of none, has not."""
    host = Host()
    assert kit_after(None).look_around(host) == 0
    assert kit_after(hint_of(replace(HOME, router=None))).look_around(host) == 0
    elsewhere = kit_after(hint_of(replace(HOME, gateway="10.0.0.1")))
    assert [elsewhere.look_around(host) for _ in range(3)] == [1, 1, 1]


@pytest.mark.usefixtures("unlike")
def test_a_router_that_is_not_known_at_first_is_compared_once_it_is():
    """All homes have 192.168.1.1, and before anything is sent the kernel does not know whose it is."""
    host, kit = Host(), kit_after(hint_of(HOME))
    assert kit.look_around(host) == 0
    host.mac = "02:00:00:00:00:02"
    assert [kit.look_around(host) for _ in range(2)] == [1, 1]
    host, kit = Host(), kit_after(hint_of(HOME))
    assert kit.look_around(host) == 0
    host.mac = HOME.router
    assert kit.look_around(host) == 0
    assert kit.before is None


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


def test_another_trouble_in_another_network_is_not_the_same_that_changed():
    """The site was blocked by one method at home and is by another at the café: one is left, one begins."""
    opened: list[Fact] = [look(9), reading(8), *burst(10), look(11), moved(15), look(15)]
    dns: list[Fact] = [*(reading(n, "blocked", method="dns") for n in (20, 21, 22)), look(23)]
    state, events = run(START, [*opened, *dns])
    assert kinds(events) == ["opened", "closed", "opened"]
    assert [(one.method, one.state, one.ended_by_us) for one in state.incidents.values()] == [
        ("tls", "closed", None),
        ("dns", "open", None),
    ]
    assert kinds(run(START, [*opened[:6], *dns])[1]) == ["opened", "method"]


def test_a_line_that_is_down_elsewhere_is_neither_the_one_at_home_nor_its_return():
    """What was shut at home stays as it was; a resolver that is dead at the café is no change of it, and hides what fails."""
    shut: list[Fact] = [look(0), *(look(n, "shutdown") for n in (10, 12, 14, 16))]
    state, events = run(START, [*shut, moved(20), *(look(n, "resolver") for n in (20, 21))])
    assert kinds(events) == ["opened"]
    (home,) = state.incidents.values()
    assert home.method == "shutdown"
    assert shadowed(state, "")
    well = [look(n) for n in (30, 32, 34, 36)]
    state, events = run(state, well)
    assert [dict(event.detail) for event in events] == [{"moved": True}]
    state, events = run(state, [look(n, "resolver") for n in (40, 42, 44, 46)])
    assert kinds(events) == ["opened"]
    # At home again, and still shut: what was seen no longer is seen again.
    state, events = run(state, [moved(50), *(look(n, "shutdown") for n in (50, 52, 54, 56))])
    assert [(event.kind, event.incident == home.id) for event in events] == [("closed", False), ("reopened", True)]


@pytest.mark.parametrize("method", ["resolver", "captive_portal"])
def test_a_line_that_fails_where_it_was_carried_is_told_of_apart(method):
    """It hides what fails behind it from its first failure on; and what failed at home belongs to home."""
    shut: list[Fact] = [look(0), *(look(n, "shutdown") for n in (10, 12, 14, 16)), reading(17, "blocked")]
    state, _ = run(START, [*shut, moved(20), look(20), look(22, method), reading(23, "blocked", of="beta")])
    (home,) = state.incidents.values()
    assert home.folded == ("https://alpha.example/",)
    assert shadowed(state, "")
    state, events = run(state, [look(n, method) for n in (24, 26, 28)])
    assert kinds(events) == ["closed", "opened"]
    here = next(one for one in state.incidents.values() if one.state == "open")
    assert (here.method, here.folded) == (method, ("https://beta.example/",))


def test_what_was_never_kept_and_left_elsewhere_is_no_suspicion_here():
    """After a restart there is one suspicion at the most of the own side: that of this network."""
    shut: list[Fact] = [look(0), *(look(n, "shutdown") for n in (10, 12, 14, 16))]
    state, _ = run(START, [*shut, moved(20), look(20, "resolver")])
    state, events = run(resume(state, ()), [look(n, "resolver") for n in (22, 24, 26)])
    assert kinds(events) == ["opened"]
    assert [one.method for one in state.incidents.values()] == ["resolver"]


def test_an_incident_from_before_what_is_read_again_is_left_where_it_was():
    """It is known by its record alone after a restart, and by when this host was last carried away."""
    opened = run(START, [look(9), reading(8), *burst(10), look(11)])[0].incidents
    for when, ended in ((15, None), (5, at(20) + TAKES)):
        state = resume(run(START, [moved(when), look(15)])[0], opened.values())
        (incident,) = run(state, [reading(n) for n in (20, 21, 22)])[0].incidents.values()
        assert (incident.state, incident.ended_by_us) == ("closed", ended)


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
