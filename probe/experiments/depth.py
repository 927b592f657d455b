"""How far an arm has to go: one step further than where the name's own way ended.

A greeting that is met with silence is decided by the first record of the answer. What passes that and is broken off later
would "pass" everywhere; so there the arms shake hands to the end, and where even that passes they ask for a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from probe.experiments.site import CERTIFICATE
from probe.experiments.steps import ArmResult, Place, connect
from probe.instruments import tls
from probe.observations import Operation, TlsFact

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.instruments.tls import TlsStream

Depth = Literal["record", "handshake", "request"]


def depth_of(site: Site) -> Depth:
    """By what is known of the failure. A silence that is not over yet is read as one from the beginning."""
    if "http" in site.suspicions:
        return "request"
    operation = site.suspicions.get("tls")
    if operation is None or operation.failure in CERTIFICATE:
        return "record"
    return "handshake" if isinstance(operation.fact, TlsFact) and operation.fact.server_hello else "record"


async def deep_arm(
    site: Site, place: Place, address: str, port: int, *, sni: str, deadline_s: float, depth: Depth
) -> ArmResult:
    """Connect, shake hands with whoever it is, and at depth ``request`` ask for the headers of ``/``: any answer is one.

    One exchange is recorded: the one that failed, else the last.
    """
    begun = site.wire.monotonic()
    stream = await connect(site.session, place, address, port, name=sni)
    operation: Operation | None = None
    if stream is not None:
        shaken = await tls.unverified(site.wire, stream, hello=tls.Hello(sni=sni), deadline_s=deadline_s)
        operation = shaken.operation
        if shaken.stream is not None and depth == "request":
            operation = await _ask(site, shaken.stream, sni, deadline_s)
        elif shaken.stream is not None:
            shaken.stream.close()
        site.session.record(operation, **place.fields())
    return ArmResult(
        passed=operation is not None and operation.failure is None,
        connected=stream is not None,
        elapsed_s=site.wire.monotonic() - begun,
        operation=operation,
    )


async def _ask(site: Site, stream: TlsStream, host: str, deadline_s: float) -> Operation:
    from probe.instruments import http

    return await http.request(
        site.wire,
        stream,
        method="HEAD",
        url=f"https://{host}/",
        user_agent=site.settings.user_agent,
        verified_chain=False,
        head_deadline_s=deadline_s,
        body_deadline_s=deadline_s,
        body_cap=site.settings.budgets.body_light,
        header_cap=site.settings.budgets.headers,
    )
