"""What is run on the probe's machine to try the sweeps alone: ``python sweep.py SCALE ADDRESS NAME INNOCUOUS`` follows a name
there (``… INNOCUOUS PROGRAM`` in plain requests by a program of that name), ``python sweep.py SCALE ADDRESS OTHER`` connections to a silent address beside those to another one. Times are SCALE times
the shipped ones. Prints what was read, as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time

from probe.experiments import locate
from probe.experiments.steps import Place
from probe.observations import Observation, Operation, Recorder
from probe.verdict import located, located_connections
from probe.wire import Wire


async def _no_turn() -> None:
    """Nobody else is here."""


async def main(scale: str, address: str, *rest: str) -> None:
    recorder = Recorder()

    def record(operation: Operation, place: Place) -> Observation:
        return recorder.add(operation, **place.fields())

    tools = locate.Tools(Wire(), _no_turn, record, Place(purpose="locate", endpoint=0), float(scale))
    begun = time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(locate.MOST_S * float(scale)):
            if len(rest) > 2:
                name, other, program = rest
                await locate.Names(tools, locate.Ground(address, 80, name, other, program)).sweep()
            elif len(rest) > 1:
                await locate.Names(tools, locate.Ground(address, 443, *rest)).sweep()
            else:
                await locate.Connections(tools, address, 443, rest[0]).sweep()
    seen = recorder.observations
    found = (located.read_greetings if len(rest) > 1 else located_connections.read_connections)(seen, address)
    print(
        json.dumps(
            {
                "seconds": time.monotonic() - begun,
                "bytes": sum(o.operation.bytes_sent + o.operation.bytes_received for o in seen),
                "packets": len(seen),
                "found": found.parameters() if found is not None else None,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
