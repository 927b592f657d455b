"""Slower by name: policers, shapers, delays and freezes that act on a name, and all that looks so and is nothing of the kind.

Beside the rows of scenarios_apps.py. In those here what is slowed down is a page of 100 KB; wherever names are compared are sites
with pages of the web's size. A row that is no block must never be called one, whatever is slow in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from targets.loader import load_canaries
from tests.lab import censor, closures, prove, prove_apps, rules, throttle
from tests.lab.control_serve import ADDRESS, HOST, Serves
from tests.lab.packets import TCP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, OTHER, Scenario, Words
from tests.lab.scenarios_ablations import no_neutrals
from tests.lab.servers import PORTAL, PROXY_PORT
from tests.lab.world import Front, World

META = ("facebook.com",)
STRANGER = "www.nobelprize.org"
NEUTRAL = "www.wikipedia.org"
SLOWED = (Words("blocked", "throttling", "throttling.sni"),)
LATE = (Words("blocked", "throttling", "throttling.delay.sni"),)
FROZEN = (Words("blocked", "throttling", "throttling.freeze"),)
UNSETTLED = (Words("accessible"), Words("inconclusive"))
_CODES = {"accessible": 0, "blocked": 1, "outage": 1, "denied": 1, "inconclusive": 3}
_PAGE = b"<!doctype html><html><head><title>A long page</title></head><body>" + b"<p>Words of a page.</p>\n" * 4500


def _long(world: World) -> World:
    return world.change(FACEBOOK, body=_PAGE)


def _row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    codes = tuple(sorted({_CODES[words.status] for words in acceptable}))
    fields: dict[str, Any] = {"world": _long, "exit_codes": codes, **more}
    return Scenario(name=name, tells=tells, acceptable=acceptable, proofs=proofs, **fields)


def _always(*rules_: Rule) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: rules_


# ---------------------------------------------------------------------------------------------------------------------
# blocks


def _police(kbit: int, rule: type[throttle.NamePolice | throttle.NameShape], how: str) -> Scenario:
    """100 KB at so many kbit/s take at least so long; without them less than a second."""
    seconds = 100_000 * 8 / (kbit * 1000) * 0.75
    word = "policed" if rule is throttle.NamePolice else "shaped"
    return _row(
        f"{word}_to_{kbit}_kbit",
        f"what the server sends on flows with the name comes at {kbit} kbit/s, {how}",
        SLOWED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=seconds),
        prove_apps.takes(FACEBOOK, STRANGER, less_than=seconds * 0.8),
        rules=_always(rule(names=META, rate=kbit * 1000)),
    )


def _held(seconds: float, **more: Any) -> Scenario:
    return _row(
        f"held_for_{seconds:.0f}_seconds",
        f"the first answer to a greeting with the name is held back for {seconds:.0f} seconds; what follows comes as ever",
        LATE,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=seconds, less_than=20.0),
        prove_apps.takes(NEUTRAL, STRANGER, less_than=2.0),
        rules=_always(throttle.NameHold(names=META, seconds=seconds)),
        **more,
    )


_DROPPED, _WAITS = "what is more is dropped", "what is more waits"

_BLOCKS = (
    *(_police(kbit, throttle.NamePolice, _DROPPED) for kbit in (100, 200, 300, 400)),
    *(_police(kbit, throttle.NameShape, _WAITS) for kbit in (100, 400)),
    *(_held(seconds) for seconds in (3.0, 4.0, 5.0)),
    dataclasses.replace(
        _held(4.0),
        name="held_for_4_seconds_at_a_quick_look",
        tells="the same, and a quick look asks for the page's head only",
        arguments=("--profile", "light"),
    ),
    _row(
        "frozen_after_20_kilobytes",
        "after 20 KB of the answer nothing of a flow that carried the name is delivered any more",
        FROZEN,
        prove_apps.freezes(FACEBOOK, FACEBOOK, least=0, most=24_000),
        prove_apps.takes(FACEBOOK, STRANGER, less_than=3.0),
        rules=_always(censor.NameCut(names=META, after=20_000)),
    ),
)

# The same, and a control of the user's own has sinks: bytes for everybody, under any name.


def _with_control(row: Scenario, label: str, extra: Callable[[World], tuple[Rule, ...]] | None = None) -> Scenario:
    def world(whole: World) -> World:
        made = row.world(whole)
        return dataclasses.replace(made, hosts=f"{made.hosts}{ADDRESS} {HOST}\n")

    def every(made: World) -> tuple[Rule, ...]:
        return (*(extra(made) if extra else ()), *row.rules(made))

    return dataclasses.replace(
        row,
        name=f"{row.name}_{label}",
        tells=f"{row.tells}; a control abroad is a place where names are compared",
        serves=Serves(named=True),
        world=world,
        rules=every,
    )


def _alone(row: Scenario) -> Scenario:
    """No neutral place is there: nothing of the kind answers."""
    silent = prove.fails("https://www.lego.com/", prove.SILENT)
    made = _with_control(row, "at_the_control_alone", no_neutrals)
    kept = tuple(proof for proof in row.proofs[:1])
    # Whoever runs a sink can be slow with a name, so that it alone leans.
    return dataclasses.replace(made, proofs=(*kept, silent), acceptable=(*SLOWED, *UNSETTLED))


_AT_CONTROLS = (
    *(_with_control(_police(kbit, throttle.NamePolice, _DROPPED), "and_a_control") for kbit in (200, 400)),
    _with_control(_held(4.0), "and_a_control"),
    _alone(_police(200, throttle.NamePolice, _DROPPED)),
)

# ---------------------------------------------------------------------------------------------------------------------
# no blocks


def _pages(before: str = "", how: str = "") -> str:
    """nginx: the site's pages, sent in some way."""
    return f"{before}location / {{ root {{directory}}; try_files /{FACEBOOK}.html =404; {how} }}"


def _its_own(rate: str, after: str = "0") -> str:
    """Directives that send the site's own name slowly, and every other one as ever."""
    slow = f"if ($host = {FACEBOOK}) {{ set $limit_rate {rate}; }} "
    return _pages(f"limit_rate_after {after}; set $limit_rate 0; {slow}")


def _server(name: str, tells: str, https: str, *proofs: prove.Proof, **more: Any) -> Scenario:
    return _row(
        name,
        tells,
        more.pop("acceptable", UNSETTLED),
        *proofs,
        world=lambda world: _long(world).change(FACEBOOK, https=https),
        control=(),
        **more,
    )


_SLOWLY = prove_apps.takes(FACEBOOK, FACEBOOK, more_than=2.0)
_QUICK = prove_apps.takes(FACEBOOK, STRANGER, less_than=2.0)
_QUICK_ELSEWHERE = prove_apps.takes(NEUTRAL, FACEBOOK, less_than=2.0)


def _stalls(on: float, off: float) -> Callable[[World], tuple[Rule, ...]]:
    """Nothing of TCP passes for a while, now and again: a radio that loses its channel."""
    return _always(closures.Schedule(rule=rules.Drop(when=When(protocol=TCP), place="home"), on=on, off=off))


def _line(name: str, tells: str, *proofs: prove.Proof, **more: Any) -> Scenario:
    """Everything is slow, whatever it names."""
    return _row(name, tells, UNSETTLED, *proofs, sound=(), network=(Words("ok"), Words("inconclusive")), **more)


_SERVERS = (
    _server(
        "server_polices_everybody",
        "the server sends 8 KB at once and then 16 KB a second, to everybody",
        _pages(how="limit_rate_after 8k; limit_rate 16k;"),
        _SLOWLY,
        prove_apps.takes(FACEBOOK, STRANGER, more_than=2.0),
        _QUICK_ELSEWHERE,
    ),
    _server(
        "server_polices_its_own_name",
        "the server sends 8 KB at once and then 16 KB a second for its own name; others at its address come quickly",
        _its_own("16k", "8k"),
        _SLOWLY,
        _QUICK,
        _QUICK_ELSEWHERE,
    ),
    _server(
        "server_freezes_its_own_name",
        "the server sends 16 KB and then next to nothing for its own name: a broken back end",
        _its_own("1", "16k"),
        prove_apps.freezes(FACEBOOK, FACEBOOK, least=0, most=40_000),
        _QUICK,
        _QUICK_ELSEWHERE,
        acceptable=(*UNSETTLED, Words("outage")),
    ),
    _row(
        "front_end_greets_its_own_name_late",
        "the site's front end answers greetings with its own name after four seconds, and others at once",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0),
        _QUICK,
        _QUICK_ELSEWHERE,
        world=lambda world: _long(world).change(FACEBOOK, front=Front(ways=((FACEBOOK, "late:4/serve"),))),
        control=(),
    ),
    _row(
        "front_end_greets_everybody_late",
        "the site's front end answers every greeting after four seconds",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0),
        prove_apps.takes(FACEBOOK, STRANGER, more_than=4.0),
        _QUICK_ELSEWHERE,
        world=lambda world: _long(world).change(FACEBOOK, front=Front(other="late:4/serve")),
        control=(),
    ),
    _row(
        "proxy_of_names_and_slow_server",
        "the provider's proxy takes every connection and goes by the name; the name's server sends 16 KB a second to everybody",
        UNSETTLED,
        _SLOWLY,
        prove.shown_at("192.0.2.1", FACEBOOK),
        world=lambda world: dataclasses.replace(
            _long(world).change(FACEBOOK, https=_pages(how="limit_rate 16k;")), proxy=True
        ),
        rules=_always(rules.Divert(when=When(protocol=TCP, ports=(443,)), to=PORTAL, port=PROXY_PORT, place="access")),
        control=(),
    ),
)

_LINES = (
    _line("line_of_128_kbit", "128 kbit/s for everything", _SLOWLY, leg={"rate": 128_000, "queue": 16_000}),
    _line("line_of_256_kbit", "256 kbit/s for everything", _SLOWLY, leg={"rate": 256_000, "queue": 32_000}),
    _line(
        "line_with_a_long_queue",
        "400 kbit/s for everything, and a queue of two seconds before it (bufferbloat)",
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=1.5),
        leg={"rate": 400_000, "queue": 100_000},
    ),
    _line(
        "line_that_loses_a_tenth",
        "a tenth of all packets is lost each way",
        prove_apps.takes(FACEBOOK, STRANGER, less_than=20.0),
        leg={"loss": 0.1},
    ),
    _line(
        "line_that_loses_a_fifth",
        "a fifth of all packets is lost each way",
        prove_apps.takes(FACEBOOK, STRANGER, less_than=30.0),
        leg={"loss": 0.2},
    ),
    _line(
        "line_by_satellite",
        "everything takes 0.6 seconds there and back",
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=2.0),
        leg={"delay": 0.298},
    ),
    _line(
        "radio_that_stalls",
        "nothing passes for a second out of three, whatever it is (a poor Wi-Fi)",
        prove_apps.takes(FACEBOOK, STRANGER, less_than=20.0),
        rules=_stalls(1.0, 2.0),
    ),
    _line(
        "radio_that_stalls_often",
        "nothing passes for 0.6 seconds out of 1.2",
        prove_apps.takes(FACEBOOK, STRANGER, less_than=20.0),
        rules=_stalls(0.6, 0.6),
    ),
    _line(
        "line_with_jitter",
        "packets take 40 to 400 milliseconds, one way",
        prove_apps.takes(FACEBOOK, STRANGER, less_than=20.0),
        leg={"delay": 0.04, "jitter": 0.36},
    ),
)

_OTHERS = (
    _row(
        "road_to_the_site_is_narrow",
        "what comes from the site's network shares 200 kbit/s, whatever it names; everybody else's does not",
        UNSETTLED,
        _SLOWLY,
        _QUICK_ELSEWHERE,
        rules=_always(
            throttle.Police(
                when=When(protocol=TCP, side="down", remote=("157.240.0.0/16",)), rate=200_000, burst=16_000
            )
        ),
        sound=(OTHER,),
    ),
    _with_control(
        _server(
            "server_polices_its_own_name",
            "the server sends 8 KB at once and then 16 KB a second for its own name; others at its address come quickly",
            _its_own("16k", "8k"),
            _SLOWLY,
            _QUICK,
        ),
        "and_a_control",
    ),
    _with_control(_LINES[0], "and_a_control"),
)

# Innocent worlds in which a name is slower than its neighbour: the site is slow by itself, so that names are compared, and then
# something else, that knows no name, must not pass for somebody who does.
_INNOCUOUS = sorted(load_canaries().innocuous)
_FREE, _PAID = tuple(_INNOCUOUS[::3]), _INNOCUOUS[1]
"""Names that a tariff leaves free, a third of those that the probe may compare with; and one that it does not."""
_TCP_DOWN = When(protocol=TCP, side="down")


def _innocent(name: str, tells: str, *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {"network": (Words("ok"), Words("inconclusive")), "control": (), **more}
    return _row(name, tells, UNSETTLED, prove_apps.takes(FACEBOOK, FACEBOOK, more_than=1.5), *proofs, **fields)


def _slow_itself(world: World) -> World:
    return _long(world).change(FACEBOOK, https=_pages(how="limit_rate_after 8k; limit_rate 16k;"))


_INNOCENT = (
    _innocent(
        "bundle_with_a_narrow_link",
        "flows are shared out over two links by their ports, and one of them has 200 kbit/s a flow",
        prove_apps.differs(NEUTRAL, STRANGER, slower_than=0.8),
        world=lambda world: _slow_itself(world).change(NEUTRAL, body=_PAGE),
        rules=_always(throttle.EachPolice(when=dataclasses.replace(_TCP_DOWN, fraction=0.5), rate=200_000)),
    ),
    _innocent(
        "tariff_used_up_and_some_names_free",
        "the volume is used up: 128 kbit/s for all that the customer does, but what greets with some names is free",
        prove_apps.takes(_PAID, _PAID, more_than=4.0),
        prove_apps.takes(_FREE[0], _FREE[0], less_than=2.0),
        world=lambda world: _long(world).change(_PAID, _FREE[0], body=_PAGE),
        rules=_always(throttle.Tariff(names=_FREE, place="access")),
    ),
    _innocent(
        "radio_that_sleeps",
        "the laptop's radio sleeps 20 ms after it has sent, and hears what waits for it every 0.3 seconds",
        prove_apps.takes(STRANGER, STRANGER, more_than=0.6),
        world=lambda world: _slow_itself(world).change(STRANGER, body=_PAGE),
        rules=_always(throttle.PowerSave(when=When(protocol=TCP), listens=0.02, place="home")),
    ),
    _innocent(
        "servers_that_limit_each_visitor",
        "every server gives a visitor 60 KB at once and 64 kbit/s from then on, whatever he names",
        prove_apps.takes(FACEBOOK, STRANGER, more_than=1.5),
        rules=_always(
            throttle.EachPolice(
                when=dataclasses.replace(_TCP_DOWN, ports=(443,)),
                rate=64_000,
                burst=60_000,
                by_server=True,
                place="far",
            )
        ),
        control=None,
        unproven_abroad="what the proofs have fetched from there is counted",
    ),
    _innocent(
        "gateway_that_looks_names_up",
        "a company's gateway holds the first flow with any name for four seconds, and knows the name from then on",
        # What it has learnt from the proofs is forgotten after them.
        prove_apps.in_force(
            throttle.NewNameHold(seconds=4.0, place="home"),
            prove_apps.takes(NEUTRAL, STRANGER, more_than=4.0),
            prove_apps.takes(FACEBOOK, STRANGER, less_than=2.0),
        ),
        rules=_always(throttle.NewNameHold(seconds=4.0, place="home")),
    ),
    _innocent(
        "line_that_is_busy_in_turns",
        "somebody's backup leaves 64 kbit/s for two seconds out of four and a half",
        prove_apps.in_force(
            throttle.Police(when=_TCP_DOWN, rate=64_000), prove_apps.takes(NEUTRAL, STRANGER, more_than=1.0)
        ),
        world=_slow_itself,
        rules=_always(
            closures.Schedule(rule=throttle.Police(when=_TCP_DOWN, rate=64_000, place="access"), on=2.0, off=2.5)
        ),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_BLOCKS, *_AT_CONTROLS, *_SERVERS, *_LINES, *_OTHERS, *_INNOCENT)
"""All of them; :data:`BLOCKS` are those that must be found."""
BLOCKS = frozenset(row.name for row in (*_BLOCKS, *_AT_CONTROLS))
