"""HTTP/3 and speed: what is done to the protocols of applications, and what households, lines and servers do that looks so.

A page whose HTTP/3 is blocked is reached over TCP, so it is accessible, and what is told of QUIC is an impairment; sites that
are QUIC have rows of their own (scenarios_quic.py). Rows about speed that are blocks wait for their experiment; those beside
them, which are none, are run today and must stay what they are when it comes.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from targets.loader import load_canaries
from tests.lab import censor, closures, prove, prove_apps, rules, throttle
from tests.lab.censor_quic import QuicDrop, QuicVersionDrop
from tests.lab.packets import TCP, UDP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.world import World

META = ("facebook.com",)
STRANGER = "www.nobelprize.org"
LIVEJOURNAL = "www.livejournal.com"
PLAIN_URL = f"http://{LIVEJOURNAL}/"
_H3 = When(protocol=UDP, ports=(443,))

FINE = (Words("accessible"),)
UNSETTLED = (Words("accessible"), Words("inconclusive"))
SLOWED = (Words("blocked", "throttling", "throttling.sni"),)
LATE = (Words("blocked", "throttling", "throttling.delay.sni"),)
FROZEN = (Words("blocked", "throttling", "throttling.freeze"),)


def _row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {"sound": (OTHER,), "exit_codes": exit_codes(acceptable), **more}
    return Scenario(name=name, tells=tells, acceptable=acceptable, proofs=proofs, **fields)


# ---------------------------------------------------------------------------------------------------------------------
# HTTP/3


def with_http3(world: World) -> World:
    """The sites that are asked about have HTTP/3 and say so, and so have those that are neutral places for it."""
    return world.change(FACEBOOK, LIVEJOURNAL, *load_canaries().http3, quic="served")


def _quic(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    return _row(name, tells, acceptable, prove_apps.announced(FACEBOOK), *proofs, **{"world": with_http3, **more})


def _by_http3(*, works: bool) -> prove.Proof:
    return prove_apps.http3(FACEBOOK, works=works)


_OTHERS_PASS = (
    prove_apps.http3(LIVEJOURNAL, works=True),
    prove_apps.http3(STRANGER, works=True, at=FACEBOOK),
    prove_apps.http3(FACEBOOK, works=False, at=LIVEJOURNAL),
    prove.page(FACEBOOK_URL),
)
_NOBODY_PASSES = (
    _by_http3(works=False),
    prove_apps.http3(LIVEJOURNAL, works=False),
    prove.page(FACEBOOK_URL),
    prove.truth(FACEBOOK),
)

_QUIC = (
    _quic(
        "quic_healthy",
        "the site has HTTP/3 and says so, and it works",
        FINE,
        _by_http3(works=True),
        prove_apps.http3(FACEBOOK, works=True, padding=1200),
        prove_apps.negotiates(FACEBOOK, works=True),
        impaired=(),
    ),
    _quic(
        "quic_sni_drop",
        "from a QUIC greeting with the name on, what the client sends on that flow is dropped; over TCP the name passes",
        FINE,
        _by_http3(works=False),
        prove_apps.http3(FACEBOOK, works=False, padding=1200),
        prove_apps.negotiates(FACEBOOK, works=True),
        *_OTHERS_PASS,
        rules=always(QuicDrop(names=META)),
        impaired=("quic_blocked",),
    ),
    _quic(
        "quic_sni_drop_first_datagram_only",
        "a device that reads single datagrams drops short greetings; a browser's takes two and passes",
        FINE,
        _by_http3(works=False),
        prove_apps.http3(FACEBOOK, works=True, padding=1200),
        *_OTHERS_PASS,
        rules=always(QuicDrop(names=META, reassemble=False)),
        impaired=("quic_partly",),
    ),
    _row(
        "quic_and_tls_sni_drop",
        "the name is dropped over QUIC and over TCP alike: what keeps people out is the second",
        (Words("blocked", "tls", "tls.timeout.sni"),),
        _by_http3(works=False),
        prove_apps.http3(STRANGER, works=True, at=FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.handshake(FACEBOOK, STRANGER, works=True),
        prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        world=with_http3,
        rules=always(QuicDrop(names=META), rules.NameDrop(names=META)),
    ),
    _quic(
        "quic_version_1_dropped",
        "QUIC greetings of version 1 are dropped, whatever they name; version negotiation passes",
        FINE,
        prove_apps.negotiates(FACEBOOK, works=True),
        *_NOBODY_PASSES,
        rules=always(QuicVersionDrop()),
        impaired=("quic_version_filtered",),
    ),
    _quic(
        "quic_dropped_at_home",
        "the household's own firewall drops UDP port 443; pages come over TCP",
        FINE,
        *_NOBODY_PASSES,
        rules=always(rules.Drop(when=_H3, place="home")),
        impaired=("quic_filtered",),
    ),
    _quic(
        "quic_prohibited_at_home",
        "the household's own router answers to UDP port 443 that it is prohibited (code 13); pages come over TCP",
        FINE,
        *_NOBODY_PASSES,
        rules=always(
            rules.Unreachable(when=dataclasses.replace(_H3, side="up"), code=13, offender="192.168.1.1", place="access")
        ),
        impaired=("quic_filtered",),
    ),
    _quic(
        "quic_announced_and_off",
        "the site says that it has HTTP/3, and nobody listens on that port: the site's own mistake",
        FINE,
        _by_http3(works=False),
        prove_apps.http3(LIVEJOURNAL, works=True),
        prove.page(FACEBOOK_URL),
        world=lambda world: with_http3(world).change(FACEBOOK, quic="announced"),
        impaired=("quic_unanswered",),
    ),
    _quic(
        "quic_dropped_at_the_site",
        "the site's own firewall drops UDP port 443 and lets TCP pass; its neighbours' HTTP/3 works",
        FINE,
        _by_http3(works=False),
        prove_apps.http3(LIVEJOURNAL, works=True),
        prove.page(FACEBOOK_URL),
        rules=lambda world: (
            rules.Drop(when=dataclasses.replace(_H3, remote=(world.sites[FACEBOOK].address + "/32",)), place="far"),
        ),
        impaired=("quic_unanswered",),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# speed

_PAGE = b"<!doctype html><html><head><title>A long page</title></head><body>" + b"<p>Words of a page.</p>\n" * 4500
"""Some 100 KB: at 130 kbit/s more than six seconds."""


def _long(world: World) -> World:
    return world.change(FACEBOOK, STRANGER, LIVEJOURNAL, body=_PAGE)


_QUICK_STRANGER = prove_apps.takes(FACEBOOK, STRANGER, less_than=3.0)
_QUICK_ELSEWHERE = prove_apps.takes(LIVEJOURNAL, LIVEJOURNAL, less_than=3.0)


def _pages(name: str, how: str = "", before: str = "") -> str:
    """nginx: the pages of a site, sent in some way."""
    return f"{before}location / {{ root {{directory}}; try_files /{name}.html =404; {how} }}"


def _slow(name: str, tells: str, rule: Rule, seconds: float, *, acceptable: tuple[Words, ...] = SLOWED) -> Scenario:
    """Blocks: slow or frozen for the name anywhere, quick for another name at the same address."""
    return _row(
        name,
        tells,
        acceptable,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=seconds),
        prove_apps.takes(FACEBOOK, STRANGER, less_than=seconds * 0.6),
        prove_apps.takes("www.wikipedia.org", STRANGER, less_than=seconds * 0.6),
        world=_long,
        rules=always(rule),
    )


def _frozen(
    name: str, tells: str, rule: Rule, *proofs: prove.Proof, least: int, most: int, unknown: bool = False
) -> Scenario:
    return _row(
        name,
        tells,
        (*FROZEN, Words("inconclusive")) if unknown else FROZEN,
        prove_apps.freezes(FACEBOOK, FACEBOOK, least=least, most=most),
        *proofs,
        world=_long,
        rules=always(rule),
        sound=(),
    )


_FOREIGN_HOSTING = (
    "157.240.0.0/16",
    "185.199.0.0/16",
    "172.67.0.0/16",
    "104.21.0.0/16",
    "51.91.0.0/16",
    "95.217.0.0/16",
)

_SLOW_NAME = f"set $limit_rate 0; if ($host = {FACEBOOK}) {{ set $limit_rate 16k; }} "
_LIMITED = """\
location / { root {directory}; try_files /www.facebook.com.html =404;
      limit_req zone=visitors; limit_req_status 429; }"""

_SPEED = (
    _slow(
        "throttled_by_policer",
        "what the server sends on flows with the name is cut down to 130 kbit/s: the rest is dropped, after a burst",
        throttle.NamePolice(names=META),
        3.0,
    ),
    _slow(
        "throttled_by_shaper",
        "what the server sends on flows with the name comes at 130 kbit/s: the rest waits in a queue",
        throttle.NameShape(names=META),
        3.0,
    ),
    _slow(
        "throttled_by_delay",
        "every packet of the server's comes half a second later on flows with the name",
        throttle.NameDelay(names=META, seconds=0.5),
        2.5,
        acceptable=LATE,
    ),
    _slow(
        "throttled_by_loss",
        "half of the server's packets are dropped on flows with the name",
        throttle.NameLose(names=META, probability=0.5),
        2.5,
        # What is lost early makes the first answer late, what is lost later makes the bytes slow.
        acceptable=(*SLOWED, *LATE),
    ),
    _row(
        "throttled_plain_by_host",
        "over plain http what the server sends on flows with the Host is cut down to 130 kbit/s",
        # Bytes are compared at places that have some to give, which over plain HTTP few have: they send visitors on.
        (*SLOWED, *UNSETTLED),
        prove_apps.takes(LIVEJOURNAL, LIVEJOURNAL, more_than=3.0, port=80),
        prove_apps.takes(LIVEJOURNAL, STRANGER, less_than=1.8, port=80),
        world=lambda world: _long(world).change(LIVEJOURNAL, http=_pages(LIVEJOURNAL)),
        rules=always(throttle.NamePolice(names=("livejournal.com",), http=True)),
        check=(PLAIN_URL,),
        sound=(FACEBOOK_URL,),
    ),
    _row(
        "throttled_now_and_then",
        "the policer works for two seconds out of five: who measures once may meet either",
        (*SLOWED, *UNSETTLED),
        prove_apps.in_force(throttle.NamePolice(names=META), prove_apps.takes(FACEBOOK, FACEBOOK, more_than=3.0)),
        _QUICK_STRANGER,
        world=_long,
        rules=always(closures.Schedule(rule=throttle.NamePolice(names=META), on=2, off=3)),
    ),
    _frozen(
        "frozen_after_16_kilobytes_by_name",
        "after 16 KB of the answer nothing of a flow that carried the name is delivered any more",
        censor.NameCut(names=META, after=16_000),
        _QUICK_STRANGER,
        least=0,
        most=20_000,
    ),
    _frozen(
        "frozen_after_25_packets_by_name",
        "after 25 packets of the client's nothing of a flow that carried the name is delivered any more",
        censor.NameCutPackets(names=META, after=25),
        _QUICK_STRANGER,
        least=0,
        most=100_000,
    ),
    _frozen(
        "frozen_after_16_kilobytes_by_network",
        "after 16 KB from the networks of some foreign hosting companies nothing of a flow is delivered, whatever it names",
        throttle.Freeze(when=When(protocol=TCP, ports=(443,), remote=_FOREIGN_HOSTING), bytes=16_000),
        prove_apps.freezes(FACEBOOK, STRANGER, least=0, most=20_000),
        prove_apps.takes("vk.com", "vk.com", less_than=3.0),
        least=0,
        most=20_000,
        # No name makes a difference, so what stops may be the companies' own, or a road's: nothing here can prove it.
        unknown=True,
    ),
)

# What looks so, and is the server's, the line's or the road's.
_NOT_SPEED = (
    _row(
        "server_sends_slowly",
        "the server sends 16 KB a second to every visitor, whatever he names",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0),
        prove_apps.takes(FACEBOOK, STRANGER, more_than=4.0),
        _QUICK_ELSEWHERE,
        control=(prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0),),
        world=lambda world: _long(world).change(FACEBOOK, https=_pages(FACEBOOK, "limit_rate 16k;")),
    ),
    _row(
        "server_sends_its_own_name_slowly",
        "the back end of one name sends 16 KB a second; another name at the same address is served at once",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0),
        _QUICK_STRANGER,
        prove_apps.takes("www.wikipedia.org", FACEBOOK, less_than=3.0),
        control=(prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0), _QUICK_STRANGER),
        world=lambda world: _long(world).change(FACEBOOK, https=_pages(FACEBOOK, before=_SLOW_NAME)),
    ),
    _row(
        "server_stops_after_16_kilobytes",
        "the server sends 16 KB and then next to nothing, to every visitor: a broken disk, or a tarpit",
        (*UNSETTLED, Words("outage")),
        prove_apps.freezes(FACEBOOK, FACEBOOK, least=0, most=40_000),
        prove_apps.freezes(FACEBOOK, STRANGER, least=0, most=40_000),
        _QUICK_ELSEWHERE,
        control=(prove_apps.freezes(FACEBOOK, FACEBOOK, least=0, most=40_000),),
        world=lambda world: _long(world).change(
            FACEBOOK, https=_pages(FACEBOOK, "limit_rate_after 16k; limit_rate 1;")
        ),
    ),
    _row(
        "server_limits_its_visitors",
        "the server takes one request of a visitor in ten seconds and answers 429 to those beyond",
        (Words("denied", "ratelimit"), *UNSETTLED),
        prove.page(FACEBOOK_URL),
        prove.page(FACEBOOK_URL, 429),
        control=(prove.page(FACEBOOK_URL), prove.page(FACEBOOK_URL, 429)),
        world=lambda world: world.change(FACEBOOK, https=_LIMITED),
    ),
    _row(
        "crowded_road_to_one_network",
        "the road to one company's network loses a quarter of all packets each way, whatever they name",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, STRANGER, more_than=2.0),
        _QUICK_ELSEWHERE,
        world=_long,
        rules=always(rules.Lose(when=When(remote=("157.240.0.0/16",)), probability=0.25)),
    ),
    _row(
        "narrow_line_and_long_page",
        "128 kbit/s for everything, and pages of 100 KB",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0),
        prove_apps.takes("www.wikipedia.org", "www.wikipedia.org", more_than=1.7),
        world=_long,
        leg={"rate": 128_000, "queue": 16_000},
        check=(FACEBOOK_URL, OTHER),
        sound=(),
    ),
    _row(
        "tariff_used_up",
        "the month's volume is used up: the provider polices this customer to 64 kbit/s, whatever he does",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=4.0),
        prove_apps.takes("vk.com", "vk.com", more_than=2.0),
        world=_long,
        rules=always(throttle.Police(when=When(protocol=TCP, side="down"), rate=64_000, burst=6_000, place="access")),
        sound=(),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_QUIC, *_SPEED, *_NOT_SPEED)
