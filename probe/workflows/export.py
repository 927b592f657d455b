"""One export: the archive's rows as CSV or JSON Lines, in constant memory."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from storage.export import hours, redact
from storage.export.columns import Column
from storage.export.formats import Format, csv_chunks, jsonl_chunks
from storage.export.query import Selection, batches
from storage.location import Location
from storage.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to export, from where, and how."""

    location: Location
    selection: Selection
    columns: tuple[Column, ...]
    format: Format = "csv"
    redact: bool = False
    """Take out what could tell whose export it is (``storage.export.redact``)."""


def export(request: ExportRequest, out: BinaryIO) -> int:
    """Write the rows to *out*; returns how many. Raises :class:`~storage.errors.StorageError` where there is nothing to
    read, and ``OSError`` where *out* cannot be written.
    """
    chunks = csv_chunks if request.format == "csv" else jsonl_chunks
    written = 0
    with Reader.open(request.location) as reader, reader.database.reading() as connection:
        columns = redact.columns_of(request.columns) if request.redact else request.columns
        if request.selection.what == "hours":
            found = hours.batches(connection, request.selection, columns)
        else:
            found = batches(connection, request.selection, columns, raw=request.format == "jsonl")
        # Whoever reads *out* may go: then the rest is given up while the database is still open.
        with closing(found):
            rows = redact.redacted(columns, found) if request.redact else found
            for piece, count in chunks(request.columns, rows):
                out.write(piece)
                written += count
    return written


def rolled_up(location: Location, selection: Selection) -> tuple[int, int] | None:
    """From when to when (UTC microseconds) there are hours in *selection* of whose healthy looks only sums are left, so that
    no row tells of them; ``None`` for nowhere. Raises :class:`~storage.errors.StorageError` as :func:`export`.
    """
    told = selection.what in ("verdicts", "observations")
    if not told or (selection.statuses and "accessible" not in selection.statuses):
        return None
    with Reader.open(location) as reader, reader.database.reading() as connection:
        return hours.rolled_up(connection, selection)
