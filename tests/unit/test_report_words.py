"""Plain words for people who are not network engineers."""

import re
from typing import get_args

import pytest

from probe.report import words
from probe.verdict.model import BASES, METHODS, STATUSES, Where
from tests.unit import pieces as made

ALLOWED = {"DNS", "TLS", "HTTP", "VPN", "ISP"}


def test_every_basis_and_place_has_words():
    """The line of -v has no word that only the code knows."""
    assert set(words.BASES) == set(BASES)
    assert set(words.PLACES) == set(get_args(Where))


def everything_said():
    yield from words.BASES.values()
    yield from words.PLACES.values()
    yield from words._HEADLINES.values()
    yield from words._LEANINGS.values()
    yield from words._NEXT.values()
    yield from words.LABELS.values()


def test_no_acronym_but_the_five():
    """Without -v nobody needs to know what SNI, RTT or MITM are."""
    said = {word for text in everything_said() for word in re.findall(r"\b[A-Z]{2,}\b", text)}

    assert set() == said - ALLOWED


@pytest.mark.parametrize("status", STATUSES)
def test_every_method_has_words_of_its_own(status):
    """A method says more than its status does."""
    for method in METHODS[status]:
        assert words.headline(status, method) != words.headline(status)


def test_the_signature_says_more_than_the_method():
    """The deepest words that the evidence supports."""
    assert (
        words.headline("blocked", "tls", "tls.timeout.sni")
        == "your network lets other names through and drops this one"
    )
    assert "forged certificate" in words.headline("blocked", "mitm", "tls.mitm.known_ca")
    assert words.headline("blocked", "dns", "dns.injection.bogon") != words.headline("blocked", "dns")


def test_nothing_is_ever_wholly_sure():
    """Confidence is rounded down, and never to 100 %."""
    assert words.certainty(0.939) == "93 % sure"
    assert words.certainty(0.99999) == "more than 99 % sure"
    assert words.certainty(None) == ""
    assert [words.percent(value) for value in (0.8, 0.939, 0.9949, 0.99999)] == ["80 %", "93 %", ">99 %", ">99 %"]


def test_symbols_differ_from_each_other():
    """A status can be told without colour, in ASCII too."""
    assert len(STATUSES) == len({words.SYMBOLS[s] for s in STATUSES}) == len({words.ASCII_SYMBOLS[s] for s in STATUSES})


@pytest.mark.parametrize("status", ["blocked", "denied", "outage", "no_network"])
def test_every_bad_word_comes_with_a_next_step(status):
    """The reader is never left without knowing what to do."""
    assert words.next_step(made.verdict(status, min(METHODS[status])))


def test_an_accessible_site_needs_nothing():
    """No advice where none is needed."""
    assert words.next_step(made.verdict("accessible")) == ""
