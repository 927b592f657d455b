"""What is kept of a body, whatever its bytes are."""

import gzip
import time
import zlib

import pytest

from probe.instruments.http.body import (
    MAX_POINTS,
    MAX_TITLE,
    Progress,
    Unpacker,
    scrub,
    sketch,
    tags_sketch,
    title,
    to_text,
)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"hello" * 100)),
        ("X-GZIP ", gzip.compress(b"hello" * 100)),
        ("deflate", zlib.compress(b"hello" * 100)),
        ("deflate", zlib.compress(b"hello" * 100, wbits=-15)),
        ("", b"hello" * 100),
        ("identity", b"hello" * 100),
        ("br", b"hello" * 100),
    ],
)
def test_bodies_are_unpacked_piece_by_piece(encoding: str, packed: bytes):
    """gzip and both deflates are undone; anything else stays as it came."""
    unpacker = Unpacker(encoding)

    assert b"".join(unpacker.feed(packed[at : at + 7], 10_000) for at in range(0, len(packed), 7)) == b"hello" * 100
    assert not unpacker.broken


def test_a_bomb_gives_no_more_than_the_room():
    """A gigabyte of zeros in a megabyte unpacks to exactly what was asked for."""
    squeeze = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeeze.compress(bytes(1_000_000)) for _ in range(1000)) + squeeze.flush()

    assert len(Unpacker("gzip").feed(bomb, 10_240)) == 10_240
    assert Unpacker("gzip").feed(bomb, 0) == b""


def test_what_is_not_packed_is_broken_and_empty():
    """A lie about the encoding is noted, not raised."""
    unpacker = Unpacker("gzip")

    assert unpacker.feed(b"not gzip at all", 100) == b""
    assert unpacker.broken


def test_the_curve_has_its_first_and_last_point_and_few_between():
    """Ten thousand reads are at most 65 points in order."""
    progress = Progress()
    for n in range(10_000):
        progress.add(n, n * 10)

    assert progress.points[0] == (0, 0)
    assert progress.points[-1] == (9_999, 99_990)
    assert len(progress.points) <= MAX_POINTS
    assert list(progress.points) == sorted(progress.points)


def test_a_short_curve_is_whole():
    """Few points are all kept; none is none."""
    assert Progress().points == ()
    progress = Progress()
    progress.add(5, 1)
    progress.add(6, 2)

    assert progress.points == ((5, 1), (6, 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<html><TITLE lang=x>\n Access  denied </title>", "Access denied"),
        ("<title>never closed", "never closed"),
        ("<title", None),
        ("no tag", None),
        ("<title></title>", ""),
        ("İ" * 10 + "<title>ok</title>", "ok"),
        ("<title>\x1b[31mred</title>", "\x1b[31mred"),
    ],
)
def test_titles(text: str, expected: str | None):
    """The first title, white space folded, raw otherwise; making it harmless is the screen's business."""
    assert title(text) == expected


def test_a_title_is_capped():
    """A megabyte of title is 300 characters."""
    assert len(title("<title>" + "x" * 1_000_000) or "") == MAX_TITLE


def test_hostile_markup_costs_linear_time():
    """Ten thousand tags that never close are read in no time."""
    started = time.process_time()
    title("<title" * 10_000)
    sketch("<" * 65_536)
    sketch("<a" * 30_000)

    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("Доступ ограничен".encode("cp1251"), "text/html; charset=windows-1251", "Доступ ограничен"),
        (b'<meta charset="koi8-r">' + "Доступ".encode("koi8-r"), "text/html", '<meta charset="koi8-r">Доступ'),
        ("Қолжетімді".encode(), "text/html", "Қолжетімді"),
        (b"a\x00b\xff", "text/html", "a�b�"),
        (b"YWJj", "text/html; charset=base64", "YWJj"),
        (b"abc", "text/html; charset=unicode_escape", "abc"),
        (b"abc", 'text/html; charset="UTF-8"; x', "abc"),
    ],
)
def test_bodies_as_text(body: bytes, content_type: str, expected: str):
    """The named charset if it is a usual one, else UTF-8; NUL and nonsense become the replacement character."""
    assert to_text(body, content_type) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Your IP is 192.0.2.1.", "Your IP is own-address."),
        ("?ip=192.0.2.1&x", "?ip=own-address&x"),
        ("192.0.2.1", "own-address"),
        ("192.0.2.10 1192.0.2.1 192.0.2.1.5", "192.0.2.10 1192.0.2.1 192.0.2.1.5"),
        ("nothing", "nothing"),
    ],
)
def test_the_own_address_is_taken_out(text: str, expected: str):
    """The whole address goes, and no other that contains its digits."""
    assert scrub(text, "192.0.2.1") == expected
    assert scrub("from 2001:db8::1, 2001:db8::12", "2001:db8::1") == "from own-address, 2001:db8::12"


def test_sketches_of_one_template_are_close_and_of_strangers_far():
    """Two copies of a block page differ in few bits, two pages about different things in many."""

    def distance(one: str, other: str) -> int:
        return (int(sketch(one) or "0", 16) ^ int(sketch(other) or "0", 16)).bit_count()

    page = "<h1>Access denied</h1> " + " ".join(f"word{n} of the law" for n in range(100))
    stranger = " ".join(f"cats{n} sleep on mats" for n in range(100))

    assert distance(page, page.replace("word7 ", "name ")) <= 6
    assert distance(page, stranger) >= 16


def test_a_sketch_is_sixteen_digits_or_nothing():
    """Words give 64 bits in hex, and the same ones on every machine; no words give none."""
    assert sketch("<p></p>") is None
    assert sketch("Access denied by law") == sketch("<b>access</b> DENIED by law")
    assert len(sketch("one") or "") == 16
    assert sketch("one two three four") == "0044101151421a32"


def test_tags_tell_how_a_page_is_built():
    """Other words in the same tags make the same sketch, other tags another one; no tags, none."""
    page = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>{0} {0}<p><a href=x>{0}</a></body></html>"
    other = "<table><tr><td><img src=x></td></tr></table><form><input><input></form><script></script>"

    assert tags_sketch(page.format("one")) == tags_sketch(page.format("two three"))
    assert tags_sketch(page.format("one")) != tags_sketch(other)
    assert tags_sketch("no tags < here >") is None
    assert len(tags_sketch("<p" * 100_000) or "") == 16
