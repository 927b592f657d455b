"""Where things stand in a TOML file: the line of every value, and every line that is not TOML.

``tomllib`` keeps no line numbers and stops at the first fault. A person who edits a file by hand needs both.
"""

from __future__ import annotations

import bisect
import itertools
import re
import tomllib
from dataclasses import dataclass

Place = tuple[str | int, ...]
"""The way to a value: keys of tables and indexes of arrays, from the top of the file."""


# ---------------------------------------------------------------------------------------------------------------------
# the line of every value


_STRING = re.compile(
    r"""\"\"\"(?:\\.|[^\\])*?\"{3,5}(?!\") | '''.*?'{3,5}(?!') | "(?:\\.|[^"\\\n])*" | '[^'\n]*'""",
    re.DOTALL | re.VERBOSE,
)
_BLANK = re.compile(r"(?:[ \t\r\n]|\#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


def places(text: str) -> dict[Place, int]:
    """The line (from 1) of every key, table and array element of *text*, which must be valid TOML."""
    return _Walk(text).all()


def line_of(known: dict[Place, int], place: Place) -> int:
    """The line of *place*, or of the nearest thing around it; 1 for the file as a whole."""
    for length in range(len(place), 0, -1):
        if place[:length] in known:
            return known[place[:length]]
    return 1


class _Walk:
    """One walk over a valid TOML document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.breaks = [found.start() for found in re.finditer("\n", text)]
        self.lines: dict[Place, int] = {}
        self.rows: dict[Place, int] = {}

    def all(self) -> dict[Place, int]:
        table: Place = ()
        self._blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()
        return self.lines

    def _line(self) -> int:
        return bisect.bisect_left(self.breaks, self.at) + 1

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def _header(self) -> Place:
        rows = self.text.startswith("[[", self.at)
        line = self._line()
        self.at += 2 if rows else 1
        keys = self._keys()
        self._blank()
        self.at += 2 if rows else 1
        if rows:
            table = (*self._inside(keys[:-1]), keys[-1])
            self.rows[table] = self.rows.get(table, -1) + 1
        place = self._inside(keys)
        for length in range(1, len(place) + 1):
            self.lines.setdefault(place[:length], line)
        return place

    def _inside(self, keys: tuple[str, ...]) -> Place:
        """The place that a header's *keys* mean: in an array of tables, its last row."""
        place: Place = ()
        for key in keys:
            place = (*place, key)
            if place in self.rows:
                place = (*place, self.rows[place])
        return place

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = table
        for key in self._keys():
            place = (*place, key)
            self.lines.setdefault(place, line)
        self._blank()
        self.at += 1  # the equals sign
        self._value(place)

    def _keys(self) -> tuple[str, ...]:
        keys: list[str] = []
        while True:
            self._blank()
            keys.append(self._key())
            self._blank()
            if not self.text.startswith(".", self.at):
                return tuple(keys)
            self.at += 1

    def _key(self) -> str:
        found = _BARE_KEY.match(self.text, self.at) or _STRING.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        written = found.group()
        if written[0] not in "\"'":
            return written
        (key,) = tomllib.loads(f"{written} = 0")
        return key

    def _value(self, place: Place) -> None:
        self._blank()
        opened = self.text[self.at]
        if opened == "[":
            self._array(place)
        elif opened == "{":
            self._inline_table(place)
        else:
            found = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            assert found is not None
            self.at = found.end()

    def _array(self, place: Place) -> None:
        self.at += 1
        index = 0
        self._blank()
        while self.text[self.at] != "]":
            self.lines[(*place, index)] = self._line()
            self._value((*place, index))
            self._comma()
            index += 1
        self.at += 1

    def _inline_table(self, place: Place) -> None:
        self.at += 1
        self._blank()
        while self.text[self.at] != "}":
            self._pair(place)
            self._comma()
        self.at += 1

    def _comma(self) -> None:
        self._blank()
        if self.text[self.at] == ",":
            self.at += 1
            self._blank()


# ---------------------------------------------------------------------------------------------------------------------
# every line that is not TOML


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong with the syntax of a file, and what is left of it (``None``: too little to go on with).

    ``faults``: (line, what is wrong, in plain words), in order of line.
    """

    faults: tuple[tuple[int, str], ...]
    rest: str | None


_START = re.compile(r"""[ \t]*(?:\[\[?[\w. -]+\]\]?[ \t]*(?:\#.*)?$ | [\w."'-][\w. "'-]*=)""", re.VERBOSE)
_WHERE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_PLAIN = (
    ("Invalid value", 'what stands after the = is no value: text goes in "double quotes", dates are 2026-11-21'),
    ("Expected '='", "there is no = after the key"),
    ("Expected newline", "something is left over at the end of the line"),
    ("Unterminated string", "a quote is opened and never closed"),
    ("Illegal character '\\n'", "a quote is opened and not closed on the same line"),
    ("Unclosed array", "a [ is opened and never closed, or a comma is missing between two values"),
    ("Unescaped '\\'", "a backslash inside double quotes must be written twice, or use 'single quotes'"),
    ("Cannot overwrite", "this key is already set further up"),
    ("Cannot declare", "this table is already there further up"),
    ("Cannot mutate", "this key is already set further up"),
    ("Duplicate inline", "this key is there twice"),
    ("Invalid statement", "this is neither a [table], nor key = value, nor a # comment"),
    ("Invalid initial character for a key", "this is no key"),
    ("Expected ']", "a table's name is not closed with ]"),
)


def read(text: str) -> dict[str, object] | Broken:
    """The values of *text*, or everything that is wrong with its syntax."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        return _broken(text, fault)


def _broken(text: str, first: Exception) -> Broken:
    """Each statement by itself, so that one open quote does not hide the next fault."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if _START.match(line)]
    bounds = sorted({0, *starts, len(lines)})
    faults: list[tuple[int, str]] = []
    kept = lines.copy()
    shape_known = True
    for begin, end in itertools.pairwise(bounds):
        try:
            tomllib.loads("\n".join(lines[begin:end]) + "\n")
        except (tomllib.TOMLDecodeError, RecursionError) as fault:
            faults.append(_plain(fault, lines, begin, end))
            shape_known = shape_known and not any(line.lstrip().startswith("[") for line in lines[begin:end])
            kept[begin:end] = [""] * (end - begin)
    if not faults:  # every statement is right by itself: a key or table is there twice
        return Broken((_plain(first, lines, 0, len(lines)),), None)
    rest = "\n".join(kept)
    try:
        tomllib.loads(rest)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        return Broken((*faults, _plain(fault, lines, 0, len(lines))), None)
    return Broken(tuple(faults), rest if shape_known else None)


def _plain(fault: Exception, lines: list[str], begin: int, end: int) -> tuple[int, str]:
    """The line in the file and plain words for *fault*, which was found in lines *begin* to *end*.

    What is never closed is only noticed at the end of the file; the line where it starts is the one to look at.
    """
    message = str(fault)
    where = _WHERE.search(message)
    if where and where[1]:
        line = begin + int(where[1])
    else:
        written = (n for n in range(begin, end) if lines[n].strip() and not lines[n].lstrip().startswith("#"))
        line = next(written, begin) + 1
    said = message[: where.start()] if where else message
    for start, words in _PLAIN:
        if said.startswith(start):
            return line, words
    return line, said
