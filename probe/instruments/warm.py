"""What the first handshake and the first request would otherwise wait for.

HTTP is heavy to import (0.2 s on a small machine) and the roots take 0.05 s to load. None of it is needed for the first
packet, so it is not imported at start; call :func:`warm` when the first questions are on their way, because in the middle of
a handshake it would look like a slow server.
"""

from __future__ import annotations

import importlib

from probe.instruments.tls import Hello
from probe.instruments.trust import Trust, arm_context


def warm(trust: Trust) -> None:
    """Import and build. Blocks for up to 0.3 s of CPU the first time, and for nothing after; any thread may call it."""
    import probe.instruments.http.transport  # noqa: F401

    # httpcore's own; otherwise it is imported by the first request. Runs in a thread, where no loop would find it.
    importlib.import_module("anyio._backends._asyncio")
    hello = Hello(None)
    trust.context(hello.alpn, small=False)
    arm_context(hello.alpn, small=False)
