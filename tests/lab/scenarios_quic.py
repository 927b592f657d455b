"""Sites that are asked for over QUIC alone (``quic://HOST``), and pages beside which it is odd: what is done to QUIC on the way,
and what households, lines and servers do that looks so.

Nothing but a name that is stopped beyond the household, and at places that have nothing to do with it, is a block here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import prove, prove_apps, rules, throttle
from tests.lab.censor_quic import QuicDrop, QuicVersionDrop
from tests.lab.control_serve import Serves
from tests.lab.packets import UDP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.scenarios_apps import LIVEJOURNAL, META, STRANGER, with_http3
from tests.lab.world import World

SITE = f"quic://{FACEBOOK}"
BESIDE = f"quic://{LIVEJOURNAL}"
_H3 = When(protocol=UDP, ports=(443,))

FINE = (Words("accessible"),)
BY_NAME = (Words("blocked", "quic", "quic.timeout.sni"),)
UNSETTLED = (Words("inconclusive"),)
OFF = (Words("outage"), *UNSETTLED)
AT_HOME = (Words("no_network", "filter"), *UNSETTLED)
SHAKY = (*FINE, *UNSETTLED)


def _row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {
        "world": with_http3,
        "check": (SITE,),
        "sound": (BESIDE,),
        "exit_codes": exit_codes(acceptable),
        "control": (_by_http3(works=True),),
        **more,
    }
    return Scenario(name=name, tells=tells, acceptable=acceptable, proofs=proofs, **fields)


def _page(name: str, tells: str, *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {"check": (FACEBOOK_URL,), "sound": (OTHER,), **more}
    return _row(name, tells, FINE, prove_apps.announced(FACEBOOK), *proofs, **fields)


def _by_http3(*, works: bool) -> prove.Proof:
    return prove_apps.http3(FACEBOOK, works=works)


def _has(manner: str) -> Callable[[World], World]:
    """The site's own HTTP/3 is so."""
    return lambda world: with_http3(world).change(FACEBOOK, quic=manner)


def _at_site(world: World) -> tuple[Rule, ...]:
    there = (world.sites[FACEBOOK].address + "/32",)
    return (rules.Drop(when=dataclasses.replace(_H3, remote=there), place="far"),)


_NAME_STOPPED = (
    _by_http3(works=False),
    prove_apps.http3(STRANGER, works=True, at=FACEBOOK),
    prove_apps.http3(FACEBOOK, works=False, at=LIVEJOURNAL),
)
_NOBODY = (_by_http3(works=False), prove_apps.http3(LIVEJOURNAL, works=False), prove.page(FACEBOOK_URL))
_ONLY_IT = (_by_http3(works=False), prove_apps.http3(LIVEJOURNAL, works=True))

_SITES = (
    _row("quic_site_healthy", "a site that is asked for over QUIC, and answers", FINE, _by_http3(works=True)),
    _row(
        "quic_site_sni_drop",
        "from a QUIC greeting with the name on, what the client sends on that flow is dropped at the border",
        BY_NAME,
        *_NAME_STOPPED,
        rules=always(QuicDrop(names=META)),
    ),
    _row(
        "quic_site_sni_drop_both_ways",
        "the same, and what the server sends on that flow is dropped as well",
        BY_NAME,
        *_NAME_STOPPED,
        rules=always(QuicDrop(names=META, both=True)),
    ),
    _row(
        "quic_site_sni_drop_with_control",
        "the name is dropped at the border, and a control of the user's own has a sink for QUIC",
        BY_NAME,
        *_NAME_STOPPED,
        rules=always(QuicDrop(names=META)),
        serves=Serves(),
        finds=("quic_control_flip",),
    ),
    _row(
        "quic_site_behind_its_own_firewall_with_control",
        "the site's own firewall drops UDP port 443; the name passes on the way to a control of the user's own",
        OFF,
        *_ONLY_IT,
        rules=_at_site,
        control=(_by_http3(works=False),),
        serves=Serves(),
    ),
    _row(
        "quic_site_sni_drop_at_home",
        "the household's own router reads QUIC greetings and drops those with the name",
        AT_HOME,
        *_NAME_STOPPED,
        rules=always(QuicDrop(names=META, place="home")),
    ),
    _row(
        "quic_site_answers_dropped_at_home",
        "the household's own router lets QUIC greetings with the name out, and no answer to them in",
        AT_HOME,
        *_NAME_STOPPED,
        rules=always(QuicDrop(names=META, replies=True, place="home")),
    ),
    _row(
        "quic_site_sni_drop_in_the_company",
        "behind the own router is a company's box that drops the name, and only then the provider",
        AT_HOME,
        *_NAME_STOPPED,
        near={"hops": ("192.168.1.1", "10.20.0.1", "92.47.144.1")},
        rules=always(QuicDrop(names=META, place=2)),
    ),
    _row(
        "quic_site_answers_dropped_at_the_border",
        "greetings with the name are delivered, and the answers are dropped at the border: no router tells of that",
        (*BY_NAME, *UNSETTLED),
        *_NAME_STOPPED,
        rules=always(QuicDrop(names=META, replies=True)),
    ),
    _row(
        "quic_site_first_datagram_only",
        "a device that reads single datagrams drops short greetings; those in two, as browsers send them, pass",
        FINE,
        _by_http3(works=False),
        prove_apps.http3(FACEBOOK, works=True, padding=1200),
        rules=always(QuicDrop(names=META, reassemble=False)),
    ),
    _row(
        "quic_site_version_1_dropped",
        "greetings of version 1 are dropped, whatever they name: by the provider here, by companies' gateways elsewhere",
        UNSETTLED,
        prove_apps.negotiates(FACEBOOK, works=True),
        *_NOBODY,
        rules=always(QuicVersionDrop()),
        sound=(),
    ),
    _row(
        "quic_site_dropped_at_home",
        "the household's own router drops UDP port 443",
        AT_HOME,
        *_NOBODY,
        rules=always(rules.Drop(when=_H3, place="home")),
        sound=(),
    ),
    _row(
        "quic_site_prohibited_at_home",
        "the household's own router answers to UDP port 443 that it is prohibited (code 13)",
        AT_HOME,
        *_NOBODY,
        rules=always(
            rules.Unreachable(when=dataclasses.replace(_H3, side="up"), code=13, offender="192.168.1.1", place="access")
        ),
        sound=(),
    ),
    _row(
        "quic_site_without_server",
        "nobody listens on the site's UDP port 443",
        OFF,
        *_ONLY_IT,
        world=_has("announced"),
        control=(_by_http3(works=False),),
    ),
    _row(
        "quic_site_behind_its_own_firewall",
        "the site's own firewall drops UDP port 443",
        OFF,
        *_ONLY_IT,
        rules=_at_site,
        control=(_by_http3(works=False),),
    ),
    _row(
        "quic_site_says_versions_only",
        "the site's server says which versions it speaks, and answers no greeting",
        OFF,
        prove_apps.negotiates(FACEBOOK, works=True),
        *_ONLY_IT,
        world=_has("versions"),
        control=(_by_http3(works=False),),
    ),
    _row(
        "quic_site_with_retry",
        "the site's server has every visitor's address proven first",
        FINE,
        _by_http3(works=True),
        world=_has("retry"),
    ),
    _row(
        "quic_site_line_loses_a_fifth",
        "the line loses a fifth of all UDP packets each way",
        SHAKY,
        prove_apps.datagrams_lost(FACEBOOK, at_least=4, of=40),
        rules=always(rules.Lose(when=_H3, probability=0.2, place="access")),
        sound=(),
    ),
    _row(
        "quic_site_udp_limited",
        "the provider lets 24 kbit/s of UDP through, whatever it is",
        SHAKY,
        prove_apps.datagrams_lost(FACEBOOK, at_least=20, of=40),
        rules=always(throttle.Police(when=_H3, rate=24_000, burst=5_000, place="access")),
        sound=(),
    ),
)

_PAGES = (
    _page(
        "quic_page_with_retry",
        "the site's HTTP/3 has every visitor's address proven first",
        _by_http3(works=True),
        world=_has("retry"),
        impaired=(),
    ),
    _page(
        "quic_page_says_versions_only",
        "the site says that it has HTTP/3, and its server says which versions it speaks and no more",
        prove_apps.negotiates(FACEBOOK, works=True),
        *_ONLY_IT,
        world=_has("versions"),
        impaired=("quic_unanswered",),
        control=(_by_http3(works=False),),
    ),
    _page(
        "quic_page_sni_drop_both_ways",
        "from a QUIC greeting with the name on, everything on that flow is dropped, both ways",
        *_NAME_STOPPED,
        rules=always(QuicDrop(names=META, both=True)),
        impaired=("quic_blocked",),
    ),
    _page(
        "quic_page_line_loses_a_fifth",
        "the line loses a fifth of all UDP packets to HTTP/3 each way; TCP passes",
        rules=always(rules.Lose(when=_H3, probability=0.2, place="access")),
    ),
    _page(
        "quic_page_udp_limited",
        "the provider lets 24 kbit/s of HTTP/3 through, whatever it is; TCP passes",
        rules=always(throttle.Police(when=_H3, rate=24_000, burst=5_000, place="access")),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_SITES, *_PAGES)
