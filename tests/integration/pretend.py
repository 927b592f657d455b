"""``python -m tests.integration.pretend ACT WORDS…``: the whole command line, over one act of the pretend Internet.

``ACT`` is the name of one of the demo's acts, or ``package.module:NAME`` of one that tests have of their own.
Only the wire is exchanged, and ``SSL_CERT_FILE`` is set to the pretend authority. The Internet runs in a thread of its own,
so that signals, the event loop and the exit are the command's.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import probe.wire
from probe.cli import main
from probe.demo.internet import Internet, open_internet
from probe.demo.neighbourhood import quiet_neighbourhood
from probe.demo.scene import Act, stage
from probe.demo.wire import DemoWire
from targets.loader import load_canaries


@contextmanager
def internet(act: Act) -> Iterator[Internet]:
    """The act's Internet, in a thread that ends with the block."""
    ready: list[Internet] = []
    opened, loop, over = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def run(folder: str) -> None:
        async with open_internet(stage(act, quiet_neighbourhood(load_canaries())), Path(folder)) as found:
            ready.append(found)
            opened.set()
            await over.wait()

    with tempfile.TemporaryDirectory() as folder:
        thread = threading.Thread(target=lambda: loop.run_until_complete(run(folder)), daemon=True)
        thread.start()
        assert opened.wait(30)
        try:
            yield ready[0]
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(30)


async def wire(found: Internet) -> DemoWire:
    """A wire that is made where a loop runs, and has an ordinary loop's clock: that of the machine."""
    return DemoWire(found)


def act_called(name: str) -> Act:
    """The demo's act of that name, or the one at ``package.module:NAME``."""
    module, colon, attribute = name.partition(":")
    if colon:
        own = getattr(importlib.import_module(module), attribute)
        assert isinstance(own, Act)
        return own
    from probe.demo.table import PROGRAMME

    return next(act for act in PROGRAMME if act.name == name)


if __name__ == "__main__":
    with internet(act_called(sys.argv[1])) as found:
        os.environ["SSL_CERT_FILE"] = str(found.trusted)

        class PretendWire(probe.wire.Wire):
            """Stands where the real one stood: other wires are made of it."""

            def __new__(cls, **_options: object) -> DemoWire:  # type: ignore[misc]
                return asyncio.run(wire(found))

        probe.wire.Wire = PretendWire  # type: ignore[misc]
        try:
            main(sys.argv[2:])
        finally:
            if told := os.environ.get("PRETEND_MODULES"):
                Path(told).write_text("\n".join(sorted(sys.modules)), encoding="utf-8")
