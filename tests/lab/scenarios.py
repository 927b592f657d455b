"""The scenarios, as data: what the network does, what is checked, and which words are right about it.

One row a scenario. ``acceptable`` is what the truth allows from this one vantage: a status, a method or ``None`` for any,
and the beginning of a signature. A row that is not a block must never have ``blocked`` in it.
"""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.lab import control, prove, rules, vary
from tests.lab.lab import Lab
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP, UDP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.servers import PORTAL
from tests.lab.world import World, whole_world

FACEBOOK = "www.facebook.com"
FACEBOOK_URL = f"https://{FACEBOOK}/"
OTHER = "https://www.livejournal.com/"
BOGON = "10.10.34.35"


@dataclass(frozen=True, slots=True)
class Words:
    """One right way to say it."""

    status: str
    method: str | None = None
    signature: str = ""

    def fit(self, result: dict[str, Any]) -> bool:
        return (
            result["status"] == self.status
            and self.method in (None, result.get("method"))
            and (result.get("signature") or "").startswith(self.signature)
        )


def _no_different(world: World) -> World:
    return world


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """See the module. ``world`` and ``rules`` are built when the scenario is run; ``exit_codes`` are dalel's."""

    name: str
    tells: str
    check: tuple[str, ...] = (FACEBOOK_URL,)
    acceptable: tuple[Words, ...]
    exit_codes: tuple[int, ...]
    proofs: tuple[Proof, ...]
    world: Callable[[World], World] = field(default=lambda world: world)
    rules: Callable[[World], tuple[Rule, ...]] = field(default=lambda world: ())
    leg: dict[str, Any] = field(default_factory=dict)
    link: bool = True
    network: tuple[Words, ...] = (Words("ok"),)
    """What may be said of the own side; ``ok`` unless the own side is the trouble."""
    sound: tuple[str, ...] = ()
    """Further URLs that are checked in the same run and must be accessible."""
    spares: Callable[[str], bool] = field(default=lambda url: False)
    """Which URLs the trouble does not touch: those must be accessible."""
    in_slice: bool = False
    """Whether `make test` runs it; `make lab` runs every one."""
    origin: str = ""
    """Where the idea is from, when it is a peer's published case."""
    launcher: tuple[str, ...] = ()
    """What starts the command in place of the user's own hand."""
    needs: tuple[str, ...] = ()
    """Experiments that it takes to be right; without them it is listed as not yet."""

    draw: Callable[[random.Random], Scenario] | None = None
    """The same row about another site, or otherwise different where it must not matter; see ``vary``."""
    elsewhere: Callable[[World], World] = _no_different
    """What is different for somebody abroad, besides what ``uncensored`` takes away: a site that refuses a country. Where it
    is a site's page or a name's addresses, the servers of the one lab tell the control; where it is more than that, or the
    year, the control measurement is made in a lab of its own, as ``uncensored`` has it, and nothing is proven from it."""
    control: tuple[Proof, ...] | None = None
    """What the control sees, if that is not what ``control.generic`` says."""
    unproven_abroad: str = ""
    """Why nothing is proven from the control."""

    def drawn(self, seed: int) -> Scenario:
        """The row as this seed has it: its site, and the order of its targets."""
        source = vary.drawn(self.name, seed)
        if source is None:
            return self
        row = dataclasses.replace(self.draw(source), name=self.name) if self.draw else self
        return dataclasses.replace(row, check=vary.order(source, row.check))

    def lab(self, seed: int = vary.AS_WRITTEN) -> Lab:
        """A fresh lab. Another seed draws addresses, delays and the marks of forged packets as well."""
        source = vary.drawn(self.name, seed)
        world = self.seen_world(seed) or self.world(_whole_world(seed))
        its_rules, (_, abroad) = self.rules(world), self.uncensored(seed)
        far, near = self.leg, dict[str, Any]()
        if source is not None:
            far, near = vary.legs(source, self.leg)
            its_rules = vary.rules(source, its_rules)
        return Lab(world, rules=its_rules, abroad=abroad, leg=far, near=near, link=self.link, seed=seed)

    def seen_world(self, seed: int = vary.AS_WRITTEN) -> World | None:
        """The row's world if one lab can show it to the probe and to the control, each as it is there; else ``None``."""
        return control.with_elsewhere(self.world(_whole_world(seed)), self.uncensored(seed)[0])

    def uncensored(self, seed: int = vary.AS_WRITTEN) -> tuple[World, tuple[Rule, ...]]:
        """The same Internet from a place abroad: the platforms' own troubles and what happens at their end, nothing else."""
        whole = _whole_world(seed)
        world = self.world(whole)
        # A censor may sit far away too; at the sites' own end, what acts on names is theirs.
        censor = (rules.ByName, rules.DnsInject) if self.is_block else ()
        far = tuple(rule for rule in self.rules(world) if rule.place == "far" and not isinstance(rule, censor))
        return self.elsewhere(vary.abroad(world, whole)), far

    def prove(self, lab: Lab) -> None:
        """``LabError`` unless the network does what the row says."""
        for proof in (*self.proofs, *self.proofs_abroad()):
            proof(lab)

    def proofs_abroad(self) -> tuple[Proof, ...]:
        """What the control must see."""
        if self.unproven_abroad:
            return ()
        if self.control is not None:
            return (control.from_control(*self.control),)
        return control.generic(
            self.acceptable[0].status,
            self.asked,
            is_elsewhere=self.is_elsewhere or self._is_misled(),
            at_far_side=self._is_at_far_side(),
        )

    def _is_misled(self) -> bool:
        """Whether the provider's resolver says something else of what is checked than those abroad: there it is well."""
        world = self.world(_whole_world(vary.AS_WRITTEN))
        return any(world.lies.get(host) != world.abroad.get(host) for host in self._hosts())

    def _hosts(self) -> set[str]:
        return {urlsplit(url).hostname or "" for url in control.urls(self.check)}

    def _is_at_far_side(self) -> bool:
        """Whether something is otherwise than usual with what is checked, for somebody abroad too."""
        whole = _whole_world(vary.AS_WRITTEN)
        world, far = self.uncensored()
        return bool(far) or any(world.sites.get(host) != whole.sites.get(host) for host in self._hosts())

    @property
    def is_elsewhere(self) -> bool:
        """Whether the row says that something is different abroad."""
        return self.elsewhere is not _no_different

    @property
    def asked(self) -> tuple[str, ...]:
        """The command's targets; none is the default catalogue."""
        return (*self.check, *self.sound)

    def words_for(self, url: str) -> tuple[Words, ...]:
        """What may be said of one endpoint, the truth first."""
        return (Words("accessible"),) if url in self.sound or self.spares(url) else self.acceptable

    def is_right(self, result: dict[str, Any]) -> bool:
        """Whether one entry of ``results`` says what is true."""
        return any(words.fit(result) for words in self.words_for(result["url"]))

    def network_is_right(self, network: dict[str, Any]) -> bool:
        return any(words.fit(network) for words in self.network)

    @property
    def is_own_side(self) -> bool:
        return all(words.status == "no_network" for words in self.network)

    @property
    def is_block(self) -> bool:
        return any(words.status == "blocked" for words in self.acceptable)


@functools.cache
def _whole_world(seed: int) -> World:
    """One world a seed, so that rows whose control would see the same can share it."""
    return whole_world() if seed == vary.AS_WRITTEN else whole_world(salt=f"{seed}/")


def _address(name: str) -> Callable[[World], str]:
    return lambda world: world.sites[name].address + "/32"


def _hole(world: World) -> tuple[Rule, ...]:
    """Full segments from one site vanish behind a tunnel that sends no ICMP."""
    when = When(protocol=TCP, remote=(_address(FACEBOOK)(world),), side="down", larger_than=1400)
    return (rules.Drop(when=when, place="far"),)


def _portal(_world: World) -> tuple[Rule, ...]:
    """Port 80 of everybody is the portal's, names are resolved by the provider only, everything else is dropped at once."""
    here = f"{PORTAL}/32"
    return (
        rules.Divert(when=When(protocol=TCP, ports=(80,)), to=PORTAL, port=80, place="access"),
        rules.DropExcept(when=When(protocol=TCP, side="up"), but=When(remote=(here,)), place="access"),
        rules.DropExcept(
            when=When(protocol=UDP, side="up"), but=When(remote=(f"{RESOLVER}/32",), ports=(53,)), place="access"
        ),
    )


def _bare_address(url: str) -> bool:
    """``tcp://192.0.2.1:443``: nobody has to be asked where that is."""
    return url.startswith("tcp://") and url[6:].partition(":")[0].replace(".", "").isdigit()


ANY_OUTAGE = (Words("outage"), Words("inconclusive"))


SITES = (
    FACEBOOK, "www.instagram.com", "x.com", "telegram.org", "signal.org", "www.torproject.org", "www.youtube.com", "vk.com",
    "mullvad.net",
)  # fmt: skip
"""Which site is hit, when a seed draws it."""


def _about(site: str) -> tuple[Scenario, ...]:
    """The plain blocks and troubles, for any one site."""
    url, domain = f"https://{site}/", site.removeprefix("www.")
    return (
        Scenario(
            name="sni_drop",
            check=(url,),
            draw=_another("sni_drop"),
            tells="after a ClientHello with the name, nothing of that flow is delivered any more",
            rules=lambda _world: (rules.NameDrop(names=(domain,)),),
            acceptable=(Words("blocked", "tls", "tls.timeout.sni"),),
            exit_codes=(1,),
            sound=(OTHER,),
            proofs=(
                prove.truth(site),
                prove.fails(url, prove.SILENT),
                prove.page(OTHER),
                prove.handshake(site, "www.nobelprize.org", works=True),
                prove.handshake("www.wikipedia.org", site, works=False),
            ),
        ),
        Scenario(
            name="sni_reset",
            origin="ooni/probe-cli webconnectivityqa tlsBlockingConnectionResetWithConsistentDNS: http-failure, accessible false",
            check=(url,),
            draw=_another("sni_reset"),
            tells="a ClientHello with the name is swallowed, both ends get a RST",
            rules=lambda _world: (rules.NameReset(names=(domain,)),),
            acceptable=(Words("blocked", "tls", "tls.reset.sni"),),
            exit_codes=(1,),
            sound=(OTHER,),
            proofs=(
                prove.truth(site),
                prove.fails(url, prove.HANDSHAKE, prove.RESET),
                prove.handshake(site, "www.nobelprize.org", works=True),
                prove.handshake("www.wikipedia.org", site, works=False),
            ),
        ),
        Scenario(
            name="dns_bogon",
            origin="ooni/probe-cli webconnectivityqa dnsBlockingBOGON: dns, accessible false",
            check=(url,),
            draw=_another("dns_bogon"),
            tells="the provider's resolver gives a private address for the name",
            world=lambda world: _with(world, lies={site: BOGON}),
            acceptable=(Words("blocked", "dns", "dns.injection.bogon"),),
            exit_codes=(1,),
            sound=(OTHER,),
            proofs=(prove.answers(site, BOGON), prove.truth(site), prove.page(OTHER)),
        ),
        Scenario(
            name="dns_nxdomain",
            origin="ooni/probe-cli webconnectivityqa dnsBlockingNXDOMAIN: dns, accessible false",
            check=(url,),
            draw=_another("dns_nxdomain"),
            tells="the provider's resolver says that the name does not exist",
            world=lambda world: _with(world, lies={site: "nxdomain"}),
            acceptable=(Words("blocked", "dns", "dns.nxdomain"),),
            exit_codes=(1,),
            sound=(OTHER,),
            proofs=(prove.answers(site, "NXDOMAIN"), prove.truth(site), prove.page(OTHER)),
        ),
        Scenario(
            name="dns_injection",
            origin="ooni/probe-cli dnsping: spoofed answers, and the true one late",
            check=(url,),
            draw=_another("dns_injection"),
            tells="on the path every question for the name gets a forged answer before the true one",
            rules=lambda _world: (rules.DnsInject(names=(domain,), address=BOGON, place="access"),),
            acceptable=(Words("blocked", "dns", "dns.injection"),),
            exit_codes=(1,),
            sound=(OTHER,),
            proofs=(prove.answers(site, BOGON), prove.answers(site, BOGON, "8.8.8.8"), prove.page(OTHER)),
        ),
        # the platform's own troubles
        Scenario(
            name="server_refuses",
            check=(url,),
            draw=_another("server_refuses"),
            tells="the machine is there, the web server is not running",
            world=lambda world: world.change(site, listening=False),
            acceptable=ANY_OUTAGE,
            exit_codes=(1, 3),
            sound=(OTHER,),
            proofs=(prove.truth(site), prove.fails(url, prove.UNCONNECTED)),
        ),
        Scenario(
            name="server_dead",
            check=(url,),
            draw=_another("server_dead"),
            tells="nobody answers at the address",
            world=lambda world: world.change(site, present=False),
            acceptable=ANY_OUTAGE,
            exit_codes=(1, 3),
            sound=(OTHER,),
            proofs=(prove.truth(site), prove.fails(url, prove.SILENT)),
        ),
        Scenario(
            name="server_503",
            check=(url,),
            draw=_another("server_503"),
            tells="the site answers 503 to everybody",
            world=lambda world: world.change(site, status=503),
            acceptable=(Words("outage", "http"),),
            exit_codes=(1,),
            sound=(OTHER,),
            proofs=(prove.page(url, 503),),
        ),
        Scenario(
            name="certificate_expired",
            origin="ooni/probe-cli webconnectivityqa badSSLWithExpiredCertificate: blocking false, accessible false",
            check=(url,),
            draw=_another("certificate_expired"),
            tells="the right certificate, a week past its end",
            world=lambda world: world.change(site, certificate="expired"),
            acceptable=(Words("outage", "certificate"), Words("inconclusive")),
            exit_codes=(1, 3),
            sound=(OTHER,),
            proofs=(prove.certificate_error(url, "expired"),),
        ),
    )


def _another(name: str) -> Callable[[random.Random], Scenario]:
    """The row of that name, for a site that the seed draws."""
    return lambda source: next(row for row in _about(source.choice(SITES)) if row.name == name)


SCENARIOS = (
    Scenario(
        name="healthy",
        origin="ooni/probe-cli webconnectivityqa successWithHTTPS: blocking false, accessible true",
        tells="nothing is wrong on an 80 ms path",
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(OTHER,),
        proofs=(prove.page(FACEBOOK_URL), prove.page(OTHER), prove.truth(FACEBOOK)),
    ),
    # the own side
    Scenario(
        name="no_link",
        tells="this machine has no default route",
        check=(),
        link=False,
        acceptable=(Words("no_network", "link"),),
        network=(Words("no_network", "link"),),
        exit_codes=(3,),
        proofs=(prove.no_route("8.8.8.8"), prove.fails(FACEBOOK_URL, prove.UNRESOLVED, prove.SILENT)),
    ),
    Scenario(
        name="dead_upstream",
        tells="the router is there, and nothing comes back through it",
        check=(),
        rules=lambda _world: (rules.Drop(place="access"),),
        acceptable=(Words("no_network", "upstream"), Words("no_network", "link"), Words("no_network", "shutdown")),
        network=(Words("no_network", "upstream"), Words("no_network", "link"), Words("no_network", "shutdown")),
        exit_codes=(3,),
        proofs=(prove.fails("http://1.1.1.1/", prove.SILENT), prove.answers(FACEBOOK, "")),
    ),
    Scenario(
        name="dead_resolver_silent",
        tells="the provider's resolver does not answer; everything else is well",
        check=(),
        rules=lambda _world: (rules.Drop(when=When(remote=(f"{RESOLVER}/32",)), place="access"),),
        acceptable=(Words("no_network", "resolver"),),
        spares=_bare_address,
        network=(Words("no_network", "resolver"),),
        exit_codes=(3,),
        proofs=(prove.answers(FACEBOOK, ""), prove.truth(FACEBOOK), prove.page("https://8.8.8.8/")),
    ),
    Scenario(
        name="dead_resolver_refusing",
        tells="nothing listens on the provider's resolver's port",
        check=(),
        world=lambda world: _with(world, resolver_runs=False),
        acceptable=(Words("no_network", "resolver"),),
        spares=_bare_address,
        network=(Words("no_network", "resolver"),),
        exit_codes=(3,),
        proofs=(prove.answers(FACEBOOK, ""), prove.truth(FACEBOOK)),
    ),
    Scenario(
        name="captive_portal",
        tells="a hotel's portal answers port 80 for everybody and drops the rest until one logs in",
        check=(),
        world=lambda world: _with(world, portal=True),
        rules=_portal,
        acceptable=(Words("no_network", "captive_portal"),),
        network=(Words("no_network", "captive_portal"),),
        exit_codes=(3,),
        proofs=(
            prove.page("http://connectivitycheck.gstatic.com/generate_204", 302),
            prove.page("http://captive.apple.com/hotspot-detect.html", 302),
            prove.fails(FACEBOOK_URL, prove.SILENT),
        ),
    ),
    Scenario(
        name="wrong_clock",
        tells="this machine's clock is 400 days behind the world's (it is the world that is shifted)",
        check=(),
        world=lambda world: _with(world, shift_days=400),
        acceptable=(Words("no_network", "clock"),),
        spares=lambda url: url.startswith("tcp://"),
        network=(Words("no_network", "clock"),),
        exit_codes=(3,),
        proofs=(
            lambda lab: prove.clock_ahead(lab.world.clocks[0], 400)(lab),
            prove.certificate_error(FACEBOOK_URL, "not yet valid"),
            prove.page_date_ahead("http://captive.apple.com/hotspot-detect.html", 400),
        ),
    ),
    # a bad line is nobody's doing
    Scenario(
        name="one_packet_in_five_lost",
        tells="a fifth of all packets is lost on the way there and on the way back, whatever the name",
        leg={"loss": 0.2},
        acceptable=(Words("accessible"), Words("inconclusive"), Words("no_network")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(0, 3),
        proofs=(prove.lossy("8.8.8.8", at_least=5, of=40),),
    ),
    Scenario(
        name="far_away",
        tells="every round trip takes 600 ms, as over a satellite",
        leg={"delay": 0.298},
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(OTHER,),
        proofs=(prove.page(FACEBOOK_URL), prove.slower("https://8.8.8.8/", 1.7)),
    ),
    Scenario(
        name="narrow",
        tells="128 kbit/s for everything, with a second of queue",
        leg={"rate": 128_000, "queue": 16_000},
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(OTHER,),
        proofs=(prove.page(FACEBOOK_URL), prove.slower(OTHER, 1.7)),
    ),
    *_about(FACEBOOK),
    Scenario(
        name="path_mtu_hole",
        tells="full segments from one site vanish on the far side, and no ICMP says so",
        rules=_hole,
        acceptable=(Words("inconclusive"), Words("outage"), Words("no_network")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), prove.large_packets_vanish(FACEBOOK), prove.page(OTHER)),
    ),
)


def _with(world: World, **values: Any) -> World:
    return dataclasses.replace(world, **values)
