"""A page over plain http that may be somebody else's: what is asked after it, and for how long."""

import asyncio

import pytest

from probe.experiments import website
from probe.experiments.neutrals import Neutrals
from probe.experiments.session import Pacer, Session, Site, Turns
from probe.experiments.suspicion import follow_ups
from probe.instruments.trust import Trust
from probe.observations import HttpFact, Observation
from targets.model import Asked, Endpoint
from tests import nano
from tests.integration.test_experiments_pairs import CANARIES, HURRIED, TARGET, Loopback, resolver

pytestmark = pytest.mark.anyio

NOTICE = "<title>Новости</title>Доступ к сайту ограничен по решению суда"


async def browsed(first: str, status: str = "200 OK") -> list[Observation]:
    """What is observed when the target's first answer is the page *first*, and all later ones are ordinary."""
    pages = [(status, first)]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        line, page = pages.pop() if pages else ("200 OK", "<title>Hello</title>")
        body = page.encode()
        head = f"HTTP/1.1 {line}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with nano.serve(serve) as tcp, nano.serve_udp(resolver) as udp, asyncio.TaskGroup() as group:
        wire = Loopback(tcp, udp.port)
        asked = Asked(number=0, endpoint=Endpoint(f"http://{TARGET}/"), target=TARGET)
        session = Session(
            wire=wire,
            settings=HURRIED,
            trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
            canaries=CANARIES,
            asked=(asked,),
            pacer=Pacer(wire, 1000, 10_000),
            neutrals=Neutrals(CANARIES, wire.random),
        )
        session.own_side_known.set()
        site = Site(
            session=session, asked=asked, group=group, on_step=lambda _step: None, turns=Turns(), follow_ups=follow_ups
        )
        await website.run(site)
    for lingering in site.lingering:
        lingering.close()
    return list(session.recorder.observations)


def targets(observations: list[Observation]) -> dict[str | None, int]:
    """How often each neutral was asked for the target's page."""
    found = [
        o.group
        for o in observations
        if o.arm == "target" and o.purpose == "neutral_pair" and isinstance(o.fact, HttpFact)
    ]
    return {group: found.count(group) for group in found}


@pytest.mark.parametrize(
    ("page", "status"), [(NOTICE, "200 OK"), ("Sorry", "403 Forbidden")], ids=("notice", "refusal")
)
async def test_a_doubtful_page_is_asked_for_at_neutral_places_to_the_end(page: str, status: str):
    """A notice of blocking, whatever its status, and a refusal may be the site's own: unrelated addresses can tell."""
    assert targets(await browsed(page, status)) == {"neutral/1": 6, "neutral/2": 6}


async def test_an_ordinary_page_is_believed():
    """Nothing is asked after a page that nobody has reason to doubt."""
    assert {o.purpose for o in await browsed("<title>Hello</title>")} == {"baseline"}
