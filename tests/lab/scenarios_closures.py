"""Everything closed but some holes, schedules, greetings in pieces, and what a computer does to itself: sleep, tunnels.

A shutdown is the network's doing and no block of a name: the word is ``no_network``, and which method is known only as far
as one place can see. Where it comes and goes during a run, what is seen is chance; what must never be said is the same.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from tests.lab import censor, closures, forgers, prove, prove_apps, rules
from tests.lab.lab import Lab
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP, UDP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.world import World

META = ("facebook.com",)
STRANGER = "www.nobelprize.org"
LIVEJOURNAL = "www.livejournal.com"
_DOMESTIC = ("195.12.113.0/24", "194.187.246.0/24", "91.215.42.0/24", "185.98.5.0/24")
"""Where the domestic canaries live (see world.py)."""
_HERE = (f"{RESOLVER}/32", "92.47.151.80/32")
_OPEN = "198.41.0.4"
"""A machine abroad with services on the ports that are holes."""

FINE = (Words("accessible"),)
NOT_KNOWN = (Words("inconclusive"),)
SNI_SILENCE = (Words("blocked", "tls", "tls.timeout.sni"),)
CHANCE = (Words("no_network"), Words("inconclusive"), Words("accessible"))
"""What may be said of a trouble of the own side that was not there all the time."""
_RUN_BEGINS = When(protocol=UDP, ports=(123,), side="up")
"""The probe asks the time at the start of a run, and no proof does."""


def _row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {"sound": (OTHER,), "exit_codes": exit_codes(acceptable), **more}
    return Scenario(name=name, tells=tells, acceptable=acceptable, proofs=proofs, **fields)


def _closed(name: str, tells: str, words: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    """The own side is the trouble, for the two sites and for the network."""
    fields: dict[str, Any] = {"check": (FACEBOOK_URL, OTHER), "sound": (), "network": words, **more}
    return _row(name, tells, words, *proofs, **fields)


def _none(*methods: str) -> tuple[Words, ...]:
    return tuple(Words("no_network", method) for method in methods)


def _forget(lab: Lab) -> None:
    """What the devices remember of the proofs is not part of the row."""
    lab.net.renew_rules()


def _with_holes(world: World) -> World:
    return dataclasses.replace(world, ports=(*world.ports, (_OPEN, 179), (_OPEN, 3785), (_OPEN, 22)))


_NOTHING_BUT_HOLES = (
    prove.truth(FACEBOOK),
    prove_apps.open_port(_OPEN, 179, works=True),
    prove_apps.open_port(_OPEN, 3785, works=True),
    prove_apps.open_port(_OPEN, 22, works=False),
)
_CUT = closures.Closed(holes=(When(remote=(*_HERE, *_DOMESTIC)),))
_SHUT = closures.Closed(place="access")

_SHUTDOWNS = (
    _closed(
        "shutdown_with_named_holes",
        "everything vanishes, at home and abroad, but questions, BGP and the port of BFD",
        _none("shutdown", "upstream", "link"),
        *_NOTHING_BUT_HOLES,
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails("https://egov.kz/", prove.SILENT),
        world=_with_holes,
        rules=always(closures.Closed(holes=closures.NAMED_HOLES, place="access")),
    ),
    _closed(
        "shutdown_by_resets_with_named_holes",
        "the same holes, and every other connection is reset at once by the provider",
        (*_none("shutdown", "upstream", "link"), *NOT_KNOWN),
        *_NOTHING_BUT_HOLES,
        prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
        prove.fails("https://egov.kz/", prove.UNCONNECTED),
        world=_with_holes,
        rules=always(closures.Closed(holes=closures.NAMED_HOLES, resets=True, place="access")),
    ),
    _closed(
        "international_cut_with_named_holes",
        "nothing crosses the border but questions, BGP and the port of BFD: names abroad are known and not reached",
        _none("international", "shutdown"),
        *_NOTHING_BUT_HOLES,
        prove.page("https://egov.kz/"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        world=_with_holes,
        rules=always(closures.Closed(holes=(*_CUT.holes, *closures.NAMED_HOLES))),
    ),
    _closed(
        "international_cut_by_resets",
        "what leaves the country is reset at the border, questions vanish; the country answers",
        _none("international", "shutdown"),
        prove.page("https://egov.kz/"),
        prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
        prove.fails(OTHER, prove.UNCONNECTED),
        prove.answers(FACEBOOK, "", "8.8.8.8"),
        rules=always(dataclasses.replace(_CUT, resets=True)),
        in_slice=True,
    ),
    _closed(
        "whitelist_of_names",
        "connections abroad are made, and greetings are delivered only if they name a site of the country's",
        _none("whitelist", "international", "shutdown"),
        prove.page("https://egov.kz/"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails("https://www.kernel.org/", prove.SILENT),
        prove_apps.open_port("8.8.8.8", 443, works=True),
        prove.handshake(FACEBOOK, "egov.kz", works=True),
        _forget,
        rules=always(censor.OnlyListed(names=("kz",))),
    ),
    _closed(
        "whitelist_of_addresses",
        "the country's sites and one social network are reached, and nothing else by any name",
        _none("whitelist", "international", "shutdown"),
        prove.page("https://egov.kz/"),
        prove.page("https://vk.com/"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        rules=always(closures.Closed(holes=(When(remote=(*_HERE, *_DOMESTIC, "87.240.132.0/24")),))),
        check=(FACEBOOK_URL, OTHER, "https://vk.com/"),
        spares=lambda url: "vk.com" in url,
    ),
    _closed(
        "shutdown_begins_during_the_run",
        "a third of a second after the run begins, everything vanishes",
        CHANCE,
        prove_apps.in_force(_SHUT, prove.fails(FACEBOOK_URL, prove.SILENT, prove.UNRESOLVED)),
        prove.page(FACEBOOK_URL),
        rules=always(censor.During(rule=_SHUT, since=_RUN_BEGINS, start=0.3)),
        check=(FACEBOOK_URL, OTHER, "https://x.com/"),
        network=(*CHANCE, Words("ok")),
    ),
    _closed(
        "shutdown_comes_and_goes",
        "from the beginning of the run everything vanishes for three seconds out of six",
        CHANCE,
        prove_apps.in_force(_SHUT, prove.fails(FACEBOOK_URL, prove.SILENT, prove.UNRESOLVED)),
        prove.page(FACEBOOK_URL),
        rules=always(closures.Schedule(rule=_SHUT, since=_RUN_BEGINS)),
        network=(*CHANCE, Words("ok")),
    ),
    _closed(
        "international_cut_comes_and_goes",
        "from the beginning of the run nothing crosses the border for four seconds out of eight",
        CHANCE,
        prove_apps.in_force(_CUT, prove.fails(FACEBOOK_URL, prove.SILENT), prove.page("https://egov.kz/")),
        prove.page(FACEBOOK_URL),
        rules=always(closures.Schedule(rule=_CUT, since=_RUN_BEGINS, on=4, off=4)),
        network=(*CHANCE, Words("ok")),
    ),
    _row(
        "block_comes_and_goes",
        "the name is dropped for two seconds out of four: what a run meets is chance, and one success withdraws a flip",
        (*SNI_SILENCE, *NOT_KNOWN, *FINE),
        prove_apps.in_force(
            rules.NameDrop(names=META),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, STRANGER, works=True),
            prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        ),
        rules=always(closures.Schedule(rule=rules.NameDrop(names=META), since=_RUN_BEGINS, on=2, off=2)),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# greetings in pieces

_SHORT = closures.ShortSegments()
_PIECES = prove_apps.greets_in_pieces(FACEBOOK)

_GREETINGS = (
    _row(
        "short_segments",
        "a tunnel of the provider's lowers the segment size to 250: greetings take three segments, and all is well",
        FINE,
        _PIECES,
        prove.page(FACEBOOK_URL),
        rules=always(_SHORT),
    ),
    _row(
        "short_segments_and_reader_of_whole_greetings",
        "the same, and a device puts greetings together and drops the name",
        SNI_SILENCE,
        _PIECES,
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        prove.handshake(FACEBOOK, STRANGER, works=True),
        prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        _forget,
        rules=always(_SHORT, rules.NameDrop(names=META)),
    ),
    _row(
        "short_segments_and_reader_of_first_segments",
        "the same, and a device takes the name from the first piece of a greeting without waiting for the rest",
        SNI_SILENCE,
        _PIECES,
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        prove.handshake(FACEBOOK, STRANGER, works=True),
        prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        _forget,
        rules=always(_SHORT, closures.FirstSegmentDrop(names=META)),
    ),
    _row(
        "short_segments_and_reader_of_single_packets",
        "the same, and a device reads whole greetings in single packets only: nobody here is blocked by it",
        FINE,
        _PIECES,
        prove.page(FACEBOOK_URL),
        rules=always(_SHORT, rules.NameDrop(names=META, reassemble=False)),
    ),
    _row(
        "short_segments_and_server_that_wants_whole_greetings",
        "the same, and one site's server is silent to greetings that come in pieces, whatever they name (tldr.fail)",
        (*NOT_KNOWN, Words("outage")),
        _PIECES,
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.handshake(FACEBOOK, STRANGER, works=False),
        prove.handshake("www.wikipedia.org", FACEBOOK, works=True),
        _forget,
        control=(prove.page(FACEBOOK_URL),),
        rules=lambda world: (
            _SHORT,
            closures.SplitIntolerant(
                when=When(protocol=TCP, ports=(443,), remote=(world.sites[FACEBOOK].address + "/32",)), place="far"
            ),
        ),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# this computer

_SLEEPER = str(Path(__file__).with_name("sleeper.py"))


def _asleep(after: float, seconds: float) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", _SLEEPER, str(after), str(seconds))


_ANTIVIRUS = "CN=Kaspersky Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab"


def _opened(world: World) -> tuple[Rule, ...]:
    made = forgers.forge(_ANTIVIRUS, tuple(world.sites))
    return (censor.NameForge(chains=made.chains, key=made.key, place="home"),)


_COMPUTER = (
    _row(
        "asleep_in_a_healthy_run",
        "the computer is closed for twenty seconds soon after the run begins: every deadline is over when it wakes",
        CHANCE,
        prove.page(FACEBOOK_URL),
        check=(FACEBOOK_URL, OTHER, "telegram", "https://x.com/"),
        sound=(),
        launcher=_asleep(1.2, 20),
        network=(Words("ok"), *CHANCE),
    ),
    _row(
        "asleep_with_its_radio_off",
        "the same, and nothing arrives or leaves meanwhile, as with a machine whose radio sleeps too",
        CHANCE,
        prove_apps.in_force(_SHUT, prove.fails(FACEBOOK_URL, prove.SILENT, prove.UNRESOLVED)),
        prove.page(FACEBOOK_URL),
        rules=always(censor.During(rule=_SHUT, since=_RUN_BEGINS, start=0.4, end=20)),
        check=(FACEBOOK_URL, OTHER, "telegram", "https://x.com/"),
        sound=(),
        launcher=_asleep(1.2, 20),
        network=(Words("ok"), *CHANCE),
    ),
    _row(
        "asleep_while_it_waits_for_a_dead_server",
        "the server is dead, and the computer is closed for twenty seconds while the run waits for it",
        (Words("outage"), *NOT_KNOWN, Words("no_network")),
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        world=lambda world: world.change(FACEBOOK, present=False),
        sound=(),
        launcher=_asleep(3.0, 20),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
    ),
    _row(
        "asleep_while_a_name_is_dropped",
        "the name is dropped on the way, and the computer is closed for twenty seconds in the middle of the arms",
        (*SNI_SILENCE, *NOT_KNOWN, Words("no_network")),
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.handshake(FACEBOOK, STRANGER, works=True),
        prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        _forget,
        rules=always(rules.NameDrop(names=META)),
        sound=(),
        launcher=_asleep(4.0, 20),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
    ),
    _closed(
        "tunnel_has_taken_the_way_out",
        "a VPN's interface is up and has all routes, and nothing comes back through it",
        _none("link", "upstream", "shutdown"),
        prove.interface_up("wg0"),
        prove_apps.routed(FACEBOOK, "wg0"),
        prove.fails("http://8.8.8.8/", prove.SILENT, prove.UNCONNECTED),
        world=lambda world: dataclasses.replace(world, tunnels=("wg0=0.0.0.0/1,128.0.0.0/1",)),
    ),
    _row(
        "tunnel_has_taken_one_network",
        "a VPN's interface is up and has the routes to one company's network only, and nothing comes back through it",
        (*NOT_KNOWN, Words("no_network")),
        prove.interface_up("wg0"),
        prove_apps.routed(FACEBOOK, "wg0"),
        prove.fails(FACEBOOK_URL, prove.SILENT, prove.UNCONNECTED),
        prove.page(OTHER),
        world=lambda world: dataclasses.replace(world, tunnels=("wg0=157.240.0.0/16",)),
        in_slice=True,
    ),
    _row(
        "antivirus_root_not_installed",
        "an antivirus on this computer opens every connection, and its root is in the browser's store alone",
        (*NOT_KNOWN, Words("no_network", "filter")),
        prove.certificate_error(FACEBOOK_URL, "certificate"),
        prove.certificate_error("https://www.kernel.org/", "certificate"),
        rules=_opened,
        check=(FACEBOOK_URL, OTHER),
        sound=(),
        network=(Words("ok"), Words("inconclusive"), Words("no_network", "filter")),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_SHUTDOWNS, *_GREETINGS, *_COMPUTER)
