"""An endpoint under measurement without a runner around it: a session of its own, on a wire of the test's."""

from __future__ import annotations

import asyncio
from typing import Any

from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer, Turns
from probe.experiments.session import Session
from probe.experiments.site import Site
from probe.experiments.suspicion import follow_ups
from probe.instruments.trust import Trust
from probe.settings import Settings
from probe.wire import Wire
from targets.model import Asked, Canaries
from tests import nano


def session_of(wire: Wire, asked: Asked, *, settings: Settings, canaries: Canaries, **more: Any) -> Session:
    """One run about one endpoint, that trusts the tests' own authority and is never slowed down."""
    fields: dict[str, Any] = {"trust": Trust.load({"SSL_CERT_FILE": nano.authority().file}), **more}
    return Session(
        wire=wire,
        settings=settings,
        canaries=canaries,
        asked=(asked,),
        pacer=Pacer(wire, 1000, 10_000),
        neutrals=Neutrals(canaries, wire.random),
        **fields,
    )


def site_of(session: Session, group: asyncio.TaskGroup, **more: Any) -> Site:
    """The run's one endpoint; nobody hears of its steps."""
    fields: dict[str, Any] = {"turns": Turns(), "follow_ups": follow_ups, **more}
    return Site(session=session, asked=session.asked[0], group=group, on_step=lambda _step: None, **fields)
