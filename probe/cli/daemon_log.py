"""The daemon's lines: for people, one sentence each; or JSON, one object each. Whoever keeps them (journald, Docker) adds
the time that it knows; on a terminal, and in JSON, it stands at the beginning.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Literal, TextIO, cast

from probe.report.document import json_text
from probe.report.safe import safe

Form = Literal["text", "json"]
_LONGEST = 4096


class Log:
    """Writes lines to *file*. A log that is gone is no reason to stop measuring."""

    def __init__(self, file: TextIO, form: Form, now_us: Callable[[], int]) -> None:
        self._file, self._form, self._now_us = file, form, now_us
        self._shows_time = form == "json" or file.isatty()

    def __call__(self, event: str, words: str, **facts: object) -> None:
        """One line: *event* and *facts* are for programs, *words* for people (a bug's traceback for both)."""
        now = dt.datetime.fromtimestamp(self._now_us() / 1e6, dt.UTC)
        if self._form == "json":
            self._write(json_text({"at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "event": event, "message": words, **facts}))
            return
        time = f"{now.astimezone():%Y-%m-%d %H:%M:%S} " if self._shows_time else ""
        self._write("\n".join(f"{time}{safe(line, _LONGEST)}" for line in words.splitlines()))
        if isinstance(trace := facts.get("traceback"), str):
            self._write("\n".join(safe(line, _LONGEST) for line in trace.splitlines()))

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self._file, flush=True)

    def as_file(self) -> TextIO:
        """A file for whoever writes lines of JSON: they come out in this log's form."""
        return cast("TextIO", _Lines(self))


class _Lines(io.TextIOBase):
    """Takes lines of JSON with an ``event``, and ``title`` or ``said`` for people."""

    def __init__(self, log: Log) -> None:
        self._log, self._rest = log, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._take(line)
        return len(text)

    def _take(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            if line.strip():
                self._log("note", line)
            return
        event = str(told.pop("event", "note"))
        self._log(event, _words(event, told), **told)


_SENTENCES = {
    "notify.sent": "Told {channel}: {said}",
    "notify.not_sent": "Not sent to {channel} yet, and tried again later: {said}",
    "notify.dropped": "Messages that are not sent any more ({count}): {said}",
    "notify.not_kept": "The database does not take what waits to be sent: {said}",
    "notify.not_read": "The database does not say what waits to be sent: {said}",
    "notify.round_too_long": "Sending takes too long, and goes on later.",
}


def _words(event: str, told: dict[str, object]) -> str:
    if isinstance(title := told.get("title"), str):
        return title
    if event in _SENTENCES:
        return _SENTENCES[event].format_map(defaultdict(str, told))
    parts = [event, *(str(told[key]) for key in ("channel", "said") if told.get(key))]
    return ": ".join(parts)
