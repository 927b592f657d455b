"""``dalel fingerprints``: lists of block pages that others have collected, brought by the user."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from probe.cli.common import WholeGroup, config_option, read_settings
from probe.cli.imported import forget, loadable, place_of, readable, refuse, say_left_out
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.settings import Settings
    from targets.fingerprints import Book, Shelf

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


@click.group("fingerprints", cls=WholeGroup, help=HELP)
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

    \b
    Examples:
      dalel fingerprints import fingerprints_http.csv
    """  # noqa: D301
    from targets.fingerprints import Book, read_csv, write

    directory = directory_of(read_settings(config).settings)
    with readable(file):
        imported = read_csv(file.read_bytes())
    refuse(imported.rejected, file, skip_bad_rows=skip_bad_rows, is_empty=not imported.fingerprints)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    book = Book(kind=imported.kind, origin=file.name, imported=today, fingerprints=imported.fingerprints)
    with loadable():
        written = write(book, directory)
    say_left_out(imported.rejected)
    click.echo(f"{_counted(book)}, kept in {written}. From now on dalel check looks for them.")


@command.command("list")
@config_option
def list_(*, config: str | None) -> None:
    """Show which lists are in force, and their versions.

    \b
    Examples:
      dalel fingerprints list
    """  # noqa: D301
    directory = directory_of(read_settings(config).settings)
    shelf = read_shelf(directory)
    for line in _listed(shelf) if shelf.books else [f"None is imported. They would be kept in {directory}"]:
        click.echo(line)


@command.command("remove")
@click.argument("kind", type=click.Choice(("http", "dns")))
@config_option
def remove(*, kind: str, config: str | None) -> None:
    """Forget the list of a kind. What was matched by it stays in the results.

    \b
    Examples:
      dalel fingerprints remove http
    """  # noqa: D301
    path = directory_of(read_settings(config).settings) / f"{kind}.json"
    forget(path, "list")


def directory_of(settings: Settings) -> Path:
    """Where imported lists are kept. Raises :class:`ConfigError` where there is no place at all."""
    from targets.fingerprints import DIRECTORY

    return place_of(settings, DIRECTORY)


def read_shelf(directory: Path) -> Shelf:
    """The imported lists. Raises :class:`ConfigError` for a damaged one."""
    from targets.fingerprints import load

    with loadable():
        return load(directory)


def _listed(shelf: Shelf) -> Iterator[str]:
    for book in shelf.books:
        yield f"{book.kind}  {_counted(book)} from {safe(book.origin)}, imported {safe(book.imported)}, version {book.version}"


def _counted(book: Book) -> str:
    count = len(book.fingerprints)
    what = "answers of the DNS" if book.kind == "dns" else "pages"
    return f"1 fingerprint of {what}" if count == 1 else f"{count} fingerprints of {what}"
