"""Rounds of one process in the lab, as the daemon makes them, with time in between to change the network.

Started inside of a lab: ``python -m tests.lab.rounds URL …`` reads one word a line (``cheap``, ``full``, ``deep``: a round; ``look``,
``whole``: at the own side) and writes what came of it, as JSON. From outside: :func:`told`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

from tests.lab.lab import DALEL, Lab
from tests.lab.namespaces import WITHOUT_CAPABILITIES, LabError
from tests.lab.net import REPOSITORY

Ask = Callable[[str], dict[str, Any]]


@contextlib.contextmanager
def told(lab: Lab, *urls: str, log: str = "rounds.log") -> Iterator[Ask]:
    """A process on the probe's machine that keeps its memory; gives a function from a word to what came of it."""
    argv = [*WITHOUT_CAPABILITIES, sys.executable, "-m", "tests.lab.rounds", *urls]
    with (
        (lab.net.directory / log).open("wb") as errors,
        subprocess.Popen(
            lab.probe.enter(["env", "--chdir", str(REPOSITORY), *argv]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={"PATH": f"{DALEL.parent}:{os.environ.get('PATH', '')}", "LANG": "C.UTF-8", **lab.environment()},
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None

        def ask(word: str) -> dict[str, Any]:
            child.stdin.write(word.encode() + b"\n")  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
            line = child.stdout.readline()  # type: ignore[union-attr]
            if not line:
                raise LabError((lab.net.directory / log).read_text())
            return cast("dict[str, Any]", json.loads(line))

        try:
            yield ask
            child.stdin.close()
            child.wait(30)
        finally:
            child.kill()


async def _main(urls: tuple[str, ...]) -> None:
    from probe.experiments.pacing import Pacer
    from probe.instruments.trust import Trust
    from probe.settings import Settings
    from probe.wire import Wire
    from probe.workflows import watching
    from probe.workflows.kit import ClockOffset, Kit
    from targets.loader import load_canaries
    from targets.model import Asked, Endpoint

    wire, settings = Wire(), Settings()
    kit = Kit(
        trust=Trust.load(os.environ),
        canaries=load_canaries(),
        catalogue="lab",
        clock=ClockOffset(wire.monotonic),
        pacer=Pacer(wire, settings.budgets.flows_per_second, settings.budgets.flows_per_120_s),
    )
    asked = tuple(Asked(number=n, endpoint=Endpoint(url), target=url) for n, url in enumerate(urls, 1))
    while line := await asyncio.to_thread(sys.stdin.readline):
        word = line.strip()
        if word in ("look", "whole"):
            came = await watching.look(kit, wire, settings, full=word == "whole")
        else:
            came = await watching.measure(kit, wire, settings, [(one, cast("Any", word)) for one in asked])
        print(json.dumps(dataclasses.asdict(came)), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(tuple(sys.argv[1:])))
