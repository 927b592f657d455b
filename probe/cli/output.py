"""Where a check's results go, and in which form: whole at the end, or row by row as they come."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from probe.cli.common import ConfigError
from probe.report.pieces import Pieces
from probe.report.rows import Row
from probe.runner import Event, Judged, Started

STREAMED = ("jsonl", "csv")


@contextlib.contextmanager
def opened(path: str | None, form: str) -> Iterator[TextIO]:
    """stdout, or a new file that takes its name only when all of it is written (a signal keeps what there is).

    What is no regular file (``/dev/null``, a pipe) is written directly. Raises :class:`ConfigError` at once if there is
    nothing to write to, not after minutes of measuring.
    """
    if path is None or path == "-":
        _make_ready(sys.stdout, form)
        yield sys.stdout
        sys.stdout.flush()
        return
    target = Path(path).resolve()
    try:
        special = target.exists() and not target.is_file()
        descriptor, name = (os.open(target, os.O_WRONLY), None) if special else _beside(target)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        if name is not None:
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
    except BaseException:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        raise


def _beside(target: Path) -> tuple[int, str]:
    return tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _make_ready(stdout: TextIO, form: str) -> None:
    """Data is UTF-8 whatever the locale says; on a screen, what it cannot show is replaced."""
    reconfigure = getattr(stdout, "reconfigure", None)
    if reconfigure is None:  # a test's own stream
        return
    if form == "table":
        reconfigure(errors="replace")
    else:
        reconfigure(encoding="utf-8", errors="replace", newline="")


@dataclass(slots=True)
class Output:
    """One check's output. Listens to the run for the forms that are streamed."""

    file: TextIO
    form: str
    verbose: int = 0
    lang: str = "en"
    _run_id: str = ""
    _row: Row | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self._run_id = event.run.id
            self._row = self._streaming()
        elif isinstance(event, Judged) and self._row is not None:
            self._row(event.result, event.observations)

    def finish(self, pieces: Pieces) -> None:
        """Write what is written at the end."""
        if self.form == "json":
            from probe.report.document import check_document, json_text

            self.file.write(json_text(check_document(pieces, lang=self.lang), indent=2) + "\n")
        elif self.form == "table":
            from probe.report.terminal import Screen, print_check

            encoding = (self.file.encoding or "ascii").lower().replace("-", "")
            print_check(
                pieces,
                Screen(file=self.file, ascii_only=not encoding.startswith("utf"), verbose=self.verbose, lang=self.lang),
            )

    def _streaming(self) -> Row | None:
        from probe.report import rows

        if self.form not in STREAMED:
            return None
        make = rows.csv_rows if self.form == "csv" else rows.json_lines
        return make(self.file, lambda: self._run_id, self.lang)
