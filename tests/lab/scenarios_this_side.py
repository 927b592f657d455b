"""Devices of the household or company that do to names what a provider's do, in ways that look like it from the inside.

Each is beside the same thing done by the provider, which must still be found: the rows hold the border between the two.
"""

from __future__ import annotations

from typing import Any

from tests.lab import censor, prove, rules
from tests.lab.greetings import META, NEUTRAL, SNI_RESET, SNI_SILENCE, always, by_name
from tests.lab.net import WORLD
from tests.lab.rules import Rule
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words

OWN = (Words("inconclusive"), Words("no_network", "filter"))
"""Never a block: the household's or company's own device does it, or nobody can tell."""
ANY_NETWORK = (Words("ok"), Words("inconclusive"), Words("no_network"))
SECOND = {"hops": ("192.168.1.1", "192.168.0.1", "92.47.144.1")}
"""Behind the own router another one of the house, as behind a mesh's or a container's bridge."""
_COMPANY = {"hops": ("192.168.1.1", "10.20.0.1", "10.20.255.2", "92.47.144.1")}
"""A floor's router, the company's, and its firewall; then the provider's."""
_SILENT = {"silent": ("92.47.144.1",)}
LISTED = (
    "www.instagram.com",
    "www.youtube.com",
    "web.telegram.org",
    "x.com",
    "www.azattyq.org",
    "www.expressvpn.com",
    "web.whatsapp.com",
)


def _row(name: str, tells: str, rule: Rule, *codes: int, block: bool = False, **more: Any) -> Scenario:
    words = SNI_SILENCE if block else OWN
    fields: dict[str, Any] = {
        "rules": always(rule),
        "acceptable": words,
        "exit_codes": (1,) if block else (3,),
        "sound": (OTHER,),
        "network": (Words("ok"),) if block else ANY_NETWORK,
        "proofs": by_name(*(codes or (prove.SILENT,))),
    }
    return Scenario(name=name, tells=tells, **(fields | more))


_BROKEN_OFF = (prove.HANDSHAKE, prove.RESET)

ANSWERS: tuple[Scenario, ...] = (
    _row(
        "house_takes_the_answers",
        "the household's router lets greetings with the name out and drops the answers to them, not their acknowledgements",
        censor.NameReplyDrop(names=META, place="home"),
    ),
    _row(
        "house_takes_all_that_comes",
        "the household's router lets greetings with the name out, and lets nothing of that flow in any more",
        censor.NameHush(names=META, place="home"),
        in_slice=True,
    ),
    _row(
        "provider_takes_all_that_comes",
        "the provider lets greetings with the name out at its border, and lets nothing of that flow in any more",
        censor.NameHush(names=META),
        block=True,
        in_slice=True,
    ),
    _row(
        "second_router_takes_the_answers",
        "the second router of the house lets greetings with the name out and drops the answers to them",
        censor.NameReplyDrop(names=META, place=2),
        near=SECOND,
    ),
)

ROUTERS: tuple[Scenario, ...] = (
    _row(
        "second_router_drops",
        "the second router of the house drops greetings with the name as it forwards",
        rules.NameDrop(names=META, place=2),
        near=SECOND,
    ),
    _row(
        "behind_a_second_router_the_provider_drops",
        "the same house, and the provider drops them at its border",
        rules.NameDrop(names=META, place=3),
        block=True,
        near=SECOND,
    ),
    _row(
        "company_firewall_drops",
        "a company's firewall behind two routers of its own drops greetings with the name",
        rules.NameDrop(names=META, place=3),
        near=_COMPANY,
    ),
    _row(
        "company_firewall_resets",
        "a company's firewall behind two routers of its own breaks greetings with the name off",
        rules.NameReset(names=META, place=3),
        *_BROKEN_OFF,
        near=_COMPANY,
    ),
    _row(
        "behind_a_company_the_provider_resets",
        "the same company without such a firewall, and the provider breaks them off at its border",
        rules.NameReset(names=META, place=4),
        *_BROKEN_OFF,
        block=True,
        acceptable=SNI_RESET,
        near=_COMPANY,
    ),
    _row(
        "own_router_drops_before_a_silent_one",
        "the household's router drops greetings with the name as it forwards, and the next router never speaks",
        rules.NameDrop(names=META, place="access"),
        near=_SILENT,
    ),
)

HIDDEN: tuple[Scenario, ...] = (
    _row(
        "own_router_drops_and_nobody_else_speaks",
        "the household's router drops greetings with the name as it forwards, and no other router's word ever comes in",
        rules.NameDrop(names=META, place="access"),
        near=_SILENT,
        leg={"silent": WORLD.leg.hops},
    ),
)

LISTS: tuple[Scenario, ...] = (
    _row(
        "list_of_the_house",
        "the household's router drops greetings with one of eight names: more than are followed along the way",
        rules.NameDrop(names=(*META, *LISTED), place="home"),
        check=(FACEBOOK_URL, *(f"https://{name}/" for name in LISTED)),
        proofs=(
            prove.truth(FACEBOOK),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            *(prove.fails(f"https://{name}/", prove.SILENT) for name in LISTED),
            prove.handshake(NEUTRAL, LISTED[0], works=False),
            prove.page(OTHER),
        ),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*ANSWERS, *ROUTERS, *HIDDEN, *LISTS)
