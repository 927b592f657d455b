"""What every channel is given to send with, and what it says of an attempt."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from probe import __version__
from probe.instruments.trust import Trust
from probe.wire import Wire

SOFTWARE = f"dalel {__version__}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. A message is a few kilobytes; whoever takes longer is asked again later."""

    connect_s: float = 10.0
    step_s: float = 15.0
    """One answer of a server. Mail servers look a sender up before they answer (RFC 5321 §4.5.3.2 allows minutes)."""
    message_s: float = 45.0
    """All of one message."""


@dataclass(frozen=True, slots=True)
class Means:
    """The network, the authorities that are believed (read when they are first needed), the limits, and who sends."""

    wire: Wire
    trust: Callable[[], Trust]
    limits: Limits = field(default_factory=Limits)
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt. ``said``: in a few words, for a log and for ``dalel notify test``; never a secret.

    ``reached``: somebody answered, so the way there is open. ``refused``: they will most likely say the same again, so
    there is no hurry.
    """

    ok: bool
    said: str
    reached: bool = True
    refused: bool = False


def trust_of(environ: Mapping[str, str]) -> Callable[[], Trust]:
    """The authorities of this host, read once, and not before the first message."""
    return functools.cache(lambda: Trust.load(environ))
