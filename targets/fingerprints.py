"""Public lists of block pages: their CSV in, one JSON file of the user's out, and which of them a page or an answer matches.

The columns are those of OONI's and the Citizen Lab's ``fingerprints_http.csv`` and ``fingerprints_dns.csv``
(github.com/ooni/blocking-fingerprints, 2024-10). They have no licence of ours, so a user brings the file, and none is shipped.
A file is taken whole or not at all; what is wrong with it is told of every row, with its line.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from targets.model import TargetError

Kind = Literal["http", "dns"]
Manner = Literal["full", "prefix", "contains", "regexp"]

SCHEMA = "dalel.fingerprints/1"
DIRECTORY = "fingerprints"
KINDS: tuple[Kind, ...] = ("http", "dns")
MANNERS: tuple[Manner, ...] = ("full", "prefix", "contains", "regexp")
SCOPES = ("nat", "isp", "prod", "inst", "vbw", "fp", "injb", "prov")
"""national, provider, filter product, school or company, very broad wording, false positive; the last two are rare."""
COLUMNS = (
    "name", "scope", "other_names", "location_found", "pattern_type", "pattern", "confidence_no_fp", "expected_countries",
    "source", "exp_url", "notes",
)  # fmt: skip
_NEEDED = ("name", "scope", "location_found", "pattern_type", "pattern", "expected_countries")
_LONGEST_FILE = 20_000_000
_LONGEST_NAME = 120
_LONGEST_PATTERN = 4_000
_SHORTEST_PATTERN = 4
"""Characters. A shorter one is found in half of all pages."""
_MOST_TEXT = 65_536
_MOST_MARKS = 8
_PLACES = re.compile(r"body|dns|header\.[a-z0-9-]{1,60}")
_COUNTRY = re.compile(r"[A-Z]{2}")
# Python tries every way to divide a text between two repetitions, one inside the other: a page could stop the program so.
_LOOKS = re.compile(r"\\[1-9]|\(\?P=|\(\?[=!<]")
_ENDLESS = re.compile(r"(?<!\\)[*+]|(?<!\\)\{\d*,\d*\}")
_MOST_ENDLESS = 2
_MOST_FOR_REGEXP = 8_192
_NESTED = re.compile(r"[+*}]\)?[+*{]|\([^()]*[+*][^()]*\)[+*{]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """One row. ``place``: ``body``, ``dns`` (an answer's address or name) or ``header.NAME``, in lower case."""

    name: str
    scope: str
    place: str
    manner: Manner
    pattern: str
    countries: tuple[str, ...] = ()
    line: int = 0

    def expects(self, country: str | None) -> bool:
        """Whether it is known as a national or a provider's page of *country*."""
        return self.scope in ("nat", "isp") and country is not None and country.upper() in self.countries


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be used: its line in the CSV file (from 1), and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a CSV file came to."""

    kind: Kind
    fingerprints: tuple[Fingerprint, ...]
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One imported list as it is kept. ``version`` is a hash of its rows: the same rows, the same version."""

    kind: Kind
    origin: str
    imported: str
    fingerprints: tuple[Fingerprint, ...]
    file: str = ""

    @property
    def version(self) -> str:
        rows = json.dumps([asdict(one) for one in self.fingerprints], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(rows.encode(errors="replace")).hexdigest()[:12]


@dataclass(frozen=True)
class Shelf:
    """All imported lists of one user."""

    books: tuple[Book, ...] = ()
    _patterns: dict[str, re.Pattern[str]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def version(self) -> str:
        """Which lists were in force, for the run's record: ``http 0123456789ab dns …``; empty without any."""
        return " ".join(f"{book.kind} {book.version}" for book in self.books)

    @cached_property
    def _by_place(self) -> dict[str, tuple[Fingerprint, ...]]:
        found: dict[str, list[Fingerprint]] = {}
        for book in self.books:
            for one in book.fingerprints:
                found.setdefault(one.place, []).append(one)
        return {place: tuple(ones) for place, ones in found.items()}

    @property
    def places(self) -> frozenset[str]:
        """Where any of them looks."""
        return frozenset(self._by_place)

    def matches(self, texts: Mapping[str, Sequence[str]]) -> tuple[Fingerprint, ...]:
        """Those that match what stands at their place, false positives first, then by name; at most eight.

        *texts*: place → what stands there. No more than the first 64 Ki characters of anything are looked at.
        """
        found = [
            one
            for place, values in texts.items()
            for one in self._by_place.get(place, ())
            if any(self._is_in(one, value[:_MOST_TEXT]) for value in values)
        ]
        return tuple(sorted(found, key=lambda one: (one.scope != "fp", one.name))[:_MOST_MARKS])

    def _is_in(self, one: Fingerprint, text: str) -> bool:
        if one.manner == "full":
            return text == one.pattern
        if one.manner == "prefix":
            return text.startswith(one.pattern)
        if one.manner == "contains":
            return one.pattern in text
        pattern = self._patterns.get(one.pattern)
        if pattern is None:
            pattern = self._patterns[one.pattern] = re.compile(one.pattern, re.DOTALL)
        return pattern.search(text[:_MOST_FOR_REGEXP]) is not None


# ---------------------------------------------------------------------------------------------------------------------
# CSV


def read_csv(content: bytes) -> Imported:
    """The rows of a list, and all that is wrong with it. Raises :class:`TargetError` where it is no such list at all."""
    if len(content) > _LONGEST_FILE:
        raise TargetError("The file is longer than 20 MB: it is no list of fingerprints.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise TargetError(f"Line {line} is not UTF-8 text: save the file as UTF-8.") from None
    found: dict[str, Fingerprint] = {}
    rejected: list[Rejected] = []
    for line, row in _rows(text, rejected):
        try:
            one = _fingerprint(row, line)
        except TargetError as fault:
            rejected.append(Rejected(line, str(fault)))
            continue
        if one.name in found:
            first = found[one.name].line
            rejected.append(Rejected(line, f"the name {_shown(one.name)} stands on line {first} already."))
        found.setdefault(one.name, one)
    kind = _kind(found.values())
    strays = [one for one in found.values() if (one.place == "dns") != (kind == "dns")]
    rejected += [
        Rejected(one.line, f"the location {one.place} does not belong into the list of {kind}.") for one in strays
    ]
    kept = tuple(one for one in found.values() if one not in strays)
    return Imported(kind, kept, tuple(sorted(rejected, key=lambda row: row.line)))


def _rows(text: str, rejected: list[Rejected]) -> Iterable[tuple[int, dict[str, str]]]:
    """Rows by column, with the line that each begins on; those that are no CSV go to *rejected*."""
    limit = csv.field_size_limit(_LONGEST_FILE)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = _header(reader)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as fault:
                rejected.append(Rejected(line, f"this is not CSV: {fault}."))
                continue
            if cells is None:
                return
            if len(cells) != len(header):
                if any(cell.strip() for cell in cells):
                    told = f"{len(cells)} columns instead of {len(header)}: is a comma not inside quotes?"
                    rejected.append(Rejected(line, told))
                continue
            yield line, dict(zip(header, cells, strict=True))
    finally:
        csv.field_size_limit(limit)


def _header(reader: Any) -> tuple[str, ...]:
    try:
        header = tuple(cell.strip().lower() for cell in next(reader, []))
    except csv.Error as fault:
        raise TargetError(f"Line 1 is not CSV: {fault}.") from None
    missing = [column for column in _NEEDED if column not in header]
    if missing:
        raise TargetError(
            f"Line 1 must name the columns {','.join(COLUMNS)}; {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing. Is this fingerprints_http.csv or fingerprints_dns.csv?"
        )
    return header


def _fingerprint(row: Mapping[str, str], line: int) -> Fingerprint:
    scope, place, manner = (row[key].strip().lower() for key in ("scope", "location_found", "pattern_type"))
    countries = tuple(part.upper() for part in re.split(r"[\s,;]+", row["expected_countries"].strip()) if part)
    wrong = [country for country in countries if not _COUNTRY.fullmatch(country)]
    for told in (
        _wrong_name(row["name"].strip()),
        "" if scope in SCOPES else f"the scope {_shown(scope)} is none of {', '.join(SCOPES)}.",
        "" if _PLACES.fullmatch(place) else f"the location {_shown(place)} is none of body, dns, header.NAME.",
        "" if manner in MANNERS else f"the pattern type {_shown(manner)} is none of {', '.join(MANNERS)}.",
        f"{_shown(wrong[0])} is no country code of two letters." if wrong else "",
        _wrong_pattern(row["pattern"], manner),
    ):
        if told:
            raise TargetError(told)
    return Fingerprint(
        name=row["name"].strip(),
        scope=scope,
        place=place,
        manner=next(known for known in MANNERS if known == manner),
        pattern=row["pattern"],
        countries=countries,
        line=line,
    )


def _wrong_name(name: str) -> str:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        return f"the name must be one to {_LONGEST_NAME} visible characters."
    return ""


def _wrong_pattern(pattern: str, manner: str) -> str:
    """What is wrong with a pattern; empty if nothing is."""
    if not _SHORTEST_PATTERN <= len(pattern.strip()) <= _LONGEST_PATTERN:
        return f"the pattern must have {_SHORTEST_PATTERN} to {_LONGEST_PATTERN} characters."
    if manner != "regexp":
        return ""
    if _NESTED.search(pattern) or _LOOKS.search(pattern) or len(_ENDLESS.findall(pattern)) > _MOST_ENDLESS:
        return "the regular expression could take for ever: too many repetitions, one in another, or a look around."
    try:
        re.compile(pattern, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as fault:
        return f"the regular expression cannot be read: {fault}."
    return ""


def _kind(found: Iterable[Fingerprint]) -> Kind:
    """Which of the two lists it is, by where most of its rows look."""
    by_dns = [one.place == "dns" for one in found]
    return "dns" if by_dns and sum(by_dns) * 2 > len(by_dns) else "http"


def _shown(text: str) -> str:
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:60])
    return f"'{plain}'"


# ---------------------------------------------------------------------------------------------------------------------
# the file that is kept


def write(book: Book, directory: Path) -> Path:
    """Write *book* into *directory*, whole or not at all, in place of the list of its kind; return where.

    Raises :class:`TargetError` if it cannot be written.
    """
    path = directory / f"{book.kind}.json"
    document = {
        "schema": SCHEMA,
        "kind": book.kind,
        "origin": book.origin,
        "imported": book.imported,
        "fingerprints": [asdict(one) for one in book.fingerprints],
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=directory, suffix=".part", delete=False) as part:
            try:
                json.dump(document, part, ensure_ascii=False, indent=1)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise TargetError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def load(directory: Path) -> Shelf:
    """The lists that were imported into *directory*; none is no error. Raises :class:`TargetError` for a damaged file."""
    return Shelf(tuple(_book(path) for kind in KINDS if (path := directory / f"{kind}.json").exists()))


def _book(path: Path) -> Book:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise TargetError(f"{path} was written by another version of this program. Import the list again.")
        ones = tuple(Fingerprint(**one | {"countries": tuple(one["countries"])}) for one in document["fingerprints"])
        for one in ones:
            if _wrong_pattern(one.pattern, one.manner):
                raise TargetError(f"{path} is damaged. Import the list again.")
        return Book(
            kind=document["kind"],
            origin=document["origin"],
            imported=document["imported"],
            fingerprints=ones,
            file=str(path),
        )
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, TargetError):
            raise
        raise TargetError(f"{path} is damaged. Import the list again.") from error
