"""Citizen Lab test lists: the CSV in, one TOML file of the user's out. The lists themselves are never shipped.

The format is ``url,category_code,category_description,date_added,source,notes`` (github.com/citizenlab/test-lists). Its
licence, CC BY-NC-SA 4.0, is not ours, so a user brings the file; every row keeps where it came from.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from targets.address import parse_endpoint, shown
from targets.categories import CATEGORIES
from targets.loader import Site, SiteList
from targets.model import TargetError

COLUMNS = ("url", "category_code", "category_description", "date_added", "source", "notes")
_NEEDED = ("url", "category_code")
_LONGEST_FILE = 50_000_000
"""Bytes. The longest of the public lists has 200 KB; a file that is not one at all should not fill the memory."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be measured: its line in the CSV file (from 1), and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a CSV file came to. ``repeated`` counts rows whose URL stood further up; the first is kept."""

    sites: tuple[Site, ...]
    rejected: tuple[Rejected, ...] = ()
    repeated: int = 0


def read_csv(content: bytes) -> Imported:
    """The rows of a test list. Rows that cannot be measured are in ``rejected``, all of them.

    Raises :class:`TargetError` where the file as a whole is no such list.
    """
    if len(content) > _LONGEST_FILE:
        raise TargetError("The file is longer than 50 MB: it is no test list.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise TargetError(f"Line {line} is not UTF-8 text: save the file as UTF-8.") from None
    rows = _Rows(text)
    header = rows.header()
    sites: dict[str, Site] = {}
    rejected: list[Rejected] = []
    repeated = 0
    for line, cells in rows:
        try:
            site = _site(header, cells, line)
        except TargetError as fault:
            rejected.append(Rejected(line, str(fault)))
            continue
        repeated += site.url in sites
        sites.setdefault(site.url, site)
    rejected = sorted([*rejected, *rows.rejected], key=lambda row: row.line)
    return Imported(tuple(sites.values()), tuple(rejected), repeated)


class _Rows:
    """The rows of a CSV text with the line that each begins on; a cell may span several lines."""

    def __init__(self, text: str) -> None:
        self.reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        self.rejected: list[Rejected] = []

    def header(self) -> tuple[str, ...]:
        try:
            header = tuple(cell.strip().lower() for cell in next(self.reader, []))
        except csv.Error as fault:
            raise TargetError(f"Line 1 is not CSV: {fault}.") from None
        missing = [column for column in _NEEDED if column not in header]
        if missing:
            raise TargetError(
                f"Line 1 must name the columns {','.join(COLUMNS)}; {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} missing. Is this a Citizen Lab test list?"
            )
        return header

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            line = self.reader.line_num + 1
            try:
                cells = next(self.reader)
            except csv.Error as fault:
                self.rejected.append(Rejected(line, f"This is not CSV: {fault}."))
                continue
            if any(cell.strip() for cell in cells):
                return line, cells


def _site(header: tuple[str, ...], cells: list[str], line: int) -> Site:
    if len(cells) != len(header):
        raise TargetError(f"{len(cells)} columns instead of {len(header)}: is a comma not inside quotes?")
    row = dict(zip(header, (_plain(cell) for cell in cells), strict=True))
    if "://" not in row["url"]:
        raise TargetError(f"{shown(row['url'])} is no URL: it must start with http:// or https://.")
    endpoint = parse_endpoint(row["url"])
    category = row["category_code"].upper()
    if category not in CATEGORIES:
        raise TargetError(f"{shown(row['category_code'])} is no category code of the Citizen Lab.")
    return Site(
        url=endpoint.url,
        category=category,
        added=row.get("date_added", ""),
        source=row.get("source", ""),
        notes=row.get("notes", ""),
        line=line,
    )


def _plain(cell: str) -> str:
    """A cell on one line, without what a terminal would act on and a TOML file cannot hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())


# ---------------------------------------------------------------------------------------------------------------------
# the file that is written


def to_toml(site_list: SiteList) -> str:
    """The TOML file of *site_list*; reading it gives the same list back."""
    lines = [
        "# Written by `dalel targets import`. The rows come from a list of others, under the licence of that list;",
        "# `line` is the line that a row had there. Delete this file to forget the list.",
        "",
        "[list]",
        f"name = {_quoted(site_list.name)}",
        f"origin = {_quoted(site_list.origin)}",
        f"imported = {_quoted(site_list.imported)}",
    ]
    for site in site_list.sites:
        lines += ["", "[[site]]", f"url = {_quoted(site.url)}"]
        for key in ("category", "added", "source", "notes"):
            if value := getattr(site, key):
                lines.append(f"{key} = {_quoted(value)}")
        lines.append(f"line = {site.line}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """*text* as a basic string of TOML: quotes, backslashes and control characters escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def write_list(site_list: SiteList, directory: Path, *, replace: bool = False) -> Path:
    """Write *site_list* as ``NAME.toml`` into *directory*, whole or not at all, and return where.

    Raises :class:`TargetError` if there is such a file already (unless *replace*), or if it cannot be written.
    """
    path = directory / f"{site_list.name}.toml"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _may_write(path, replace=replace)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=directory, suffix=".part", delete=False) as part:
            try:
                part.write(to_toml(site_list))
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).chmod(0o644)
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise TargetError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _may_write(path: Path, *, replace: bool) -> None:
    """Raise :class:`TargetError` if *path* holds something that an import must not write over."""
    if not path.exists():
        return
    if not replace:
        raise TargetError(f"{path} is there already. Use --replace to write over it, or --name for another name.")
    try:
        is_list = "list" in tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        is_list = False
    if not is_list:
        raise TargetError(f"{path} is no imported list and is left alone: give the list another name with --name.")
