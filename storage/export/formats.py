"""Rows as CSV or JSON Lines.

CSV is RFC 4180: UTF-8, a header line, commas, CRLF, quotes only where needed. A cell of text that a spreadsheet would run
as a formula (it begins with one of ``= + - @``, their full-width forms, tab, CR or LF) gets an apostrophe in front, which
spreadsheets take for "this is text". Numbers are never touched. JSON Lines has the values as they are.
"""

from __future__ import annotations

import csv
import io
import json
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
_BREAK_FIRST = tuple(before + b'"' + after for before in (b",", b"\n") for after in (b"\r", b"\n"))


def csv_chunks(columns: Sequence[Column], batches: Iterable[Sequence[Sequence[Any]]]) -> Iterator[tuple[bytes, int]]:
    """Pieces of the file, each with its number of rows; the header first."""
    yield _csv([[column.name for column in columns]]), 0
    for rows in batches:
        data = _csv(rows)
        # Looking through the whole batch costs a fraction of looking at every cell; where it finds something, they are.
        if maybe_runnable(data):
            data = _csv([[harmless(cell) for cell in row] for row in rows])
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


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(errors="backslashreplace")


def jsonl_chunks(columns: Sequence[Column], batches: Iterable[Sequence[Sequence[Any]]]) -> Iterator[tuple[bytes, int]]:
    """Pieces of the file, each with its number of rows; one object a line, its keys the columns."""
    for rows in batches:
        lines = [json.dumps(_object(columns, row), ensure_ascii=False, separators=(",", ":")) for row in rows]
        yield "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"), len(rows)


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
