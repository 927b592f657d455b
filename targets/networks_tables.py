"""Tables of networks in other people's formats, read whole: every fault is told at once, with its line.

Two are known. Tab-separated text with a range a line, ``range_start range_end AS_number country_code AS_description``, as
iptoasn.com gives it away (public domain, PDDL; ``ip2asn-v4.tsv``, ``-v6`` and ``-combined``, compressed or not). And a MaxMind
DB of networks, which needs the package ``maxminddb`` (extra ``[mmdb]``) while it is imported, and never afterwards.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from targets.model import TargetError
from targets.networks import FAMILIES, Family, Owner, Stretch

_GZIP = b"\x1f\x8b"
_MMDB = b"\xab\xcd\xefMaxMind.com"
_MMDB_TAIL = 131_072
_LONGEST_FILE = 200_000_000
"""Bytes, when decompressed: ten times what all of the Internet takes."""
_MOST_ROWS = 4_000_000
_LONGEST_NAME = 80
_COLUMNS = 5
_COUNTRY = re.compile(r"[A-Z]{2}")
_NO_COUNTRY = ("", "None", "Unknown")
_MOST_ASN = 2**32 - 1
_AS = re.compile(r"AS(\d{1,10})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be used: its line (from 1), and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Imported:
    """What a file came to: stretches by family, sorted and apart from each other, and the rows that cannot be used."""

    stretches: dict[Family, list[Stretch]] = field(default_factory=lambda: {family: [] for family in FAMILIES})
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(self.stretches.values())


def read(path: Path) -> Imported:
    """The table in *path*. Raises :class:`TargetError` where it is none at all, and ``OSError``."""
    size = path.stat().st_size
    if size > _LONGEST_FILE:
        raise TargetError("The file is longer than 200 MB: it is no table of networks.")
    content = path.read_bytes()
    if _MMDB in content[-_MMDB_TAIL:]:
        return _read_mmdb(content)
    return read_tsv(_decompressed(content) if content.startswith(_GZIP) else content)


def _decompressed(content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            text = file.read(_LONGEST_FILE + 1)
    except (OSError, EOFError, zlib.error) as fault:
        raise TargetError(f"The file is compressed, and damaged: {fault}.") from None
    if len(text) > _LONGEST_FILE:
        raise TargetError("The file is longer than 200 MB when it is decompressed: it is no table of networks.")
    return text


# ---------------------------------------------------------------------------------------------------------------------
# tab-separated text


def read_tsv(content: bytes) -> Imported:
    """The rows of a table in text, and all that is wrong with it. Rows of addresses that nobody announces (number 0) are
    left out in silence: they say so themselves.
    """
    found = Imported()
    rows: dict[Family, list[tuple[Stretch, int]]] = {family: [] for family in FAMILIES}
    owners: dict[tuple[bytes, bytes, bytes], Owner] = {}
    for line, row in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        if not row.strip():
            continue
        try:
            read_row = _row(row, owners)
        except TargetError as fault:
            found.rejected.append(Rejected(line, str(fault)))
            continue
        if read_row is not None:
            rows["v4" if len(read_row.first) == 4 else "v6"].append((read_row, line))
        if line > _MOST_ROWS:
            raise TargetError(f"The file has more than {_MOST_ROWS:,} lines: it is no table of networks.")
    for family in FAMILIES:
        found.stretches[family] = _apart(rows[family], found.rejected)
    found.rejected.sort(key=lambda rejected: rejected.line)
    return found


def _row(row: bytes, owners: dict[tuple[bytes, bytes, bytes], Owner]) -> Stretch | None:
    cells = row.rstrip(b"\r").split(b"\t")
    if len(cells) != _COLUMNS:
        raise TargetError(f"{len(cells)} column{'s' * (len(cells) != 1)} instead of {_COLUMNS}, divided by tabs.")
    first, last = _address(cells[0]), _address(cells[1])
    if len(first) != len(last):
        raise TargetError("one address is IPv4, and the other is IPv6.")
    if first > last:
        raise TargetError("the first address is higher than the last one.")
    key = (cells[2], cells[3], cells[4])
    owner = owners.get(key)
    if owner is None:
        owner = owners[key] = _owner(*(cell.strip().decode(errors="replace") for cell in key))
    return Stretch(first, last, owner) if owner.asn else None


def _address(cell: bytes) -> bytes:
    text = cell.strip().decode(errors="replace")
    try:
        return inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        raise TargetError(f"{_shown(text)} is no IP address.") from None


def _owner(number: str, country: str, name: str) -> Owner:
    if not (number.isascii() and number.isdigit() and int(number[:11]) <= _MOST_ASN):
        raise TargetError(f"{_shown(number)} is no number of a network (0 to {_MOST_ASN}).")
    if country not in _NO_COUNTRY and not _COUNTRY.fullmatch(country):
        raise TargetError(f"{_shown(country)} is no country code of two letters.")
    return Owner(int(number), _plain(name), country if country not in _NO_COUNTRY else None)


def _plain(name: str) -> str:
    """A name as it is kept: visible characters in one line."""
    kept = "".join(c if c.isprintable() else " " for c in name[: 2 * _LONGEST_NAME])
    return " ".join(kept.split())[:_LONGEST_NAME]


def _apart(rows: list[tuple[Stretch, int]], rejected: list[Rejected]) -> list[Stretch]:
    """Sorted, without those that begin before the one before them has ended: these go to *rejected*."""
    rows.sort(key=lambda row: row[0].first)
    kept: list[Stretch] = []
    last_line = 0
    for stretch, line in rows:
        if kept and stretch.first <= kept[-1].last:
            rejected.append(Rejected(line, f"some of these addresses stand on line {last_line} already."))
            continue
        kept.append(stretch)
        last_line = line
    return kept


def _shown(text: str) -> str:
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:60])
    return f"'{plain}'"


# ---------------------------------------------------------------------------------------------------------------------
# a MaxMind DB


def _read_mmdb(content: bytes) -> Imported:
    try:
        import maxminddb
    except ImportError:
        raise TargetError(
            "This is a MaxMind DB. Reading it needs one more package: install dalel[mmdb], or maxminddb."
        ) from None
    found = Imported()
    try:
        with maxminddb.open_database(io.BytesIO(content), maxminddb.MODE_FD) as database:
            for stretch in _networks(database):
                found.stretches["v4" if len(stretch.first) == 4 else "v6"].append(stretch)
    except (maxminddb.InvalidDatabaseError, ValueError, TypeError, LookupError, OSError, RecursionError) as fault:
        # The package has no one error for all that may be wrong with a file.
        raise TargetError(f"The MaxMind DB is damaged ({type(fault).__name__}).") from None
    if found.is_empty:
        raise TargetError("This MaxMind DB tells no networks: take one of AS numbers, such as GeoLite2-ASN.mmdb.")
    for family in FAMILIES:
        found.stretches[family] = _apart([(one, 0) for one in found.stretches[family]], found.rejected)
    return found


def _networks(database: Iterable[tuple[Any, Any]]) -> Iterator[Stretch]:
    """What the makers of such files call it differs: MaxMind's ``autonomous_system_number``, others' ``asn`` (``AS123``)."""
    for network, record in database:
        number = _number(record)
        if number is None:
            continue
        name = record.get("autonomous_system_organization") or record.get("as_name") or record.get("name") or ""
        country = str(record.get("country_code") or record.get("country") or "")
        owner = Owner(number, _plain(str(name)), country if _COUNTRY.fullmatch(country) else None)
        yield Stretch(network.network_address.packed, network.broadcast_address.packed, owner)


def _number(record: Any) -> int | None:
    """The AS number in a record of a MaxMind DB; ``None`` where it has none."""
    if not isinstance(record, dict):
        return None
    value = record.get("autonomous_system_number", record.get("asn"))
    if isinstance(value, str):
        match = _AS.fullmatch(value)
        value = int(match[1]) if match else None
    return value if isinstance(value, int) and 0 < value <= _MOST_ASN else None
