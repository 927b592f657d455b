"""Controls that lie, die in the middle, or are where they should not be: the probe's own verdict stays, and it says so."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from probe.control import certificate
from probe.settings import Settings
from probe.settings.controls import Control
from probe.workflows.check import CheckOutcome, CheckRequest, check
from targets.loader import load_canaries
from targets.model import Asked, Endpoint
from tests.integration.control_world import TOKEN, serving, site, world_of
from tests.integration.test_control_check import BLOCKED, NEWS, UP, control_codes, home
from tests.lab.control_liar import Liar

pytestmark = pytest.mark.anyio


async def checked(folder: Path, control: Control, *urls: str, here=(BLOCKED,)) -> CheckOutcome:
    """A check from Kazakhstan, as the settings say."""
    folder.mkdir(parents=True, exist_ok=True)
    async with home(folder / "home", *here, port=control.port) as (wire, trust):
        request = CheckRequest(
            asked=tuple(
                Asked(number=n, endpoint=Endpoint(url), target=url) for n, url in enumerate(urls or (NEWS,), start=1)
            ),
            settings=replace(Settings().hurried(4.0), controls=(control,), country="KZ"),
            catalogue="test",
            canaries=load_canaries(),
            trust=trust,
        )
        return await check(request, wire, lambda _event: None)


@contextlib.asynccontextmanager
async def served(answer) -> AsyncIterator[Control]:
    """Somebody who answers as a control, in Germany as they say."""
    shown = certificate.make(dt.datetime.now(dt.UTC))
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=shown.context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Control(host="127.0.0.1", port=port, name="Liar", token=TOKEN, sha256=shown.sha256)


MADE = ("blocked", "outage", "denied", "accessible")
"""Words that a liar could have made of a silent address. On a busy machine the own side may be in doubt besides."""
MANNERS = [
    ("up", "control_contradicted"),
    ("down", "control_contradicted"),
    ("nonsense", "control_silent"),
    ("page", "control_silent"),
    ("slow", "control_silent"),
]


@pytest.mark.parametrize(("manner", "said"), MANNERS)
async def test_a_liar_is_found_out(tmp_path, manner, said):
    """All is well, all is down, nonsense, a web page, silence: nothing of it counts, and the result says why."""
    async with served(Liar(manner, "DE").answer) as control:
        outcome = await checked(tmp_path, control)

    verdict = outcome.results[0].verdict
    assert verdict.status not in MADE
    assert said in verdict.impairments
    assert control_codes(outcome) == set()
    assert not outcome.bugs


async def test_one_that_changes_its_word_makes_none(tmp_path):
    """Now it is up and now it is down."""
    async with served(Liar("changes", "DE").answer) as control:
        outcome = await checked(tmp_path, control)

    assert outcome.results[0].verdict.status not in MADE


async def test_one_that_dies_in_the_middle_is_absent(tmp_path):
    """Killed while it measures, and up again a moment later: it is absent for this run, and no site is judged otherwise."""
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            asked.append(True)
            if len(asked) <= 8:  # as many as are asked at once
                writer.transport.abort()
                return
            await Liar("down", "DE").answer(reader, writer)

    urls = [f"https://site{n}.example/" for n in range(3)]
    async with served(answer) as control:
        outcome = await checked(tmp_path, control, *urls, here=tuple(site(url, server=None) for url in urls))

    assert asked
    for result in outcome.results:
        assert result.verdict.status not in MADE
        assert "control_silent" in result.verdict.impairments
    assert control_codes(outcome) == set()
    assert not outcome.bugs


async def test_a_site_that_is_down_in_two_countries_is_an_outage(tmp_path):
    """An honest control in another country, which looks twice."""
    async with serving(tmp_path / "abroad", world_of(BLOCKED)) as control:
        outcome = await checked(tmp_path, replace(control.control, country="DE"))

    verdict = outcome.results[0].verdict
    assert (verdict.status, verdict.method, verdict.basis) == ("outage", "server", "control")
    assert "down_in_two_countries" in control_codes(outcome)


async def test_one_in_the_same_country_is_not_heard(tmp_path):
    """It is under the same law; the result says so."""
    async with serving(tmp_path / "abroad", world_of(UP)) as control:
        outcome = await checked(tmp_path, replace(control.control, country="KZ"))

    verdict = outcome.results[0].verdict
    assert control_codes(outcome) == set()
    assert "control_same_country" in verdict.impairments
