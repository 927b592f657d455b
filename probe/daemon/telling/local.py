"""The two channels that need no network: a line in the log, and a few lines on the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, TextIO

from probe.daemon.telling.messages import Message
from probe.report.document import json_text


def log_line(message: Message, channel: str) -> dict[str, Any]:
    """One JSON object, as the rest of the daemon's log: what happened, in words and for programs."""
    incident = message.items[-1].incident if message.items else None
    return {
        "event": "incident" if incident is not None else "test",
        "channel": channel,
        "kind": message.kind,
        "id": message.id,
        "incident": incident.id if incident is not None else None,
        "status": incident.status if incident is not None else None,
        "method": incident.method if incident is not None else None,
        "platforms": list(incident.platforms) if incident is not None else [],
        "title": message.title,
        "text": message.text,
    }


def write_log(message: Message, channel: str, file: TextIO) -> None:
    """What happened, as one line."""
    write_line(log_line(message, channel), file)


def write_line(line: Mapping[str, Any], file: TextIO) -> None:
    """A log that is gone is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        print(json_text(dict(line)), file=file, flush=True)


def write_terminal(message: Message, file: TextIO) -> None:
    """The message between two empty lines."""
    text = f"\n{message.title}\n{message.text}\n"
    encoding = file.encoding or "utf-8"
    with contextlib.suppress(OSError, ValueError):
        print(text.encode(encoding, errors="replace").decode(encoding), file=file, flush=True)
