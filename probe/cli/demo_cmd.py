"""``dalel demo``: every kind of trouble on a pretend Internet, what the program says of it, and whether it is right."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from probe.cli import EXIT_BUG
from probe.cli.common import ConfigError
from probe.cli.output import opened

if TYPE_CHECKING:
    from probe.demo.play import Played
    from probe.demo.scene import Act

HELP = """\
See what dalel says, next to what was really done: sites, providers and censors that misbehave on this computer only.

Nothing is sent to any network. It is also a test of the program by itself: exit code 4 if a verdict is wrong.
"""


@click.command("demo", help=HELP)
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only this act or site; may be repeated.")
@click.option("--list", "listed", is_flag=True, help="Say what there is, and play nothing.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", help="How to show it [table].")
@click.option("-o", "--output", metavar="FILE", help="Write the CSV to this file [a temporary one].")
@click.option("-v", "--verbose", count=True, help="Also what speaks for and against each verdict.")
def command(names: tuple[str, ...], form: str, output: str | None, verbose: int, *, listed: bool) -> int:
    """Play, show, keep the CSV; the exit code."""
    from probe.demo import show

    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    acts = _chosen(names)
    if listed:
        click.echo("\n".join(show.listing(acts, width)))
        return 0
    acts, missing = _playable(acts)
    _require_loopback()
    begun = time.monotonic()
    path = Path(output) if output is not None else Path(tempfile.mkdtemp(prefix="dalel-demo-")) / "results.csv"
    with opened(str(path), "csv") as file:
        if form == "table":
            click.echo("\n".join(show.introduction(width)))
        played = _performed(acts, file, lambda act: _tell(act, width, verbose) if form == "table" else None)
    if form == "json":
        click.echo(json.dumps(show.document(played, csv=str(path), missing=missing), ensure_ascii=False, indent=2))
    else:
        seconds = time.monotonic() - begun
        click.echo("\n".join(show.summary_lines(played, seconds=seconds, width=width, missing=missing)))
        click.echo(f"The same results as CSV: {path}")
    return 0 if all(act.right for act in played) else EXIT_BUG


def _playable(acts: tuple[Act, ...]) -> tuple[tuple[Act, ...], tuple[Act, ...]]:
    """What can be played here, and what cannot. Raises :class:`ConfigError` where there is nothing left."""
    from probe.demo.play import playable
    from probe.demo.show import NO_AIOQUIC

    able, missing = playable(acts)
    if not able:
        raise ConfigError(f"{', '.join(act.name for act in missing)} cannot be played, for {NO_AIOQUIC}.")
    return able, missing


def _require_loopback() -> None:
    """The pretend Internet lives there; sealed namespaces begin without it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("127.0.0.1", 9))
        except OSError as error:
            raise ConfigError(
                f"The demo needs this computer's loopback interface (127.0.0.1): {(error.strerror or str(error)).lower()}."
            ) from error


def _performed(acts: Sequence[Act], file: TextIO, tell: Callable[[Played], None]) -> tuple[Played, ...]:
    """All acts, played and told in order; the results of an act are in the CSV before it is told."""
    from probe.demo import patience
    from probe.demo.play import perform
    from probe.report.rows import csv_rows

    run_id = ""
    write = csv_rows(file, lambda: run_id)
    progress = _Progress(sys.stderr, sum(len(act.scenes) for act in acts))

    def told(played: Played) -> None:
        nonlocal run_id
        run_id = played.outcome.run.id
        for result in played.outcome.results:
            write(result, ())
        progress.clear()
        tell(played)

    try:
        return patience.run(perform(acts, progress, told))
    except BaseExceptionGroup as group:
        if group.subgroup(BrokenPipeError):
            raise BrokenPipeError from None  # whoever read the results has gone
        raise
    finally:
        progress.clear()


class _Progress:
    """How many verdicts there are, on a terminal's last line; elsewhere the acts themselves tell it."""

    def __init__(self, file: TextIO, total: int) -> None:
        self._file, self._total, self._done = file, total, 0
        self._shown = file.isatty()

    def __call__(self, event: object) -> None:
        from probe.runner import Judged

        if isinstance(event, Judged):
            self._done += 1
        self._write(f"\r\x1b[K{self._done} of {self._total} measured")

    def clear(self) -> None:
        """Take the line away."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._shown:
            with contextlib.suppress(OSError):  # progress is never worth failing for
                self._file.write(text)
                self._file.flush()


def _tell(played: Played, width: int, verbose: int) -> None:
    from probe.demo import show

    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    lines = show.act_lines(played, width=width, verbose=verbose, symbols=encoding.startswith("utf"))
    click.echo("\n".join(lines))


def _chosen(names: tuple[str, ...]) -> tuple[Act, ...]:
    from probe.demo.play import chosen
    from probe.demo.table import PROGRAMME

    try:
        return chosen(PROGRAMME, names)
    except KeyError as error:
        raise click.UsageError(_unknown(str(error.args[0]))) from error


def _unknown(name: str) -> str:
    import difflib

    from probe.demo.table import PROGRAMME

    known = [act.name for act in PROGRAMME] + [scene.name for act in PROGRAMME for scene in act.scenes]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else "See dalel demo --list."
    return f"There is no '{name}' in the demo. {hint}"
