"""``dalel networks``: tables that tell which network an address belongs to, brought by the user."""

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
    from targets.networks import Atlas, Head

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


@click.group("networks", cls=WholeGroup, help=HELP)
def command() -> None:
    """The group itself does nothing."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be used, instead of stopping.")
@config_option
def import_(*, file: Path, skip_bad_rows: bool, config: str | None) -> None:
    """Import a table; it replaces the ones of its kind (IPv4, IPv6). Every fault is told at once, with its line.

    Text has five columns, divided by tabs: first address, last address, number of the network (0: nobody's), country,
    name. It may be compressed by gzip.

    \b
    Examples:
      dalel networks import ip2asn-combined.tsv.gz
    """  # noqa: D301
    from targets.networks import write
    from targets.networks_tables import read

    directory = directory_of(read_settings(config).settings)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    with readable(file):
        imported = read(file)
        refuse(imported.rejected, file, skip_bad_rows=skip_bad_rows, is_empty=imported.is_empty)
        tables = [
            write(family, stretches, directory, origin=file.name, imported=today)
            for family, stretches in imported.stretches.items()
            if stretches
        ]
    say_left_out(imported.rejected)
    for table in tables:
        click.echo(f"{_counted(table.head)}, kept in {table.path}. From now on dalel check tells them.")


@command.command("list")
@config_option
def list_(*, config: str | None) -> None:
    """Show which tables are in force, and their versions.

    \b
    Examples:
      dalel networks list
    """  # noqa: D301
    directory = directory_of(read_settings(config).settings)
    atlas = read_atlas(directory)
    for line in _listed(atlas) if atlas.tables else [f"None is imported. They would be kept in {directory}"]:
        click.echo(line)


@command.command("remove")
@click.argument("family", type=click.Choice(("v4", "v6")))
@config_option
def remove(*, family: str, config: str | None) -> None:
    """Forget the table of a kind. What was named by it stays in the results.

    \b
    Examples:
      dalel networks remove v6
    """  # noqa: D301
    path = directory_of(read_settings(config).settings) / f"{family}.table"
    forget(path, "table")


def directory_of(settings: Settings) -> Path:
    """Where imported tables are kept. Raises :class:`ConfigError` where there is no place at all."""
    from targets.networks import DIRECTORY

    return place_of(settings, DIRECTORY)


def read_atlas(directory: Path) -> Atlas:
    """The imported tables. Raises :class:`ConfigError` for a damaged one."""
    from targets.networks import load

    with loadable():
        return load(directory)


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
