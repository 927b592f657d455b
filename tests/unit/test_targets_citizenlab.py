"""Citizen Lab test lists: read row by row, kept with their origin, written whole or not at all."""

import stat

import pytest

from targets.citizenlab import Rejected, read_csv, to_toml, write_list
from targets.loader import Site, SiteList, load_catalogue
from targets.model import TargetError
from targets.select import resolve

HEADER = "url,category_code,category_description,date_added,source,notes\n"


def rows(text):
    return read_csv((HEADER + text).encode())


def test_a_row_keeps_where_it_came_from():
    """Category, date, source, notes, and the line it stood on."""
    imported = rows('https://a.example/x,NEWS,News Media,2014-04-15,citizenlab,"one, two"\n')
    assert imported.sites == (
        Site(
            url="https://a.example/x",
            category="NEWS",
            added="2014-04-15",
            source="citizenlab",
            notes="one, two",
            line=2,
        ),
    )


def test_lines_are_counted_through_cells_that_span_lines():
    """The line that is named is the line in the editor."""
    imported = rows('http://a.example/,NEWS,,,,"one\ntwo"\n\nnope,NEWS,,,,\nhttp://b.example/,GRP,,,,\n')
    assert [site.line for site in imported.sites] == [2, 6]
    assert imported.sites[0].notes == "one two"
    assert imported.rejected == (Rejected(5, "'nope' is no URL: it must start with http:// or https://."),)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.example,NEWS,,,,", "'a.example' is no URL: it must start with http:// or https://."),
        ("http://a.example/,XX,,,,", "'XX' is no category code of the Citizen Lab."),
        ("http://a.example/,NEWS", "2 columns instead of 6: is a comma not inside quotes?"),
        ("http://a.example/,NEWS,,,,,x", "7 columns instead of 6: is a comma not inside quotes?"),
        ("http://a..example/,NEWS,,,,", "'http://a..example/' is not a host name: there is nothing between two dots."),
        ('http://a.example/,"NEWS"x,,,,', "This is not CSV: ',' expected after '\"'."),
    ],
)
def test_a_row_that_cannot_be_measured_has_its_line_and_its_reason(row, reason):
    """The other rows are read all the same."""
    imported = rows(f"http://z.example/,NEWS,,,,\n{row}\nhttp://y.example/,NEWS,,,,\n")
    assert [site.url for site in imported.sites] == ["http://z.example/", "http://y.example/"]
    assert imported.rejected == (Rejected(3, reason),)


def test_a_url_that_stands_twice_is_kept_once():
    """The first of them, and the others are counted."""
    imported = rows("http://a.example/,NEWS,,,,first\nhttp://a.example/,GRP,,,,second\n")
    assert [site.notes for site in imported.sites] == ["first"]
    assert imported.repeated == 1


def test_columns_may_stand_in_another_order():
    """What counts is their names."""
    imported = read_csv(b"\xef\xbb\xbfCategory_Code,URL\r\nnews,http://a.example/\r\n")
    assert imported.sites == (Site(url="http://a.example/", category="NEWS", line=2),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Line 1 must name the columns"),
        (b"a,b\n1,2\n", "url and category_code are missing. Is this a Citizen Lab test list?"),
        (b"url,notes\n", "category_code is missing"),
        (b"url,category_code\nhttp://\xff/,NEWS\n", "Line 2 is not UTF-8 text"),
        (b'"url,category_code\n', "Line 1 is not CSV"),
    ],
)
def test_a_file_that_is_no_list_is_told(content, message):
    """With what a list looks like."""
    with pytest.raises(TargetError, match=message):
        read_csv(content)


MADE = SiteList(
    name="mine", origin="kz.csv", imported="2026-11-21", sites=(Site(url="http://a.example/", category="NEWS", line=2),)
)


def test_what_is_written_becomes_a_list_of_the_users(tmp_path):
    """``@mine`` from the next start on, with every row's origin."""
    path = write_list(MADE, tmp_path / "new" / "targets")
    assert path.name == "mine.toml"
    catalogue = load_catalogue(path.parent)
    assert [(s.name, s.origin, s.imported, s.sites) for s in catalogue.site_lists] == [
        ("mine", "kz.csv", "2026-11-21", MADE.sites)
    ]
    assert [asked.endpoint.url for asked in resolve(["@mine"], catalogue)] == ["http://a.example/"]


def test_a_list_is_not_written_over_unless_told(tmp_path):
    """And then whole."""
    path = write_list(MADE, tmp_path)
    with pytest.raises(TargetError, match=r"is there already\. Use --replace"):
        write_list(MADE, tmp_path)
    path.write_text(path.read_text().replace("a.example", "b.example"))
    write_list(MADE, tmp_path, replace=True)
    assert path.read_text() == to_toml(MADE)


@pytest.mark.parametrize("content", ['id = "mine"\n', "not [ toml"])
def test_a_file_that_is_no_list_is_never_written_over(tmp_path, content):
    """It may be a platform that somebody wrote by hand."""
    (tmp_path / "mine.toml").write_text(content)
    with pytest.raises(TargetError, match="is no imported list and is left alone"):
        write_list(MADE, tmp_path, replace=True)
    assert (tmp_path / "mine.toml").read_text() == content


def test_nothing_is_left_behind_when_writing_fails(tmp_path, monkeypatch):
    """A full disk leaves the old list, or none, and no half of one."""
    import errno
    import os

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TargetError, match=r"mine\.toml cannot be written: No space left on device\."):
        write_list(MADE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_file_can_be_read_by_others(tmp_path):
    """It is no secret, and the daemon may run as another user."""
    assert stat.S_IMODE(write_list(MADE, tmp_path).stat().st_mode) == 0o644
