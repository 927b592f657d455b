"""Troubles of the line, written without knowledge of the judge: the half that is held out. See README.md.

What is true comes first. A line that loses, stalls or stops may let a run through or not, so "reached", "not known" and "the
own side" are all right where chance decides; "blocked" never is, and no site is "down" because a box at home is full.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import manners_home, prove, prove_home, rules
from tests.lab.censor import During
from tests.lab.net import RESOLVER
from tests.lab.packets import ICMP, TCP, UDP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, SITES, Scenario, Words
from tests.lab.servers import PORTAL
from tests.lab.world import Front, Nameserver, World

LIVEJOURNAL = "www.livejournal.com"
X_URL = "https://x.com/"
THREE = (FACEBOOK_URL, OTHER, X_URL)
MESSENGER = "e1.whatsapp.net"
HOME = "192.168.0.53"
FINE = (Words("accessible"),)
UNKNOWN = (Words("inconclusive"),)
OWN = (Words("no_network"), Words("inconclusive"))
CHANCE = (Words("accessible"), Words("inconclusive"), Words("no_network"))
"""Where chance decides whether a run gets through."""
FILTER = (Words("no_network", "filter"), Words("inconclusive"))
ANY_NETWORK = (Words("ok"), Words("inconclusive"), Words("no_network"))
CODES = {"accessible": 0, "blocked": 1, "outage": 1, "denied": 1, "no_network": 3, "inconclusive": 3}
BEGINS = When(protocol=UDP, ports=(53,), side="up")
"""Nothing comes before the first question."""
_HERE = (f"{RESOLVER}/32", f"{PORTAL}/32")
_DOMESTIC = ("195.12.113.0/24", "194.187.246.0/24", "91.215.42.0/24", "185.98.5.0/24")
"""Where the domestic canaries live (see world.py)."""


def with_(**values: Any) -> Callable[[World], World]:
    return lambda world: dataclasses.replace(world, **values)


def always(*rules_: Rule) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: rules_


def row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    """A row; its exit codes follow from its words, if it does not say which."""
    codes = tuple(sorted({CODES[words.status] for words in acceptable}))
    return Scenario(
        name=name,
        tells=tells,
        acceptable=acceptable,
        proofs=(*proofs, prove_home.forget),
        **{"exit_codes": codes, **more},
    )


def _line(name: str, tells: str, *proofs: prove.Proof, **more: Any) -> Scenario:
    """Three sites behind a line on which chance decides."""
    return row(name, tells, CHANCE, *proofs, **{"check": THREE, "network": ANY_NETWORK, **more})


def _well(name: str, tells: str, *proofs: prove.Proof, **more: Any) -> Scenario:
    """Odd, and every page comes."""
    return row(name, tells, FINE, *proofs, **{"check": THREE, **more})


def _slow_line(name: str, tells: str, *proofs: prove.Proof, **more: Any) -> Scenario:
    """Every page comes, and the own side may be called what it is."""
    return _well(name, tells, *proofs, **{"network": ANY_NETWORK, "exit_codes": (0, 3), **more})


# ---------------------------------------------------------------------------------------------------------------------
# translators and other boxes at the end of the line

_TRANSLATORS = (
    _line(
        "table_of_the_router_full",
        "the router has room for forty flows, remembers each for two minutes, and drops what would be a new one",
        prove_home.one_by_one(LIVEJOURNAL, made=40, of=42),
        rules=always(manners_home.FlowTable(size=40, place="home")),
    ),
    _line(
        "table_of_the_router_forgets",
        "the router has room for thirty flows; with every new one it forgets the one that was quiet for longest",
        prove_home.from_start(prove.page(FACEBOOK_URL), prove.page(OTHER)),
        prove_home.one_by_one(LIVEJOURNAL, made=40, of=40),
        prove_home.oldest_dead(LIVEJOURNAL, others=32),
        rules=always(manners_home.FlowTable(size=30, full="forget", place="home")),
    ),
    _line(
        "ports_of_the_provider_used_up",
        "the provider's translator gives a customer fifty flows, and says of the next that it is prohibited (RFC 6888)",
        prove_home.one_by_one(LIVEJOURNAL, made=50, of=52),
        prove_home.under(
            always(manners_home.FlowTable(size=0, full="prohibited")),
            prove_home.connected(f"{{{LIVEJOURNAL}}}", 443, "prohibited"),
        ),
        rules=always(manners_home.FlowTable(size=50, full="prohibited")),
    ),
    _line(
        "router_slow_with_new_flows",
        "the router takes six new connections a second and ten at once, and drops those beyond",
        prove_home.from_start(prove.connects(LIVEJOURNAL, low=8, high=18)),
        rules=always(manners_home.FlowRate(rate=6, burst=10, place="home")),
    ),
    _line(
        "router_resets_a_flood",
        "the router takes more than a dozen new connections at once for an attack and resets them, at eight a second",
        prove_home.from_start(prove.connects(LIVEJOURNAL, low=11, high=22)),
        prove_home.under(
            always(manners_home.FlowRate(rate=0, burst=0, answer="reset", place="home")),
            prove_home.connected(f"{{{LIVEJOURNAL}}}", 443, "refused"),
        ),
        rules=always(manners_home.FlowRate(rate=8, burst=12, answer="reset", place="home")),
    ),
    _line(
        "router_shuts_out_who_is_called_often",
        "whoever is called more than five times in a few seconds is out of reach for half a minute: the router's own guard, "
        "and a probe that looks closely at one place brings it about",
        prove_home.one_by_one(LIVEJOURNAL, made=5, of=8),
        prove_home.from_start(prove.page(FACEBOOK_URL), prove.page(OTHER)),
        rules=always(manners_home.FlowRate(rate=0.2, burst=5, ban=30, place="home")),
    ),
    _line(
        "line_dialled_anew",
        "six tenths of a second after the start the line gets another address: flows that were open are dead, new ones are fine",
        prove_home.from_start(
            lambda lab: prove.answers(FACEBOOK, lab.world.addresses()[FACEBOOK])(lab),
            prove_home.after_a_pause(LIVEJOURNAL, 0.9, "silence"),
            prove_home.after_a_pause(LIVEJOURNAL, 0.9, "yes"),
        ),
        rules=always(manners_home.Redial(since=BEGINS, after=0.6, place="access")),
    ),
)


def _about(site: str) -> tuple[Scenario, ...]:
    """Rows that are about any one site."""
    url = f"https://{site}/"
    return (
        row(
            "quiet_flow_forgotten",
            "the router forgets a flow after little more than a quiet second, and the site takes nearly two to answer a greeting: "
            "elsewhere it is slow, from here it is silent",
            OWN,
            prove_home.after_a_pause(LIVEJOURNAL, 1.7, "silence"),
            prove_home.after_a_pause(LIVEJOURNAL, 0.5, "yes"),
            prove.says("", "curl", "-sS", "-m", "6", url, code=prove.SILENT),
            prove_home.without_rules(prove.slower(url, 1.7)),
            check=(url,),
            draw=_another("quiet_flow_forgotten"),
            sound=(OTHER,),
            network=ANY_NETWORK,
            world=lambda world: world.change(site, front=Front(other="late:1.8/serve")),
            rules=always(manners_home.FlowTable(idle=1.2, place="home")),
        ),
        row(
            "half_a_tunnel",
            "a tunnel that took over half of all addresses is dead; the other half goes by the line and is well",
            OWN,
            prove.truth(site),
            prove.fails(url, prove.SILENT),
            prove.fails("https://www.debian.org/", prove.SILENT),
            prove.page(X_URL),
            prove.page("https://8.8.8.8/"),
            prove.interface_up("tun0"),
            check=(url,),
            draw=lambda source: _named("half_a_tunnel", source.choice((FACEBOOK, "www.instagram.com", "telegram.org"))),
            sound=(X_URL,),
            network=ANY_NETWORK,
            world=with_(tunnels=("tun0",)),
            rules=always(rules.Drop(when=When(remote=("128.0.0.0/1",)), place="home")),
        ),
    )


def _named(name: str, site: str) -> Scenario:
    return next(found for found in _about(site) if found.name == name)


def _another(name: str) -> Callable[[Any], Scenario]:
    return lambda source: _named(name, source.choice(SITES))


# ---------------------------------------------------------------------------------------------------------------------
# the line itself

_AIR = (
    _line(
        "air_lost_in_bursts",
        "wireless: every second or two nothing comes through for some tenths of a second, whatever it is",
        prove_home.answered("8.8.8.8", low=110, high=190, of=200),
        rules=always(manners_home.Bursts(good=1.3, bad=0.35, place="home")),
    ),
    _line(
        "bits_lost_by_size",
        "a bad cable: four full packets in ten are lost, and of small ones hardly any: connections are made, answers do not come",
        prove.connects(LIVEJOURNAL, low=32, high=40),
        prove.some_greetings_die(LIVEJOURNAL, low=1, high=17, of=20),
        rules=always(manners_home.LoseBySize(probability=0.4, place="access")),
    ),
    _line(
        "lost_on_the_way_up_only",
        "a third of what goes up is lost, and nothing of what comes down",
        prove_home.answered("8.8.8.8", low=30, high=75, of=80),
        prove_home.under(
            always(rules.Drop(when=When(side="up"), place="access")),
            prove_home.answered("8.8.8.8", low=0, high=0, of=5),
        ),
        rules=always(rules.Lose(when=When(side="up"), probability=0.33, place="access")),
    ),
    _well(
        "packets_out_of_order",
        "three packets in ten overtake each other on the way, by up to 30 ms",
        prove_home.out_of_order("8.8.8.8", at_least=5, of=60),
        rules=always(manners_home.Reorder()),
    ),
    _well(
        "packets_twice",
        "everything arrives twice, both ways: every question has two answers, and both are true",
        prove_home.answered("8.8.8.8", low=60, high=80, of=20),
        rules=always(manners_home.Duplicate()),
    ),
    _line(
        "packets_with_wrong_sums",
        "in a tenth of all packets that carry something a bit is turned, and whoever gets them drops them for their checksum",
        prove_home.wrong_sums(OTHER, visits=4),
        prove.connects(LIVEJOURNAL, low=40, high=40),
        prove_home.under(
            always(manners_home.Corrupt(probability=1.0, place="home")),
            prove_home.connected(f"{{{LIVEJOURNAL}}}", 443, "yes"),
            prove.fails(OTHER, prove.SILENT),
        ),
        rules=always(manners_home.Corrupt(probability=0.1, place="access")),
    ),
    _line(
        "router_with_a_bad_memory",
        "the router turns a bit in every eighth packet and makes the checksum anew: TLS finds out, and ends with an alert",
        prove.connects(LIVEJOURNAL, low=40, high=40),
        prove.some_greetings_die(LIVEJOURNAL, low=2, high=18, of=20),
        prove_home.under(
            always(manners_home.Corrupt(probability=1.0, sealed=True, place="home")),
            prove.fails(OTHER, prove.HANDSHAKE, prove.RESET, prove.UNTRUSTED),
        ),
        rules=always(manners_home.Corrupt(probability=0.12, sealed=True, place="home")),
    ),
    _slow_line(
        "queue_swollen_upwards",
        "the way up carries 128 kbit/s and has a queue of seconds, the way down is quick: our own questions delay each other",
        prove_home.longest("8.8.8.8", over=0.25, of=150, pause=0.001),
        prove.page(OTHER),
        rules=always(manners_home.Shaper(when=When(side="up"), rate=128_000, queue=48_000, place="access")),
    ),
    _slow_line(
        "satellites_change",
        "every three seconds all packets stand still for a second and a half, and then come all together; none is lost",
        prove_home.longest("8.8.8.8", over=1.0, of=60),
        rules=always(manners_home.Bursts(good=3, bad=1.5, hold=True, regular=True, place="access")),
    ),
)

_TIMES = (
    _line(
        "handover_in_the_run",
        "half a second after the start everything is dead for four seconds, then all is well",
        prove_home.dead_between("8.8.8.8", 0.5, 4.5, until=5.5),
        rules=always(During(rule=rules.Drop(), since=BEGINS, start=0.5, end=4.5, place="home")),
    ),
    _line(
        "line_dies_in_the_run",
        "six tenths of a second after the start the line is dead and stays so: what had been reached was reached",
        prove_home.dead_between("8.8.8.8", 0.6, 4.0, until=3.5),
        rules=always(During(rule=rules.Drop(), since=BEGINS, start=0.6, place="access")),
    ),
    _line(
        "line_comes_up_late",
        "for three seconds from the first question nothing is delivered, then all is well",
        prove_home.dead_between("8.8.8.8", -1, 3.0, until=4.5),
        rules=always(During(rule=rules.Drop(), since=BEGINS, end=3, place="access")),
    ),
    _line(
        "quota_ends_the_line",
        "after 90 kB the tariff is used up, and nothing is delivered any more",
        prove_home.pages_until_cut(OTHER, tries=5),
        rules=always(manners_home.AfterBytes(quota=90_000, rule=rules.Drop(), place="access")),
    ),
    _line(
        "quota_slows_the_line",
        "after 60 kB the tariff goes on with 48 kbit/s for everything",
        prove_home.from_start(
            prove.page(OTHER), prove.page(FACEBOOK_URL), *(prove.page("https://8.8.8.8/"),) * 2, prove.slower(OTHER, 3)
        ),
        rules=always(
            manners_home.AfterBytes(quota=60_000, rule=manners_home.Shaper(rate=48_000, queue=64_000), place="access")
        ),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# what of TCP, UDP and ICMP is let through

_SHAPES = (
    row(
        "nothing_large_goes_up",
        "what goes up and is larger than 500 bytes vanishes, wherever it goes: questions and connections work, no greeting does",
        OWN,
        prove.connects(LIVEJOURNAL, low=40, high=40),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        prove.page(f"http://{LIVEJOURNAL}/", 301),
        check=THREE,
        network=(Words("no_network"), Words("inconclusive")),
        rules=always(rules.Drop(when=When(protocol=TCP, side="up", larger_than=500), place="access")),
    ),
    _well(
        "options_of_tcp_removed",
        "a box removes every option of TCP: no segment is larger than 536 bytes, and a greeting may need two",
        prove_home.options(LIVEJOURNAL, has=0, lacks=7),
        prove_home.without_rules(prove_home.options(LIVEJOURNAL, has=7, lacks=0)),
        prove.page(FACEBOOK_URL),
        rules=always(manners_home.StripOptions(place="access")),
    ),
    _well(
        "windows_misread",
        "a box removes the window scale from answers only: the client takes the server's window for some 500 bytes",
        prove_home.options(LIVEJOURNAL, has=2, lacks=4),
        prove_home.upload_takes(MESSENGER, 5222, 20_000, over=2),
        prove.page(FACEBOOK_URL),
        rules=always(manners_home.StripOptions(when=When(side="down"), kinds=(3,), place="access")),
    ),
    _well(
        "only_port_443",
        "a company lets connections to port 443 out and nothing else; its own resolver answers",
        prove.page(FACEBOOK_URL),
        prove.fails(f"http://{LIVEJOURNAL}/", prove.SILENT),
        prove.answers(FACEBOOK, "", "8.8.8.8"),
        prove.answers(FACEBOOK, "", RESOLVER),
        network=ANY_NETWORK,
        exit_codes=(0, 3),
        world=with_(nameservers=(Nameserver(address=HOME),), resolvers=(HOME,)),
        rules=always(
            manners_home.Except(
                rule=rules.Drop(when=When(side="up")),
                but=(When(remote=(f"{HOME}/32",)), When(protocol=TCP, ports=(443,))),
                place="home",
            )
        ),
    ),
    row(
        "ports_prohibited_by_the_router",
        "the company's own router says of every port but those of the web, of names and of time that it is prohibited",
        FILTER,
        prove_home.connected(f"{{{MESSENGER}}}", 5222, "prohibited"),
        prove_home.connected(f"{{{LIVEJOURNAL}}}", 5222, "prohibited"),
        prove_home.without_rules(prove_home.connected(f"{{{MESSENGER}}}", 5222, "yes")),
        prove.page(OTHER),
        check=(f"tcp://{MESSENGER}:5222",),
        sound=(OTHER, FACEBOOK_URL),
        network=ANY_NETWORK,
        rules=always(
            manners_home.Except(
                rule=rules.Unreachable(when=When(side="up"), code=13, offender="192.168.1.1"),
                but=(When(ports=(53, 80, 123, 443)), When(protocol=ICMP)),
                place="home",
            )
        ),
    ),
    row(
        "no_datagrams_at_all",
        "no UDP passes, so no name is resolved as programs do it; over TCP the same resolver answers, and addresses are reached",
        OWN,
        prove.answers(FACEBOOK, ""),
        prove.answers(FACEBOOK, "", "8.8.8.8"),
        prove.fails(OTHER, prove.UNRESOLVED, prove.SILENT),
        prove.page("https://8.8.8.8/"),
        lambda lab: prove.answers(FACEBOOK, lab.world.addresses()[FACEBOOK], None, "+tcp")(lab),
        check=THREE,
        network=(Words("no_network"), Words("inconclusive")),
        rules=always(rules.Drop(when=When(protocol=UDP), place="access")),
    ),
    _well(
        "no_icmp_from_abroad",
        "nothing of ICMP comes from beyond the provider: no pings, no routers on the way, no reasons",
        prove_home.closed_datagram_port("8.8.8.8", "silence"),
        prove.page(FACEBOOK_URL),
        leg={"hops": ()},
        rules=always(rules.Drop(when=When(protocol=ICMP))),
    ),
    row(
        "free_messengers_only",
        "the tariff is used up but for two messengers, which are free; port 80 of all others leads to where one pays",
        (Words("no_network", "whitelist"), Words("no_network", "captive_portal"), Words("inconclusive")),
        prove.page("https://web.whatsapp.com/"),
        prove.page("https://telegram.org/"),
        prove.page("http://www.python.org/", 302),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        prove.fails("https://egov.kz/", prove.SILENT),
        check=(FACEBOOK_URL, OTHER),
        sound=("https://web.whatsapp.com/", "https://telegram.org/"),
        exit_codes=(3,),
        network=(Words("no_network"), Words("inconclusive")),
        world=with_(portal=True, portal_says="pay"),
        rules=lambda world: (
            rules.Divert(when=When(protocol=TCP, ports=(80,)), to=PORTAL, port=80, place="access"),
            manners_home.Except(
                rule=rules.Drop(when=When(side="up")),
                but=(When(remote=(*_HERE, *_free(world))),),
                place="access",
            ),
        ),
    ),
)


def _free(world: World) -> tuple[str, ...]:
    """The networks of the two messengers."""
    names = ("web.whatsapp.com", "telegram.org", MESSENGER)
    return tuple(world.addresses()[name].rpartition(".")[0] + ".0/24" for name in names)


# ---------------------------------------------------------------------------------------------------------------------
# beyond the provider

_OPERATORS = {
    "meta": ("157.240.0.0/16", ("https://www.instagram.com/", FACEBOOK_URL, "https://web.whatsapp.com/")),
    "google": ("142.250.0.0/15", ("https://www.youtube.com/", "https://www.google.com/")),
}
_ROUTE = (Words("inconclusive"), Words("outage", "route"))


def _operator(who: str) -> tuple[Scenario, ...]:
    network, urls = _OPERATORS[who]
    to = When(remote=(network,))
    return (
        row(
            "peering_with_one_operator_dead",
            "the provider's link to the network of one operator is down, and all of its sites are out of reach; its order or its "
            "cable, from one place nobody can tell",
            _ROUTE,
            *(prove.fails(url, prove.SILENT) for url in urls),
            prove.page(OTHER),
            check=urls,
            sound=(OTHER,),
            draw=lambda source: _operator(source.choice(tuple(_OPERATORS)))[0],
            network=ANY_NETWORK,
            rules=always(rules.Drop(when=to)),
        ),
        row(
            "peering_with_one_operator_full",
            "the provider's link to the network of one operator is full of everybody's evening: it loses a quarter of the packets "
            "and delays the rest; nobody slows these sites down on purpose",
            (Words("accessible"), Words("inconclusive")),
            prove_home.from_start(prove.slower(urls[0], 0.6)),
            prove.page(OTHER),
            check=urls,
            sound=(OTHER,),
            draw=lambda source: _operator(source.choice(tuple(_OPERATORS)))[1],
            rules=always(
                rules.Lose(when=dataclasses.replace(to, side="down"), probability=0.25),
                manners_home.Shaper(when=to, rate=400_000, queue=24_000),
            ),
        ),
    )


_BEYOND = (
    *_operator("meta"),
    _line(
        "four_in_ten_lost_abroad",
        "the provider's way abroad loses four packets in ten each way; the country's sites and resolvers are quick",
        prove_home.answered("8.8.8.8", low=10, high=50, of=80),
        prove_home.answered(RESOLVER, low=40, high=40, of=40),
        prove.page("https://egov.kz/"),
        sound=(),
        rules=always(manners_home.Except(rule=rules.Lose(probability=0.4), but=(When(remote=(*_HERE, *_DOMESTIC)),))),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_TRANSLATORS, *_about(FACEBOOK), *_AIR, *_TIMES, *_SHAPES, *_BEYOND)
