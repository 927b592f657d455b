"""Several troubles at once: a block beside an outage, beside loss, beside a dead IPv6 …"""

from __future__ import annotations

from tests.lab import censor, prove, rules
from tests.lab.greetings import (
    META,
    NEUTRAL,
    NOTE,
    PLAIN,
    RUN_BEGINS,
    SNI_RESET,
    SNI_SILENCE,
    always,
    by_name,
    in_force,
    restart,
    world_with,
)
from tests.lab.packets import TCP
from tests.lab.rules import When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import Front, World

_BLOCKED_SUFFIXES = ("facebook.com", "fbcdn.net", "instagram.com", "x.com", "twitter.com", "twimg.com", "youtube.com",
                     "ytimg.com", "googlevideo.com", "livejournal.com", "torproject.org")  # fmt: skip


def _outside(url: str) -> bool:
    host = url.partition("//")[2].partition("/")[0]
    return not any(host == name or host.endswith("." + name) for name in _BLOCKED_SUFFIXES)


def _half_strict(world: World) -> World:
    for name in sorted(world.sites):
        if len(name) % 2 and name not in (FACEBOOK, PLAIN):
            world = world.change(name, front=Front(ways=((name, "serve"),), other="reset"))
    return world


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="sni_drop_and_dead_server",
        tells="the name is dropped on the way, and the site's address is dead besides",
        world=lambda world: world.change(FACEBOOK, present=False),
        rules=always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.truth(FACEBOOK),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.page(OTHER),
        ),
        control=(prove.fails(FACEBOOK_URL, prove.SILENT), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="sni_reset_and_refusing_server",
        tells="the name is reset on the way, and the site's server does not run besides",
        world=lambda world: world.change(FACEBOOK, listening=False),
        rules=always(rules.NameReset(names=META)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.page(OTHER),
        ),
        control=(prove.fails(FACEBOOK_URL, prove.UNCONNECTED), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="sni_drop_and_dead_canary",
        tells="the name is dropped, and one of the well-known sites that the probe asks about its own side is down",
        world=lambda world: world.change("www.kernel.org", "www.debian.org", present=False),
        rules=always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(*by_name(prove.SILENT), prove.fails("https://www.kernel.org/", prove.SILENT)),
    ),
    Scenario(
        name="sni_drop_on_a_lossy_line",
        tells="the name is dropped, and a tenth of all packets is lost",
        rules=always(rules.NameDrop(names=META)),
        leg={"loss": 0.05},
        acceptable=SNI_SILENCE,
        network=(Words("ok"), Words("inconclusive")),
        exit_codes=(1,),
        proofs=(prove.lossy("8.8.8.8", at_least=1, of=60), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="sni_drop_on_a_bad_line",
        tells="the name is dropped, and a fifth of all packets is lost: so few arms get through that it may not be shown",
        rules=always(rules.NameDrop(names=META)),
        leg={"loss": 0.1},
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("no_network")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(1, 3),
        proofs=(prove.lossy("8.8.8.8", at_least=3, of=60), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="sni_drop_on_a_narrow_line",
        tells="the name is dropped, and the line carries 128 kbit/s",
        rules=always(rules.NameDrop(names=META)),
        leg={"rate": 128_000, "queue": 16_000},
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        proofs=(prove.slower(OTHER, 1.7), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="sni_reset_far_away_line",
        tells="the name is reset, and every round trip takes 600 ms",
        rules=always(rules.NameReset(names=META)),
        leg={"delay": 0.298},
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.slower("https://8.8.8.8/", 1.7), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
    ),
    Scenario(
        name="many_platforms_blocked",
        tells="six platforms are on the list at once; a run must end in bounded time all the same",
        check=("facebook", "instagram", "twitter", "youtube", "livejournal", "torproject"),
        rules=always(rules.NameDrop(names=_BLOCKED_SUFFIXES)),
        acceptable=SNI_SILENCE,
        spares=_outside,
        exit_codes=(1,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, "www.youtube.com", works=False),
            prove.page(NOTE),
        ),
    ),
    Scenario(
        name="dns_lie_and_sni_drop",
        tells="the provider's resolver lies about the name, and its greeting is dropped as well",
        world=lambda world: world_with(world, lies={FACEBOOK: "10.10.34.35"}),
        rules=always(rules.NameDrop(names=META)),
        acceptable=(Words("blocked", "dns"), Words("blocked", "tls")),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.answers(FACEBOOK, "10.10.34.35"),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.handshake(FACEBOOK, FACEBOOK, works=False),
        ),
    ),
    Scenario(
        name="sni_drop_behind_strict_neutrals",
        tells="the name is dropped, and half of the web's servers reset greetings that name another site",
        world=_half_strict,
        rules=always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.SILENT), prove.handshake(FACEBOOK, "www.nobelprize.org", works=True)),
    ),
    Scenario(
        name="block_ends_during_the_run",
        tells="the name is dropped for the first four seconds of the run; from then on everything passes. A trouble that has "
        "passed may have been any, so nobody has to call it a block",
        rules=always(censor.During(rule=rules.NameDrop(names=META), since=RUN_BEGINS, end=4)),
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("accessible")),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            in_force(always(rules.NameDrop(names=META)), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
        ),
    ),
    Scenario(
        name="block_begins_during_the_run",
        tells="the first site takes 0.8 s and sends on to a second, whose name is dropped from half a second on; checked by "
        "itself the second one had been reached before that",
        check=(OTHER,),
        world=lambda world: world.change(
            PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}", front=Front(other="late:0.8/serve")
        ),
        rules=always(censor.During(rule=rules.NameDrop(names=META), since=RUN_BEGINS, start=0.5)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(NOTE,),
        proofs=(
            prove.page(OTHER, 302),
            prove.page(FACEBOOK_URL),
            in_force(always(rules.NameDrop(names=META)), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
        ),
    ),
    Scenario(
        name="block_begins_after_an_outage",
        tells="the server restarts as the run begins; while it is away, its name begins to be dropped",
        rules=lambda world: (
            restart(world, 0, 3),
            censor.During(rule=rules.NameDrop(names=META), since=RUN_BEGINS, start=2),
        ),
        acceptable=(*SNI_SILENCE, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            in_force(always(rules.NameDrop(names=META)), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
        ),
    ),
    Scenario(
        name="sni_drop_and_hole",
        tells="the name is dropped, and full segments from everywhere vanish: the silence has two causes",
        rules=always(rules.NameDrop(names=META), rules.Drop(when=When(protocol=TCP, side="down", larger_than=1400))),
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("no_network")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(1, 3),
        proofs=(prove.large_packets_vanish(NEUTRAL), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
)
