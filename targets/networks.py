"""Which network an address belongs to, by a table that the user brings: one file a family, searched as it is.

Kept is what has to be searched: the sorted first addresses of all stretches, where the name of each stands, and the names. So
a table of half a million rows is some megabytes, nothing but its first line is read before the first question, and nothing
is made of it: a question costs twenty comparisons of bytes. No address is ever looked up elsewhere. How tables are read from
other people's formats is :mod:`targets.networks_tables`' business.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, Literal

from targets.model import TargetError

Family = Literal["v4", "v6"]

SCHEMA = "dalel.networks/1"
DIRECTORY = "networks"
FAMILIES: tuple[Family, ...] = ("v4", "v6")
WIDTH: dict[Family, int] = {"v4": 4, "v6": 16}
_MAGIC = b"dalel networks\n"
_INDEX = 4
_NOBODY = 0
"""In place of a name: nobody announces this stretch. Names stand one byte farther than their number says."""
_LONGEST_HEAD = 4_096
_LONGEST_FILE = 64_000_000


@dataclass(frozen=True, slots=True)
class Owner:
    """A network as tables have it: its number (RFC 6793), its name, and a country's two letters where one is told."""

    asn: int
    name: str
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Addresses *first* to *last*, both included, in network byte order, and whose they are."""

    first: bytes
    last: bytes
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a table without reading it. ``version``: a hash of its content. ``stretches`` counts the
    rows that were imported, ``rows`` those that are searched.
    """

    family: Family
    origin: str
    imported: str
    stretches: int
    owners: int
    version: str
    rows: int
    names_bytes: int


@dataclass(frozen=True)
class Table:
    """One table as it is kept. Nothing but its head is read before the first question."""

    path: Path
    head: Head
    offset: int

    @property
    def family(self) -> Family:
        return self.head.family

    def owner_of(self, packed: bytes) -> Owner | None:
        """Whose the address is, in network byte order; ``None`` where nobody announces it, or the file has been spoilt."""
        content = self._content
        if content is None or not self.head.rows:
            return None
        width = WIDTH[self.family]
        row = bisect.bisect_right(range(self.head.rows), packed, key=lambda n: content[n * width : (n + 1) * width]) - 1
        if row < 0:
            return None
        at = self.head.rows * width + row * _INDEX
        place = int.from_bytes(content[at : at + _INDEX], "big")
        return self._named(content, place) if place != _NOBODY else None

    def _named(self, content: bytes, place: int) -> Owner:
        begins = len(content) - self.head.names_bytes + place - 1
        number, country, name = content[begins : content.index(b"\n", begins)].decode().split("\t")
        return Owner(int(number), name, country or None)

    @cached_property
    def _content(self) -> bytes | None:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                content = file.read(_LONGEST_FILE)
        except OSError:
            return None
        return content if _version(content) == self.head.version else None


@dataclass(frozen=True)
class Atlas:
    """All tables of one user."""

    tables: tuple[Table, ...] = ()
    _known: dict[str, Owner | None] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def version(self) -> str:
        """Which tables were in force, for the run's record: ``v4 0123456789ab v6 …``; empty without any."""
        return " ".join(f"{table.family} {table.head.version}" for table in self.tables)

    def owner_of(self, address: str) -> Owner | None:
        """Whose *address* is; ``None`` where no table tells it, and for what is no address."""
        if address not in self._known:
            self._known[address] = self._found(address)
        return self._known[address]

    def _found(self, address: str) -> Owner | None:
        family: Family = "v6" if ":" in address else "v4"
        table = next((table for table in self.tables if table.family == family), None)
        try:
            packed = inet_pton(AF_INET6 if family == "v6" else AF_INET, address)
        except OSError:
            return None
        return table.owner_of(packed) if table is not None else None


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


# ---------------------------------------------------------------------------------------------------------------------
# the file that is kept


def write(family: Family, stretches: Sequence[Stretch], directory: Path, *, origin: str, imported: str) -> Table:
    """Write *stretches*, sorted and apart from each other, into *directory*, whole or not at all, in place of the table of
    their family. Raises :class:`TargetError` if it cannot be written.
    """
    content, owners, names_bytes, rows = _packed(family, stretches)
    head = Head(
        family=family,
        origin=origin,
        imported=imported,
        stretches=len(stretches),
        owners=owners,
        version=_version(content),
        rows=rows,
        names_bytes=names_bytes,
    )
    path = directory / f"{family}.table"
    first = _MAGIC + json.dumps({"schema": SCHEMA, **_fields(head)}, ensure_ascii=False).encode() + b"\n"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, suffix=".part", delete=False) as part:
            try:
                part.write(first + content)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise TargetError(f"{path} cannot be written: {error.strerror}.") from error
    return Table(path, head, len(first))


def _fields(head: Head) -> dict[str, Any]:
    return {name: getattr(head, name) for name in Head.__dataclass_fields__}


def _packed(family: Family, stretches: Sequence[Stretch]) -> tuple[bytes, int, int, int]:
    """The content of a file: first addresses, places of names, names; and how many owners, bytes of names, and rows.

    Neighbours of one owner are one row; between those that do not touch stands a row of nobody's.
    """
    width, most = WIDTH[family], 1 << (8 * WIDTH[family])
    places: dict[Owner, int] = {}
    names, firsts, indices = bytearray(), bytearray(), bytearray()
    before, free = _NOBODY, 0

    def begin(first: int, place: int) -> None:
        nonlocal before
        if place != before:
            firsts.extend(first.to_bytes(width, "big"))
            indices.extend(place.to_bytes(_INDEX, "big"))
            before = place

    for stretch in stretches:
        start = int.from_bytes(stretch.first, "big")
        if start > free:
            begin(free, _NOBODY)
        owner = stretch.owner
        if owner not in places:
            places[owner] = len(names) + 1
            names += f"{owner.asn}\t{owner.country or ''}\t{owner.name}\n".encode()
        begin(start, places[owner])
        free = int.from_bytes(stretch.last, "big") + 1
    if free < most:
        begin(free, _NOBODY)
    return bytes(firsts + indices + names), len(places), len(names), len(indices) // _INDEX


def load(directory: Path) -> Atlas:
    """The tables that were imported into *directory*; none is no error. Raises :class:`TargetError` for a damaged file."""
    return Atlas(tuple(_table(path) for family in FAMILIES if (path := directory / f"{family}.table").exists()))


def _table(path: Path) -> Table:
    try:
        with path.open("rb") as file:
            beginning = file.read(_LONGEST_HEAD)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {error.strerror}.") from error
    line, _, _ = beginning.removeprefix(_MAGIC).partition(b"\n")
    offset = len(_MAGIC) + len(line) + 1
    try:
        document = json.loads(line) if beginning.startswith(_MAGIC) else {}
        schema = document.pop("schema", SCHEMA)
        head = Head(**document) if schema == SCHEMA else None
        if head is not None and not _fits(head, path, size - offset):
            head = None
    except (ValueError, KeyError, TypeError, AttributeError):
        head = None
    if head is None:
        raise TargetError(f"{path} is damaged, or of another version of this program. Import the table again.")
    return Table(path, head, offset)


def _fits(head: Head, path: Path, size: int) -> bool:
    return f"{head.family}.table" == path.name and size == head.rows * (WIDTH[head.family] + _INDEX) + head.names_bytes
