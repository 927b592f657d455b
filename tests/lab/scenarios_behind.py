"""What stands behind a reset: answers that arrive all the same, servers and balancers that reset by themselves, and routers
that change TTLs. The TTL of a reset proves nothing; an answer that comes behind it does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tests.lab import censor, prove, prove6, rules
from tests.lab import scenarios_ipv6 as ipv6
from tests.lab.distances import ResetAndForget, SetTtl
from tests.lab.greetings import (
    BROKEN,
    META,
    NEUTRAL,
    PLAIN,
    PLAIN_URL,
    SNI_RESET,
    always,
    at,
    by_name,
    expect,
    plain_page,
    strict,
    with_front,
)
from tests.lab.lab import Lab
from tests.lab.packets import TCP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import Front, World

_BROKEN_OFF = (prove.HANDSHAKE, prove.RESET)
_OURS = 5
"""Routers on the way from a site to the probe."""
_FAR_TTL = 40
"""What a device begins with whose packets then seem to come from farther away than the servers', which begin with 64."""


def _from_distance(lowest: int, *, answered: bool, name: str = FACEBOOK) -> Proof:
    """With packets below this TTL ignored, a greeting for the name is answered by a record, or is not (IP_MINTTL, by hand)."""
    program = (
        "import socket, ssl, sys\n"
        "i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
        "t = c.wrap_bio(i, o, server_hostname=sys.argv[2])\n"
        "try: t.do_handshake()\n"
        "except ssl.SSLWantReadError: pass\n"
        "s = socket.create_connection((sys.argv[1], 443), 2); s.setsockopt(0, 21, int(sys.argv[3])); s.settimeout(2)\n"
        "s.send(o.read())\n"
        "try: print(s.recv(5)[:1] == b'\\x16')\n"
        "except OSError as e: print(False); print(e, file=sys.stderr)\n"
    )

    def run(lab: Lab) -> None:
        address = lab.world.sites[name].address
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address, name, str(lowest)).ok()
        expect(f"{name} is answered with what is below {lowest} ignored", done.stdout.strip(), str(answered))

    return run


def _resets(world: World, to: int) -> SetTtl:
    """The site's own resets begin with this TTL."""
    return SetTtl(when=at(world), place="far", to=to, what="resets")


def _own(*more: Callable[[World], Rule], way: str = "reset") -> dict[str, Any]:
    """The site's own front resets greetings for its name, and this is done to packets on the way."""
    return {
        "world": with_front(ways=((FACEBOOK, way),)),
        "rules": lambda world: tuple(make(world) for make in more),
        "acceptable": BROKEN,
        "exit_codes": (1, 3),
        "sound": (OTHER,),
    }


_FAILS = (prove.fails(FACEBOOK_URL, *_BROKEN_OFF), prove.handshake(NEUTRAL, FACEBOOK, works=True))


def _one_ttl(world: World) -> Rule:
    return SetTtl(when=When(protocol=TCP), place="home", to=64 + _OURS)


BLOCKS: tuple[Scenario, ...] = (
    Scenario(
        name="behind_reset_from_farther",
        tells="a reset whose TTL is lower than any of the server's packets, and the server's answer behind it",
        rules=always(censor.NameResetBeside(names=META, ttl=_FAR_TTL)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(*_BROKEN_OFF, also=(_from_distance(57, answered=True), _from_distance(0, answered=False))),
        in_slice=True,
    ),
    Scenario(
        name="behind_reset_and_no_neutral_place",
        tells="the same, where every web server resets greetings that name another site: only the answer behind it tells",
        world=strict,
        rules=always(censor.NameResetBeside(names=META, ttl=_FAR_TTL)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, *_BROKEN_OFF),
            prove.handshake("www.nobelprize.org", "www.gnu.org", works=False),
            _from_distance(57, answered=True),
        ),
    ),
    Scenario(
        name="behind_mirrored_reset_and_no_neutral_place",
        tells="the same with the server's own TTL: nothing is left that tells, but perhaps the time",
        world=strict,
        rules=always(censor.NameResetBeside(names=META, mirrored=True)),
        acceptable=(*SNI_RESET, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, *_BROKEN_OFF), _from_distance(57, answered=False)),
    ),
    Scenario(
        name="behind_reset_on_half_the_paths",
        tells="one of two parallel paths has the device: what a run meets is chance",
        rules=always(censor.NameResetBeside(names=META, ttl=_FAR_TTL, when=When(protocol=TCP, fraction=0.5))),
        acceptable=(*SNI_RESET, Words("inconclusive"), Words("accessible")),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), _from_distance(57, answered=True)),
    ),
    Scenario(
        name="behind_reset_and_router_sets_one_ttl",
        tells="a router at home gives all packets one TTL, the forged ones too",
        rules=lambda world: (_one_ttl(world), censor.NameResetBeside(names=META, ttl=66)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(*_BROKEN_OFF, also=(_from_distance(64, answered=False),)),
    ),
    Scenario(
        name="behind_reset_and_router_forgets",
        tells="a router at home forgets a connection at the first reset, so that the answer behind it never arrives",
        rules=always(ResetAndForget(names=META, ttl=_FAR_TTL)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(*_BROKEN_OFF, also=(_from_distance(57, answered=False),)),
    ),
    Scenario(
        name="behind_plain_reset",
        tells="a plain request that names the site meets a reset of a lower TTL, and the page comes behind it",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(censor.NameResetBeside(names=(PLAIN,), http=True, ttl=_FAR_TTL)),
        acceptable=(Words("blocked", "http", "http.reset.host"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(prove.truth(PLAIN), prove.fails(PLAIN_URL, *_BROKEN_OFF), prove.page(FACEBOOK_URL)),
    ),
)

OVER_IPV6 = ipv6._row(
    "behind_reset_and_translator",
    "a machine with IPv6 only, behind a translator: hop limits instead of TTLs, and a reset of a lower one",
    SNI_RESET,
    *ipv6._LIVES_BEHIND,
    prove6.fails(FACEBOOK_URL, 6, *_BROKEN_OFF),
    world=ipv6._nat64(),
    rules=(censor.NameResetBeside(names=META, ttl=_FAR_TTL, place="far"),),
)

EARLY_OVER_IPV6: tuple[Scenario, ...] = (
    ipv6._row(
        "early_reset_and_translator",
        "a machine with IPv6 only, and a reset that comes sooner than the server could have sent it; where every web server resets "
        "greetings that name another site, the time alone tells, and only beside that of the own router",
        (*SNI_RESET, Words("inconclusive")),
        *ipv6._LIVES_BEHIND,
        prove6.fails(FACEBOOK_URL, 6, *_BROKEN_OFF),
        world=lambda world: ipv6._nat64()(strict(world)),
        rules=(censor.NameResetBeside(names=META, mirrored=True),),
        exit_codes=(1, 3),
    ),
    ipv6._row(
        "early_reset_by_the_own_router_and_translator",
        "a machine with IPv6 only, whose household's own router breaks the name off: as quickly as it answers itself",
        (Words("inconclusive"), Words("no_network", "filter")),
        *ipv6._LIVES_BEHIND,
        prove6.fails(FACEBOOK_URL, 6, *_BROKEN_OFF),
        world=ipv6._nat64(),
        rules=(rules.NameReset(names=META, place="home"),),
        exit_codes=(2, 3),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
    ),
)

TWINS: tuple[Scenario, ...] = (
    Scenario(
        name="behind_balancer_resets_from_nearer",
        tells="the site's balancer resets its name with a TTL that begins with 255, its servers' packets begin with 64",
        **_own(lambda world: _resets(world, 255)),
        proofs=(*_FAILS, _from_distance(62, answered=False)),
        in_slice=True,
    ),
    Scenario(
        name="behind_balancer_resets_from_farther",
        tells="the site's balancer resets its name with a TTL that begins with 50: ignored, it leaves nothing but silence",
        **_own(lambda world: _resets(world, 50)),
        proofs=(*_FAILS, _from_distance(57, answered=False)),
    ),
    Scenario(
        name="behind_balancer_resets_half",
        tells="half of the connections meet a dead member, which resets with a TTL of its own; the others are answered",
        **{
            **_own(lambda world: _resets(world, 50), way="half:reset"),
            "acceptable": (Words("accessible"), *BROKEN),
            "exit_codes": (0, 1, 3),
        },
        proofs=(prove.handshake(NEUTRAL, FACEBOOK, works=True),),
        unproven_abroad="chance: half of the connections",
    ),
    Scenario(
        name="behind_balancer_of_two_distances",
        tells="acknowledgements and resets come from the balancer, data from machines two routers farther than the others",
        **_own(lambda world: SetTtl(when=at(world), place="far", to=50, what="data")),
        proofs=_FAILS,
    ),
    Scenario(
        name="behind_guard_of_the_site",
        tells="a guard beside the site's own line resets its name with a low TTL, and its server answers behind that: the site's "
        "own doing, for the name passes everywhere else",
        rules=lambda world: (censor.NameResetBeside(names=META, ttl=_FAR_TTL, when=at(world), place="far"),),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(*_FAILS, _from_distance(57, answered=True)),
    ),
    Scenario(
        name="behind_own_reset_and_router_sets_one_ttl",
        tells="a router at home gives all packets one TTL, and the site resets its own name",
        **_own(_one_ttl),
        proofs=(*_FAILS, _from_distance(64, answered=False)),
    ),
    Scenario(
        name="behind_own_reset_and_no_neutral_place",
        tells="every web server resets greetings that name another site, and this one its own name as well",
        **{
            **_own(),
            "world": lambda world: strict(world).change(FACEBOOK, front=Front(other="reset")),
        },
        proofs=(prove.fails(FACEBOOK_URL, *_BROKEN_OFF), _from_distance(57, answered=False)),
    ),
)

_SELF: dict[str, Any] = {
    "world": lambda world: ipv6._nat64()(with_front(ways=((FACEBOOK, "reset"),))(world)),
    "exit_codes": (1, 3),
}

TWINS_OVER_IPV6: tuple[Scenario, ...] = (
    ipv6._row(
        "behind_own_reset_and_translator",
        "a machine with IPv6 only, behind a translator, and the site resets its own name",
        BROKEN,
        *ipv6._LIVES_BEHIND,
        prove6.fails(FACEBOOK_URL, 6, *_BROKEN_OFF),
        **_SELF,
    ),
    ipv6._row(
        "behind_balancer_resets_from_farther_and_translator",
        "the same, and what resets is the site's balancer, with a TTL of its own",
        BROKEN,
        *ipv6._LIVES_BEHIND,
        prove6.fails(FACEBOOK_URL, 6, *_BROKEN_OFF),
        rules=lambda world: (_resets(world, 50),),
        **_SELF,
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*BLOCKS, OVER_IPV6, *EARLY_OVER_IPV6, *TWINS, *TWINS_OVER_IPV6)
