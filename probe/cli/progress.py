"""How far a check has come, on stderr: one line that is rewritten on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable
from typing import TextIO

from probe.report.safe import safe
from probe.runner import Event, Judged, OwnSide, Started, Step

_EVERY_S = 3.0
"""Where nobody watches, a check that is done sooner says nothing."""

_NARROWEST = 20

_AS_AN_APP = "as its app does"
_STEPS = {
    "website": "as a browser does",
    "baseline": "as a browser does",
    "network": "checking your own network",
    "retry": "trying again",
    "dns_answers": "asking other DNS servers",
    "neutral_pair": "comparing names somewhere else",
    "neutral_chain": "looking for forged certificates",
    "own_pair": "comparing names at the site",
    "path_mtu": "trying smaller packets",
    "siblings": "trying its other addresses",
    "neighbours": "trying its neighbours",
    "locate": "finding where it is stopped",
    "behind": "looking behind the reset",
    "packets": "listening to packets",
    "residual": "waiting how long it is remembered",
    "split": "asking in pieces",
    "control_pair": "comparing names at the control",
    "protocol_pair": "comparing protocols at the control",
    "throttling": "comparing how fast names are",
    "quic": "trying QUIC",
    "ech": "hiding a name in a greeting",
    "vendor_sign": "asking for the vendor's sign",
    "udp_here": "trying datagrams elsewhere",
    "control": "asking the control",
}


class Progress:
    """Listens to a run. *clock* is monotonic seconds; ``close`` leaves the line empty for what follows."""

    def __init__(self, file: TextIO, clock: Callable[[], float], *, kept_in: str | None) -> None:
        self._file = file
        self._clock = clock
        self._kept_in = kept_in
        self._tty = file.isatty()
        self._told = clock()
        self._names: dict[int, str] = {}
        self._apps: set[int] = set()
        self._total = 0
        self._words: Counter[str] = Counter()
        self._step = ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self._names = {asked.number: asked.endpoint.host for asked in event.asked}
            self._apps = {asked.number for asked in event.asked if asked.endpoint.app is not None}
            self._total = len(event.asked)
            if self._tty:
                kept = f"Kept in {safe(self._kept_in)}." if self._kept_in else "Nothing is kept."
                self._write(f"Asking about {self._total}. {kept} Ctrl-C stops it.\n")
        elif isinstance(event, OwnSide):
            if event.network.status == "no_network":
                self._step = "your own network has trouble"
        elif isinstance(event, Step):
            doing = _AS_AN_APP if event.number in self._apps else None
            doing = (doing if event.step in ("website", "baseline") else None) or _STEPS.get(event.step, event.step)
            self._step = f"{self._names.get(event.number, '')}: {doing}"
        elif isinstance(event, Judged):
            self._words[event.result.verdict.status] += 1
        self._tell()

    def close(self) -> None:
        """Take the line away."""
        if self._tty:
            self._write("\r\x1b[K")

    def _tell(self) -> None:
        now = self._clock()
        if self._tty:
            self._write(f"\r\x1b[K{self._cut(self._line())}")
        elif now - self._told > _EVERY_S:
            self._told = now
            self._write(f"{self._line()}\n")

    def _line(self) -> str:
        done = self._words.total()
        found = ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in sorted(self._words.items()))
        parts = [f"{done} of {self._total} measured", found, self._step if done < self._total else ""]
        return " · ".join(part for part in parts if part)

    @staticmethod
    def _cut(line: str) -> str:
        """What fits into one line of the screen: a second one would stay there for ever."""
        return line[: max(shutil.get_terminal_size().columns - 1, _NARROWEST)]

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, UnicodeEncodeError):  # progress is never worth failing for
            self._file.write(text)
            self._file.flush()
