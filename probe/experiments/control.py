"""What another vantage sees of the same site at the same moment: every control that the user named is asked.

A stranger's word is tried before it is heard: in every run each control is also asked about a site that was reached here
just now, and about a name that nobody has.
"""

from __future__ import annotations

import asyncio
import string
from dataclasses import replace
from typing import TYPE_CHECKING

from probe.control import client
from probe.control.guard import is_public
from probe.control.protocol import MOST_ADDRESSES, Request
from probe.control.proxy import Through
from probe.experiments.places import is_literal
from probe.observations import HttpFact, TlsFact
from probe.verdict.facts import verified

if TYPE_CHECKING:
    from probe.control.protocol import Seen
    from probe.experiments.session import Session
    from probe.experiments.site import Site
    from probe.observations import Operation
    from probe.settings.controls import Control

AT_ONCE = 8
"""Questions to one control at the same time: it takes no more from one probe."""
_UNAUTHORISED = 401
_NOBODYS = "example"
"""RFC 2606: nobody has a name below it."""


async def run(site: Site) -> None:
    """Ask each control about the name in question and about the public addresses that it has here.

    What has a private address by number is in this network alone, and no server elsewhere is told of it.
    """
    if is_literal(site.host) and not is_public(site.host):
        return
    async with asyncio.TaskGroup() as group:
        for control in (*site.settings.controls, *site.settings.proxies):
            group.create_task(_ask(site, control))


class _Turns(asyncio.Semaphore):
    """Whose turn it is to ask one control, and whether it has been tried in this run."""

    def __init__(self) -> None:
        super().__init__(AT_ONCE)
        self.trial: asyncio.Event | None = None
        self.line: tuple[Seen, ...] = ()
        """What a proxy has shown of its own line in this run."""


async def _ask(site: Site, control: Control) -> None:
    turns = _turns(site.session, control)
    addresses = tuple(address for address in site.addresses if is_public(address))[:MOST_ADDRESSES]
    request = Request(_asked_url(site), addresses)
    async with turns:
        answer = await _exchange(site.session, control, request)
    if answer is None:
        return
    site.record(answer.operation, purpose="control", member=control.vantage, group=_country(control, answer.country))
    for seen in answer.seen:
        site.record(
            seen.operation,
            purpose=seen.purpose,
            group=seen.group,
            hop=seen.hop,
            member=seen.member,
            arm=seen.arm,
            round=seen.round,
            vantage=control.vantage,
        )
    if not answer.seen:
        return
    if turns.trial is None:
        turns.trial = asyncio.Event()
        await _try(site.session, control, turns.trial)
    await turns.trial.wait()


def _asked_url(site: Site) -> str:
    """What a control is asked about. It speaks no app's protocol: it connects where the app would."""
    endpoint = site.asked.endpoint
    if endpoint.app is not None:
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        return f"tcp://{host}:{endpoint.port}"
    return site.focus.url if site.focus is not None else endpoint.url


def _turns(session: Session, control: Control) -> _Turns:
    turns = session.control_turns.setdefault(control.name, _Turns())
    assert isinstance(turns, _Turns)
    return turns


async def _exchange(session: Session, control: Control, request: Request) -> client.Answer | None:
    """One question; ``None`` if this control has given no answer before."""
    if control.name in session.absent_controls:
        return None
    await session.pacer.flow()
    deadlines = session.settings.deadlines
    if control.is_proxy:
        return await _look_through(session, control, request.url)
    answer = await client.ask(
        session.wire,
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
    return answer


def _country(control: Control, told: str | None) -> str | None:
    """``country/DE``: where the control is, by the user's word or its own; nothing, if the two are not the same."""
    known = {country for country in (control.country, told) if country is not None}
    return f"country/{known.pop()}" if len(known) == 1 else None


async def _look_through(session: Session, proxy: Control, url: str) -> client.Answer:
    """The same through a proxy. Its own line is looked at once in a run."""
    turns, deadlines = _turns(session, proxy), session.settings.deadlines
    through = Through(
        wire=session.wire,
        proxy=proxy,
        trust=session.trust,
        user_agent=session.settings.user_agent,
        deadline_s=min(deadlines.tls_hard, 0.4 * deadlines.endpoint),
    )
    line = () if turns.line else tuple(canary.where for canary in session.neutrals.canaries)
    answer = await through.ask(url, line)
    if answer.operation.failure is not None:
        session.absent_controls.add(proxy.name)
    turns.line = turns.line or tuple(seen for seen in answer.seen if seen.purpose == "own_side")
    return answer if line else replace(answer, seen=(*turns.line, *answer.seen))


def _is_absent(operation: Operation) -> bool:
    """Whether nothing is to be had from a control in this run: down, slow, unknown to us, or not one at all.

    One that is asked too often, or refuses this one target, may answer the next question.
    """
    fact = operation.fact
    if operation.failure != "http_unexpected_status_code":
        return operation.failure is not None
    return isinstance(fact, HttpFact) and fact.status == _UNAUTHORISED


# ---------------------------------------------------------------------------------------------------------------------
# whether it can be believed


async def _try(session: Session, control: Control, tried: asyncio.Event) -> None:
    """Ask about what is known here: a site that was reached in this run, and a name that nobody has."""
    known, nobody = _known_site(session), "".join(session.wire.random.choices(string.ascii_lowercase, k=12))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_try_with(session, control, "nobody", f"{nobody}.{_NOBODYS}"))
            if known is not None:
                group.create_task(_try_with(session, control, "known", known))
    finally:
        tried.set()


async def _try_with(session: Session, control: Control, kind: str, host: str) -> None:
    answer = await _exchange(session, control, Request(f"https://{host}/"))
    for seen in answer.seen if answer is not None else ():
        if seen.purpose == "baseline" and host in (seen.operation.name, _sni(seen)):
            group = f"{kind}/{host}"
            session.record(
                seen.operation,
                purpose="control",
                group=group,
                hop=seen.hop,
                member=control.vantage,
                vantage=control.vantage,
            )


def _sni(seen: Seen) -> str | None:
    return seen.operation.fact.sni if isinstance(seen.operation.fact, TlsFact) else None


def _known_site(session: Session) -> str | None:
    """A canary whose greeting verified here in this run."""
    reached = [
        o.operation.name
        for o in session.recorder.observations
        if o.purpose == "own_side"
        and o.vantage == "local"
        and (o.member or "").startswith("foreign/")
        and verified(o.fact)
    ]
    return session.wire.random.choice(sorted({name for name in reached if name})) if reached else None
