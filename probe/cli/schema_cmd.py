"""``dalel schema``: the JSON Schemas of what dalel prints."""

from __future__ import annotations

from importlib.resources import files

import click

SCHEMAS = ("check", "result", "status", "incidents", "doctor", "control", "event")


@click.command("schema")
@click.argument("name", type=click.Choice(SCHEMAS))
def command(name: str) -> None:
    """Print the JSON Schema of a document: of check --format json, of one line of jsonl (result), of status, of incidents,
    of doctor, of a control, of what a webhook is sent (event).

    \b
    Examples:
      dalel schema check > check.json
    """  # noqa: D301
    click.echo(files("probe.schema").joinpath(f"{name}.json").read_text(encoding="utf-8"), nl=False)
