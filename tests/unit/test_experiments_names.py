"""The innocuous names of a comparison: well-known ones, and names that nobody has heard of."""

import random
from types import SimpleNamespace
from typing import Any

import pytest

from probe.experiments import contrast, quic
from probe.experiments.neutrals import Neutrals
from probe.experiments.steps import ArmResult
from probe.settings import Settings
from targets.loader import load_canaries

pytestmark = pytest.mark.anyio

CANARIES = load_canaries()
KNOWN = frozenset(CANARIES.innocuous)


def drawn(like: str, count: int = 6, seed: int = 1) -> tuple[str, ...]:
    return Neutrals(CANARIES, random.Random(seed)).mixed(like, "www.kernel.org", count)


@pytest.mark.parametrize("like", ["x.com", "www.facebook.com", "www.nationalpark-berchtesgaden.bayern.de"])
def test_every_other_name_is_made_up(like: str) -> None:
    """A box that goes by a list knows the well-known ones; the first is one of those, for a place is tried with it."""
    for seed in range(50):
        names = drawn(like, seed=seed)
        assert [name in KNOWN for name in names] == [True, False] * 3
        assert len(set(names)) == 6


def test_made_up_names_are_as_long_as_the_name_in_question() -> None:
    for length in range(10, 64):
        assert {len(name) for name in drawn("a" * (length - 4) + ".org")[1::2]} == {length}


def test_a_made_up_name_is_never_so_short_that_it_may_be_somebodys() -> None:
    assert {len(name) for name in drawn("t.me")[1::2]} == {10}


def test_a_made_up_name_is_a_name() -> None:
    """Labels of 63 letters at most (RFC 1035 §2.3.4), however long the other one is."""
    for name in drawn("a." * 100 + "com")[1::2]:
        assert max(len(label) for label in name.split(".")) <= 63


async def test_a_pair_names_another_one_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some names are free on a tariff: one that was lucky at first must not answer for all others."""
    greeted: list[tuple[str, str]] = []

    async def arm(_session: Any, place: Any, *_where: Any, sni: str, **_more: Any) -> ArmResult:
        greeted.append((place.arm, sni))
        return ArmResult(passed=place.arm == "innocuous", connected=True, elapsed_s=0.01, operation=None)

    async def sleep(_seconds: float) -> None:
        return

    monkeypatch.setattr(contrast, "arm", arm)
    monkeypatch.setattr(contrast, "depth_of", lambda _site: "record")
    wire = SimpleNamespace(monotonic=lambda: 0.0, sleep=sleep)
    site: Any = SimpleNamespace(
        host="www.facebook.com",
        scheme="https",
        number=1,
        wire=wire,
        settings=Settings(),
        session=SimpleNamespace(neutrals=Neutrals(CANARIES, random.Random(1))),
        focus=None,
        asked=SimpleNamespace(endpoint=SimpleNamespace(url="https://www.facebook.com/")),
        succeeded=False,
        turns=SimpleNamespace(crowded=False),
    )
    names = contrast._others(site, "www.kernel.org")
    pair = contrast.Pair(site, "neutral_pair", "neutral/1", "203.0.113.1", names)
    assert await pair.alternate(await pair.send("innocuous", 0))
    assert [sni for which, sni in greeted if which == "innocuous"] == list(names)
    assert {sni for which, sni in greeted if which == "target"} == {"www.facebook.com"}


async def test_a_pair_over_quic_names_another_one_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quic, "answered", lambda operation: operation == "innocuous")
    monkeypatch.setattr(quic, "_learnt", lambda _operation, _floor: quic._Manner(patience_s=1.0))
    greeted: list[tuple[str, str]] = []

    async def shake(arm: str, _group: str, _address: str, _port: int, name: str, *_more: Any) -> str:
        greeted.append((arm, name))
        return arm

    async def gap(_begun: float) -> None:
        return

    asks: Any = SimpleNamespace(
        _site=SimpleNamespace(settings=Settings(), wire=SimpleNamespace(monotonic=lambda: 0.0)),
        _session=SimpleNamespace(neutrals=Neutrals(CANARIES, random.Random(1))),
        _host="www.facebook.com",
        _passed=False,
        _own_twice=False,
        _shake=shake,
        _gap=gap,
    )
    assert await quic.Question._alternate(asks, "neutral/1", "203.0.113.1", 443, avoid="www.kernel.org")
    others = [name for arm, name in greeted if arm == "innocuous"]
    assert [name in KNOWN for name in others] == [True, False] * 3
    assert len(set(others)) == 6
    assert {name for arm, name in greeted if arm == "target"} == {"www.facebook.com"}
