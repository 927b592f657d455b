"""``dalel purge``: remove all results from this computer, after naming everything that goes."""

from __future__ import annotations

import click

from probe.cli.archive import database_option, megabytes, read_place, sentences, tell
from probe.cli.common import config_option

HELP = """\
Remove all stored results: the database, what waits for it, and its copies.

Everything that goes is named first. It cannot be undone, and files you have exported stay where they are.
"""


@click.command("purge", help=HELP)
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@config_option
def command(*, yes: bool, database: str | None, config: str | None) -> None:
    """Name it, ask, remove it."""
    location, _settings = read_place(database, config)
    with sentences():
        from storage.maintenance import belongings, purge

        found = belongings(location)
        if not found:
            click.echo(f"There is nothing to remove: {location.shown} does not exist.")
            return
        tell("This will be removed:")
        for item in found:
            amount = megabytes(item.amount) if item.path is not None else f"{item.amount} rows"
            tell(f"  {item.name}  ({amount})")
        if not yes and not click.confirm("Remove all of it?", err=True):
            click.echo("Nothing was removed.")
            return
        removed = purge(location)
    click.echo(f"{len(removed)} {'thing' if len(removed) == 1 else 'things'} removed.")
