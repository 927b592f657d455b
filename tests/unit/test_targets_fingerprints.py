"""Imported lists of block pages: the CSV, its faults, the file that is kept, and what matches."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from probe.cli import dalel
from targets.fingerprints import COLUMNS, Book, Fingerprint, Shelf, load, read_csv, write
from targets.model import TargetError

HEAD = ",".join(COLUMNS)
GOOD = (
    'nat.one,nat,,body,contains,"Доступ ограничен, по решению",5,KZ,src,,"two\nlines"',
    "isp.two,isp,,header.Location,prefix,http://warning.example/,5,KZ RU,src,,",
    'fp.three,fp,,body,regexp,"<title>Just a moment.{0,9}</title>",,,src,,',
    "prod.four,prod,,header.server,full,FilterBox,5,,src,,",
)
DNS = ("nat.sink,nat,,dns,full,203.0.113.7,5,KZ,src,,",)


def table(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows, ""]).encode()


def shelf(*rows: str) -> Shelf:
    imported = read_csv(table(*rows))
    assert imported.rejected == ()
    return Shelf((Book(kind=imported.kind, origin="a.csv", imported="2026-11-22", fingerprints=imported.fingerprints),))


def names(found: tuple[Fingerprint, ...]) -> list[str]:
    return [one.name for one in found]


def test_a_list_is_read_whole() -> None:
    """Cells of several lines, Cyrillic, capitals in places, several countries; each row keeps its line."""
    imported = read_csv("\ufeff".encode() + table(*GOOD))
    assert imported.rejected == ()
    assert imported.kind == "http"
    assert [(one.name, one.place, one.manner, one.countries, one.line) for one in imported.fingerprints] == [
        ("nat.one", "body", "contains", ("KZ",), 2),
        ("isp.two", "header.location", "prefix", ("KZ", "RU"), 4),
        ("fp.three", "body", "regexp", (), 5),
        ("prod.four", "header.server", "full", (), 6),
    ]


def test_the_list_of_answers_is_told_by_its_places() -> None:
    """A file of DNS answers needs no name of its own."""
    assert read_csv(table(*DNS)).kind == "dns"


WRONG = (
    ("x,nat,,body,contains,short enough?", "6 columns instead of 11"),
    (",nat,,body,contains,long enough,,,,,", "the name must be"),
    ("x,moon,,body,contains,long enough,,,,,", "the scope 'moon' is none of"),
    ("x,nat,,footer,contains,long enough,,,,,", "the location 'footer' is none of"),
    ("x,nat,,body,glob,long enough,,,,,", "the pattern type 'glob' is none of"),
    ("x,nat,,body,contains,abc,,,,,", "the pattern must have 4 to 4000 characters"),
    ("x,nat,,body,contains,long enough,,Kazakhstan,,,", "'KAZAKHSTAN' is no country code"),
    ("x,nat,,body,regexp,(unclosed,,,,,", "the regular expression cannot be read"),
    ("x,nat,,body,regexp,(a+)+bcd,,,,,", "could take for ever"),
    ("x,nat,,body,regexp,a.*b.*c.*d,,,,,", "could take for ever"),
    ("x,nat,,body,regexp,(?=look)ahead,,,,,", "could take for ever"),
    ("nat.one,nat,,body,contains,long enough,,,,,", "the name 'nat.one' stands on line 2 already"),
    ("x,nat,,dns,full,192.0.2.1,,,,,", "the location dns does not belong into the list of http"),
)


@pytest.mark.parametrize(("row", "reason"), WRONG)
def test_each_fault_is_told_with_its_line(row: str, reason: str) -> None:
    """Nothing that cannot be used gets in unseen."""
    (rejected,) = read_csv(table(*GOOD, row)).rejected
    assert rejected.line == 7
    assert reason in rejected.reason


def test_all_faults_are_told_at_once() -> None:
    """Nobody has to correct one to hear of the next; what is right is still there."""
    imported = read_csv(table(*GOOD, *(row for row, _reason in WRONG)))
    assert len(imported.rejected) == len(WRONG)
    assert [row.line for row in imported.rejected] == sorted(row.line for row in imported.rejected)
    assert names(imported.fingerprints) == ["nat.one", "isp.two", "fp.three", "prod.four"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "must name the columns"),
        (table(head="url,category_code"), "are missing"),
        (b"\xff\xfe", "not UTF-8"),
        (table(head=HEAD.replace("scope,", "")), "scope is missing"),
    ],
)
def test_what_is_no_list_is_refused(content: bytes, told: str) -> None:
    """Another file is told at once, by what is missing in it."""
    with pytest.raises(TargetError, match=told):
        read_csv(content)


def test_each_manner_matches_as_it_says() -> None:
    """Whole, beginning, anywhere, expression; at its own place only."""
    found = shelf(*GOOD)
    page = "<p>Доступ ограничен, по решению суда"
    assert names(found.matches({"body": [page]})) == ["nat.one"]
    assert names(found.matches({"header.location": [page]})) == []
    assert names(found.matches({"header.location": ["http://warning.example/?u=x"]})) == ["isp.two"]
    assert names(found.matches({"header.location": ["x http://warning.example/"]})) == []
    assert names(found.matches({"header.server": ["FilterBox"]})) == ["prod.four"]
    assert names(found.matches({"header.server": ["FilterBox 2"]})) == []


def test_false_alarms_come_first() -> None:
    """A page that is known not to be a block is that before it is anything else."""
    both = "<title>Just a moment...\n</title> Доступ ограничен, по решению"
    assert names(shelf(*GOOD).matches({"body": [both]})) == ["fp.three", "nat.one"]


def test_only_national_and_providers_pages_are_expected() -> None:
    """In the country that the list names, and nowhere else."""
    by_name = {one.name: one for one in read_csv(table(*GOOD)).fingerprints}
    assert by_name["nat.one"].expects("kz")
    assert not by_name["nat.one"].expects("RU")
    assert not by_name["nat.one"].expects(None)
    assert not by_name["prod.four"].expects("KZ")


def test_a_hostile_page_stops_nothing() -> None:
    """The worst expression that is let in, and a page made for it, cost a moment."""
    found = shelf("x,nat,,body,regexp,(a.*b.*c|zzzz),,,,,")
    begun = time.perf_counter()
    assert found.matches({"body": ["a" * 100_000]}) == ()
    assert time.perf_counter() - begun < 20


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """The same rows, the same version; other rows, another one."""
    (book,) = shelf(*GOOD).books
    written = write(book, tmp_path / "new")
    (read,) = load(tmp_path / "new").books
    assert read.fingerprints == book.fingerprints
    assert (read.version, read.file) == (book.version, str(written))
    assert load(tmp_path / "new").version == f"http {book.version}"
    assert shelf(*GOOD[:2]).version != f"http {book.version}"
    assert load(tmp_path / "nowhere") == Shelf()
    assert Shelf().version == ""


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"schema": "dalel.fingerprints/1"}',
        '{"schema": "dalel.fingerprints/2"}',
        json.dumps(
            {
                "schema": "dalel.fingerprints/1",
                "kind": "http",
                "origin": "a",
                "imported": "b",
                "fingerprints": [
                    {"name": "x", "scope": "nat", "place": "body", "manner": "regexp", "pattern": "(", "countries": []}
                ],
            }
        ),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    """Never a traceback, and never silence."""
    (tmp_path / "http.json").write_text(content)
    with pytest.raises(TargetError, match="Import the list again"):
        load(tmp_path)


# ---------------------------------------------------------------------------------------------------------------------
# the command


def run(home: Path, *words: str) -> Result:
    return CliRunner(env={"DALEL_DATA_DIR": str(home), "HOME": str(home)}).invoke(dalel, ["fingerprints", *words])


def test_the_command_imports_lists_and_removes(tmp_path: Path) -> None:
    """From nothing to a list in force and back."""
    file = tmp_path / "mine.csv"
    file.write_bytes(table(*GOOD))
    assert "None is imported" in run(tmp_path, "list").output
    done = run(tmp_path, "import", str(file))
    assert done.exit_code == 0
    assert "4 fingerprints of pages, kept in " in done.output
    assert "http  4 fingerprints of pages from mine.csv" in run(tmp_path, "list").output
    assert run(tmp_path, "remove", "http").exit_code == 0
    assert load(tmp_path / "fingerprints") == Shelf()


def test_a_list_with_faults_is_not_taken(tmp_path: Path) -> None:
    """Whole or not at all, unless the user says so; every fault with file and line."""
    file = tmp_path / "mine.csv"
    file.write_bytes(table(*GOOD, WRONG[1][0], WRONG[2][0]))
    done = run(tmp_path, "import", str(file))
    assert done.exit_code == 2
    assert f"{file}:7: the name" in done.output
    assert f"{file}:8: the scope 'moon'" in done.output
    assert "Nothing was imported." in done.output
    assert load(tmp_path / "fingerprints") == Shelf()
    assert "Left out, line 7" in run(tmp_path, "import", str(file), "--skip-bad-rows").output
    assert len(load(tmp_path / "fingerprints").books[0].fingerprints) == 4
