"""Stories of protocols at a control's echo: what is stopped for its shape, what is stopped whatever it is, and what passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from probe.observations import AppFact, PathFact, TcpFact
from tests.unit.facts import REFUSED, RESET, SITE, TIMEOUT, Facts

VANTAGE = "control:Helsinki"
SERVER = f"openvpn://{SITE}:1194"


def arm(facts: Facts, which: str, number: int, failure: str | None, *, after: int = 0, transport: str = "udp") -> Facts:
    """One flow: it lives, or it stops after so many packets."""
    back = 25 if failure is None else after
    fact = AppFact(
        protocol="openvpn" if which == "target" else "random",
        transport=transport,  # type: ignore[arg-type]
        sent="the first packet and 24 of data",
        answered=back > 0,
        expected=failure is None if back else None,
        messages_sent=25,
        messages_received=back,
    )
    place: dict[str, Any] = {"purpose": "protocol_pair", "group": VANTAGE, "arm": which, "round": number, "port": 10007}
    if transport == "tcp":
        facts.add(TcpFact(), name=facts.host, **place)
    return facts.add(fact, failure=failure, name=facts.host, **place)


def at_echo(
    facts: Facts,
    *,
    target: str | None = TIMEOUT,
    innocuous: str | None = None,
    rounds: int = 6,
    ever: tuple[int, ...] = (),
    **flow: Any,
) -> Facts:
    """I T I T … I T; the target passes in the rounds *ever*."""
    arm(facts, "innocuous", 0, innocuous)
    for n in range(rounds):
        arm(facts, "target", n, None if n in ever else target, **flow)
        if n + 1 < rounds:
            arm(facts, "innocuous", n + 1, innocuous, transport=flow.get("transport", "udp"))
    return facts


KINDS: dict[str, tuple[str, str | None]] = {
    "gateway": ("gateway", None),
    "private": ("private", None),
    "shared": ("shared", "provider"),
    "ours": ("public", "provider"),
    "other": ("public", "other"),
    "unknown": ("public", None),
}


def way(facts: Facts, *hops: str | None, transport: str = "udp", times: int = 3) -> Facts:
    """What routers 2, 3 … say of packets that get so far: each its kind and what it heard (``ours``: both kinds, ``ours-``: only
    random ones, ``ours+``: only the protocol's, ``ours~``: the protocol's once), or nothing.
    """
    for number in (None, *range(times)):
        for ttl, hop in enumerate(hops, 2):
            kind, heard = (hop or "").rstrip("+-~"), (hop or "")[-1:]
            told: dict[str, Any] = dict(zip(("hop_is", "hop_of"), KINDS.get(kind, (None, None)), strict=True))
            if number is None and transport == "tcp":
                # The kernel names the router of a connection only while it is opened.
                _let_go(
                    facts, PathFact(sent="syn", ttl=ttl, came="icmp" if hop else "nothing", **told), "innocuous", None
                )
                continue
            for which in ("innocuous",) if number is None else ("target", "innocuous"):
                silent = hop is None or heard == {"target": "-", "innocuous": "+"}[which]
                once = which == "target" and heard == "~" and number != 1
                fact = AppFact(protocol="openvpn", transport=transport, sent="", ttl=ttl)  # type: ignore[arg-type]
                if not silent and not once:
                    said = told | {"icmp_type": 11, "icmp_code": 0} if transport == "udp" else {}
                    fact = replace(fact, errno="EHOSTUNREACH", **said)
                _let_go(facts, fact, which, number)
    return facts


def _let_go(facts: Facts, fact: AppFact | PathFact, which: str, number: int | None) -> None:
    heard = fact.came == "icmp" if isinstance(fact, PathFact) else fact.errno is not None
    place: dict[str, Any] = {"purpose": "protocol_pair", "group": "way", "arm": which, "round": number, "port": 10007}
    facts.add(fact, failure="host_unreachable" if heard else TIMEOUT, name=facts.host, **place)


BEYOND = ("private", "ours", "ours-", "other-")
"""A second router of the household's, two of the provider's with what stops the protocol between them, and the next network's."""
HOSTER = ("ours", "ours", "other", "other-")
"""Everything gets out of the provider's network, and the protocol not into the last one."""


def compared(hops: tuple[str | None, ...] = BEYOND, **how: Any) -> Facts:
    """Nothing but the comparison was asked for."""
    facts = at_echo(Facts("protocol://openvpn").context().healthy(), **how)
    return way(facts, *hops, transport=how.get("transport", "udp")).healthy("after", 1)


def silent_echo() -> Facts:
    facts = Facts("protocol://openvpn").context().healthy()
    for _ in range(3):
        arm(facts, "innocuous", 0, TIMEOUT)
    return facts.healthy("after", 1)


def lost_half() -> Facts:
    """Both kinds are lost now and then."""
    facts = Facts("protocol://openvpn").context().healthy()
    arm(facts, "innocuous", 0, None)
    for n in range(6):
        arm(facts, "target", n, TIMEOUT)
        arm(facts, "innocuous", n + 1, TIMEOUT if n in (1, 4) else None)
    return way(facts, *BEYOND).healthy("after", 1)


def dead_line() -> Facts:
    """The own side is down, and nothing came back from anywhere."""
    facts = Facts("protocol://openvpn").context().dead()
    for _ in range(3):
        arm(facts, "innocuous", 0, TIMEOUT)
    return facts.dead(group="after", round=1)


def behind_a_proxy() -> Facts:
    """Somebody takes every connection, so what ends them may be his."""
    facts = Facts("protocol://openvpn-tcp").context().healthy()
    facts.tcp("192.0.2.1", name="192.0.2.1", **facts.own("transparent/192.0.2.1", "after", 1))
    return way(at_echo(facts, transport="tcp"), *BEYOND, transport="tcp")


def server(**how: Any) -> Facts:
    """A server that the user named is silent; its protocol is compared at the control's echo."""
    facts = Facts(SERVER).context().healthy().dns(SITE)
    facts.app(SITE, failure=TIMEOUT, protocol="openvpn", transport="udp", port=1194, answered=False)
    return way(at_echo(facts, **how), *BEYOND).healthy("after", 1)


CODES: dict[str, Callable[[], Facts]] = {
    "protocol_flip": compared,
    "protocol_flip_unplaced": lambda: compared(HOSTER),
    "protocol_flip_near": lambda: compared((None, None)),
    "protocol_flip_short": lambda: compared(rounds=4),
    "protocol_uneven": lambda: compared(ever=(5,)),
    "protocol_passed": lambda: server(target=None, rounds=1),
    "protocol_lives": lambda: compared(target=None, rounds=1),
    "protocol_stopped": compared,
    "protocol_echo_silent": silent_echo,
    "protocol_echo_answers": compared,
}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "a protocol that is stopped at its first packet": (compared, "blocked/protocol/app.timeout.protocol"),
    "a protocol that is stopped after some packets": (
        lambda: compared(after=9),
        "blocked/protocol/app.timeout.protocol",
    ),
    "a protocol whose connections are broken off": (
        lambda: compared(target=RESET, transport="tcp"),
        "blocked/protocol/app.reset.protocol",
    ),
    "a protocol of which a router says no": (
        lambda: compared(target="host_unreachable"),
        "blocked/protocol/app.unreachable.protocol",
    ),
    "a protocol that is stopped, perhaps where the echo is": (
        lambda: compared(HOSTER),
        "inconclusive/app.timeout.protocol",
    ),
    "a protocol whose answers are stopped, perhaps at home": (
        lambda: compared(("ours", "ours", "other", "other")),
        "inconclusive/app.timeout.protocol",
    ),
    "a protocol that is stopped, perhaps at home": (
        lambda: compared((None, None, None)),
        "inconclusive/app.timeout.protocol",
    ),
    "a protocol that is stopped in the own building": (
        lambda: compared(("private", "private", None)),
        "inconclusive/app.timeout.protocol",
    ),
    "a protocol that is stopped too few times": (lambda: compared(rounds=5), "inconclusive/app.timeout.protocol"),
    "a protocol that passes": (lambda: compared(target=None, rounds=1), "accessible"),
    "a protocol that passes once of six times": (lambda: compared(ever=(3,)), "accessible"),
    "an echo from which nothing comes": (silent_echo, "inconclusive"),
    "an echo whose port is closed": (lambda: compared(target=REFUSED, innocuous=REFUSED), "inconclusive"),
    "a line on which both are lost": (lost_half, "inconclusive/app.timeout.protocol"),
    "a line that is dead": (dead_line, "no_network/upstream/network.upstream"),
    "connections that somebody takes, and ends": (behind_a_proxy, "inconclusive/app.timeout.protocol"),
    "a server that is silent, whose protocol is stopped elsewhere too": (
        server,
        "blocked/protocol/app.timeout.protocol",
    ),
    "a server that is silent, whose protocol passes elsewhere": (
        lambda: server(target=None, rounds=1),
        "inconclusive/app.timeout",
    ),
}
