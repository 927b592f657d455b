"""Telegram: its data centres in the apps' own protocol, its web client's websockets, and its pages.

One network cannot prove that silence at a data centre is a block: there the words hold ``inconclusive`` beside the truth. What
answers and is no data centre is never accessible.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from targets.loader import shipped_platforms
from tests.lab import control, dual, prove, prove_blocks, rules
from tests.lab.censor_apps import FirstBytes, has_no_shape, is_not_of_the_web, is_plain_mtproto
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.packets import TCP
from tests.lab.prove import Proof
from tests.lab.rules import When
from tests.lab.scenarios import OTHER, Scenario, Words, always, exit_codes
from tests.lab.servers import PORTAL
from tests.lab.world import World

_SERVICES = {service.name: service for p in shipped_platforms() if p.id == "telegram" for service in p.services}
CENTRES = tuple(endpoint.url for endpoint in _SERVICES["apps"].endpoints)
SOCKETS = tuple(endpoint.url for endpoint in _SERVICES["web-apps"].endpoints)
WEB = tuple(endpoint.url for endpoint in _SERVICES["web"].endpoints)
ADDRESSES = tuple(dict.fromkeys(endpoint.host for endpoint in _SERVICES["apps"].endpoints))
NETWORKS = ("149.154.175.0/24", "149.154.171.0/24", "95.161.76.0/24", "149.154.167.51/32", "149.154.167.91/32")
ONE = ADDRESSES[1]

FINE = (Words("accessible"),)
UNKNOWN = Words("inconclusive")
BY_ADDRESS = (Words("blocked", "ip"), UNKNOWN)
BY_SHAPE = (Words("blocked", "protocol"), Words("inconclusive", None, "app."))
BY_NAME = (Words("blocked", "tls"),)
DOWN = (Words("outage"), UNKNOWN)
STRANGER = (Words("inconclusive", None, "app.other"),)


def says(address: str, port: int, wanted: str, *words: str) -> Proof:
    """What the lab's own client meets at a data centre."""

    def run(lab: Lab) -> None:
        seen = control.mtproto_says(lab, address, port, *words)
        if seen != wanted:
            raise LabError(f"the scenario does not do what it says: {address}:{port} {words}: {seen}, not {wanted}")

    return run


def row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {"check": CENTRES, "sound": (*WEB, *SOCKETS), "exit_codes": exit_codes(acceptable), **more}
    return Scenario(name=f"telegram_{name}", tells=tells, acceptable=acceptable, proofs=proofs, **fields)


def centres(manner: str, *addresses: str) -> Callable[[World], World]:
    """The world in which data centres do this instead; all of them, if none are named."""

    def change(world: World) -> World:
        places = tuple((a, p, manner if a in (addresses or ADDRESSES) else m) for a, p, m in world.centres)
        return dataclasses.replace(world, centres=places)

    return change


def to(*remote: str, ports: tuple[int, ...] = ()) -> When:
    return When(protocol=TCP, remote=remote, ports=ports)


_WELL = (says(ONE, 443, "answered"), says(ONE, 80, "answered"), says(ONE, 443, "answered", "plain"))
_WEB_WELL = tuple(prove.page(url) for url in WEB)

SCENARIOS = (
    row("works", "all is well, in the apps, in the web client and on the pages", FINE, *_WELL, *_WEB_WELL),
    row(
        "works_over_a_lossy_line",
        "a twentieth of all packets is lost each way",
        (*FINE, UNKNOWN),
        *_WELL,
        sound=(),
        leg={"loss": 0.05},
        network=(Words("ok"), Words("inconclusive")),
    ),
    row("works_far_away", "every round trip takes 600 ms", FINE, *_WELL, leg={"delay": 0.298}, sound=SOCKETS),
    row(
        "works_through_a_translator",
        "this machine has no IPv4: the data centres' addresses are reached through the network's translator (NAT64)",
        FINE,
        *_WEB_WELL,
        world=lambda world: dual.nat64(world, with6=("www.iana.org",)),
        sound=SOCKETS,
    ),
    row(
        "by_address",
        "the data centres' networks vanish at the border, on every port; the pages come",
        BY_ADDRESS,
        prove_blocks.connected(*ADDRESSES[:3], works=False),
        *_WEB_WELL,
        rules=always(rules.Drop(when=to(*NETWORKS))),
    ),
    row(
        "by_address_refused",
        "connections to the data centres' networks are broken off at the border at once",
        BY_ADDRESS,
        says(ONE, 443, "refused"),
        *_WEB_WELL,
        rules=always(rules.Reset(when=to(*NETWORKS))),
    ),
    row(
        "by_shape_dropped",
        "a device drops flows whose first packet is encrypted and has no shape, whoever they go to; TLS passes",
        BY_SHAPE,
        says(ONE, 443, "silence"),
        says(ONE, 443, "answered", "plain"),
        *_WEB_WELL,
        rules=always(FirstBytes(forbidden=has_no_shape)),
    ),
    row(
        "by_shape_reset",
        "the same, and both sides are told that it is over",
        BY_SHAPE,
        says(ONE, 443, "reset"),
        *_WEB_WELL,
        rules=always(FirstBytes(forbidden=has_no_shape, way="reset")),
    ),
    row(
        "by_bytes_that_apps_do_not_send",
        "a device knows the protocol by the bytes that it has without the apps' obfuscation: the apps pass",
        FINE,
        says(ONE, 443, "reset", "plain"),
        says(ONE, 443, "answered"),
        rules=always(FirstBytes(forbidden=is_plain_mtproto, way="reset")),
    ),
    row(
        "one_in_two_flows_by_shape",
        "the same device stands on one of two ways",
        (*BY_SHAPE, *FINE),
        *_WEB_WELL,
        rules=always(FirstBytes(when=When(protocol=TCP, fraction=0.5), forbidden=has_no_shape)),
    ),
    row(
        "not_the_web_dropped_at_work",
        "the company's own firewall drops what is neither TLS nor a request of the web",
        (Words("no_network", "filter"), UNKNOWN),
        says(ONE, 443, "silence"),
        *_WEB_WELL,
        rules=always(FirstBytes(forbidden=is_not_of_the_web, place="home")),
    ),
    row(
        "answered_by_a_web_server",
        "somebody answers at the data centres' addresses as a web server does",
        STRANGER,
        says(ONE, 443, "other"),
        world=centres("http"),
        control=(says(ONE, 443, "other"),),
        in_slice=True,
    ),
    row(
        "answered_by_an_echo",
        "what answers sends everything back",
        STRANGER,
        says(ONE, 443, "other"),
        world=centres("echo"),
        control=(says(ONE, 443, "other"),),
    ),
    row(
        "answered_by_noise",
        "what answers says random bytes",
        STRANGER,
        says(ONE, 443, "other"),
        world=centres("noise"),
        control=(says(ONE, 443, "other"),),
    ),
    row(
        "answered_with_a_strange_number",
        "what answers speaks the protocol, and has not read the question",
        STRANGER,
        says(ONE, 443, "other"),
        world=centres("other"),
        control=(says(ONE, 443, "other"),),
    ),
    row(
        "diverted_to_a_page",
        "the provider leads port 80 of the data centres to a web server; port 443 is left alone",
        STRANGER,
        says(ONE, 80, "other"),
        says(ONE, 443, "answered"),
        rules=lambda world: (
            rules.Divert(
                when=to(*NETWORKS, ports=(80,)), to=world.sites["www.livejournal.com"].address, place="access"
            ),
        ),
        spares=lambda url: url.endswith(":443"),
    ),
    row(
        "centres_closed", "nobody listens at any data centre", DOWN, says(ONE, 443, "refused"), world=centres("closed")
    ),
    row(
        "centres_silent",
        "the data centres take connections and say nothing",
        DOWN,
        says(ONE, 443, "silence"),
        world=centres("silent"),
    ),
    row(
        "centres_closing",
        "the data centres close at the first bytes",
        DOWN,
        says(ONE, 443, "closed"),
        world=centres("close"),
    ),
    row(
        "centres_stuck",
        "the data centres stop in the middle of an answer",
        DOWN,
        says(ONE, 443, "silence"),
        world=centres("half"),
    ),
    row(
        "some_centres_closed",
        "two of six data centres are down",
        DOWN,
        says(ADDRESSES[0], 443, "refused"),
        says(ONE, 443, "answered"),
        world=centres("closed", ADDRESSES[0], ADDRESSES[2]),
        spares=lambda url: not any(f"//{address}:" in url for address in (ADDRESSES[0], ADDRESSES[2])),
    ),
    row(
        "too_many_visitors",
        "the data centres say, in their own protocol, that this network asks too often",
        FINE,
        says(ONE, 443, "error"),
        world=centres("flood"),
        control=(says(ONE, 443, "error"),),
    ),
    row(
        "web_by_name",
        "the names of the pages and of the web client are dropped; the apps work",
        BY_NAME,
        says(ONE, 443, "answered"),
        prove.fails(WEB[0], prove.SILENT),
        check=(*WEB, *SOCKETS),
        sound=CENTRES,
        rules=always(rules.NameDrop(names=("telegram.org", "t.me"))),
    ),
    row(
        "web_by_name_reset",
        "the same, with resets",
        BY_NAME,
        says(ONE, 443, "answered"),
        prove.fails(WEB[0], prove.HANDSHAKE, prove.RESET),
        check=(*WEB, *SOCKETS),
        sound=CENTRES,
        rules=always(rules.NameReset(names=("telegram.org", "t.me"))),
    ),
    row(
        "websockets_silent",
        "behind the web client's websockets nothing answers; its pages and the apps work",
        DOWN,
        *_WEB_WELL,
        says(ONE, 443, "answered"),
        check=SOCKETS,
        sound=(*WEB, *CENTRES),
        world=lambda world: dataclasses.replace(world, websockets="silent"),
        control=_WEB_WELL,
    ),
    row(
        "websockets_noise",
        "what is behind the web client's websockets is no data centre",
        STRANGER,
        *_WEB_WELL,
        check=SOCKETS,
        sound=(*WEB, *CENTRES),
        world=lambda world: dataclasses.replace(world, websockets="noise"),
        control=_WEB_WELL,
    ),
    row(
        "no_line",
        "the provider's line is dead",
        (Words("no_network"),),
        says(ONE, 443, "silence"),
        sound=(),
        network=(Words("no_network"),),
        rules=always(rules.Drop(place="access")),
    ),
    row(
        "takes_every_connection",
        "a proxy of the provider's takes every connection on port 443 and lets through only what names a site",
        (UNKNOWN, Words("no_network")),
        prove_blocks.connected(ONE, works=True),
        says(ONE, 443, "silence"),
        sound=(OTHER,),
        check=tuple(url for url in CENTRES if url.endswith(":443")),
        world=lambda world: dataclasses.replace(world, portal=True, proxy=True),
        rules=always(rules.Divert(when=When(protocol=TCP, ports=(443,)), to=PORTAL, port=8443, place="access")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
    ),
)
