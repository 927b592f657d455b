"""Where an export goes: a stream, or a file that is there whole or not at all."""

from __future__ import annotations

import gzip
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from storage.errors import StorageError


@contextmanager
def opened(path: Path, *, compress: bool) -> Iterator[BinaryIO]:
    """Write *path* through a file beside it that takes its name only when it is whole and on the disk.

    What is no regular file (``/dev/null``, a pipe) is written directly. Raises :class:`StorageError` for one that cannot
    be written. An earlier *path* stays as it was if anything goes wrong.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file, compressed(file, compress=compress) as stream:
                yield stream
            return
        with _whole(path.resolve()) as whole, compressed(whole, compress=compress) as stream:
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def compressed(stream: IO[bytes], *, compress: bool) -> Iterator[BinaryIO]:
    """*stream*, or a gzip stream into it that is ended at the end (without a name or time inside: same rows, same bytes)."""
    if not compress:
        yield cast("BinaryIO", stream)
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as zipped:
        yield cast("BinaryIO", zipped)
