"""The scenarios that the lab began with, as data: one row a scenario (see scenario.py for what a row is)."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

from tests.lab import prove, rules
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP, UDP
from tests.lab.rules import Rule, When
from tests.lab.scenario import BOGON, FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.servers import PORTAL
from tests.lab.world import World

__all__ = ("BOGON", "FACEBOOK", "FACEBOOK_URL", "OTHER", "Scenario", "Words", "always", "exit_codes")


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
    """``tcp://192.0.2.1:443``, ``mtproto://…``: nobody has to be asked where that is."""
    scheme, _, rest = url.partition("://")
    return scheme in ("tcp", "mtproto") and rest.partition(":")[0].replace(".", "").isdigit()


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
        spares=lambda url: url.startswith(("tcp://", "mtproto://", "stun://")),
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
