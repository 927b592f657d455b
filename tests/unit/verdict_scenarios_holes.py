"""Stories of lines that somebody has shut but for some holes, and of others that look like them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from probe.observations import ClockFact, QuicFact
from tests.unit.facts import REFUSED, TIMEOUT, Facts

LITERALS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
ABROAD = ("www.python.org", "www.debian.org", "www.gnu.org")
HOME = ("egov.kz", "kaspi.kz")
NAMED = {"udp/53": None, "tcp/179": REFUSED, "tcp/3785": REFUSED}
"""What was open in January 2022, as a machine without such services shows it."""
PORTS = ("tcp/443", "tcp/22", "tcp/8080", "tcp/53", "tcp/179", "tcp/853", "tcp/3785", "tcp/5222")
DATAGRAMS = ("udp/53", "udp/123", "udp/443")


def look(
    facts: Facts, number: int, *, home: str | None = None, abroad: str | None = "tcp", literal: str | None = TIMEOUT
) -> Facts:
    """One round at the own side: how sites of this country, names abroad and addresses abroad fail (``None``: they do not)."""
    at: dict[str, Any] = {"group": "before" if not number else "after", "round": number}
    facts.machine(**at).canary("system/92.46.1.1", **at).canary("resolver/8.8.8.8", **at)
    for where in LITERALS:
        facts.canary(f"literal/{where}", literal, **at)
    for name in ABROAD:
        facts.canary(f"foreign/{name}", abroad, **at)
    for name in HOME:
        facts.canary(f"domestic/{name}", home, **at)
    return facts


def search(
    facts: Facts, came: dict[str, str | None], *, where: Collection[str] = LITERALS, shut: str = TIMEOUT
) -> Facts:
    """A search for holes: *came* says how a port ended, every other one with *shut*."""
    for address in where:
        for port in (*PORTS, *DATAGRAMS):
            transport, _, number = port.partition("/")
            failure = came.get(port, shut if transport == "tcp" else TIMEOUT)
            place = facts.own(f"hole/{port}/{address}", "holes")
            if transport == "tcp":
                facts.tcp(address, port=int(number), failure=failure, **place)
            elif number == "53":
                values = () if failure else ("151.101.0.223",)
                facts.dns(*values, failure=failure, server=address, role="foreign", name=ABROAD[0], **place)
            else:
                fact = ClockFact(source="ntp") if number == "123" else QuicFact(exchange="ping")
                facts.add(fact, failure=failure, address=address, port=int(number), **place)
    return facts


def listed(
    facts: Facts, *, names: Collection[str] = ABROAD[:2], ours: str | None = None, theirs: str | None = TIMEOUT
) -> Facts:
    """Names from abroad and of this country take turns at addresses abroad."""
    for number, name in enumerate(names):
        for turn in (0, 1):
            for sni, arm, failure in ((name, "target", theirs), (HOME[0], "innocuous", ours)):
                place = facts.own(f"listed/151.101.0.{number}", "holes", turn)
                facts.tcp(f"151.101.0.{number}", name=sni, arm=arm, **place)
                facts.tls(f"151.101.0.{number}", sni=sni, verify=False, failure=failure, arm=arm, **place)
    return facts


def shut(came: dict[str, str | None] = NAMED, **how: Any) -> Facts:
    """Nobody answers at home or abroad, in two looks, and some ports pass."""
    facts = look(look(Facts().context(), 0, home="tcp"), 1, home="tcp").no_connection()
    return search(facts, came, **how)


def cut() -> Facts:
    """This country answers, nobody abroad does but for questions."""
    return search(look(look(Facts().context(), 0), 1).no_connection(), {"udp/53": None})


def list_only(**how: Any) -> Facts:
    """Machines abroad take connections, and answer names of this country."""
    facts = Facts().context()
    for number in (0, 1):
        look(facts, number, abroad=TIMEOUT, literal=None)
    return listed(facts.no_greeting(), **how)


CODES: dict[str, Callable[[], Facts]] = {"own_shutdown": shut, "own_whitelist": list_only}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "shut but for the ports of BGP and BFD": (shut, "no_network/shutdown/network.shutdown"),
    "the same, and the site is broken off": (
        lambda: search(look(look(Facts().context(), 0, home="tcp"), 1, home="tcp").no_connection(REFUSED), NAMED),
        "inconclusive/ip.reset",
    ),
    "a list of names": (list_only, "no_network/whitelist/network.whitelist"),
    "a list of names, and the site works": (
        lambda: listed(
            look(look(Facts().context().works(), 0, abroad=TIMEOUT, literal=None), 1, abroad=TIMEOUT, literal=None)
        ),
        "accessible",
    ),
}
