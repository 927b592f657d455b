"""What the commands share that keep lists and tables of the user's: where they lie, what is refused, how one is forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from probe.cli.common import ConfigError, several
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.settings import Settings

_PROBLEMS_SHOWN = 50


class Row(Protocol):
    """A row that cannot be used: its line in the file, and why."""

    @property
    def line(self) -> int: ...
    @property
    def reason(self) -> str: ...


def place_of(settings: Settings, directory: str) -> Path:
    """The folder *directory* among the user's data. Raises :class:`ConfigError` where there is no place at all."""
    from storage.errors import StorageError
    from storage.location import default_data_dir

    try:
        data = Path(settings.data_dir) if settings.data_dir else default_data_dir(os.environ)
    except StorageError as error:
        raise ConfigError(str(error)) from error
    return data.absolute() / directory


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """What is wrong with *file* is told with its name."""
    from targets.model import TargetError

    try:
        yield
    except OSError as error:
        raise ConfigError(f"{safe(str(file))} cannot be read: {error.strerror}.") from error
    except TargetError as error:
        raise ConfigError(f"{safe(str(file))}: {error}") from error


@contextmanager
def loadable() -> Iterator[None]:
    """What is damaged is told as the settings' errors are."""
    from targets.model import TargetError

    try:
        yield
    except TargetError as error:
        raise ConfigError(str(error)) from error


def refuse(rejected: Sequence[Row], file: Path, *, skip_bad_rows: bool, is_empty: bool) -> None:
    """Raise :class:`ConfigError` for rows that cannot be used, unless they are to be left out and others remain."""
    if rejected and not skip_bad_rows:
        problems = [f"{safe(str(file))}:{row.line}: {row.reason}" for row in rejected]
        raise ConfigError(
            several("some rows cannot be used", problems, at_most=_PROBLEMS_SHOWN)
            + "\nNothing was imported. Correct the rows, or leave them out with --skip-bad-rows."
        )
    if is_empty:
        raise ConfigError(f"{safe(str(file))} has no row that can be used.")


def say_left_out(rejected: Sequence[Row]) -> None:
    """The first rows that were left out, and how many more there are, on standard error."""
    for row in rejected[:_PROBLEMS_SHOWN]:
        click.echo(f"Left out, line {row.line}: {row.reason}", err=True)
    if (more := len(rejected) - _PROBLEMS_SHOWN) > 0:
        click.echo(f"Left out: {more} more.", err=True)


def forget(path: Path, what: str) -> None:
    """Remove the file of a *what* (``list``, ``table``), and say so."""
    try:
        path.unlink()
    except FileNotFoundError:
        click.echo(f"There is no {what} of this kind: {path} does not exist.")
        return
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}.") from error
    click.echo(f"{path} is removed.")
