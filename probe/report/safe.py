"""Measured text on its way to a screen or a spreadsheet. Raw values stay in the database; only renderings pass here."""

from __future__ import annotations

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What Excel, LibreOffice and Google Sheets take for the start of a formula, full-width forms included."""


def safe(text: str, limit: int = 300) -> str:
    """*text* as one harmless line: printable characters only, at most *limit* of them.

    Control characters (terminal escapes begin with one), bidirectional overrides and other invisible format characters,
    surrogates and unassigned code points become U+FFFD; line breaks, tabs and odd spaces become one space. A page title
    can then neither move the cursor nor reorder the words around it.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
    if text.isprintable():
        return text
    return "".join(_harmless(char) for char in text)


def _harmless(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


def safe_cell(text: str) -> str:
    """*text* for a spreadsheet: a cell that would be run as a formula gets an apostrophe in front of it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
