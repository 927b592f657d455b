"""A page over plain http that may be somebody else's: what is asked after it, and for how long."""

import asyncio
import dataclasses

import pytest

from probe.experiments import control, website
from probe.experiments.site import Site
from probe.instruments.http import body as bodies
from probe.observations import HttpFact, Mark, Observation, Operation
from probe.settings import Settings
from probe.settings.controls import Control
from targets.fingerprints import Book, Fingerprint, Shelf
from targets.model import Asked, Endpoint
from tests import nano
from tests.integration.sites import session_of, site_of
from tests.integration.test_experiments_pairs import CANARIES, HURRIED, TARGET, Loopback, resolver

pytestmark = pytest.mark.anyio

NOTICE = "<title>Новости</title>Доступ к сайту ограничен по решению суда"
FRAME = "<html><body style='margin:0'><iframe src='http://192.0.2.7/?invalid'></iframe></body></html>"
TO_ITSELF = f"302 Found\r\nLocation: http://{TARGET}/"


async def browsed(
    first: str,
    status: str = "200 OK",
    times: int | None = None,
    *,
    settings: Settings = HURRIED,
    shelf: Shelf | None = None,
) -> list[Observation]:
    """What is observed when the target's first answer (first eleven, of a redirect) is *first*, and later ones are ordinary."""
    pages = [(status, first)] * (times or (11 if status == TO_ITSELF else 1))

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
        session = session_of(wire, asked, settings=settings, canaries=CANARIES, fingerprints=shelf)
        session.own_side_known.set()
        site = site_of(session, group)
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
    ("page", "status"),
    [(NOTICE, "200 OK"), ("Sorry", "403 Forbidden"), ("", "200 OK"), (FRAME, "200 OK"), ("", TO_ITSELF)],
    ids=("notice", "refusal", "nothing", "frame", "circle"),
)
async def test_a_doubtful_page_is_asked_for_at_neutral_places_to_the_end(page: str, status: str):
    """A notice of blocking, whatever its status, a refusal, a page without a word and an address that leads to itself may be
    the site's own: unrelated addresses can tell.
    """
    assert targets(await browsed(page, status)) == {"neutral/1": 6, "neutral/2": 6}


@pytest.mark.parametrize("page", ["<title>Hello</title>", "Hello <iframe src='//ads.example/'></iframe>"])
async def test_an_ordinary_page_is_believed(page: str):
    """Nothing is asked after a page that nobody has reason to doubt."""
    assert {o.purpose for o in await browsed(page)} == {"baseline"}


async def test_an_address_that_leads_to_itself_once_is_believed():
    """Some sites look whether a cookie comes back."""
    assert {o.purpose for o in await browsed("", TO_ITSELF, times=1)} == {"baseline"}


# ---------------------------------------------------------------------------------------------------------------------
# imported lists


def shelf(pattern: str, scope: str = "nat") -> Shelf:
    """One imported row, of Kazakhstan."""
    row = Fingerprint(name="x.y", scope=scope, place="body", manner="contains", pattern=pattern, countries=("KZ",))
    return Shelf((Book(kind="http", origin="a.csv", imported="2026-11-22", fingerprints=(row,)),))


@pytest.mark.parametrize(("country", "expected"), [("KZ", True), ("DE", False), (None, False)])
async def test_a_page_that_a_list_knows_is_marked_and_asked_for(country: str | None, expected: bool):
    """The mark is a fact beside the page, with whether it was to be expected in this country; then neutral places are asked."""
    settings = dataclasses.replace(HURRIED, country=country)
    found = await browsed("<p>See our terms of service", settings=settings, shelf=shelf("our terms"))
    marks = [o.fact.marks for o in found if isinstance(o.fact, HttpFact) and o.purpose == "baseline"]
    assert marks == [(Mark(name="x.y", scope="nat", place="body", expected=expected),)]
    assert targets(found) == {"neutral/1": 6, "neutral/2": 6}


@pytest.mark.parametrize("scope", ["fp", "vbw"])
async def test_a_false_alarm_of_a_list_is_believed(scope: str):
    """It is marked, and nothing is asked after it."""
    found = await browsed("<p>See our terms of service", shelf=shelf("our terms", scope))
    assert 6 not in targets(found).values()
    assert [o.fact.marks != () for o in found if isinstance(o.fact, HttpFact) and o.purpose == "baseline"] == [True]


# ---------------------------------------------------------------------------------------------------------------------
# what controls get

STRANGE = (
    "<center><table><tr><td><img src=x><td><h2>Уважаемый абонент</h2><p>Ресурс сейчас не открывается</table></center>"
)
OWN = (
    "<title>Hello</title><nav><ul><li></ul></nav>" + "<div><h3>Entry</h3><p>what somebody wrote on this day</div>" * 12
)


async def browsed_with_control(monkeypatch: pytest.MonkeyPatch, here: str, *there: str) -> list[Observation]:
    """What is observed when the site's page here is *here*, and a control got these pages."""

    async def ask(site: Site) -> None:
        for text in there:
            fact = HttpFact(
                method="GET",
                url=f"https://{TARGET}/",
                verified_chain=True,
                status=200,
                title=bodies.title(text),
                body_length=len(text.encode()),
                body_sketch=bodies.sketch(text),
                tags_sketch=bodies.tags_sketch(text),
            )
            site.record(Operation(fact=fact, started_us=1, name=TARGET), purpose="baseline", vantage="control:x")

    monkeypatch.setattr(control, "run", ask)
    told = Control(host="192.0.2.9", port=8443, name="x", token="0123456789abcdef")
    return await browsed(here, settings=dataclasses.replace(HURRIED, controls=(told,)))


async def test_a_page_very_unlike_a_controls_is_asked_for_at_neutral_places(monkeypatch: pytest.MonkeyPatch):
    """Only somebody on the way gives it there too."""
    assert targets(await browsed_with_control(monkeypatch, STRANGE, OWN)) == {"neutral/1": 6, "neutral/2": 6}


@pytest.mark.parametrize("there", [(), (STRANGE,), (OWN, STRANGE)], ids=("none", "the same", "both"))
async def test_a_page_like_one_of_a_controls_is_believed(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...]):
    """Sites have faces; and a control that got nothing says nothing."""
    # A busy machine may be slow enough for a few questions, but never for all of them.
    assert 6 not in targets(await browsed_with_control(monkeypatch, STRANGE, *there)).values()
