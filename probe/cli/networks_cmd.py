"""``dalel networks``: tables that tell which network an address belongs to, brought by the user."""

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
    from targets.networks import Atlas, Head
    from targets.networks_tables import Imported

_PROBLEMS_SHOWN = 50

HELP = """\
Name the networks on the way, by a table that you bring.

\b
  dalel networks import ip2asn-combined.tsv.gz
  dalel networks list
  dalel networks remove v6

Where dalel finds between which routers a site is stopped, it can say whose they are. The tables of iptoasn.com are in the
public domain; none is shipped. A MaxMind DB of AS numbers does as well. Names are kept with the results, and so is the
version of the table. No address is ever looked up at anybody else's.
"""


@click.group("networks", help=HELP)
def command() -> None:
    """The group itself does nothing."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be used, instead of stopping.")
@config_option
def import_(*, file: Path, skip_bad_rows: bool, config: str | None) -> None:
    """Import a table; it replaces the ones of its kind (IPv4, IPv6). Every fault is told at once, with its line.

    \b
    Text has five columns, divided by tabs: first address, last address, number of the network (0: nobody's), country,
    name. It may be compressed by gzip.
    """  # noqa: D301
    from targets.model import TargetError
    from targets.networks import write
    from targets.networks_tables import read

    directory = directory_of(read_settings(config).settings)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    try:
        imported = read(file)
        _refuse(imported, file, skip_bad_rows=skip_bad_rows)
        tables = [
            write(family, stretches, directory, origin=file.name, imported=today)
            for family, stretches in imported.stretches.items()
            if stretches
        ]
    except OSError as error:
        raise ConfigError(f"{safe(str(file))} cannot be read: {error.strerror}.") from error
    except TargetError as error:
        raise ConfigError(f"{safe(str(file))}: {error}") from error
    for row in imported.rejected[:_PROBLEMS_SHOWN]:
        click.echo(f"Left out, line {row.line}: {row.reason}", err=True)
    for table in tables:
        click.echo(f"{_counted(table.head)}, kept in {table.path}. From now on dalel check tells them.")


def _refuse(imported: Imported, file: Path, *, skip_bad_rows: bool) -> None:
    if imported.rejected and not skip_bad_rows:
        problems = [f"{safe(str(file))}:{row.line}: {row.reason}" for row in imported.rejected]
        raise ConfigError(
            several("some rows cannot be used", problems, at_most=_PROBLEMS_SHOWN)
            + "\nNothing was imported. Correct the rows, or leave them out with --skip-bad-rows."
        )
    if imported.is_empty:
        raise ConfigError(f"{safe(str(file))} has no row that can be used.")


@command.command("list")
@config_option
def list_(*, config: str | None) -> None:
    """Show which tables are in force, and their versions."""
    directory = directory_of(read_settings(config).settings)
    atlas = read_atlas(directory)
    for line in _listed(atlas) if atlas.tables else [f"None is imported. They would be kept in {directory}"]:
        click.echo(line)


@command.command("remove")
@click.argument("family", type=click.Choice(("v4", "v6")))
@config_option
def remove(*, family: str, config: str | None) -> None:
    """Forget the table of a kind. What was named by it stays in the results."""
    path = directory_of(read_settings(config).settings) / f"{family}.table"
    try:
        path.unlink()
    except FileNotFoundError:
        click.echo(f"There is no table of this kind: {path} does not exist.")
        return
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}.") from error
    click.echo(f"{path} is removed.")


def directory_of(settings: Settings) -> Path:
    """Where imported tables are kept. Raises :class:`ConfigError` where there is no place at all."""
    from storage.errors import StorageError
    from storage.location import default_data_dir
    from targets.networks import DIRECTORY

    try:
        data = Path(settings.data_dir) if settings.data_dir else default_data_dir(os.environ)
    except StorageError as error:
        raise ConfigError(str(error)) from error
    return data.absolute() / DIRECTORY


def read_atlas(directory: Path) -> Atlas:
    """The imported tables. Raises :class:`ConfigError` for a damaged one."""
    from targets.model import TargetError
    from targets.networks import load

    try:
        return load(directory)
    except TargetError as error:
        raise ConfigError(str(error)) from error


def _listed(atlas: Atlas) -> Iterator[str]:
    for table in atlas.tables:
        head = table.head
        yield (
            f"{head.family}  {_counted(head)} from {safe(head.origin)}, imported {safe(head.imported)}, "
            f"version {head.version}"
        )


def _counted(head: Head) -> str:
    what = "IPv4" if head.family == "v4" else "IPv6"
    networks = "1 network" if head.owners == 1 else f"{head.owners} networks"
    return f"{networks} over {what} ({head.stretches} {'row' if head.stretches == 1 else 'rows'})"
