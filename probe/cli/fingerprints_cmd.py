"""``dalel fingerprints``: lists of block pages that others have collected, brought by the user."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from probe.cli.common import ConfigError, config_option, read_settings, several
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.settings import Settings
    from targets.fingerprints import Book, Imported, Shelf

_PROBLEMS_SHOWN = 50

HELP = """\
Recognise block pages by a list that others have collected.

\b
  dalel fingerprints import fingerprints_http.csv
  dalel fingerprints import fingerprints_dns.csv
  dalel fingerprints list
  dalel fingerprints remove http

The lists are those of OONI and the Citizen Lab (github.com/ooni/blocking-fingerprints); none is shipped. What a page
matches is kept with it, and so is the version of the list. A match is a hint: it never proves a block by itself, and a
page that a list knows as a false alarm is none.
"""


@click.group("fingerprints", help=HELP)
def command() -> None:
    """The group itself does nothing."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be used, instead of stopping.")
@config_option
def import_(*, file: Path, skip_bad_rows: bool, config: str | None) -> None:
    """Import a list (CSV); it replaces the one of its kind. Every fault is told at once, with its line.

    \b
    The columns are name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,
    expected_countries,source,exp_url,notes.
    """  # noqa: D301
    from targets.fingerprints import Book, read_csv, write
    from targets.model import TargetError

    directory = directory_of(read_settings(config).settings)
    try:
        imported = read_csv(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{safe(str(file))} cannot be read: {error.strerror}.") from error
    except TargetError as error:
        raise ConfigError(f"{safe(str(file))}: {error}") from error
    _refuse(imported, file, skip_bad_rows=skip_bad_rows)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    book = Book(kind=imported.kind, origin=file.name, imported=today, fingerprints=imported.fingerprints)
    try:
        written = write(book, directory)
    except TargetError as error:
        raise ConfigError(str(error)) from error
    for row in imported.rejected:
        click.echo(f"Left out, line {row.line}: {row.reason}", err=True)
    click.echo(f"{_counted(book)}, kept in {written}. From now on dalel check looks for them.")


def _refuse(imported: Imported, file: Path, *, skip_bad_rows: bool) -> None:
    if imported.rejected and not skip_bad_rows:
        problems = [f"{safe(str(file))}:{row.line}: {row.reason}" for row in imported.rejected]
        raise ConfigError(
            several("some rows cannot be used", problems, at_most=_PROBLEMS_SHOWN)
            + "\nNothing was imported. Correct the rows, or leave them out with --skip-bad-rows."
        )
    if not imported.fingerprints:
        raise ConfigError(f"{safe(str(file))} has no row that can be used.")


@command.command("list")
@config_option
def list_(*, config: str | None) -> None:
    """Show which lists are in force, and their versions."""
    directory = directory_of(read_settings(config).settings)
    shelf = read_shelf(directory)
    for line in _listed(shelf) if shelf.books else [f"None is imported. They would be kept in {directory}"]:
        click.echo(line)


@command.command("remove")
@click.argument("kind", type=click.Choice(("http", "dns")))
@config_option
def remove(*, kind: str, config: str | None) -> None:
    """Forget the list of a kind. What was matched by it stays in the results."""
    path = directory_of(read_settings(config).settings) / f"{kind}.json"
    try:
        path.unlink()
    except FileNotFoundError:
        click.echo(f"There is no list of this kind: {path} does not exist.")
        return
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}.") from error
    click.echo(f"{path} is removed.")


def directory_of(settings: Settings) -> Path:
    """Where imported lists are kept. Raises :class:`ConfigError` where there is no place at all."""
    from storage.errors import StorageError
    from storage.location import default_data_dir
    from targets.fingerprints import DIRECTORY

    try:
        data = Path(settings.data_dir) if settings.data_dir else default_data_dir(os.environ)
    except StorageError as error:
        raise ConfigError(str(error)) from error
    return data.absolute() / DIRECTORY


def read_shelf(directory: Path) -> Shelf:
    """The imported lists. Raises :class:`ConfigError` for a damaged one."""
    from targets.fingerprints import load
    from targets.model import TargetError

    try:
        return load(directory)
    except TargetError as error:
        raise ConfigError(str(error)) from error


def _listed(shelf: Shelf) -> Iterator[str]:
    for book in shelf.books:
        yield f"{book.kind}  {_counted(book)} from {safe(book.origin)}, imported {safe(book.imported)}, version {book.version}"


def _counted(book: Book) -> str:
    count = len(book.fingerprints)
    what = "answers of the DNS" if book.kind == "dns" else "pages"
    return f"1 fingerprint of {what}" if count == 1 else f"{count} fingerprints of {what}"
