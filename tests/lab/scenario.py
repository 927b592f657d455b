"""What a row of the lab's table is: the network, what is checked, which words are right, and how it proves itself.

``acceptable`` is what the truth allows from this one vantage: a status, a method or ``None`` for any, and the beginning of a
signature. A row that is not a block must never have ``blocked`` in it.
"""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.lab import control, rules, vary
from tests.lab.control_serve import Serves
from tests.lab.lab import Lab
from tests.lab.prove import Proof
from tests.lab.rules import Rule
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


_CODES = {"accessible": 0, "blocked": 1, "outage": 1, "denied": 1, "no_network": 3, "inconclusive": 3}


def exit_codes(acceptable: Iterable[Words]) -> tuple[int, ...]:
    """With which dalel may end where nothing but these words is said."""
    return tuple(sorted({_CODES[words.status] for words in acceptable}))


def always(*rules_: Rule) -> Callable[[World], tuple[Rule, ...]]:
    """The rules of a row, whatever its world is."""
    return lambda _world: rules_


@dataclass(frozen=True, slots=True)
class Whole:
    """What must be said of a platform as a whole: its word, what is impaired, and its sentence if that is pinned."""

    platform: str
    status: str
    impairments: tuple[str, ...] = ()
    sentence: str = ""

    def fault(self, platforms: Iterable[dict[str, Any]]) -> str:
        """What is said instead; empty if it is right."""
        for said in platforms:
            if said["platform"] == self.platform:
                told = (said["status"], tuple(sorted(said["impairments"])))
                if told != (self.status, tuple(sorted(self.impairments))):
                    return f"{self.platform} is said to be {told[0]} {' '.join(told[1])}".rstrip()
                return f"{self.platform}: {said['sentence']}" if self.sentence not in ("", said["sentence"]) else ""
        return f"nothing is said of {self.platform}"


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
    near: dict[str, Any] = field(default_factory=dict)
    """Of the probe's own leg, as ``leg`` is of the world's."""
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
    serves: Serves | None = None
    """A control of the user's own runs abroad, and the probe is asked with ``--control``."""
    arguments: tuple[str, ...] = ()
    """What is typed besides the targets, such as ``--deep``."""
    platforms: tuple[Whole, ...] = ()
    """What must be said of platforms as a whole."""
    finds: tuple[str, ...] = ()
    """Codes of findings that must be told of what is checked (``check``), for or against its word."""
    impaired: tuple[str, ...] | None = None
    """Codes of impairments about QUIC and hidden names that must be told of what is checked: all of them and no others. ``None``:
    any."""
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
        far, near = self.leg, self.near
        if source is not None:
            far, near = vary.legs(source, self.leg)
            near |= self.near
            its_rules = vary.rules(source, its_rules)
        return Lab(
            world, rules=its_rules, abroad=abroad, leg=far, near=near, link=self.link, seed=seed, serves=self.serves
        )

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

    def not_found(self, url: str, codes: Iterable[str]) -> tuple[str, ...]:
        """Codes that had to be told of *url*, and are not among *codes*."""
        told = set(codes)
        hit = url in self.check and not self.spares(url)
        return tuple(code for code in self.finds if code not in told) if hit else ()

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
