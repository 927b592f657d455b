# ruff: noqa: A002 - "round" is the field's name
"""Stories of what a device remembers, and of greetings in pieces: what ``--deep`` asks at neutral addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.unit.facts import HOST, NEUTRALS, TIMEOUT, Facts

HERE, THERE = NEUTRALS[2], "203.0.113.80"
KAZAKH = {
    "same/0": TIMEOUT,
    "same/20": TIMEOUT,
    "same/50": TIMEOUT,
    "same/80": TIMEOUT,
    "same/110": TIMEOUT,
    "same/130": None,
}
CHINESE = {"same/0": TIMEOUT, "port/0": TIMEOUT, "port/60": TIMEOUT, "port/110": TIMEOUT}


def blocked() -> Facts:
    """A name that neutral addresses show to be stopped; nothing deep was asked yet."""
    return Facts(f"https://{HOST}/").context(opt_ins=("deep",)).healthy().no_greeting().neutrals()


def exchange(facts: Facts, purpose: str, group: str, arm: str, failure: str | None, round: int = 0) -> Facts:
    """One greeting at a neutral address, given up where it failed."""
    address = THERE if group in ("reference/other", "address/0") else HERE
    return facts.arm(purpose, group, address, arm, failure, round)


def remembered(told: Mapping[str, str | None], facts: Facts | None = None, **references: str | None) -> Facts:
    """*told*: how a harmless name fared after the name was asked, by group; *references*: how it fared before, if not well."""
    facts = facts or blocked()
    before = {"reference": None, "again": None, "other": None, "trigger": TIMEOUT, **references}
    exchange(facts, "residual", "reference", "innocuous", before["reference"])
    exchange(facts, "residual", "reference", "innocuous", before["again"], 1)
    exchange(facts, "residual", "reference/other", "innocuous", before["other"])
    exchange(facts, "residual", "trigger", "target", before["trigger"])
    for group, failure in {"same/0": None, "port/0": None, "address/0": None, **told}.items():
        exchange(facts, "residual", group, "innocuous", failure)
    return facts


def in_pieces(
    facts: Facts | None = None,
    *,
    innocuous: str | None = None,
    whole: str | None = TIMEOUT,
    **target: str | None,
) -> Facts:
    """How the name fares in each form, ``TIMEOUT`` where nothing else is told, and *whole* at the same place afterwards."""
    facts = facts or blocked()
    for form in ("segments", "records", "both"):
        for n in range(2):
            exchange(facts, "split", form, "innocuous", innocuous, n)
            exchange(facts, "split", form, "target", target.get(form, TIMEOUT), n)
        exchange(facts, "split", f"whole/{form}", "target", whole, 2)
    return facts


def not_blocked() -> Facts:
    """The same without a comparison: what is deep is not added to anything."""
    return Facts(f"https://{HOST}/").context(opt_ins=("deep",)).healthy().no_greeting()


def on_some_paths(*target: str | None, innocuous: str | None = None, facts: Facts | None = None) -> Facts:
    """The name at one neutral address, once a port, in turn with another one; *target*: how each of its arms ends."""
    facts = facts or not_blocked()
    facts.arm("neutral_pair", "neutral/1", NEUTRALS[0], "innocuous", None, 0)
    for n, failure in enumerate(target):
        facts.arm("neutral_pair", "neutral/1", NEUTRALS[0], "target", failure, n)
        facts.arm("neutral_pair", "neutral/1", NEUTRALS[0], "innocuous", innocuous, n + 1)
    return facts


FOUR_OF_SIX = (TIMEOUT, TIMEOUT, None, TIMEOUT, None, TIMEOUT)
Story = Callable[[], Facts]
CODES: dict[str, Story] = {
    "residual_memory": lambda: remembered(KAZAKH),
    "split_passes": lambda: in_pieces(segments=None),
    "split_stopped": in_pieces,
    "some_paths": lambda: on_some_paths(*FOUR_OF_SIX),
}
BLOCKED = "blocked/tls/tls.timeout.sni"
WORDS: dict[str, tuple[Story, str]] = {
    "a block that is remembered by both ports": (lambda: remembered(KAZAKH), BLOCKED),
    "a block that is remembered by the server": (lambda: remembered(CHINESE), BLOCKED),
    "a block that does not put pieces together": (lambda: in_pieces(segments=None, both=None), BLOCKED),
    "a name that is stopped on some paths": (lambda: on_some_paths(*FOUR_OF_SIX), "inconclusive/tls.timeout.any"),
    "a memory without a comparison": (lambda: remembered(KAZAKH, not_blocked()), "inconclusive/tls.timeout.any"),
    "pieces that pass without a comparison": (
        lambda: in_pieces(not_blocked(), segments=None),
        "inconclusive/tls.timeout.any",
    ),
}


def said(facts: Facts, code: str) -> dict[str, Any]:
    """The parameters of one finding."""
    (found,) = [f for f in (*facts.verdict().findings, *facts.verdict().against) if f.code == code]
    return found.parameters
