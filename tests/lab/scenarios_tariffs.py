"""What a line does because of what its customer has paid for: names and addresses that are free, and all others.

A tariff's list of free names and a state's list of allowed ones look alike from here, so where unrelated names are stopped
as well no name is ``blocked``; ``no_network`` is right where somebody asks for money. A list that has every name but the
one in question cannot be told from a block of that name by asking for well-known names alone: nobody rates all names.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from targets.loader import load_canaries
from tests.lab import manners_home, prove, prove_apps, prove_home, rules, tariffs
from tests.lab.censor import During
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP, UDP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.scenarios_apps import with_http3
from tests.lab.servers import PORTAL
from tests.lab.world import World

OWN = (Words("no_network"), Words("inconclusive"))
UNSETTLED = (Words("accessible"), Words("inconclusive"))
ANY_NETWORK = (Words("ok"), Words("inconclusive"), Words("no_network"))
WHATSAPP, INSTAGRAM = "https://web.whatsapp.com/", "https://www.instagram.com/"
PROBE_URL = "http://connectivitycheck.gstatic.com/generate_204"
STRANGER, NEUTRAL = "www.nobelprize.org", "www.wikipedia.org"
_PAGE = b"<!doctype html><html><head><title>A long page</title></head><body>" + b"<p>Words of a page.</p>\n" * 4500

_CANARIES = load_canaries()
_INNOCUOUS = sorted(_CANARIES.innocuous)
_SOCIAL = ("whatsapp.com", "whatsapp.net", "instagram.com", "cdninstagram.com", "vk.com", "youtube.com", "kz")
_FREE = (*_SOCIAL, "wikipedia.org", "python.org", *(name for name in _INNOCUOUS[::3] if name != STRANGER))
"""What a generous tariff leaves free: messengers, the country's names, an encyclopedia, a third of what the probe may name."""
_PAID = _INNOCUOUS[1]
_KNOWN = (*_SOCIAL, "livejournal.com", *_INNOCUOUS, *(canary.where for canary in _CANARIES.family("foreign")))
"""All that is well known but one platform: what a box has a rating for."""


def _tariff(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {"network": ANY_NETWORK, "exit_codes": exit_codes(acceptable), **more}
    return Scenario(name=name, tells=tells, acceptable=acceptable, proofs=(*proofs, prove_home.forget), **fields)


def _pay(world: World) -> World:
    return dataclasses.replace(world, portal=True, portal_says="pay")


def _long(world: World) -> World:
    return world.change(FACEBOOK, body=_PAGE)


_TO_THE_PAGE = rules.Divert(when=When(protocol=TCP, ports=(80,)), to=PORTAL, port=80, place="access")

_LISTS = (
    _tariff(
        "used_up_and_free_names_pass",
        "the package is used up: greetings pass with names that are free, a third of innocuous ones among them; all others are "
        "dropped, and port 80 leads to where one pays",
        OWN,
        prove.page(WHATSAPP),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        prove.handshake(NEUTRAL, _FREE[-1], works=True),
        prove.handshake(NEUTRAL, _PAID, works=False),
        prove.page(PROBE_URL, 302),
        sound=(WHATSAPP, INSTAGRAM),
        world=_pay,
        rules=always(_TO_THE_PAGE, tariffs.OthersDrop(names=_FREE)),
    ),
    _tariff(
        "used_up_and_other_names_reset",
        "the same; names that are not free are reset, and nobody asks for money",
        OWN,
        prove.page(WHATSAPP),
        prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
        prove.handshake(NEUTRAL, _FREE[-1], works=True),
        prove.handshake(NEUTRAL, _PAID, works=False),
        sound=(WHATSAPP, INSTAGRAM),
        rules=always(tariffs.OthersReset(names=_FREE)),
    ),
    _tariff(
        "used_up_and_other_names_reset_from_beside",
        "the same by a device beside the way, so that answers come behind its resets",
        OWN,
        prove.page(WHATSAPP),
        prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
        prove.handshake(NEUTRAL, _FREE[-1], works=True),
        prove.handshake(NEUTRAL, _PAID, works=False),
        sound=(WHATSAPP, INSTAGRAM),
        rules=always(tariffs.OthersResetBeside(names=_FREE, ttl=48)),
    ),
    _tariff(
        "unrated_names_dropped",
        "a box delivers greetings with names that it has a rating for, which are all well-known ones but this; it knows no more",
        OWN,
        prove.page(OTHER),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.handshake(NEUTRAL, _PAID, works=True),
        prove.handshake(NEUTRAL, "www.qlmorvat.org", works=False),
        sound=(OTHER,),
        rules=always(tariffs.OthersDrop(names=_KNOWN)),
    ),
    _tariff(
        "unrated_names_slow",
        "a box gives 150 kbit/s to every flow with a name that it has no rating for, and it knows all well-known ones but this",
        UNSETTLED,
        prove_apps.takes(FACEBOOK, FACEBOOK, more_than=3.0),
        prove_apps.takes(FACEBOOK, "www.qlmorvat.org", more_than=3.0),
        prove_apps.takes(FACEBOOK, _PAID, less_than=2.0),
        world=_long,
        rules=always(tariffs.OthersPolice(names=_KNOWN, rate=150_000)),
        control=(),
    ),
)


def _encyclopedia(world: World) -> When:
    return When(remote=(f"{world.addresses()[NEUTRAL]}/32",))


def _but(world: World, *rules_: Rule) -> tuple[Rule, ...]:
    """These rules, but for the encyclopedia's address."""
    return tuple(manners_home.Except(rule=rule, but=(_encyclopedia(world),), place="access") for rule in rules_)


_DOMESTIC = ("195.12.113.0/24", "194.187.246.0/24", "91.215.42.0/24", "185.98.5.0/24")
"""Where the country's sites live (see world.py)."""
_NO_QUESTIONS_OUT = rules.DropExcept(
    when=When(protocol=UDP, side="up"), but=When(remote=(f"{RESOLVER}/32",)), place="access"
)

_QUIC = (
    _tariff(
        "unrated_names_dropped_over_quic",
        "a box delivers QUIC greetings with names that it has a rating for, which are all well-known ones but this",
        OWN,
        prove_apps.http3(FACEBOOK, works=False),
        prove_apps.http3(_PAID, works=True, at=FACEBOOK),
        prove_apps.http3("www.qlmorvat.org", works=False, at=FACEBOOK),
        check=(f"quic://{FACEBOOK}",),
        world=with_http3,
        rules=always(tariffs.OthersQuicDrop(names=(*_KNOWN, *_CANARIES.http3))),
        control=(prove_apps.http3(FACEBOOK, works=True),),
    ),
)

_ADDRESSES = (
    _tariff(
        "balance_zero_but_an_encyclopedia",
        "nothing is paid for: the provider's resolver answers, an encyclopedia's address is free, and every other connection, "
        "encrypted ones too, is taken by the page where one pays",
        OWN,
        prove.page(PROBE_URL, 302),
        prove_home.connected("192.0.2.1", 443, "yes"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(f"https://{NEUTRAL}/"),
        check=(FACEBOOK_URL, OTHER),
        world=_pay,
        rules=lambda world: (
            *_but(
                world,
                rules.Divert(when=When(protocol=TCP, ports=(80, 443)), to=PORTAL, port=80, place="access"),
                _NO_QUESTIONS_OUT,
            ),
        ),
    ),
    _tariff(
        "abroad_lost_in_the_run",
        "a tenth of a second after the start the provider's way abroad is gone for maintenance; the country answers",
        (*UNSETTLED, Words("no_network")),
        prove_home.from_start(prove.page("https://egov.kz/")),
        prove_home.under(
            always(rules.DropExcept(when=When(side="up"), but=When(remote=(f"{RESOLVER}/32", *_DOMESTIC)))),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.page("https://egov.kz/"),
        ),
        check=(FACEBOOK_URL, OTHER, "https://x.com/"),
        rules=always(
            During(
                rule=rules.DropExcept(when=When(side="up"), but=When(remote=(f"{RESOLVER}/32", *_DOMESTIC))),
                since=When(protocol=UDP, ports=(53,), side="up"),
                start=0.1,
            )
        ),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_LISTS, *_QUIC, *_ADDRESSES)
