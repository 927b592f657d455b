"""Looking behind resets, remembering and pieces, against servers on loopback; the lab has devices that inject."""

import asyncio
import dataclasses
import sys

import pytest

from probe.experiments import behind, residual, split
from probe.experiments.site import DEEP, Site
from probe.experiments.suspicion import follow_ups, wanted
from probe.instruments import kernel
from probe.observations import Observation, Operation, TlsFact
from probe.settings import Settings
from probe.verdict import evidence
from probe.verdict.view import View
from tests.integration.test_experiments_pairs import TARGET, measuring

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="IP_MINTTL is Linux's")]
FORBIDDEN = TARGET.encode()


def steps(site: Site, purpose: str) -> list[tuple[str | None, str | None, str | None]]:
    """Group, arm and failure of each greeting made for *purpose*, in order."""
    found: list[Observation] = [
        o for o in site.session.recorder.observations if o.purpose == purpose and isinstance(o.fact, TlsFact)
    ]
    return [(o.group, o.arm, o.failure) for o in found]


def learned(site: Site) -> int | None:
    """The TTL that the server's packets were found to have."""
    facts = [o.fact for o in site.session.recorder.observations if o.group == "distance"]
    return next((getattr(fact, "reply_ttl", None) for fact in facts if getattr(fact, "reply_ttl", None)), None)


def failed(failure: str | None) -> Operation:
    return Operation(fact=TlsFact(sni=TARGET, verify=True), started_us=0, failure=failure)


# ---------------------------------------------------------------------------------------------------------------------
# behind a reset


async def test_a_server_that_resets_by_itself_leaves_no_evidence():
    """Its resets come from its own distance: heard and unheard alike, and nothing is left when all of it is ignored."""
    async with measuring(lambda hello: FORBIDDEN not in hello) as site:
        await behind.run(site)
        assert learned(site) == 64
        reset = "connection_reset"
        assert steps(site, "behind") == [
            ("min_ttl/farther", "innocuous", None),
            ("heard", "target", reset),
            ("min_ttl/farther", "target", reset),
            ("min_ttl/nearer", "target", "generic_timeout_error"),
        ]
        case = View(site.session.recorder.observations, site.session.asked).case(site.asked)
        for code in ("answer_behind_reset", "reset_from_elsewhere"):
            assert not evidence.TABLE[code].findings(case)


TRIES = 5
"""The kernel counts what it ignores for all of this host: other programs that measure at the same time have a part in it."""


async def test_what_is_ignored_is_in_the_facts():
    """Each arm tells what the kernel was told, and how much it threw away."""
    for _ in range(TRIES):
        async with measuring(lambda hello: FORBIDDEN not in hello) as site:
            await behind.run(site)
            told = [
                (o.fact.min_ttl, bool(o.fact.ignored))
                for o in site.session.recorder.observations
                if o.purpose == "behind" and isinstance(o.fact, TlsFact)
            ]
        assert [ttl for ttl, _ in told] == [62, None, 62, 67]
        if [ignored for _, ignored in told] == [False, False, False, True]:
            break
    else:
        raise AssertionError(told)


async def test_nothing_is_ignored_any_more_once_it_is_over():
    """What the kernel went on ignoring for closed connections would be counted for the next endpoint."""
    grown: list[int] = []
    while 0 not in grown and len(grown) < TRIES:
        async with measuring(lambda hello: FORBIDDEN not in hello) as site:
            await behind.run(site)
            before = kernel.ignored()
            await asyncio.sleep(0.7)  # what is not acknowledged is said again after 0.2 and 0.4 s
            after = kernel.ignored()
        assert before is not None
        assert after is not None
        grown.append(after - before)
    assert 0 in grown


async def test_a_name_that_passes_by_now_ends_it():
    """Where nothing is reset any more there is nothing to look behind."""
    async with measuring(lambda hello: True) as site:
        await behind.run(site)
        assert steps(site, "behind") == [("min_ttl/farther", "innocuous", None), ("heard", "target", None)]


async def test_no_name_is_said_while_the_distance_is_learned():
    """The search is of the server's kernel only: the bytes are the beginning of any greeting."""
    heard: list[bytes] = []

    def note(hello: bytes) -> bool:
        heard.append(hello)
        return True

    async with measuring(note) as site:
        await behind.run(site)
        assert FORBIDDEN not in heard[0]
        assert heard[0][:1] == b"\x16"


async def test_a_kernel_that_ignores_nothing_is_not_asked_to(monkeypatch: pytest.MonkeyPatch):
    """Elsewhere than on Linux: one connection, and no forbidden name."""
    monkeypatch.setattr(kernel, "ignore_below", lambda _sock, _ttl: False)
    async with measuring(lambda hello: False) as site:
        await behind.run(site)
        assert learned(site) is None
        assert steps(site, "behind") == []


async def test_only_a_few_endpoints_of_a_run_are_asked():
    """It is evidence beside other evidence."""
    async with measuring(lambda hello: False) as site:
        for number in range(100, 104):
            site.session.record(failed(None), purpose="behind", endpoint=number)
        await behind.run(site)
        assert not [o for o in site.session.recorder.observations if o.endpoint == site.number]


@pytest.mark.parametrize(
    ("stage", "failure", "asked"),
    [
        ("tls", "connection_reset", True),
        ("http", "connection_reset", True),
        ("tls", "generic_timeout_error", False),
        ("tls", "eof_error", False),
        ("tcp", "connection_reset", False),
    ],
)
def test_it_is_asked_after_a_reset_only(stage: str, failure: str, *, asked: bool):
    """Silence, an orderly end and a refused connection leave nothing to look behind."""
    names = [name for name, _run in follow_ups("https", stage, failed(failure), Settings())]
    assert ("behind" in names) == asked


# ---------------------------------------------------------------------------------------------------------------------
# deep


async def deep(site: Site) -> None:
    """What a pair at neutral addresses leaves behind when it has flipped. Nothing is hurried: all of it ends by itself."""
    site.session.settings = dataclasses.replace(site.settings, deadline_scale=1.0)
    site.started.add("neutral_pair")
    site.flipped = True
    site.neutrals_ended.set()


@pytest.mark.parametrize("name", DEEP)
def test_what_is_deep_is_asked_for(name: str):
    """Neither the defaults nor --only ask for it."""
    assert not wanted(name, Settings())
    assert not wanted(name, Settings(only=(name,)))
    assert wanted(name, Settings(deep=True))
    assert not wanted(name, Settings(deep=True, skip=(name,)))


async def test_a_server_that_remembers_nothing_is_asked_at_once_only():
    """Nothing fails after the name: no rest is taken, and nothing is said."""
    async with measuring(lambda hello: FORBIDDEN not in hello) as site:
        await deep(site)
        await residual.run(site)
        groups = [group for group, _arm, _failure in steps(site, "residual")]
        # A port of this computer may be another program's by the time it is to be used again: then it asks elsewhere.
        assert groups[-7:] == ["reference", "reference", "reference/other", "trigger", "same/0", "port/0", "address/0"]
        assert {*groups[:-7]} <= {"reference", "reference/other"}
        case = View(site.session.recorder.observations, site.session.asked).case(site.asked)
        assert not evidence.TABLE["residual_memory"].findings(case)


async def test_the_same_port_is_used_again():
    """A reference and its repetition, and the name and what follows it, share a port; a fresh one is another."""
    ports: list[int] = []
    async with measuring(lambda hello: FORBIDDEN not in hello) as site:
        original = site.wire.connect

        async def noting(*args, **kwargs):
            sock = await original(*args, **kwargs)
            ports.append(sock.getsockname()[1])
            return sock

        site.wire.connect = noting  # type: ignore[method-assign]
        await deep(site)
        # Nothing that passes may take too long, or more is asked.
        site.session.settings = dataclasses.replace(site.settings, deadline_scale=3.0)
        await residual.run(site)
    reference, again, other, trigger, same, fresh, elsewhere = ports[-7:]
    assert reference == again
    assert trigger == same
    assert len({reference, other, trigger, fresh, elsewhere}) == 5


async def test_a_memory_of_the_server_spends_neutral_places_and_is_asked_about():
    """No comparison comes to its end where one forbidden name closes the place for all: that itself is worth asking about."""
    asked: list[bytes] = []

    def closes_for_all(hello: bytes) -> bool:
        asked.append(hello)
        return not any(FORBIDDEN in earlier for earlier in asked)

    async with measuring(closes_for_all) as site:
        site.session.settings = dataclasses.replace(site.settings, deadline_scale=1.0)
        for group in ("neutral/1", "neutral/2"):
            for arm, failure in (
                ("innocuous", None),
                ("target", "connection_reset"),
                ("innocuous", "connection_reset"),
            ):
                place = {"purpose": "neutral_pair", "endpoint": site.number, "group": group, "arm": arm}
                site.session.record(failed(failure), **place)
        site.started.add("neutral_pair")
        site.neutrals_ended.set()
        await residual.run(site)
        groups = [group for group, _arm, _failure in steps(site, "residual")]
        # Here it is closed at every address, so nothing more is asked after that has been seen.
        assert groups == ["reference", "reference", "reference/other", "trigger", "same/0", "port/0", "address/0"]


@pytest.mark.parametrize("run", [residual.run, split.run])
async def test_a_name_that_was_not_stopped_elsewhere_is_not_asked_about(run):
    """Deep questions follow a comparison at neutral addresses, and nothing else."""
    async with measuring(lambda hello: True) as site:
        await run(site)
        site.started.add("neutral_pair")
        site.neutrals_ended.set()
        await run(site)
        assert not site.session.recorder.observations


@pytest.mark.parametrize(("run", "purpose"), [(residual.run, "residual"), (split.run, "split")])
async def test_one_target_of_a_run_is_enough(run, purpose: str):
    """A second one is not asked about: each costs minutes and forbidden names."""
    async with measuring(lambda hello: True) as site:
        await deep(site)
        site.session.deep[purpose] = 100
        await run(site)
        assert not site.session.recorder.observations


async def test_pieces_arrive_in_pieces():
    """A server that reads the name only in one packet lets a name in two packets pass, and not in one."""
    async with measuring(lambda hello: FORBIDDEN not in hello) as site:
        await deep(site)
        await split.run(site)
        by_group: dict[str, list[str | None]] = {}
        for group, arm, failure in steps(site, "split"):
            if arm == "target":
                by_group.setdefault(group or "", []).append(failure)
        assert by_group["whole/records"] == ["connection_reset"]
        assert by_group["records"] == [None, None]
        forms = {o.fact.pieces for o in site.session.recorder.observations if isinstance(o.fact, TlsFact)}
        assert forms == {None, "segments", "records", "both"}


async def test_deep_settings_reach_the_site():
    """The flag is a setting like any other."""
    async with measuring(lambda hello: True) as site:
        site.session.settings = dataclasses.replace(site.settings, deep=True)
        names = [name for name, _run in follow_ups("https", "tls", None, site.settings)]
        assert set(DEEP) <= set(names)
