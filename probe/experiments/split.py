"""The same greeting whole and in two pieces: does the device on the way put pieces together? (``--deep`` only)

The name is cut in two, between packets, between records, or both. A server that speaks the protocol understands all three.
Where pieces pass and the whole does not, the device reads single packets or records; where they do not, it puts them
together. It is asked at neutral addresses, one a form: a forbidden name may spoil an address for minutes.

It tells how a block works. Nothing is loaded through it: each exchange ends with the first record of the answer.
"""

from __future__ import annotations

import asyncio
import typing
from typing import TYPE_CHECKING

from probe.experiments.places import sni_of
from probe.experiments.steps import Place, connect
from probe.instruments import tls
from probe.instruments.tls_records import Form
from probe.observations import Arm

if TYPE_CHECKING:
    from probe.experiments.neutrals import Neutral
    from probe.experiments.site import Site

FORMS: tuple[Form, ...] = typing.get_args(Form)
_ROUNDS = 2
_TRIES = 3


async def run(site: Site) -> None:
    """Ask, if the name was stopped at neutral addresses, and no other target has been asked about in this run."""
    if "neutral_pair" not in site.started:
        return
    await site.neutrals_ended.wait()
    if not site.flipped or site.session.deep.setdefault("split", site.number) != site.number:
        return
    async with asyncio.TaskGroup() as forms:
        for form in FORMS:
            forms.create_task(_try(site, form))


async def _try(site: Site, form: Form) -> None:
    """At the first neutral address that understands a harmless name in this form."""
    place = Place(purpose="split", endpoint=site.number, group=form)
    for _ in range(_TRIES):
        neutral = await site.session.neutrals.draw(site.session, place, tuple(site.addresses), set())
        if neutral is None:
            return
        if await _pieces(site, form, neutral):
            return


async def _pieces(site: Site, form: Form, neutral: Neutral) -> bool:
    """Harmless, the name, harmless, the name, all in pieces, and the name whole; ``False`` if pieces are not understood."""
    innocuous = site.session.neutrals.innocuous(site.host, neutral.name)
    names: dict[Arm, str] = {"innocuous": innocuous, "target": site.host}
    for number in range(_ROUNDS):
        for which, name in names.items():
            place = Place(purpose="split", endpoint=site.number, group=form, arm=which, round=number)
            passed = await _greet(site, place, neutral.address, tls.Hello(sni=sni_of(name), pieces=form))
            if which == "innocuous" and not passed:
                return False
    place = Place(purpose="split", endpoint=site.number, group=f"whole/{form}", arm="target", round=_ROUNDS)
    await _greet(site, place, neutral.address, tls.Hello(sni=sni_of(site.host)))
    return True


async def _greet(site: Site, place: Place, address: str, hello: tls.Hello) -> bool:
    await site.wire.sleep(site.settings.deadlines.arm_gap)
    stream = await connect(site.session, place, address, 443, name=hello.sni)
    if stream is None:
        return False
    patience_s = max(site.settings.deadlines.arm_floor, site.patience_s())
    operation = await tls.first_record(site.wire, stream, hello=hello, deadline_s=patience_s)
    site.record(operation, **place.fields())
    return operation.failure is None
