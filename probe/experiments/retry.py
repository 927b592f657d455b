"""The same again, from fresh ports: a passing trouble passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.experiments.steps import Place, connect, verified

if TYPE_CHECKING:
    from probe.experiments.session import Site

_TRIES = 3


async def run(site: Site) -> None:
    """Connect (and shake hands, on ``https://``) up to three times more at the address of the baseline."""
    address = site.first_address()
    if address is None:
        return
    for number in range(1, _TRIES + 1):
        place = Place(purpose="retry", endpoint=site.number, group=f"retry/{number}", round=number)
        if await _once(site, place, address):
            return
        await site.wire.sleep(site.settings.deadlines.arm_gap)


async def _once(site: Site, place: Place, address: str) -> bool:
    if site.scheme == "https":
        return await verified(site, place, address, site.port, deadline_s=site.settings.deadlines.tls_soft)
    stream = await connect(site.session, place, address, site.port, name=site.host)
    if stream is None:
        return False
    if site.scheme == "tcp":
        stream.close()
        return True
    from probe.instruments import http

    budgets, deadlines = site.settings.budgets, site.settings.deadlines
    operation = await http.request(
        site.wire,
        stream,
        method="GET",
        url=site.focus.url if site.focus else site.asked.endpoint.url,
        user_agent=site.settings.user_agent,
        verified_chain=False,
        head_deadline_s=deadlines.tls_soft,
        body_deadline_s=deadlines.tls_soft,
        body_cap=budgets.body_light,
        header_cap=budgets.headers,
        keep_body=True,
    )
    site.session.record(operation, **place.fields())
    return operation.failure is None
