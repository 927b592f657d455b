"""How like two pages are, by what is kept of them: length, title, the names of the tags, the words. Pure.

One measure alone is a bad witness: sites greet visitors of each country in their own language (words, title), show another
front page every hour (words, length), and are built anew (tags). A page that was put in the place of a site's differs in all
of them at once, and is short. So *very unlike* asks for all, and where something is not known it is never said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from probe.observations import HttpFact
from probe.verdict.fingerprints import NOTICE_BYTES

_BITS = 64
WORDS_APART = 20
"""Bits of 64. Unrelated pages are 32 ± 4 apart, pages of one template mostly under 12 (Charikar 2002; our own trial)."""
TAGS_APART = 14
"""The same for tags; small pages share their frame, so unrelated ones are nearer to each other than by their words."""
CLEARLY_APART = 24
"""Of unrelated pages, nineteen in twenty are."""
LENGTH_RATIO = 0.7
"""Jones, Lee, Feamster and Gill 2014: block pages differed from the site's page by 30 % of the length and more."""
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Likeness:
    """Four measures: bits of difference in words and in tags (of 64), the shorter length by the longer one, and whether the
    titles have a word in common (``None``: neither has a title).
    """

    words: int
    tags: int
    length: float
    title: bool | None

    @property
    def is_very_unlike(self) -> bool:
        if self.title is not False or self.words < WORDS_APART or self.tags < TAGS_APART:
            return False
        # A notice may be padded to the length of the page in whose place it is put: then the others must say it clearly.
        return self.length < LENGTH_RATIO or (self.words >= CLEARLY_APART and self.tags >= CLEARLY_APART)


def likeness(one: HttpFact, other: HttpFact) -> Likeness | None:
    """How like two pages are; ``None`` where too little is known of either."""
    words, tags = _apart(one.body_sketch, other.body_sketch), _apart(one.tags_sketch, other.tags_sketch)
    if words is None or tags is None or not one.body_length or not other.body_length:
        return None
    lengths = sorted((one.body_length, other.body_length))
    # What was cut off is at least so long: where it is the longer one the ratio can only be smaller.
    shorter = one if one.body_length < other.body_length else other
    if shorter.body_truncated:
        return None
    return Likeness(words, tags, lengths[0] / lengths[1], _titles(one.title, other.title))


def very_unlike(here: HttpFact, there: HttpFact) -> bool:
    """Whether the page that came *here* is another one than what was shown *there*: short, and different in all ways.

    A long page is no notice, and a page that says that something is wrong with it is read by other rules.
    """
    if not _is_page(here) or not _is_page(there) or here.body_truncated or (here.body_length or 0) > NOTICE_BYTES:
        return False
    found = likeness(here, there)
    return found is not None and found.is_very_unlike


def _is_page(fact: HttpFact) -> bool:
    return fact.status is not None and 200 <= fact.status < 300


def _apart(one: str | None, other: str | None) -> int | None:
    """Bits in which two sketches differ; ``None`` where one is missing or is none."""
    try:
        return (int(one or "", 16) ^ int(other or "", 16)).bit_count()
    except ValueError:
        return None


def _titles(one: str | None, other: str | None) -> bool | None:
    if not one and not other:
        return None
    return bool({*_WORD.findall((one or "").lower())} & {*_WORD.findall((other or "").lower())})
