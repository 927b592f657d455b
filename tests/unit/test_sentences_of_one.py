"""Sentences of findings where there is one of a thing, and where an address has no name."""

import re

import pytest

from probe.verdict import evidence, sentences
from probe.verdict.model import Finding


def said(code, /, **parameters):
    row = evidence.TABLE[code]
    finding = Finding(
        code=code,
        speaks_for=row.speaks_for,
        weight=row.weight,
        family=row.family,
        basis=row.basis,
        parameters=parameters,
    )
    return sentences.render(finding)


@pytest.mark.parametrize(
    ("code", "parameters", "text"),
    [
        (
            "tcp_failed",
            {"host": "149.154.175.50", "address": "149.154.175.50", "failure": "connection_refused"},
            "No connection to 149.154.175.50: the connection was refused.",
        ),
        (
            "tcp_failed",
            {"host": "2001:db8::1", "address": "2001:db8::1", "failure": "generic_timeout_error"},
            "No connection to 2001:db8::1: no answer within the time allowed.",
        ),
        (
            "tcp_failed",
            {"host": "2001:db8:0:0::1", "address": "2001:db8::1", "failure": "generic_timeout_error"},
            "No connection to 2001:db8:0:0::1: no answer within the time allowed.",
        ),
        (
            "tcp_failed",
            {"host": "a.example", "address": "192.0.2.1", "failure": "connection_refused"},
            "No connection to a.example at 192.0.2.1: the connection was refused.",
        ),
        ("retries_failed", {"count": 1}, "One more try over a new connection failed as well."),
        ("retries_failed", {"count": 2}, "2 more tries over new connections failed as well."),
        (
            "all_addresses_dead",
            {"count": 1, "host": "a.example"},
            "The one address of a.example that was tried is dead.",
        ),
        (
            "neutral_flip_short",
            {"host": "a.example", "target_failures": 1, "innocuous_successes": 2},
            (
                "At an unrelated address abroad, asking for a.example failed once while another name was answered 2 times: "
                "too few to count."
            ),
        ),
        (
            "own_clock",
            {"days": 365.0},
            "This computer's date is wrong by about 365 days, so valid certificates look expired or not yet valid.",
        ),
        (
            "own_clock",
            {"days": 1.5},
            "This computer's date is wrong by about 1.5 days, so valid certificates look expired or not yet valid.",
        ),
    ],
)
def test_one_and_many(code, parameters, text):
    """An address that has no name is told once, one is told as one, and no tenths of a day where there are hundreds."""
    assert said(code, **parameters) == text


def test_no_sentence_says_once_of_a_text_from_the_network():
    """Only the sentence's own words are changed: a page's title stays as it came."""
    assert "“1 times”" in said("block_page_likely", host="a.example", title="1 times")


@pytest.mark.parametrize("code", sorted(evidence.TABLE))
def test_no_sentence_counts_one_as_many(code):
    """With every number one, no sentence says "1 times", "1 addresses" or "1 more tries"."""
    numbers = dict.fromkeys(re.findall(r"\{(\w+)\}", evidence.TABLE[code].sentence), 1)
    text = said(code, **{name: value for name, value in numbers.items() if name not in {"between", "before", "after"}})
    assert not re.search(r"\b1 (times|addresses|more tries)\b", text), text
