"""Likeness of pages: all four measures must differ before two pages are called very unlike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probe.instruments.http import body
from probe.observations import HttpFact
from probe.verdict.similarity import likeness, very_unlike

WORDS = {
    "en": "the weather of the coming days will be dry and cold in the north while rain falls in the south of the country",
    "ru": "погода ближайших дней будет сухой и холодной на севере а на юге страны ожидаются дожди и сильный ветер",
    "news": "parliament voted on the budget last night after a long debate and the opposition left the hall in protest",
}
NOTICE = (
    "<html><head><title>{title}</title></head><body><center><table><tr><td><img src=x><td><h2>Уважаемый абонент</h2>"
    "<p>Запрошенный вами ресурс недоступен. Обратитесь в службу поддержки оператора связи.</table></center></body></html>"
)


def site(words: str, times: int = 12, title: str = "Weather of the day") -> str:
    """A page of some site: a menu, and paragraphs."""
    menu = "<ul>" + "<li><a href=x>menu</a></li>" * 6 + "</ul>"
    paragraphs = "".join(f"<div class=card><h3>{n}</h3><p>{words} {n}</p></div>" for n in range(times))
    return f"<!doctype html><html><head><title>{title}</title></head><body><nav>{menu}</nav>{paragraphs}</body></html>"


def fact(text: str, **changes: object) -> HttpFact:
    """What is kept of a page."""
    known = HttpFact(
        method="GET",
        url="http://weather.example/",
        verified_chain=False,
        status=200,
        title=body.title(text),
        body_length=len(text.encode()),
        body_sketch=body.sketch(text),
        tags_sketch=body.tags_sketch(text),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


HERE = fact(NOTICE.format(title="Внимание"))
THERE = fact(site(WORDS["en"]))


def test_a_notice_is_very_unlike_the_site() -> None:
    """Short, and different in words, tags, length and title."""
    found = likeness(HERE, THERE)
    assert found is not None
    assert found.is_very_unlike
    assert very_unlike(HERE, THERE)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(site(WORDS["ru"], title="Погода дня"), id="another language"),
        pytest.param(site(WORDS["news"], title="Budget"), id="another hour"),
        pytest.param(site(WORDS["en"], times=4), id="a shorter one"),
        pytest.param(site(WORDS["news"], times=5, title="Budget"), id="another hour, and shorter"),
        pytest.param(site(WORDS["en"]), id="the same"),
    ],
)
def test_faces_of_one_site_are_not(other: str) -> None:
    """What is built alike is the site's own, whatever is written on it."""
    assert not very_unlike(fact(other), THERE)
    assert not very_unlike(THERE, fact(other))


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Weather"},
        {"body_sketch": THERE.body_sketch},
        {"tags_sketch": THERE.tags_sketch},
        {"body_length": 20_000},
        {"body_truncated": True},
        {"status": 503},
        {"body_sketch": None},
        {"tags_sketch": None},
        {"tags_sketch": "no sketch"},
        {"body_length": None},
    ],
)
def test_one_likeness_is_enough_to_say_nothing(changes: dict[str, object]) -> None:
    """Each measure by itself takes it back, and so does whatever is not known."""
    assert not very_unlike(replace(HERE, **changes), THERE)  # type: ignore[arg-type]


def test_a_notice_may_be_padded() -> None:
    """To the byte as long as the site's page, it is still another one; but then words and tags must say so clearly."""
    padded = replace(HERE, body_length=THERE.body_length)
    assert very_unlike(padded, THERE)
    near = f"{int(THERE.tags_sketch or '', 16) ^ 0xFFFF:016x}"  # 16 bits away
    assert not very_unlike(replace(padded, tags_sketch=near), THERE)
    assert very_unlike(replace(HERE, tags_sketch=near), THERE)


def test_without_any_title_nothing_is_said() -> None:
    """Two pages without a title have that in common."""
    assert not very_unlike(replace(HERE, title=None), replace(THERE, title=None))
    assert very_unlike(replace(HERE, title=None), THERE)


def test_a_page_that_was_cut_off_is_at_least_so_long() -> None:
    """The longer one may be cut off, as a control's is at its cap; the shorter one may not."""
    assert very_unlike(HERE, replace(THERE, body_truncated=True))
    assert likeness(replace(HERE, body_truncated=True), THERE) is None
