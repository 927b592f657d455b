"""Public resolvers that are asked in secret (``doh://``, ``dot://``, ``doq://``): over HTTPS, TLS and QUIC.

A name that is stopped is proven as it is for pages. A port that is closed for everybody, and a resolver that is down, look alike
from one network: there only "not known" is right.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from targets.loader import load_canaries
from tests.lab import prove, rules
from tests.lab.censor_quic import QuicDrop
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.net import REPOSITORY
from tests.lab.packets import TCP, UDP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import OTHER, Scenario, Words, always, exit_codes
from tests.lab.world import World

GOOGLE, CLOUDFLARE, ADGUARD = "dns.google", "cloudflare-dns.com", "dns.adguard-dns.com"
AT = {GOOGLE: "8.8.8.8", CLOUDFLARE: "1.1.1.1", ADGUARD: "94.140.14.14"}
DOH, DOT, DOQ = f"doh://{ADGUARD}/dns-query", f"dot://{ADGUARD}", f"doq://{ADGUARD}"
ALL = (DOH, DOT, DOQ)
OTHERS = (f"doh://{GOOGLE}/dns-query", f"dot://{GOOGLE}", f"doh://{CLOUDFLARE}/dns-query")
_PORT_853 = (When(protocol=TCP, ports=(853,)), When(protocol=UDP, ports=(853,)))

FINE = (Words("accessible"),)
UNKNOWN = (Words("inconclusive"),)
BY_NAME = (Words("blocked", "tls", "tls."),)
CLOSED = UNKNOWN
"""What is closed for everybody looks from here as a port that nobody serves."""
DOWN = (Words("outage"), *UNKNOWN)


def asked(way: str, name: str, *, works: bool, at: str | None = None, verified: bool = True) -> Proof:
    """The lab's own clients (dig, aioquic's) get an answer with an address for example.com, or none."""

    def run(lab: Lab) -> None:
        address = at or AT[name]
        if way == "doq":
            roots = str(lab.roots) if verified else "-"
            words = ("-S", "-m", "tests.lab.doq", "ask", address, name, roots, "example.com")
            seen = lab.run("env", f"--chdir={REPOSITORY}", sys.executable, *words).stdout.startswith("0 1")
        else:
            how = "+https" if way == "doh" else "+tls"
            sure = (f"+tls-ca={lab.roots}",) if verified else ()
            done = lab.run(
                "dig", "+tries=1", "+time=3", how, *sure, f"+tls-hostname={name}", f"@{address}", "example.com", "A"
            )
            seen = "status: NOERROR" in done.stdout and "ANSWER: 1" in done.stdout
        if seen != works:
            raise LabError(f"the scenario does not do what it says: {way} of {name}: {seen}")

    return run


def works(name: str = ADGUARD) -> tuple[Proof, ...]:
    """All that this resolver has."""
    ways = ("doh", "dot", "doq") if name == ADGUARD else ("doh", "dot")
    return tuple(asked(way, name, works=True) for way in ways)


def _has_doq(manner: str = "good") -> Callable[[World], World]:
    # Places where QUIC works for everybody tell whether it is all of QUIC that is silent.
    return lambda world: dataclasses.replace(
        world.change(*load_canaries().http3, quic="served"), doq=((AT[ADGUARD], manner),)
    )


def row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {
        "world": _has_doq(),
        "check": ALL,
        "sound": (*OTHERS, OTHER),
        "exit_codes": exit_codes(acceptable),
        "unproven_abroad": "the control does not speak it",
        **more,
    }
    return Scenario(name=f"edns_{name}", tells=tells, acceptable=acceptable, proofs=proofs, **fields)


def _to_stranger(world: World) -> tuple[Rule, ...]:
    """Whoever is asked on port 853, a web server answers, with the certificate that it has."""
    return (rules.Divert(when=_PORT_853[0], to=world.sites["www.livejournal.com"].address, port=443),)


SCENARIOS = (
    row("works", "all is well", FINE, *works(), *works(GOOGLE)),
    row("works_far_away", "every round trip takes 600 ms", FINE, *works(), leg={"delay": 0.298}),
    row(
        "works_over_a_lossy_line",
        "a twentieth of all packets is lost each way",
        (*FINE, *UNKNOWN),
        prove.lossy("8.8.8.8", at_least=1, of=80),
        sound=(),
        leg={"loss": 0.05},
        network=(Words("ok"), Words("inconclusive")),
    ),
    row(
        "works_where_the_provider_lies",
        "the provider's resolver denies facebook.com; its own names of resolvers are right",
        FINE,
        *works(),
        world=lambda world: dataclasses.replace(_has_doq()(world), lies={"www.facebook.com": "nxdomain"}),
    ),
    row(
        "dot_dropped_for_all",
        "what goes to TCP port 853 vanishes at the border, whoever it goes to; HTTPS passes",
        CLOSED,
        asked("dot", ADGUARD, works=False),
        asked("dot", GOOGLE, works=False),
        asked("doh", ADGUARD, works=True),
        rules=always(rules.Drop(when=_PORT_853[0])),
        check=(DOT,),
        sound=(DOH, DOQ, OTHERS[0], OTHER),
    ),
    row(
        "dot_dropped_at_home",
        "the household's own router drops TCP port 853",
        (Words("no_network", "filter"), *UNKNOWN),
        asked("dot", ADGUARD, works=False),
        rules=always(rules.Drop(when=_PORT_853[0], place="home")),
        check=(DOT,),
        sound=(DOH, OTHER),
    ),
    row(
        "dot_refused_for_all",
        "connections to TCP port 853 are refused at the border by forged resets",
        CLOSED,
        asked("dot", ADGUARD, works=False),
        asked("doh", ADGUARD, works=True),
        rules=always(rules.Reset(when=_PORT_853[0])),
        check=(DOT,),
        sound=(DOH, OTHERS[0], OTHER),
    ),
    row(
        "dot_answered_by_another",
        "a device sends all of TCP port 853 to a web server of its own choice; its certificate is another's",
        UNKNOWN,
        asked("dot", ADGUARD, works=False),
        rules=_to_stranger,
        check=(DOT,),
        sound=(DOH, DOQ, OTHERS[0], OTHER),
    ),
    row(
        "doh_by_name_dropped",
        "from a greeting with the resolver's name on, the flow is dropped at the border, on whatever port; QUIC is not read",
        BY_NAME,
        prove.fails(f"https://{ADGUARD}/", prove.SILENT),
        prove.page(f"https://{GOOGLE}/"),
        asked("doq", ADGUARD, works=True),
        rules=always(rules.NameDrop(names=(ADGUARD,))),
        check=(DOH, DOT),
        sound=(DOQ, *OTHERS, OTHER),
        in_slice=True,
    ),
    row(
        "doh_by_name_reset",
        "the same, and both sides are told that it is over",
        BY_NAME,
        prove.fails(f"https://{ADGUARD}/", prove.HANDSHAKE, prove.RESET),
        prove.page(f"https://{GOOGLE}/"),
        rules=always(rules.NameReset(names=(ADGUARD,))),
        check=(DOH, DOT),
        sound=(DOQ, *OTHERS, OTHER),
    ),
    row(
        "resolver_down",
        "nobody answers at the resolver's address",
        DOWN,
        asked("doh", ADGUARD, works=False),
        asked("dot", ADGUARD, works=False),
        asked("doq", ADGUARD, works=False),
        asked("doh", GOOGLE, works=True),
        rules=always(rules.Drop(when=When(remote=(f"{AT[ADGUARD]}/32",)), place="far")),
    ),
    row(
        "doq_refuses",
        "over QUIC, the resolver answers that it will not",
        DOWN,
        asked("doq", ADGUARD, works=False),
        asked("dot", ADGUARD, works=True),
        world=_has_doq("refuses"),
        check=(DOQ,),
        sound=(DOH, DOT, OTHER),
    ),
    row(
        "doq_mute",
        "over QUIC, the resolver shakes hands and never answers",
        DOWN,
        asked("doq", ADGUARD, works=False),
        world=_has_doq("mute"),
        check=(DOQ,),
        sound=(DOH, DOT, OTHER),
    ),
    row(
        "doq_not_there",
        "nobody listens on the resolver's UDP port 853",
        DOWN,
        asked("doq", ADGUARD, works=False),
        world=_has_doq("closed"),
        check=(DOQ,),
        sound=(DOH, DOT, OTHER),
    ),
    row(
        "doq_of_another",
        "who answers over QUIC has somebody else's certificate",
        UNKNOWN,
        asked("doq", ADGUARD, works=False),
        asked("doq", ADGUARD, works=True, verified=False),
        world=_has_doq("stranger"),
        check=(DOQ,),
        sound=(DOH, DOT, OTHER),
    ),
    row(
        "doq_dropped",
        "what goes to UDP port 853 vanishes at the border",
        CLOSED,
        asked("doq", ADGUARD, works=False),
        asked("dot", ADGUARD, works=True),
        rules=always(rules.Drop(when=_PORT_853[1])),
        check=(DOQ,),
        sound=(DOH, DOT, *OTHERS, OTHER),
    ),
    row(
        "doq_by_name_dropped",
        "from a QUIC greeting with the resolver's name on, what the client sends is dropped at the border, on whatever port",
        (Words("blocked", "quic", "quic.timeout.sni"), *UNKNOWN),
        asked("doq", ADGUARD, works=False),
        asked("dot", ADGUARD, works=True),
        rules=always(QuicDrop(when=When(protocol=UDP), names=(ADGUARD,))),
        check=(DOQ,),
        sound=(DOH, DOT, *OTHERS, OTHER),
    ),
    row(
        "line_down",
        "everything vanishes behind the household's router",
        (Words("no_network"),),
        asked("doh", ADGUARD, works=False),
        asked("doh", GOOGLE, works=False),
        rules=always(rules.Drop(when=When())),
        sound=(),
        network=(Words("no_network"),),
    ),
)
