"""``dalel help``: the long texts, which live in ``probe/help/*.md``."""

from __future__ import annotations

from importlib.resources import files

import click

TOPICS = ("verdicts", "exit-codes", "output", "export", "safety", "settings", "notify", "control", "apps")


@click.command("help")
@click.argument("topic", required=False, type=click.Choice(TOPICS), metavar="[TOPIC]")
def command(topic: str | None) -> None:
    """Explain a topic: verdicts, exit-codes, output, export, safety, settings, notify, control or apps.

    \b
    Examples:
      dalel help verdicts
      dalel help safety
    """  # noqa: D301
    if topic is None:
        click.echo("Topics: " + ", ".join(TOPICS) + ". For example: dalel help verdicts")
        return
    click.echo_via_pager(files("probe.help").joinpath(f"{topic}.md").read_text(encoding="utf-8"))
