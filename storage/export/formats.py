r"""Rows as CSV or JSON Lines.

CSV is RFC 4180: UTF-8, a header line, commas, CRLF, quotes only where needed. A cell of text that a spreadsheet would run
as a formula (it begins with one of ``= + - @``, their full-width forms, tab, CR or LF) gets an apostrophe in front, which
spreadsheets take for "this is text". Numbers are never touched. JSON Lines has the values as they are.

What a terminal would act on and nobody can see (controls, marks that reorder text) is written as ``\u009b`` where there
is JSON, which leaves the value what it is, and as U+FFFD in other cells.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from storage.export.columns import Column
from storage.rows import words_from

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl")

RUNNABLE = frozenset("=+-@\t\r\n＝＋－＠")
# To find such cells in written CSV: quotes are left out, line ends become commas, and all that is runnable (the first byte
# of the full-width forms too) becomes "=". CR and LF are always in quotes; they are looked for apart.
_FOLDED = bytes.maketrans(b"\n+-@\t\xef", b",=====")
# Controls and format characters (Unicode's Cc and Cf), but for tab, CR and LF; and what only looks like a character.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff]"
)
# Bytes that no such character has in UTF-8: where only they are, nothing needs looking at.
_SEEN = bytes({*b"\t\n\r", *range(0x20, 0x7F), *range(0x80, 0x100)} - {*b"\xc2\xd8\xdb\xdc\xe0\xe1\xe2\xef\xf0\xf3"})
_BREAK_FIRST = tuple(before + b'"' + after for before in (b",", b"\n") for after in (b"\r", b"\n"))


def csv_chunks(columns: Sequence[Column], batches: Iterable[Sequence[Sequence[Any]]]) -> Iterator[tuple[bytes, int]]:
    """Pieces of the file, each with its number of rows; the header first."""
    yield _csv([[column.name for column in columns]]), 0
    for rows in batches:
        data = _csv(rows)
        # Looking through the whole batch costs a fraction of looking at every cell; where it finds something, they are.
        if maybe_runnable(data) or maybe_unseen(data):
            data = _csv([[seen(c, harmless(cell)) for c, cell in zip(columns, row, strict=True)] for row in rows])
        yield data, len(rows)


def maybe_runnable(data: bytes) -> bool:
    """Whether lines of CSV may have a cell that a spreadsheet would run. Never wrongly no; negative numbers are a yes."""
    framed = b"\n" + data
    if b",=" in framed.translate(_FOLDED, delete=b'"'):
        return True
    return b'"' in framed and any(pattern in framed for pattern in _BREAK_FIRST)


def harmless(cell: Any) -> Any:
    """*cell*, with an apostrophe in front if it is text that a spreadsheet would run."""
    if isinstance(cell, str) and cell[:1] in RUNNABLE and cell:
        return f"'{cell}"
    return cell


def maybe_unseen(data: bytes) -> bool:
    """Whether UTF-8 text may have characters that nobody can see. Never wrongly no."""
    return bool(data.translate(None, delete=_SEEN))


def seen(column: Column, cell: Any) -> Any:
    """*cell* without characters that a terminal would act on."""
    if not isinstance(cell, str) or cell.isprintable():
        return cell
    return _escaped(cell) if column.kind == "json" else _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", cell)


def _escaped(text: str) -> str:
    """JSON that means the same."""
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(errors="backslashreplace")


def jsonl_chunks(columns: Sequence[Column], batches: Iterable[Sequence[Sequence[Any]]]) -> Iterator[tuple[bytes, int]]:
    """Pieces of the file, each with its number of rows; one object a line, its keys the columns."""
    for rows in batches:
        lines = [json.dumps(_object(columns, row), ensure_ascii=False, separators=(",", ":")) for row in rows]
        data = "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
        if maybe_unseen(data):
            data = "".join(f"{_escaped(line)}\n" for line in lines).encode()
        yield data, len(rows)


def _object(columns: Sequence[Column], row: Sequence[Any]) -> dict[str, Any]:
    return {column.name: _value(column, cell) for column, cell in zip(columns, row, strict=True)}


def _value(column: Column, cell: Any) -> Any:
    if column.kind == "codes":
        return words_from(cell)
    if cell is None:
        return None
    if column.kind == "json":
        return json.loads(cell)
    return bool(cell) if column.kind == "flag" else cell
