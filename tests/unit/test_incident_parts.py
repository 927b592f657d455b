"""What an incident is called where it took only a part of a platform."""

from __future__ import annotations

import pytest

from probe.incidents.model import Incident
from probe.incidents.parts import Parts
from targets.loader import shipped_platforms
from targets.model import Endpoint, Platform, Service

PARTS = Parts.of(shipped_platforms())
WEB = "https://web.telegram.org/"
CENTRE = next(s for p in shipped_platforms() if p.id == "telegram" for s in p.services if s.main).endpoints[0].url


def incident(*urls: str, platforms: tuple[str, ...] = ("telegram",)) -> Incident:
    """One incident that took *urls*."""
    return Incident(id="a", status="blocked", platforms=platforms, urls=urls, began_by_us=1, opened_us=2, changed_us=2)


@pytest.mark.parametrize(
    ("urls", "named"),
    [
        ((WEB,), ("telegram (web)",)),
        ((CENTRE, WEB), ("telegram",)),
        ((CENTRE,), ("telegram",)),
        (("https://gone.example/",), ("telegram",)),
        ((), ("telegram",)),
    ],
)
def test_a_part_is_named_where_the_main_one_is_spared(urls: tuple[str, ...], named: tuple[str, ...]) -> None:
    """The apps go on working, so "blocked: telegram" would be another thing than was measured."""
    assert PARTS.shown(incident(*urls)).platforms == named


def test_several_parts_and_platforms_are_named_each() -> None:
    """A platform without a main service is named as ever."""
    held = incident(
        "https://web.whatsapp.com/",
        "https://v.whatsapp.net/",
        "https://m.facebook.com/",
        platforms=("facebook", "whatsapp"),
    )
    assert PARTS.shown(held).platforms == ("facebook", "whatsapp (registration, web)")


def test_nothing_is_known_without_a_catalogue() -> None:
    """Names stay, and so does everything else of an incident."""
    held = incident(WEB)
    assert Parts().shown(held) == held
    retired = Service(name="web", rule="each", endpoints=(Endpoint(WEB),), main=True, retired="2020")
    platform = Platform(id="telegram", names={}, category="COMT", services=(retired,))
    assert Parts.of([platform]).shown(held) == held
