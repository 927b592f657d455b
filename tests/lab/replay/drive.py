"""``dalel run`` in the lab, with a clock that skips and a wire that dates by it. Started by the harness, not by hand.

The argument is JSON: ``begins_us``, ``arguments`` of the command. On standard output goes a line of JSON whenever nothing is due
(``now_us``, ``due_us``, ``tasks``), on standard input comes where to jump (``to_us``, ``off_s``, ``ends``). At the end the daemon is
stopped as systemd would stop it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import probe.daemon.clock
import probe.wire
from probe.cli import main
from tests.lab.replay.clock import Jump, SkippingClock


class _Pipe:
    """Questions to the harness. One at a time."""

    def __init__(self) -> None:
        self._reader: asyncio.StreamReader | None = None

    async def ask(self, now_us: int, due_us: int) -> Jump:
        if self._reader is None:
            self._reader = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(self._reader),  # type: ignore[arg-type]
                sys.stdin,
            )
        said = {"now_us": now_us, "due_us": due_us, "tasks": len(asyncio.all_tasks())}
        os.write(sys.stdout.fileno(), json.dumps(said).encode() + b"\n")
        told = json.loads(await self._reader.readline())
        jump = Jump(told["to_us"], told["off_s"], told["ends"])
        if jump.ends:
            os.kill(os.getpid(), signal.SIGTERM)
        return jump


def drive(words: str) -> None:
    """Run the command; does not return."""
    told = json.loads(words)
    clock = SkippingClock(told["begins_us"], _Pipe().ask)

    class DatedWire(probe.wire.Wire):
        def now_us(self) -> int:
            return clock.now_us()

        def monotonic(self) -> float:
            # What is counted in minutes (flows of the last two, rests of a neutral place) has to see the skipped ones too.
            return clock.monotonic()

    # The command makes its own of both, and is otherwise as it is.
    probe.daemon.clock.SystemClock = lambda: clock  # type: ignore[assignment, misc, return-value]
    probe.wire.Wire = DatedWire  # type: ignore[misc]
    sys.argv = ["dalel", *told["arguments"]]
    main()


if __name__ == "__main__":
    drive(sys.argv[1])
