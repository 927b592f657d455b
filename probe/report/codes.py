"""What the codes in CSV and JSON mean: findings, rules that overruled them, impairments, what would settle a result. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.verdict import evidence, sentences

_PLACE = re.compile(r"\{\w+\}")
_OTHERS = {
    "gate": ("Why evidence, or a word, did not count (in gates)", sentences.gate),
    "impairment": ("What is broken without keeping users out (in impairments)", sentences.impairment),
    "settle": ("What would settle an inconclusive result (in settle)", sentences.settle),
    "also": ("What is true besides (in also)", sentences.also),
}
_BESIDE = re.compile(r"([a-z][a-z0-9-]*)_(blocked|denied|outage|no_network)")
"""A part of a platform that has another word than its main part, as in ``web_blocked``."""


def known() -> frozenset[str]:
    """Every code that has a meaning here."""
    return frozenset(evidence.TABLE).union(*(sentences.codes()[kind] for kind in _OTHERS))


def parts(code: str) -> Iterator[tuple[str, str]]:
    """Headings, each with its text; one code may mean something in several columns."""
    if code in evidence.TABLE:
        yield from _finding(code)
    for kind, (heading, said) in _OTHERS.items():
        if code in sentences.codes()[kind]:
            yield heading, said(code)
    beside = _BESIDE.fullmatch(code)
    if beside is not None and code not in known():
        part, status = beside.groups()
        yield (
            _OTHERS["impairment"][0],
            f"The platform works by its main part. Another part of it, “{part}”, is “{status}”.",
        )


def _finding(code: str) -> Iterator[tuple[str, str]]:
    row = evidence.TABLE[code]
    text = _PLACE.sub("…", row.sentence)
    yield "What it says (a finding, in evidence or against)", f"{text[0].upper()}{text[1:]}."
    yield "What it speaks for", _worth(row.speaks_for, row.weight)
    yield "Why it weighs so much", f"{row.why[0].upper()}{row.why[1:]}."


def _worth(status: str, weight: float) -> str:
    """A log10 likelihood ratio in words: by how much it changes the odds of a status."""
    times = f"{10 ** abs(weight):.2g}".replace("1e+02", "100")
    way, change = ("For", "higher") if weight > 0 else ("Against", "lower")
    return f"{way} “{status}”: the odds of it are {times} times {change} (weight {weight:+.2g}; none is beyond 2, the cap)."
