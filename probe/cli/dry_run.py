"""``check --dry-run``: every kind of packet and every destination, in plain words. Sends nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from probe.report.safe import safe
from probe.settings import Settings
from probe.wire import Wire
from targets.model import Asked, Canaries, Canary
from targets.schemes import app_of

_SHOWN = 8


def describe(asked: Sequence[Asked], settings: Settings, canaries: Canaries, wire: Wire) -> Iterator[str]:
    """The lines, none of them wrapped."""
    yield "This is what the check would send. Nothing has been sent."
    yield from _own_side(canaries, wire)
    yield from _baseline(asked, settings, wire)
    yield from _follow_ups(settings, canaries, wire)
    yield ""
    budgets = settings.budgets
    yield (
        f"At most {budgets.flows_per_second} new connections or questions in a second and {budgets.flows_per_120_s} in "
        "two minutes. No port scans, no forged packets, nothing to anybody else."
    )


def wrapped(lines: Iterable[str], width: int) -> Iterator[str]:
    """*lines* folded to *width*, what follows indented below; addresses are not cut in two."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(
            line, width, subsequent_indent=f"{indent}    ", break_on_hyphens=False, break_long_words=False
        ) or [""]


def _own_side(canaries: Canaries, wire: Wire) -> Iterator[str]:
    servers = [server.address for server in wire.nameservers()]
    yield ""
    yield "First, and again after anything failed: is your own network in order?"
    yield f"  DNS questions (UDP port 53) to your own DNS servers: {_list(servers) or 'none are set'}"
    yield f"  one DNS question (UDP port 53) to each of: {_members(canaries.family('resolver')[:2])}"
    yield f"  one connection (TCP port 443), closed at once, to each of: {_members(canaries.family('literal'))}"
    yield (
        "  one connection to each of TCP ports 443 and 80 of 192.0.2.1, where nobody lives: an answer would be a proxy in "
        "the way"
    )
    yield (
        f"  a connection with a TLS greeting (TCP port 443) to three drawn from: {_members(canaries.family('foreign'))}"
    )
    yield f"  the same to: {_members(canaries.family('domestic')[:2])}"
    yield (
        "  where this computer has IPv6: a connection over it (TCP port 443) to two of the three, and a DNS question to your "
        "own DNS server about ipv4only.arpa, which tells whether your network translates IPv6 to IPv4"
    )
    yield f"  a page over plain HTTP (TCP port 80), two drawn from: {_members(canaries.family('portal'))}"
    yield f"  the time (NTP, UDP port 123) from: {_members(canaries.family('clock')[:1])}"


def _baseline(asked: Sequence[Asked], settings: Settings, wire: Wire) -> Iterator[str]:
    versions = "IPv4 and IPv6 (where this computer has it)"
    if len(settings.families) == 1:
        versions = f"IPv{settings.families[0]}"
    server = next((server.address for server in wire.nameservers()), "your DNS server, once there is one")
    schemes = dict.fromkeys(one.endpoint.scheme for one in asked)
    yield ""
    yield f"Then, for each address that you asked about, what a browser does, over {versions}:"
    yield f"  its address from {server} (DNS, port 53), where it has a name"
    for scheme in schemes:
        yield f"  {scheme}:// {'; '.join(filter(None, _steps(scheme, settings)))}"
    if schemes.keys() & {"https", "http"}:
        yield f"  Where a site sends its visitors elsewhere, the same there, up to {settings.budgets.redirects} times."
    yield f"You asked about {len(asked)}:"
    for one in asked:
        yield f"  {safe(one.endpoint.url)}"


def _steps(scheme: str, settings: Settings) -> Iterator[str]:
    app = app_of(scheme)
    if app is not None:
        yield "" if app.transport == "udp" else "a TCP connection to the port that it names"
        yield f"{app.sends}{', over UDP' if app.transport == 'udp' else ''}"
        return
    port = {"https": " to port 443, if it names no other", "http": " to port 80, if it names no other"}
    yield f"a TCP connection{port.get(scheme, ' to the port that it names')}"
    if scheme == "https":
        yield "a TLS greeting with the site's name"
    if scheme != "tcp":
        whole = settings.profile == "full" or scheme == "http"
        cap = settings.budgets.body_full if settings.profile == "full" else settings.budgets.body_light
        yield (
            f"a request for the page (HTTP, at most {cap // 1024} KB)" if whole else "a request for its headers (HTTP)"
        )


def _follow_ups(settings: Settings, canaries: Canaries, wire: Wire) -> Iterator[str]:
    from probe.experiments import ech
    from probe.experiments.suspicion import FOLLOW_UPS, wanted
    from probe.instruments import quic

    resolvers = _members(canaries.family("resolver"))
    own = _list([server.address for server in wire.nameservers()]) or "your own DNS servers"
    lines = {
        "retry": "the same again, three times, from new ports",
        "dns_answers": (
            f"the same DNS question to {resolvers} (UDP and TCP port 53, TLS port 853, HTTPS port 443) and to {own}; "
            f"a name that does not exist and an advertising name to {own}; the question also to an address that runs no "
            "DNS; then a TLS greeting to addresses that were answered; some of these questions, with this name and a harmless "
            "one, get only one to six routers far, and where the first router answers, one connection (port 443) does"
        ),
        "neutral_pair": (
            "TLS greetings that name the site, and others that name something harmless or nobody at all, taking turns at "
            f"{settings.budgets.neutrals} harmless addresses; up to eight connections to your own router where something "
            "broke off at once"
        ),
        "neutral_chain": "this name and a harmless one at two unrelated sites, to see whose certificate comes; and up to "
        "eight connections to your own router",
        "own_pair": "the same taking turns at the site's own address",
        "path_mtu": "the same greeting in small packets, at the site's own address",
        "siblings": "up to four of the site's other addresses, and its other web port (80 or 443)",
        "neighbours": "other sites of this same check that live in the same network",
        "locate": (
            "packets that get only so many routers far, to see between which it is stopped: up to 24 connections and 40 "
            "TLS greetings (with this name and a harmless one) to a harmless address, or 40 connections to the site's own"
        ),
        "behind": (
            "where a connection was broken off: the same up to eight times more at the site's own address, in turn with a "
            "harmless name, while this computer ignores packets that came from elsewhere; nothing else is sent for it"
        ),
        "packets": "nothing; where this program may listen to packets, the headers of those that come back are noted"
        if wire.may_listen
        else "nothing: this program may not listen to packets here",
        "residual": (
            "where the name was stopped at harmless addresses: one more harmless address, where the name is asked up to eight "
            "times and a harmless one up to eleven times, for three minutes; for one site of the check"
        ),
        "split": (
            "the same at three more harmless addresses: greetings cut in two, three that name the site and two that name "
            "something harmless at each; no page is asked for; for one site of the check"
        ),
        "control_pair": "the same taking turns at the first control that has ports for it; then it is asked what arrived there",
        "throttling": (
            "where a page came slowly or stopped midway: connections that name the site, and others that name something "
            "harmless, taking turns at your first control or at harmless addresses, and up to 24 KB of a page there on each; "
            "600 KB at most"
        ),
        "ech": (
            "whatever comes of it, once: TLS greetings that name cloudflare-ech.com, with another greeting sealed inside and "
            f"without, taking turns at {settings.budgets.neutrals} harmless addresses and at your first control, up to six each"
        ),
        "quic": (
            "where the page came and says that it has HTTP/3: a QUIC greeting with the site's name (UDP port 443 mostly), "
            "at most once an hour around the clock; if nobody answers, the question which versions it speaks, up to three "
            "greetings to harmless sites that have HTTP/3, and greetings that name the site and something harmless, taking "
            f"turns at its own address, at {settings.budgets.neutrals} harmless ones and at your first control"
        )
        if quic.is_here()
        else "nothing: QUIC needs aioquic (pip install 'dalel[quic]')",
        "protocol_pair": (
            "flows that look like the VPN's, and in turn random ones of the same sizes, to the first control (port 10007 or "
            "what it announces): up to 13 flows of some 3 KB, all of it sent back; and if the VPN's are stopped, "
            "up to some 50 packets of both kinds that get only two to twelve routers far"
        ),
        "vendor_sign": (
            "where a vendor gives a sign of an outage by DNS (Signal does): the question for it to "
            f"{resolvers} (HTTPS port 443)"
        ),
        "udp_here": (
            f"the question that calls begin with (STUN, UDP) to {_list(canaries.stun)}, where an app's datagrams get no answer"
        ),
        "control": (
            "the same for an unencrypted page that came well. Its address and what its name led to here go to your control, "
            "which then does the same from where it is: "
            f"{_list([control.name for control in (*settings.controls, *settings.proxies)])}; once, also a site that is "
            "well here and a name that nobody has. Through a proxy this computer looks itself, by name"
        ),
    }
    yield ""
    yield "Only for what fails or stays silent, to find out why:"
    kept = [name for name in (*FOLLOW_UPS, "throttling") if wanted(name, settings)]
    kept += ["ech"] if ech.is_wanted(settings) else []
    for name in kept:
        yield f"  {name}: {lines.get(name, 'more questions about the same site')}"
    if not kept:
        yield "  nothing: --only and --skip leave no follow-up"
    if "neutral_pair" in kept or "dns_answers" in kept:
        names = [*(canary.where for canary in canaries.family("foreign")), *canaries.innocuous, *canaries.http3]
        yield f"The harmless names and addresses are drawn from these {len(names)}: {_list(names)}"


def _members(members: Sequence[Canary]) -> str:
    return _list([member.where for member in members]) or "nobody"


def _list(names: Sequence[str]) -> str:
    return ", ".join(safe(name) for name in names)
