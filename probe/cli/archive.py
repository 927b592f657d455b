"""What the commands that read the archive share: which one it is, and its troubles as sentences."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from probe.cli.common import ConfigError, not_empty, read_settings

if TYPE_CHECKING:
    from probe.settings import Settings
    from storage.location import Location

_NARROWEST = 30
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
database_option = click.option(
    "--database",
    metavar="URL",
    callback=not_empty,
    help="This database, not the usual one: a file, or postgresql://USER@HOST/NAME.",
)


def read_place(database: str | None, config: str | None) -> tuple[Location, Settings]:
    """The archive that flags, environment and settings name. Raises :class:`ConfigError`."""
    from storage.location import resolve

    settings = read_settings(config, {"database.url": ("--database", database)} if database else None).settings
    with sentences():
        return resolve(settings.database, os.environ, data_dir=settings.data_dir), settings


@contextmanager
def sentences() -> Iterator[None]:
    """Turn :class:`~storage.errors.StorageError` into what the user reads; exit code 2. So too a place that may not be used:
    whoever keeps results on a disk that is read-only has found no bug of ours.
    """
    from storage.errors import StorageError

    try:
        yield
    except StorageError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        if error.errno not in _FORBIDDEN or error.filename is None:
            raise
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            f"{error.filename} cannot be used: {reason}. Who owns it, and is the disk read-only?"
        ) from error


def read_moment(text: str | None, option: str, now_us: int) -> int | None:
    """What ``--since`` or ``--until`` says, in UTC microseconds; a usage error with a hint otherwise."""
    from storage.when import parse_when

    if text is None:
        return None
    try:
        return parse_when(text, now_us)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint=f"'{option}'") from error


def read_span(since: str | None, until: str | None, now_us: int) -> tuple[int | None, int | None]:
    """What ``--since`` and ``--until`` say together: nothing can be found in a time that ends before it begins."""
    since_us, until_us = read_moment(since, "--since", now_us), read_moment(until, "--until", now_us)
    if since_us is not None and until_us is not None and until_us <= since_us:
        raise click.BadParameter(f"{until} is not after {since}, which --since says.", param_hint="'--until'")
    return since_us, until_us


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.1f} KB"


def tell(text: str) -> None:
    """A line on stderr, where it does not mix with the rows on stdout."""
    click.echo(text, err=True)


def folded(lines: Iterable[str]) -> Iterator[str]:
    """*lines* as they are for files and programs; on a screen folded to it, what is folded indented below its line."""
    if not stdout_is_terminal():
        yield from lines
        return
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        yield from textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]


def stdout_is_terminal() -> bool:
    return sys.stdout.isatty()
