"""A control in a process of its own, so that it can be killed: its Internet is a pretend one.

    python -m tests.integration.control_process FOLDER PORT CERTIFICATE KEY URL…

The sites at the URLs are up there. It prints one line when it listens: port and certificate.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from probe.control import certificate
from tests.integration.control_world import serving, site, world_of


async def main(folder: str, port: str, chain: str, key: str, *urls: str) -> None:
    """Serve for a minute at most: whoever started it may be gone."""
    shown = certificate.load(chain, key)
    async with serving(Path(folder), world_of(*map(site, urls)), port=int(port), shown=shown) as control:
        print(control.port, control.sha256, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
