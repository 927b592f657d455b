"""What the user sees of a bug of ours: that it is ours, in one line, and where the details are."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from collections.abc import Sequence

import click

from probe import __version__
from probe.observations import BugFact
from probe.report.safe import safe


def report(error: BaseException, argv: Sequence[str]) -> None:
    """Say on stderr that this is a bug of dalel's, and where its traceback is. Never raises for a full disk."""
    click.echo(f"dalel: this is a bug in dalel, not in your network: {summary(error)}", err=True)
    _show_or_keep("".join(traceback.format_exception(error)), keep="--no-save" not in argv)


def report_parts(bugs: Sequence[BugFact], *, keep: bool) -> None:
    """Say which parts of a check ended in a bug of dalel's, and where their tracebacks are."""
    for bug in bugs:
        click.echo(f"dalel: a bug in dalel ended a part of this check ({bug.experiment}): {safe(bug.error)}", err=True)
    click.echo("All other results are right.", err=True)
    _show_or_keep("\n\n".join(bug.traceback for bug in bugs), keep=keep)


def _show_or_keep(text: str, *, keep: bool) -> None:
    if os.environ.get("DALEL_DEBUG") == "1":
        click.echo(text, err=True)
        return
    place = _keep(text) if keep else None
    if place is None:
        click.echo("The details: run the same again with DALEL_DEBUG=1 in the environment.", err=True)
    else:
        click.echo(f"The details, to send to the maintainers: {place}", err=True)


def summary(error: BaseException) -> str:
    """The exception's kind and first line, without control characters. A group is named by its first member."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    plain = safe(str(error).partition("\n")[0])
    return f"{type(error).__name__}: {plain}" if plain else type(error).__name__


def _keep(text: str) -> str | None:
    """Write the traceback to a new file that only its owner can read; its path, or ``None`` if that failed."""
    try:
        descriptor, path = tempfile.mkstemp(prefix="dalel-bug-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"dalel {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n{text}")
    except OSError:
        return None
    return path
