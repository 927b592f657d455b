"""What a check may not ask for want of flows is counted and told; nothing is told where all was asked."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import random

import pytest

from probe.cli import check_cmd
from probe.cli.measure import Measured
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import KEPT, Pacer, Turns
from probe.experiments.session import Session
from probe.experiments.site import Site
from probe.instruments.trust import Trust
from probe.report import cut_short
from probe.report.document import check_document
from probe.report.pieces import Pieces
from probe.report.terminal import Screen, print_check
from probe.runner import Ran, Runner
from probe.settings import Settings
from probe.verdict.model import NetworkVerdict
from probe.wire import Wire
from probe.workflows import check as workflow
from targets.model import Asked, Canaries, Endpoint
from tests import nano
from tests.unit import pieces as made

anyio = pytest.mark.anyio


def site(group: asyncio.TaskGroup, spare: int, *, endpoint_s: float = 45.0) -> Site:
    """One of many in trouble, in a check that may promise *spare* flows."""
    wire, canaries = Wire(rng=random.Random(1)), Canaries(members=(), innocuous=("innocent.example",))
    asked = Asked(number=7, endpoint=Endpoint("https://forbidden.example/"), target="forbidden.example")
    deadlines = dataclasses.replace(Settings().deadlines, endpoint=endpoint_s)
    session = Session(
        wire=wire,
        settings=dataclasses.replace(Settings(), deadlines=deadlines),
        trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
        canaries=canaries,
        asked=(asked,),
        pacer=Pacer(wire, 1000, KEPT + spare),
        neutrals=Neutrals(canaries, wire.random),
    )
    session.own_side_known.set()
    return Site(
        session=session,
        asked=asked,
        group=group,
        on_step=lambda _step: None,
        turns=Turns(crowd=0),
        follow_ups=lambda *_about: [],
    )


async def follow_up(spare: int) -> tuple[bool, set[int]]:
    """Whether the neutral places were asked, and what was noted as cut short."""
    ran = []

    async def work(_site: Site) -> None:
        ran.append(1)

    async with asyncio.TaskGroup() as group:
        one = site(group, spare)
        await one.turns.take(one.asked)
        one.turn.set()
        await one._follow_up("neutral_pair", "tls", work)
    return bool(ran), one.session.cut_short


@anyio
async def test_what_there_are_no_flows_for_is_noted():
    """A question that is refused its flows leaves its endpoint's number behind; one that gets them leaves nothing."""
    assert await follow_up(17) == (False, {7})
    assert await follow_up(18) == (True, set())


@anyio
async def test_a_question_whose_time_went_by_in_waiting_for_flows_is_noted():
    """Time that runs out counts only while the flows of two minutes are used up."""

    async def work(one: Site) -> None:
        while True:
            await one.session.pacer.flow()
            await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as group:
        short, idle = site(group, -KEPT + 3, endpoint_s=0.05), site(group, 100_000, endpoint_s=0.05)
        await short._ask("own_pair", work)
        await idle._ask("own_pair", work)
    assert short.session.cut_short == {7}
    assert idle.session.cut_short == set()


@anyio
async def test_only_what_stayed_undecided_counts(monkeypatch: pytest.MonkeyPatch):
    """What was decided all the same, and what was asked about to the end, is not told of."""
    words = [made.verdict(status) for status in ("inconclusive", "blocked", "inconclusive")]
    results = tuple(made.result(n, f"https://e{n}.example/", word) for n, word in enumerate(words))

    class Ended(Runner):
        async def run(self) -> Ran:
            self._session.cut_short |= {0, 1}
            return Ran(network=NetworkVerdict(status="ok"), results=results, unsaved=())

    monkeypatch.setattr(workflow, "Runner", Ended)
    request = workflow.CheckRequest(
        asked=(), settings=Settings(), catalogue="x", trust=Trust.load({"SSL_CERT_FILE": nano.authority().file})
    )
    outcome = await workflow.check(request, Wire(rng=random.Random(1)), lambda _event: None)
    assert outcome.cut_short == (0,)


def undecided(count: int, *short: int, platform: str | None = None) -> Pieces:
    word = made.verdict("inconclusive")
    results = [made.result(n, f"https://e{n}.example/", word, platform=platform) for n in range(count)]
    return made.pieces(*results, cut_short=short)


REASON = "this check had begun as many new connections as one may in two minutes."


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (undecided(3), ""),
        (
            undecided(1, 0),
            (
                f"Not everything could be asked about the inconclusive result: {REASON} Ask again about that alone: "
                "dalel check https://e0.example/"
            ),
        ),
        (
            undecided(3, 1),
            (
                f"Not everything could be asked about 1 of the 3 inconclusive results: {REASON} Ask again about that alone: "
                "dalel check https://e1.example/"
            ),
        ),
        (
            undecided(2, 0, 1),
            (
                f"Not everything could be asked about both inconclusive results: {REASON} Ask again about fewer at a time: "
                "dalel check https://e0.example/ https://e1.example/"
            ),
        ),
        (
            undecided(9, 0, 1, 2, 3, 4),
            (
                f"Not everything could be asked about 5 of the 9 inconclusive results: {REASON} Ask again about fewer at a time, "
                "for example: dalel check https://e0.example/ https://e1.example/ https://e2.example/ https://e3.example/"
            ),
        ),
        (
            undecided(3, 0, 1, 2, platform="telegram"),
            (
                f"Not everything could be asked about all 3 inconclusive results: {REASON} Ask again about fewer at a time: "
                "dalel check telegram"
            ),
        ),
    ],
)
def test_it_is_told_how_many_and_what_to_do(pieces: Pieces, text: str):
    """One and many, all and some, a platform once; a command that can be copied; nothing where all was asked."""
    assert cut_short.sentence(pieces) == text


def test_an_address_that_a_shell_would_read_is_quoted():
    """The command can be pasted: nothing in an address is read by the shell."""
    word = made.verdict("inconclusive")
    pieces = made.pieces(made.result(0, "https://a.example/?x=1&y=$(id)", word), cut_short=(0,))
    assert cut_short.sentence(pieces).endswith("dalel check 'https://a.example/?x=1&y=$(id)'")


def test_it_is_at_the_end_of_the_table_and_in_json():
    """Both say the same sentence; JSON has null where all was asked."""
    pieces = undecided(3, 1)
    file = io.StringIO()
    print_check(pieces, Screen(file=file, width=400))
    assert cut_short.sentence(pieces) in file.getvalue()
    assert check_document(pieces)["cut_short"] == {"urls": ["https://e1.example/"], "text": cut_short.sentence(pieces)}
    assert check_document(undecided(3))["cut_short"] is None


@pytest.mark.parametrize(("form", "lines"), [("table", 0), ("csv", 1), ("jsonl", 1), ("json", 1)])
def test_what_is_for_programs_has_it_on_standard_error(form: str, lines: int, capsys: pytest.CaptureFixture[str]):
    """Rows have gone out by then; the table has the line itself."""
    options = check_cmd.Options(
        words=(), form=form, output=None, save=False, database=None, config=None, profile=None, ipv4=False, ipv6=False,
        only=(), skip=(), deep=False, timeout=None, controls=(), control_token=None, dry_run=False, fail_on=(), verbose=0,
        quiet=False,
    )  # fmt: skip
    assert check_cmd._code(options, Measured(undecided(3, 1))) == 3
    assert capsys.readouterr().err.count("Not everything could be asked") == lines
