"""``dalel reclassify``: old facts judged by today's rules."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from probe.cli.archive import counted, database_option, read_moment, read_place, sentences
from probe.cli.common import config_option
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.verdict.model import Verdict
    from probe.workflows.reclassify import Outcome, Rejudged

HELP = """\
Judge stored facts again by the rules of this version, and say what changes.

\b
  dalel reclassify
  dalel reclassify --since 7d --format json

Facts and earlier verdicts stay as they are; exports show the newest verdict.
"""


@click.command("reclassify", help=HELP)
@click.option("--run", "run_id", metavar="ID", help="Only this run: its number, or how that begins.")
@click.option("--since", metavar="WHEN", help="Only runs since then: 7d, 2026-11-01 (UTC).")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", help="How to show it [table].")
@database_option
@config_option
def command(*, run_id: str | None, since: str | None, form: str, database: str | None, config: str | None) -> None:
    """Judge again, tell what changed."""
    from probe.wire import Wire

    now_us = Wire().now_us()
    since_us = read_moment(since, "--since", now_us)
    location, settings = read_place(database, config)
    with sentences():
        from probe.workflows.reclassify import reclassify

        try:
            outcome = reclassify(
                location, run_id=run_id, since_us=since_us, priors=settings.priors, now_us=now_us, tell=_progress
            )
        finally:
            _progress()
    click.echo(json.dumps(_document(outcome), ensure_ascii=False) if form == "json" else _text(outcome))


def _progress(done: int | None = None, total: int = 0) -> None:
    """A line on the terminal that is written over, and at last taken away: a year of runs takes minutes."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K" + ("" if done is None else f"{done} of {total} runs judged again"), nl=False, err=True)


def _text(outcome: Outcome) -> str:
    lines = [
        f"{safe(one.asked.endpoint.url)}: {_said(one.old)} → {_said(one.new)} (run {one.run.id})"
        for one in outcome.changed
    ]
    lines.append(
        f"{counted(outcome.judged, 'result')} of {counted(outcome.runs, 'run')} judged again: {len(outcome.changed)} changed, "
        f"{counted(outcome.added, 'verdict')} added."
    )
    return "\n".join(lines)


def _said(verdict: Verdict) -> str:
    return ", ".join(word for word in (verdict.status, verdict.signature or verdict.method) if word)


def _document(outcome: Outcome) -> dict[str, Any]:
    return {
        "schema": "dalel.reclassify/1",
        "runs": outcome.runs,
        "judged": outcome.judged,
        "added": outcome.added,
        "changed": [_change(one) for one in outcome.changed],
    }


def _change(one: Rejudged) -> dict[str, Any]:
    def told(verdict: Verdict) -> dict[str, Any]:
        keys = ("status", "method", "signature", "confidence", "ruleset")
        return {key: getattr(verdict, key) for key in keys}

    return {
        "run": one.run.id,
        "endpoint": one.asked.number,
        "url": one.asked.endpoint.url,
        "old": told(one.old),
        "new": told(one.new),
    }
