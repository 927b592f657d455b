"""VPN protocols: compared at the echo of a control, and asked of servers that the user has named.

What stops a protocol and lets random packets of the same sizes pass is a block by shape. Everything else that ends a flow (a line
that loses packets, no UDP at all, an echo behind a closed port, a control that is not there, a server that does not speak) looks
alike from one network, and ``blocked`` is an error there.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from tests.lab import closures, prove, prove_apps, rules
from tests.lab.censor_apps import has_no_shape
from tests.lab.censor_vpn import ByShape, is_ikev2, is_openvpn, is_unknown, is_wireguard
from tests.lab.control_serve import ADDRESS, PORT, TOKEN, Serves
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.net import REPOSITORY
from tests.lab.packets import TCP, UDP
from tests.lab.prove import Proof
from tests.lab.rules import When
from tests.lab.scenarios import OTHER, Scenario, Words, always, exit_codes
from tests.lab.world import World

ECHO = 10007
_CLIENT = ("env", f"--chdir={REPOSITORY}", sys.executable, "-S", "-m", "tests.lab.vpn")
ALL = tuple(f"protocol://{name}" for name in ("openvpn", "openvpn-tcp", "ikev2", "wireguard", "encrypted"))
OVER_UDP = ("protocol://openvpn", "protocol://wireguard")

FINE = (Words("accessible"),)
UNKNOWN = (Words("inconclusive"),)
STOPPED = (Words("blocked", "protocol", "app.timeout.protocol"),)
BROKEN_OFF = (Words("blocked", "protocol", "app.reset.protocol"),)
UNSETTLED = (*FINE, *UNKNOWN)
_OWN_TROUBLE = (Words("ok"), Words("inconclusive"), Words("no_network"))


def at_echo(kind: str, wanted: str, count: int = 0) -> Proof:
    """What the lab's own client meets at the control's echo, once it has shown the token there."""

    def run(lab: Lab) -> None:
        _show_token(lab)
        _expect(lab, kind, ADDRESS, ECHO, wanted, count)

    return run


def _show_token(lab: Lab) -> None:
    lab.run("curl", "-sSk", "-m", "5", "-H", f"Authorization: Bearer {TOKEN}", f"https://{ADDRESS}:{PORT}/v1/sinks")


def come_back(low: int, high: int, of: int = 60) -> Proof:
    """Of so many random datagrams to the control's echo, sent once each, between *low* and *high* come back."""

    def run(lab: Lab) -> None:
        _show_token(lab)
        done = lab.run(*_CLIENT, "count", ADDRESS, str(ECHO), str(of))
        if not low <= int(done.stdout) <= high:
            raise LabError(f"the scenario does not do what it says: {done.stdout.strip()} of {of} came back")

    return run


def at(kind: str, address: str, port: int, wanted: str) -> Proof:
    """What the lab's own client meets at a server."""
    return lambda lab: _expect(lab, kind, address, port, wanted, 0)


def _expect(lab: Lab, kind: str, address: str, port: int, wanted: str, count: int) -> None:
    said = lab.run(*_CLIENT, "ask", kind, address, str(port), str(count)).stdout.strip()
    if said != wanted:
        raise LabError(f"the scenario does not do what it says: {kind} at {address}:{port}: {said!r}, not {wanted!r}")


def row(
    name: str, tells: str, check: tuple[str, ...], acceptable: tuple[Words, ...], *proofs: Proof, **more: Any
) -> Scenario:
    fields: dict[str, Any] = {
        "check": check,
        "sound": (OTHER,),
        "exit_codes": exit_codes(acceptable),
        "serves": Serves(),
        "unproven_abroad": "the way to the control is what is asked about, not what it sees",
        **more,
    }
    return Scenario(name=f"vpn_{name}", tells=tells, acceptable=acceptable, proofs=proofs, **fields)


_DEEP = ("192.168.1.1", "92.47.144.1", "92.47.146.9", "92.47.150.2")
"""The household's router and three of the provider's, the last at its border."""


def within(*rules_: ByShape) -> dict[str, Any]:
    """They stand in the provider's network, with a router of its own on each side."""
    return {"near": {"hops": _DEEP}, "rules": always(*(dataclasses.replace(rule, place=3) for rule in rules_))}


_TO_ECHO = When(remote=(f"{ADDRESS}/32",), ports=(ECHO,))

# ---------------------------------------------------------------------------------------------------------------------
# compared at the control's echo

_COMPARED = (
    row(
        "passes",
        "nobody acts on protocols: all of them come back from the control's echo",
        ALL,
        FINE,
        at_echo("openvpn", "lives", 3),
        at_echo("wireguard", "lives", 3),
        at_echo("openvpn-tcp", "lives", 3),
    ),
    row(
        "openvpn_dropped",
        "flows that begin as OpenVPN's do are dropped from the first packet on, over UDP and TCP; others pass",
        ("protocol://openvpn", "protocol://openvpn-tcp"),
        STOPPED,
        at_echo("openvpn", "silence"),
        at_echo("openvpn-tcp", "silence"),
        at_echo("noise", "lives", 3),
        at_echo("wireguard", "lives", 3),
        **within(ByShape(forbidden=is_openvpn)),
        sound=(OTHER, "protocol://wireguard", "protocol://ikev2"),
        in_slice=True,
    ),
    row(
        "all_stopped_at_once",
        "OpenVPN, WireGuard, IKEv2 and what is fully encrypted are dropped by their shape, each; all are asked at once",
        ALL,
        STOPPED,
        at_echo("openvpn", "silence"),
        at_echo("ikev2", "silence"),
        at_echo("noise", "lives", 3),
        at_echo("letters-tcp", "lives", 3),
        **within(
            ByShape(forbidden=is_openvpn),
            ByShape(forbidden=is_wireguard),
            ByShape(forbidden=is_ikev2),
            ByShape(forbidden=has_no_shape, when=When(protocol=TCP, ports=(ECHO,))),
        ),
    ),
    row(
        "openvpn_reset",
        "connections that begin as OpenVPN's do are reset",
        ("protocol://openvpn-tcp",),
        BROKEN_OFF,
        at_echo("openvpn-tcp", "reset"),
        at_echo("letters-tcp", "lives", 3),
        **within(ByShape(forbidden=is_openvpn, way="reset", when=When(protocol=TCP))),
    ),
    row(
        "wireguard_dropped",
        "WireGuard's initiations are dropped",
        ("protocol://wireguard",),
        STOPPED,
        at_echo("wireguard", "silence"),
        at_echo("noise", "lives", 3),
        **within(ByShape(forbidden=is_wireguard)),
        sound=(OTHER, "protocol://openvpn"),
    ),
    row(
        "wireguard_cut_after_ten_packets",
        "WireGuard's handshake passes, and nine packets of data; then the flow is dropped both ways",
        ("protocol://wireguard",),
        STOPPED,
        at_echo("wireguard", "answered"),
        at_echo("wireguard", "stops", 20),
        at_echo("noise", "lives", 20),
        **within(ByShape(forbidden=is_wireguard, after=10)),
        sound=(OTHER, "protocol://openvpn"),
    ),
    row(
        "openvpn_cut_after_five_packets",
        "OpenVPN's reset passes, and four packets more, over UDP and TCP",
        ("protocol://openvpn", "protocol://openvpn-tcp"),
        STOPPED,
        at_echo("openvpn", "stops", 20),
        at_echo("noise", "lives", 20),
        **within(ByShape(forbidden=is_openvpn, after=5)),
        sound=(OTHER, "protocol://wireguard"),
    ),
    row(
        "ikev2_dropped",
        "IKE_SA_INIT is dropped, whatever the port",
        ("protocol://ikev2",),
        STOPPED,
        at_echo("ikev2", "silence"),
        at_echo("noise", "lives", 3),
        **within(ByShape(forbidden=is_ikev2)),
        sound=(OTHER, "protocol://wireguard"),
    ),
    row(
        "fully_encrypted_dropped",
        "connections whose first packet has neither a form nor letters are dropped, as in China",
        ("protocol://encrypted",),
        STOPPED,
        at_echo("letters-tcp", "lives", 3),
        **within(ByShape(forbidden=has_no_shape, when=When(protocol=TCP, ports=(ECHO,)))),
        sound=(OTHER, "protocol://wireguard"),
    ),
    row(
        "dropped_where_packets_get_lost",
        "WireGuard's initiations are dropped, on a line that loses a tenth of all packets each way",
        ("protocol://wireguard",),
        (*STOPPED, *UNKNOWN),
        at_echo("wireguard", "silence"),
        **within(ByShape(forbidden=is_wireguard)),
        leg={"loss": 0.1},
        sound=(),
        network=_OWN_TROUBLE,
    ),
    row(
        "openvpn_dropped_at_the_border",
        "between the provider's last router and the next network's OpenVPN is dropped: either's, as far as one line can see",
        ("protocol://openvpn", "protocol://openvpn-tcp"),
        (*STOPPED, *UNKNOWN),
        at_echo("openvpn", "silence"),
        at_echo("noise", "lives", 3),
        rules=always(ByShape(forbidden=is_openvpn)),
        sound=(OTHER, "protocol://wireguard"),
    ),
    row(
        "openvpn_answers_dropped_by_the_provider",
        "the provider drops what comes back to OpenVPN's packets, and lets them out: no router tells where",
        ("protocol://openvpn",),
        (*STOPPED, *UNKNOWN),
        at_echo("openvpn", "silence"),
        at_echo("noise", "lives", 3),
        **within(ByShape(forbidden=is_openvpn, replies=True)),
    ),
    row(
        "openvpn_dropped_where_routers_are_silent",
        "the provider drops OpenVPN, and only its first router ever says that a TTL ran out",
        ("protocol://openvpn",),
        (*STOPPED, *UNKNOWN),
        at_echo("openvpn", "silence"),
        at_echo("noise", "lives", 3),
        near={"hops": _DEEP, "silent": _DEEP[2:]},
        rules=always(ByShape(forbidden=is_openvpn, place=3)),
    ),
    row(
        "dropped_on_one_of_two_ways",
        "a device on one of two ways drops WireGuard's initiations: about every other flow",
        ("protocol://wireguard",),
        UNSETTLED,
        at_echo("noise", "lives", 3),
        **within(ByShape(forbidden=is_wireguard, when=When(fraction=0.5))),
    ),
)

# What ends flows as well, and goes by no protocol.
_NOT_BY_SHAPE = (
    row(
        "no_udp_at_all",
        "all UDP but DNS and the time is dropped, as in many companies; connections pass",
        OVER_UDP,
        UNKNOWN,
        at_echo("noise", "silence"),
        at_echo("openvpn-tcp", "lives", 3),
        rules=always(rules.DropExcept(when=When(protocol=UDP), but=When(ports=(53, 123)))),
        sound=(OTHER, "protocol://openvpn-tcp"),
    ),
    row(
        "openvpn_dropped_at_home",
        "the household's own router knows OpenVPN by its shape and drops it: no provider's doing",
        ("protocol://openvpn", "protocol://openvpn-tcp"),
        (*UNKNOWN, Words("no_network", "filter")),
        at_echo("openvpn", "silence"),
        at_echo("noise", "lives", 3),
        rules=always(ByShape(forbidden=is_openvpn, place="home")),
        sound=(OTHER, "protocol://wireguard"),
    ),
    row(
        "wireguard_cut_at_home",
        "the household's own router cuts WireGuard after ten packets",
        ("protocol://wireguard",),
        (*UNKNOWN, Words("no_network", "filter")),
        at_echo("wireguard", "stops", 20),
        rules=always(ByShape(forbidden=is_wireguard, after=10, place="home")),
    ),
    row(
        "openvpn_dropped_right_behind_home",
        "the first router behind the household's drops OpenVPN: a provider's, or a company's in the same building",
        ("protocol://openvpn",),
        (*STOPPED, *UNKNOWN),
        at_echo("openvpn", "silence"),
        rules=always(ByShape(forbidden=is_openvpn, place="access")),
    ),
    row(
        "openvpn_forbidden_by_the_hoster",
        "the company that the control's machine is rented from lets no OpenVPN in, at its own edge",
        ("protocol://openvpn", "protocol://openvpn-tcp"),
        UNKNOWN,
        at_echo("openvpn", "silence"),
        at_echo("openvpn-tcp", "silence"),
        at_echo("noise", "lives", 3),
        rules=always(ByShape(forbidden=is_openvpn, place="far")),
        sound=(OTHER, "protocol://wireguard"),
        in_slice=True,
    ),
    row(
        "wireguard_cut_by_the_hoster",
        "the control's hosting company cuts WireGuard after ten packets",
        ("protocol://wireguard",),
        UNKNOWN,
        at_echo("wireguard", "stops", 20),
        at_echo("noise", "lives", 20),
        rules=always(ByShape(forbidden=is_wireguard, after=10, place="far")),
        sound=(OTHER, "protocol://openvpn"),
    ),
    row(
        "openvpn_answers_dropped_at_home",
        "the household's own router lets OpenVPN's packets out, and no answer to them in",
        ("protocol://openvpn", "protocol://openvpn-tcp"),
        (*UNKNOWN, Words("no_network", "filter")),
        at_echo("openvpn", "silence"),
        at_echo("noise", "lives", 3),
        rules=always(ByShape(forbidden=is_openvpn, replies=True, place="home")),
        sound=(OTHER, "protocol://wireguard"),
    ),
    row(
        "wireguard_answers_cut_at_home",
        "the household's own router lets no answer of WireGuard's in after ten packets",
        ("protocol://wireguard",),
        (*UNKNOWN, Words("no_network", "filter")),
        at_echo("wireguard", "stops", 20),
        rules=always(ByShape(forbidden=is_wireguard, after=10, replies=True, place="home")),
    ),
    row(
        "openvpn_rationed_at_home",
        "the household's own router lets one packet of OpenVPN's out in two seconds, so that it is heard of beyond now and then",
        ("protocol://openvpn",),
        (*UNKNOWN, Words("no_network", "filter")),
        at_echo("openvpn", "silence"),
        at_echo("noise", "lives", 3),
        near={"hops": _DEEP},
        rules=always(ByShape(forbidden=is_openvpn, place="home", every_s=2.0, when=When(protocol=UDP))),
    ),
    row(
        "only_the_web_passes",
        "connections that begin neither with TLS nor with a request are dropped, random ones too",
        ("protocol://openvpn-tcp", "protocol://encrypted"),
        UNKNOWN,
        at_echo("letters-tcp", "silence"),
        rules=always(ByShape(forbidden=is_unknown, when=When(protocol=TCP, ports=(ECHO,)))),
    ),
    row(
        "echo_closed",
        "before the control is a firewall that drops what goes to its echo",
        ALL,
        UNKNOWN,
        at_echo("noise", "silence"),
        rules=always(rules.Drop(when=_TO_ECHO, place="far")),
    ),
    row(
        "echo_refused",
        "a firewall before the control says of the echo that it cannot be reached",
        OVER_UDP,
        UNKNOWN,
        at_echo("noise", "refused"),
        rules=always(
            rules.Unreachable(when=dataclasses.replace(_TO_ECHO, side="up"), code=3, offender=ADDRESS, place="far")
        ),
    ),
    row(
        "control_not_there",
        "the control that the user names is not there",
        ALL,
        UNKNOWN,
        prove.fails(f"https://{ADDRESS}:{PORT}/", prove.UNCONNECTED),
        serves=Serves(absent=True),
    ),
    row(
        "fifth_of_packets_lost",
        "a fifth of all packets is lost each way, whatever they are",
        ALL,
        UNSETTLED,
        come_back(20, 52),
        leg={"loss": 0.2},
        sound=(),
        network=_OWN_TROUBLE,
    ),
    row(
        "far_away",
        "every round trip takes 600 ms",
        ALL,
        FINE,
        at_echo("noise", "lives", 3),
        leg={"delay": 0.298},
    ),
    row(
        "narrow_line",
        "128 kbit/s for everything, five comparisons at once",
        ALL,
        UNSETTLED,
        prove.slower("https://8.8.8.8/", 0.6),
        leg={"rate": 128_000, "queue": 16_000},
        sound=(),
        network=_OWN_TROUBLE,
    ),
    row(
        "line_down",
        "this computer has no way out at all",
        OVER_UDP,
        (Words("no_network"), *UNKNOWN),
        prove.no_route("8.8.8.8"),
        link=False,
        sound=(),
        network=(Words("no_network"),),
    ),
    row(
        "udp_now_and_then",
        "all UDP to the control is dropped for two seconds out of five",
        OVER_UDP,
        UNSETTLED,
        prove_apps.in_force(rules.Drop(when=dataclasses.replace(_TO_ECHO, protocol=UDP)), at_echo("noise", "silence")),
        rules=always(closures.Schedule(rule=rules.Drop(when=dataclasses.replace(_TO_ECHO, protocol=UDP)), on=2, off=3)),
    ),
    row(
        "flood_protection_before_the_control",
        "the control's hosting company lets through half of all packets to its echo",
        ALL,
        UNSETTLED,
        come_back(3, 30),
        rules=always(rules.Lose(when=_TO_ECHO, probability=0.5, place="far")),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# servers that the user has named

_SERVER = "95.217.163.246"
_PORTS = {"openvpn": 1194, "openvpn-tcp": 1194, "ikev2": 500, "wireguard": 51820}
_KEY = "bmXOC%2BF1FxEMF9dyiK2H5/1SUtzH0JuVo51h2wPfgyo%3D"
_URLS = {
    "openvpn": f"openvpn://{_SERVER}:1194",
    "openvpn-tcp": f"openvpn+tcp://{_SERVER}:1194",
    "ikev2": f"ikev2://{_SERVER}:500",
    "wireguard": f"wireguard://{_SERVER}:51820?key={_KEY}",
}


def server(**manners: str) -> Callable[[World], World]:
    """The world with a server that speaks these, each in this manner; a minus is an underscore."""
    places = tuple((_SERVER, _PORTS[k.replace("_", "-")], manner) for k, manner in manners.items())
    return lambda world: dataclasses.replace(world, vpns=places)


_WELL = server(openvpn="openvpn", openvpn_tcp="openvpn-tcp", ikev2="ikev2", wireguard="wireguard")
_SILENT = server(openvpn="silent", openvpn_tcp="silent-tcp", ikev2="silent", wireguard="silent")

_NAMED = (
    row(
        "servers_answer",
        "a server speaks OpenVPN, IKEv2 and WireGuard, and answers",
        tuple(_URLS.values()),
        FINE,
        *(at(kind, _SERVER, port, "answered") for kind, port in _PORTS.items()),
        world=_WELL,
        serves=None,
    ),
    row(
        "servers_answer_otherwise",
        "IKEv2 wants another group, WireGuard is busy and sends a cookie: both are answers",
        (_URLS["ikev2"], _URLS["wireguard"]),
        FINE,
        at("ikev2", _SERVER, 500, "answered"),
        world=server(ikev2="ikev2-group", wireguard="wireguard-busy"),
        serves=None,
    ),
    row(
        "servers_silent",
        "a server that answers only whom it knows, as most do: silence, and the protocols pass elsewhere",
        tuple(_URLS.values()),
        UNKNOWN,
        at("openvpn", _SERVER, 1194, "silence"),
        at_echo("openvpn", "lives", 3),
        world=_SILENT,
    ),
    row(
        "servers_are_none",
        "where a VPN was named everything is sent back, and a web server answers: never accessible",
        (_URLS["openvpn"], _URLS["openvpn-tcp"], _URLS["ikev2"], _URLS["wireguard"]),
        (Words("inconclusive", None, "app.other"),),
        at("openvpn", _SERVER, 1194, "answered"),
        world=server(openvpn="echo", openvpn_tcp="page-tcp", ikev2="echo", wireguard="echo"),
        serves=None,
    ),
    row(
        "server_behind_a_device",
        "OpenVPN is dropped by its shape wherever it goes; the server behind speaks it well",
        (_URLS["openvpn"], _URLS["openvpn-tcp"]),
        STOPPED,
        at("openvpn", _SERVER, 1194, "silence"),
        at("ikev2", _SERVER, 500, "answered"),
        at_echo("openvpn", "silence"),
        at_echo("noise", "lives", 3),
        world=_WELL,
        **within(ByShape(forbidden=is_openvpn)),
        sound=(OTHER, _URLS["ikev2"], _URLS["wireguard"]),
    ),
    row(
        "server_behind_a_device_and_no_control",
        "the same, and nobody elsewhere to compare at",
        (_URLS["openvpn"], _URLS["openvpn-tcp"]),
        (Words("inconclusive", None, "app."),),
        at("openvpn", _SERVER, 1194, "silence"),
        world=_WELL,
        rules=always(ByShape(forbidden=is_openvpn)),
        serves=None,
    ),
    row(
        "server_of_one_address_dropped",
        "the server's address vanishes at the border; its protocols pass to others",
        (_URLS["openvpn"], _URLS["openvpn-tcp"]),
        (Words("blocked", "ip"), *UNKNOWN),
        at("openvpn", _SERVER, 1194, "silence"),
        at_echo("openvpn", "lives", 3),
        world=_WELL,
        rules=always(rules.Drop(when=When(remote=(f"{_SERVER}/32",)))),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_COMPARED, *_NOT_BY_SHAPE, *_NAMED)
