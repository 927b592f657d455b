"""What a process that lives long meets between two of its rounds, and what it sees of a line that is shut.

A row has a network in which the first round is made, in which all is well, and one in which the second is. The words
are those of the second. Proofs are made with curl and openssl in the second network, where they spoil nothing: what a device
remembers of them is forgotten before the round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.lab import censor, closures, forgers, prove, prove_apps, rules
from tests.lab.greetings import NATIONAL
from tests.lab.prove import Proof
from tests.lab.rules import Drop, Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Words
from tests.lab.scenarios_closures import _CUT, META, SNI_SILENCE, STRANGER, _with_holes
from tests.lab.world import World

Rules = Callable[[World], tuple[Rule, ...]]
FINE = (Words("accessible"),)
NOT_KNOWN = (Words("inconclusive"),)


def _none(_world: World) -> tuple[Rule, ...]:
    return ()


def _same(world: World) -> World:
    return world


@dataclass(frozen=True, kw_only=True)
class Between:
    """A site that was well in the first round, and what became of it. ``restarts``: its servers have other keys then.

    ``resumed``: whether the second round is a resumed handshake and nothing else.
    """

    name: str
    tells: str
    acceptable: tuple[Words, ...]
    proofs: tuple[Proof, ...]
    rules: Rules = field(default=_none)
    world: Callable[[World], World] = field(default=_same)
    restarts: bool = False
    resumed: bool = False


BETWEEN = (
    Between(
        name="nothing_happened",
        tells="all is as it was: the ticket is taken, and nothing more is asked",
        acceptable=FINE,
        proofs=(prove.page(FACEBOOK_URL), prove.page(OTHER)),
        resumed=True,
    ),
    Between(
        name="ticket_refused",
        tells="the servers have been restarted and know their tickets no longer",
        acceptable=FINE,
        proofs=(prove.page(FACEBOOK_URL), prove.page(OTHER)),
        restarts=True,
    ),
    Between(
        name="name_dropped_since",
        tells="the server would take its ticket, and greetings with its name are dropped on the way since",
        acceptable=SNI_SILENCE,
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, STRANGER, works=True),
            prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        ),
        rules=lambda _world: (rules.NameDrop(names=META),),
    ),
    Between(
        name="name_dropped_since_with_memory",
        tells="the same, and the device drops everything else to that address for three minutes after",
        acceptable=(*SNI_SILENCE, *NOT_KNOWN),
        proofs=(prove.fails(FACEBOOK_URL, prove.SILENT),),
        rules=lambda _world: (censor.Residual(names=META),),
    ),
    Between(
        name="name_reset_since",
        tells="greetings with its name are reset on the way since",
        acceptable=(Words("blocked", "tls", "tls.reset"),),
        proofs=(
            prove.fails(FACEBOOK_URL, 35),
            prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        ),
        rules=lambda _world: (rules.NameReset(names=META),),
    ),
    Between(
        name="opened_on_the_way_since",
        tells="a state opens the connections with this name since, and knows nothing of tickets",
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        proofs=(prove.certificate_error(FACEBOOK_URL, "certificate"),),
        rules=lambda world: (_forge(world),),
    ),
    Between(
        name="certificate_expired_since",
        tells="the server has another certificate since, which has expired, and other keys",
        acceptable=(Words("outage", "certificate"),),
        proofs=(prove.certificate_error(FACEBOOK_URL, "certificate"),),
        world=lambda world: world.change(FACEBOOK, certificate="expired"),
        restarts=True,
    ),
    Between(
        name="server_dead_since",
        tells="the server is gone",
        acceptable=(Words("outage"), *NOT_KNOWN),
        proofs=(prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT)),
        rules=lambda world: (Drop(when=When(remote=(f"{world.sites[FACEBOOK].address}/32",)), place="far"),),
    ),
    Between(
        name="line_dead_since",
        tells="nothing passes the provider's first router",
        acceptable=(Words("no_network", "upstream"), Words("no_network", "link")),
        proofs=(prove.fails(FACEBOOK_URL, prove.SILENT, prove.UNRESOLVED),),
        rules=lambda _world: (Drop(place="access"),),
    ),
)


def _forge(world: World) -> Rule:
    made = forgers.forge(NATIONAL, tuple(name for name in world.sites if name.endswith("facebook.com")))
    return censor.NameForge(chains=made.chains, key=made.key)


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A line, what is said of it after a look on a better day, and the holes that are named: all of these, and no others."""

    name: str
    tells: str
    words: tuple[Words, ...]
    holes: tuple[str, ...]
    proofs: tuple[Proof, ...]
    rules: Rules
    world: Callable[[World], World] = field(default=_same)
    whole: bool = False
    """Whether a small look sees nothing of it: then a round finds it, and all of the own side is asked for."""


def _no_network(*methods: str) -> tuple[Words, ...]:
    return tuple(Words("no_network", method) for method in methods)


NAMED = ("tcp/179", "tcp/3785", "udp/53")
CLOSED = (
    Closed(
        name="shut_but_for_named_holes",
        tells="everything vanishes, at home and abroad, but questions, BGP and the port of BFD",
        words=_no_network("shutdown"),
        holes=NAMED,
        proofs=(prove.truth(FACEBOOK), prove.fails("https://egov.kz/", prove.SILENT)),
        rules=lambda _world: (closures.Closed(holes=closures.NAMED_HOLES, place="access"),),
        world=_with_holes,
    ),
    Closed(
        name="cut_at_the_border_but_for_named_holes",
        tells="nothing crosses the border but questions, BGP and the port of BFD",
        words=_no_network("international"),
        holes=NAMED,
        proofs=(prove.page("https://egov.kz/"), prove.fails(OTHER, prove.SILENT)),
        rules=lambda _world: (closures.Closed(holes=(*_CUT.holes, *closures.NAMED_HOLES)),),
        world=_with_holes,
    ),
    Closed(
        name="cut_at_the_border",
        tells="nothing crosses the border at all",
        words=_no_network("international"),
        holes=(),
        proofs=(prove.page("https://egov.kz/"), prove.fails(OTHER, prove.SILENT)),
        rules=lambda _world: (_CUT,),
    ),
    Closed(
        name="names_of_a_list_only",
        tells="connections abroad are made, and greetings are delivered only if they name a site of the country's",
        words=_no_network("whitelist"),
        holes=(),
        proofs=(
            prove.page("https://egov.kz/"),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, "egov.kz", works=True),
        ),
        rules=lambda _world: (censor.OnlyListed(names=("kz",)),),
        whole=True,
    ),
    Closed(
        name="questions_only",
        tells="everything but questions vanishes: a tariff without data, or a shutdown; the line cannot tell",
        words=(*_no_network("upstream"), *NOT_KNOWN),
        holes=(),
        proofs=(prove.truth(FACEBOOK), prove.fails("https://egov.kz/", prove.SILENT)),
        rules=lambda _world: (closures.Closed(holes=closures.NAMED_HOLES[:1], place="access"),),
    ),
    Closed(
        name="shut_by_resets",
        tells="every connection is reset by the provider, at any port but those of BGP and BFD: a reset shows no hole",
        words=(*_no_network("shutdown", "upstream"), *NOT_KNOWN),
        holes=(),
        proofs=(prove.fails("https://egov.kz/", prove.UNCONNECTED),),
        rules=lambda _world: (closures.Closed(holes=closures.NAMED_HOLES, resets=True, place="access"),),
    ),
    Closed(
        name="office_with_a_proxy",
        tells="a firewall lets no web out, for a proxy is to be used, and everything else",
        words=(*_no_network("upstream"), *NOT_KNOWN),
        holes=(),
        proofs=(prove.fails("https://egov.kz/", prove.SILENT), prove_apps.open_port("198.41.0.4", 22, works=True)),
        rules=lambda _world: (Drop(when=When(protocol=6, ports=(80, 443)), place="access"),),
        world=_with_holes,
    ),
    Closed(
        name="dead_line",
        tells="nothing passes the provider's first router",
        words=_no_network("upstream", "link"),
        holes=(),
        proofs=(prove.fails(FACEBOOK_URL, prove.SILENT, prove.UNRESOLVED),),
        rules=lambda _world: (Drop(place="access"),),
    ),
)
