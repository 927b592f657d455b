"""``dalel purge``: remove all results from this computer, after naming everything that goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from probe.cli.archive import database_option, megabytes, read_place, sentences, tell
from probe.cli.common import ConfigError, config_option

if TYPE_CHECKING:
    from probe.settings import Settings

HELP = """\
Remove all stored results: the database, what waits for it, and its copies; and imported lists.

\b
  dalel purge
  dalel purge --yes

Everything that goes is named first. It cannot be undone, and files you have exported stay where they are.
"""


@click.command("purge", help=HELP)
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@config_option
def command(*, yes: bool, database: str | None, config: str | None) -> None:
    """Name it, ask, remove it."""
    location, settings = read_place(database, config)
    lists = _imported_lists(settings)
    with sentences():
        from storage.maintenance import belongings, purge

        found = belongings(location)
        if not found and not lists:
            click.echo(f"There is nothing to remove: {location.shown} does not exist.")
            return
        tell("This will be removed:")
        for item in found:
            amount = megabytes(item.amount) if item.path is not None else f"{item.amount} rows"
            tell(f"  {item.name}  ({amount})")
        for path in lists:
            tell(f"  {path}  ({megabytes(path.stat().st_size)})")
        if not yes and not _is_sure():
            click.echo("Nothing was removed.")
            return
        removed = len(purge(location)) if found else 0
    for path in lists:
        _remove(path)
    removed += len(lists)
    click.echo(f"{removed} {'thing' if removed == 1 else 'things'} removed.")


def _is_sure() -> bool:
    """The answer of whoever sits there; a usage error where nobody does."""
    try:
        return click.confirm("Remove all of it?", err=True)
    except click.Abort:
        tell("")
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        raise click.UsageError("Nobody answered, so nothing was removed. --yes removes it without asking.") from None


def _imported_lists(settings: Settings) -> list[Path]:
    """What ``dalel fingerprints import`` and ``dalel networks import`` have kept, whole or damaged."""
    from probe.cli import fingerprints_cmd, networks_cmd
    from targets.fingerprints import KINDS
    from targets.networks import FAMILIES

    lists, tables = fingerprints_cmd.directory_of(settings), networks_cmd.directory_of(settings)
    paths = [*(lists / f"{kind}.json" for kind in KINDS), *(tables / f"{family}.table" for family in FAMILIES)]
    return [path for path in paths if path.exists()]


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}.") from error
