"""``dalel export``: rows for pandas, R and spreadsheets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from probe.cli.archive import database_option, read_place, read_span, sentences, stdout_is_terminal, tell
from probe.cli.common import config_option
from probe.verdict.model import STATUSES

if TYPE_CHECKING:
    from storage.export.columns import Column, What
    from storage.export.query import Selection

HELP = """\
Write stored results as CSV or JSON Lines, oldest first.

\b
  dalel export --since 7d -o week.csv
  dalel export --since 2026-11-01 --until 2026-11-08 --status blocked
  dalel export observations --target telegram --format jsonl --gzip -o telegram.jsonl.gz
  dalel export incidents --since 2026-01-01 -o incidents.csv
  dalel export hours --since 2026-01-01 -o hours.csv

CSV is UTF-8 with commas and CRLF (RFC 4180). Times are UTC and end in Z. Text that a spreadsheet would run as a formula
has an apostrophe in front. A verdict is the newest one on its endpoint in that run. An incident belongs to a period if it
was under way at some moment of it. Of healthy checks that are long ago only sums are kept: hours has one row an hour and
address of everything that was measured. `dalel help export` tells more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was typed."""

    what: What
    form: Any
    since: str | None
    until: str | None
    target: tuple[str, ...]
    status: tuple[str, ...]
    columns: tuple[str, ...]
    output: str
    gzip: bool
    redact: bool
    database: str | None
    config: str | None


def _statuses(_ctx: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    found = _split(values)
    for name in found:
        if name not in STATUSES:
            raise click.BadParameter(f"there is no status '{name}'. There are: {', '.join(STATUSES)}.")
    return found


def _split(values: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for value in values for name in value.split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


@click.command("export", help=HELP)
@click.argument("what", type=click.Choice(("verdicts", "observations", "incidents", "hours")), default="verdicts")
@click.option("--format", "form", type=click.Choice(("csv", "jsonl")), default="csv", help="How to write it [csv].")
@click.option("--since", metavar="WHEN", help="Measured from then on: 7d, 12h, 2026-11-01, 2026-11-01T10:00 (UTC).")
@click.option("--until", metavar="WHEN", help="Measured before then; a date is its first moment.")
@click.option("--target", multiple=True, metavar="NAME", help="Only this platform, URL, or target as it was typed.")
@click.option("--status", multiple=True, callback=_statuses, metavar="STATUS", help="Only these, e.g. blocked,denied.")
@click.option("--columns", multiple=True, metavar="NAMES", help="These columns, in this order; 'all', or 'help'.")
@click.option("-o", "--output", metavar="FILE", default="-", help="To this file, which is there whole or not at all.")
@click.option("--gzip", is_flag=True, help="Compressed.")
@click.option("--redact", is_flag=True, help="To give away: no addresses, texts, settings; times by the hour.")
@database_option
@config_option
def command(**typed: Any) -> None:
    """Read the options, write the rows, count them on stderr."""
    options = Options(**typed)
    names = _split(options.columns)
    if names == ("help",):
        from storage.export.columns import describe

        click.echo(describe(options.what))
        return
    if options.gzip and options.output == "-" and stdout_is_terminal():
        raise click.UsageError("Compressed rows are not for a screen. Name a file with -o.")
    _export(options, _columns(options.what, names), _selection(options))


def _columns(what: What, names: tuple[str, ...]) -> tuple[Column, ...]:
    from storage.export.columns import choose

    try:
        return choose(what, names)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="'--columns'") from error


def _selection(options: Options) -> Selection:
    from probe.wire import Wire
    from storage.export.query import Selection

    if options.status and options.what == "observations":
        raise click.UsageError("Observations have no status; --status goes with verdicts, incidents and hours.")
    since_us, until_us = read_span(options.since, options.until, Wire().now_us())
    return Selection(
        what=options.what,
        since_us=since_us,
        until_us=until_us,
        targets=options.target,
        statuses=options.status,
    )


def _export(options: Options, columns: tuple[Column, ...], selection: Selection) -> None:
    location, _settings = read_place(options.database, options.config)
    with sentences():
        from probe.workflows.export import ExportRequest, export, rolled_up
        from storage.when import utc_text

        request = ExportRequest(
            location=location, selection=selection, columns=columns, format=options.form, redact=options.redact
        )
        with _opened(options) as out:
            count = export(request, out)
        missing = rolled_up(location, selection)
    where = "" if options.output == "-" else f" written to {options.output}"
    what = "rows" if options.what == "hours" else options.what
    tell(f"{count} {what if count != 1 else what[:-1]}{where}")
    if missing is not None:
        since, until = (utc_text(moment_us)[:16].replace("T", " ") for moment_us in missing)
        tell(
            f"Of healthy checks between {since} and {until} UTC only sums are kept: they are not among these {what}. "
            "`dalel export hours` has them."
        )


@contextmanager
def _opened(options: Options) -> Iterator[BinaryIO]:
    from storage.errors import StorageError
    from storage.export.output import compressed, opened

    if options.output != "-":
        with opened(Path(options.output), compress=options.gzip) as file:
            yield file
        return
    try:
        with compressed(sys.stdout.buffer, compress=options.gzip) as stream:
            yield stream
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_stdout()
        raise StorageError(f"Standard output cannot be written: {error.strerror or error}.") from error


def _drop_stdout() -> None:
    """What could not be written is still in the buffer: let it go, or the interpreter tries again on the way out."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
