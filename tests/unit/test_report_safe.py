"""What was measured never acts on a terminal or a spreadsheet."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from probe.report.safe import safe, safe_cell

ANY_TEXT = st.text(st.characters())  # surrogates included


@given(ANY_TEXT)
@example("\x1b]0;owned\x07")
@example("\x9b31mred")
@example("\u202egpj.exe")
@example("a\u2028b\r\nc\td")
@example("\ud800")
def test_safe_leaves_nothing_that_a_terminal_acts_on(text):
    """No control, format, surrogate, private or unassigned character and no line break comes through."""
    categories = {unicodedata.category(char) for char in safe(text)}

    assert not categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANY_TEXT)
def test_safe_text_can_always_be_written(text):
    """The result is UTF-8, and making it safe twice changes nothing."""
    once = safe(text)

    once.encode("utf-8")
    assert once == safe(once)


@given(ANY_TEXT, st.integers(1, 50))
def test_safe_text_is_never_longer_than_its_limit(text, limit):
    """A title of a megabyte takes one line."""
    assert len(safe(text, limit)) <= limit


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=300))
def test_safe_keeps_letters_of_every_script(text):
    """Ordinary text comes through as it is."""
    assert text == safe(text)


def test_safe_shows_where_something_was():
    """An escape becomes a visible mark, a line break a space."""
    assert safe("\x1b[31mА\nБ") == "\ufffd[31mА Б"


@given(ANY_TEXT)
def test_no_cell_starts_a_formula(text):
    """A spreadsheet runs no cell, full-width signs included."""
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_an_ordinary_cell_is_left_alone():
    """Only what would run gets an apostrophe."""
    assert safe_cell("example.com") == "example.com"
    assert safe_cell("=1+1") == "'=1+1"
