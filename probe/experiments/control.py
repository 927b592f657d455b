"""What another vantage sees of the same site at the same moment: every control that the user named is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from probe.control import client
from probe.control.guard import is_public
from probe.control.protocol import MOST_ADDRESSES, Request
from probe.experiments.places import is_literal
from probe.observations import HttpFact

if TYPE_CHECKING:
    from probe.experiments.session import Site
    from probe.observations import Operation
    from probe.settings.controls import Control

AT_ONCE = 8
"""Questions to one control at the same time: it takes no more from one probe."""
_UNAUTHORISED = 401


async def run(site: Site) -> None:
    """Ask each control about the name in question and about the public addresses that it has here.

    What has a private address by number is in this network alone, and no server elsewhere is told of it.
    """
    if is_literal(site.host) and not is_public(site.host):
        return
    async with asyncio.TaskGroup() as group:
        for control in site.settings.controls:
            group.create_task(_ask(site, control))


async def _ask(site: Site, control: Control) -> None:
    session = site.session
    addresses = tuple(address for address in site.addresses if is_public(address))[:MOST_ADDRESSES]
    request = Request(site.focus.url if site.focus is not None else site.asked.endpoint.url, addresses)
    async with session.control_turns.setdefault(control.name, asyncio.Semaphore(AT_ONCE)):
        if control.name in session.absent_controls:
            return
        await session.pacer.flow()
        deadlines = site.settings.deadlines
        answer = await client.ask(
            site.wire,
            control,
            request,
            trust=session.trust,
            # Longer than the control itself takes, and short enough to be told why nothing came.
            deadline_s=min(1.5 * deadlines.tls_hard, 0.8 * deadlines.endpoint),
            reach_s=deadlines.tls_soft,
        )
        if _is_absent(answer.operation):
            # Once is enough: a list of a hundred blocked sites must not wait for it a hundred times.
            session.absent_controls.add(control.name)
    site.record(answer.operation, purpose="control", member=control.vantage, group=_country(control, answer.country))
    for seen in answer.seen:
        site.record(
            seen.operation,
            purpose=seen.purpose,
            group=seen.group,
            hop=seen.hop,
            member=seen.member,
            vantage=control.vantage,
        )


def _country(control: Control, told: str | None) -> str | None:
    """``country/DE``: where the control is, by the user's word or its own; nothing, if the two are not the same."""
    known = {country for country in (control.country, told) if country is not None}
    return f"country/{known.pop()}" if len(known) == 1 else None


def _is_absent(operation: Operation) -> bool:
    """Whether nothing is to be had from a control in this run: down, slow, unknown to us, or not one at all.

    One that is asked too often, or refuses this one target, may answer the next question.
    """
    fact = operation.fact
    if operation.failure != "http_unexpected_status_code":
        return operation.failure is not None
    return isinstance(fact, HttpFact) and fact.status == _UNAUTHORISED
