"""Imported tables of networks: the text, its faults, the file that is kept, and whose an address is."""

from __future__ import annotations

import gzip
import ipaddress
import sys
from pathlib import Path
from typing import Any

import pytest

from targets import networks_tables
from targets.model import TargetError
from targets.networks import Atlas, Owner, Stretch, load, write
from targets.networks_tables import read, read_tsv

GOOD = (
    "1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET",
    "1.0.1.0\t1.0.3.255\t0\tNone\tNot routed",
    "5.34.0.0\t5.34.127.255\t9198\tKZ\tKAZTELECOM-AS",
    "5.34.128.0\t5.34.255.255\t9198\tKZ\tKAZTELECOM-AS",
    "223.255.255.0\t255.255.255.255\t64500\tUnknown\t",
)
SIX = (
    "2001:db8::\t2001:db8:0:ffff:ffff:ffff:ffff:ffff\t64501\tDE\tEINS",
    "2a03:2880::\t2a03:2880:ffff:ffff:ffff:ffff:ffff:ffff\t32934\tUS\tFACEBOOK",
)
CLOUDFLARE, KAZTELECOM = Owner(13335, "CLOUDFLARENET", "US"), Owner(9198, "KAZTELECOM-AS", "KZ")


def text(*rows: str) -> bytes:
    return "\n".join([*rows, ""]).encode()


def atlas(directory: Path, *rows: str) -> Atlas:
    imported = read_tsv(text(*rows))
    assert imported.rejected == []
    for family, stretches in imported.stretches.items():
        if stretches:
            write(family, stretches, directory, origin="a.tsv", imported="2026-11-22")
    return load(directory)


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("0.0.0.0", None),
        ("0.255.255.255", None),
        ("1.0.0.0", CLOUDFLARE),
        ("1.0.0.255", CLOUDFLARE),
        ("1.0.1.0", None),
        ("5.33.255.255", None),
        ("5.34.0.0", KAZTELECOM),
        ("5.34.128.1", KAZTELECOM),
        ("5.34.255.255", KAZTELECOM),
        ("5.35.0.0", None),
        ("255.255.255.255", Owner(64500, "", None)),
        ("2001:db7:ffff::1", None),
        ("2001:db8:0:1::", Owner(64501, "EINS", "DE")),
        ("2001:db8:1::", None),
        ("2a03:2880:f12f:83:face:b00c:0:25de", Owner(32934, "FACEBOOK", "US")),
        ("ffff::", None),
        ("fe80::1%2", None),
        ("www.example.com", None),
    ],
)
def test_whose_an_address_is(tmp_path: Path, address: str, owner: Owner | None) -> None:
    """Borders belong to their stretch, what lies between two is nobody's, and what is no address has no network."""
    assert atlas(tmp_path, *GOOD, *SIX).owner_of(address) == owner


def test_every_address_of_a_small_table_is_found_as_a_plain_look_would(tmp_path: Path) -> None:
    """The search between sorted beginnings is held against looking through all rows, on every border."""
    rows = [(n * 8 + n % 3, n * 8 + 3 + n % 5, n % 4 + 1) for n in range(1, 60)]
    told = atlas(
        tmp_path,
        *(f"{ipaddress.IPv4Address(a)}\t{ipaddress.IPv4Address(b)}\t{o}\tKZ\tN{o}" for a, b, o in rows if a <= b),
    )
    for number in range(500):
        expected = next((o for a, b, o in rows if a <= number <= b), None)
        owner = told.owner_of(str(ipaddress.IPv4Address(number)))
        assert (owner.asn if owner else None) == expected


def test_rows_may_come_in_any_order_and_compressed(tmp_path: Path) -> None:
    """The same rows, the same version; a file of both families is two tables."""
    plain, packed = tmp_path / "a.tsv", tmp_path / "b.tsv.gz"
    plain.write_bytes(text(*GOOD, *SIX))
    packed.write_bytes(gzip.compress(text(*reversed(SIX), *reversed(GOOD))))
    assert read(plain).stretches == read(packed).stretches
    tables = atlas(tmp_path / "kept", *GOOD, *SIX)
    assert [table.family for table in tables.tables] == ["v4", "v6"]
    assert tables.version == f"v4 {tables.tables[0].head.version} v6 {tables.tables[1].head.version}"
    assert tables.version != atlas(tmp_path / "other", *GOOD[1:], *SIX).version


WRONG = (
    ("1.0.0.0\t1.0.0.255\t13335\tUS", "4 columns instead of 5, divided by tabs."),
    ("1.0.0.0,1.0.0.255,13335,US,NAME", "1 column instead of 5, divided by tabs."),
    ("1.0.0\t1.0.0.255\t13335\tUS\tN", "'1.0.0' is no IP address."),
    ("1.0.0.0\t2001:db8::\t13335\tUS\tN", "one address is IPv4, and the other is IPv6."),
    ("1.0.0.9\t1.0.0.8\t13335\tUS\tN", "the first address is higher than the last one."),
    ("1.0.0.0\t1.0.0.255\tAS1\tUS\tN", "'AS1' is no number of a network"),
    ("1.0.0.0\t1.0.0.255\t4294967296\tUS\tN", "is no number of a network"),
    ("1.0.0.0\t1.0.0.255\t1\tusa\tN", "'usa' is no country code of two letters."),
    ("1.0.0.0\t1.0.0.255\t\x1b[31m\tUS\tN", "'\N{REPLACEMENT CHARACTER}[31m' is no number"),
    ("5.34.1.0\t5.34.1.255\t1\tUS\tN", "some of these addresses stand on line 3 already."),
)


@pytest.mark.parametrize(("row", "told"), WRONG)
def test_what_is_wrong_is_told_of_the_row(row: str, told: str) -> None:
    """With its line, and the rows that can be used are there all the same."""
    imported = read_tsv(text(*GOOD, row))
    assert [(rejected.line, told in rejected.reason) for rejected in imported.rejected] == [(6, True)], (
        imported.rejected
    )
    assert len(imported.stretches["v4"]) == 4


def test_names_are_made_harmless() -> None:
    """What a terminal would obey, and what would end a line of our own file, is not kept; nor is a long name whole."""
    (stretch,) = read_tsv(text("1.0.0.0\t1.0.0.255\t1\tUS\t A\x1b[31m\x85B  C " + "x" * 300)).stretches["v4"]
    assert stretch.owner.name.startswith("A [31m B C xxx")
    assert len(stretch.owner.name) == 80


@pytest.mark.parametrize("spoil", ["cut", "longer", "head", "other", "empty"])
def test_a_damaged_file_is_told(tmp_path: Path, spoil: str) -> None:
    """Whatever is wrong with it: import it again."""
    atlas(tmp_path, *GOOD)
    path = tmp_path / "v4.table"
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut": content[:-3],
            "longer": content + b"x",
            "head": content.replace(b'"rows"', b'"cows"'),
            "other": content.replace(b"dalel.networks/1", b"dalel.networks/2"),
            "empty": b"",
        }[spoil]
    )
    with pytest.raises(TargetError, match="Import the table again"):
        load(tmp_path)


def test_a_file_that_was_spoilt_inside_names_nobody(tmp_path: Path) -> None:
    """A wrong name would be worse than none; nothing is read before the first question, so it is seen then."""
    atlas(tmp_path, *GOOD)
    path = tmp_path / "v4.table"
    path.write_bytes(path.read_bytes().replace(b"KAZTELECOM-AS", b"KAZTELECOM-BS"))
    assert load(tmp_path).owner_of("5.34.0.1") is None


def test_a_compressed_file_that_is_damaged_or_endless_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, before it has filled the memory."""
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(text(*GOOD))[:-9])
    with pytest.raises(TargetError, match="compressed, and damaged"):
        read(path)
    monkeypatch.setattr(networks_tables, "_LONGEST_FILE", 1000)
    path.write_bytes(gzip.compress(b"\n" * 5000))
    with pytest.raises(TargetError, match="longer than 200 MB"):
        read(path)


# ---------------------------------------------------------------------------------------------------------------------
# MaxMind DBs


def value(data: Any) -> bytes:
    """*data* in the MaxMind DB format: maps, text, whole numbers and empty lists."""
    if isinstance(data, dict):
        return bytes([7 << 5 | len(data)]) + b"".join(value(k) + value(v) for k, v in data.items())
    if isinstance(data, str):
        raw = data.encode()
        size = bytes([2 << 5 | len(raw)]) if len(raw) < 29 else bytes([2 << 5 | 29, len(raw) - 29])
        return size + raw
    if isinstance(data, list):
        assert not data
        return b"\x00\x04"
    assert isinstance(data, int)
    return bytes([6 << 5 | 4]) + data.to_bytes(4, "big")


def mmdb(record: dict[str, Any]) -> bytes:
    """A database of IPv4 in which 0.0.0.0/1 has *record*, and the rest nothing."""
    tree = (1 + 16).to_bytes(3, "big") + (1).to_bytes(3, "big")
    about = {
        "node_count": 1,
        "record_size": 24,
        "ip_version": 4,
        "database_type": "ASN",
        "binary_format_major_version": 2,
    }
    about |= {"binary_format_minor_version": 0, "build_epoch": 1, "description": {}, "languages": []}
    return tree + bytes(16) + value(record) + b"\xab\xcd\xefMaxMind.com" + value(about)


@pytest.mark.parametrize(
    ("record", "owner"),
    [
        (
            {"autonomous_system_number": 9198, "autonomous_system_organization": "JSC Kazakhtelecom"},
            Owner(9198, "JSC Kazakhtelecom", None),
        ),
        ({"asn": "AS9198", "as_name": "JSC Kazakhtelecom", "country": "KZ"}, Owner(9198, "JSC Kazakhtelecom", "KZ")),
    ],
)
def test_a_database_of_networks_is_read(tmp_path: Path, record: dict[str, Any], owner: Owner) -> None:
    """Whatever its maker calls the fields; the package that reads it is needed for the import only."""
    path = tmp_path / "asn.mmdb"
    path.write_bytes(mmdb(record))
    last = ipaddress.ip_address("127.255.255.255").packed
    assert read(path).stretches["v4"] == [Stretch(bytes(4), last, owner)]


def test_a_database_of_something_else_or_damaged_is_told(tmp_path: Path) -> None:
    """A table of countries names no network."""
    path = tmp_path / "country.mmdb"
    path.write_bytes(mmdb({"country": "KZ"}))
    with pytest.raises(TargetError, match="tells no networks"):
        read(path)
    for damaged in (mmdb({"asn": "AS1"})[6:], mmdb({"asn": "AS1"})[:-40], b"\xab\xcd\xefMaxMind.com"):
        path.write_bytes(damaged)
        with pytest.raises(TargetError, match="damaged"):
            read(path)


def test_without_its_package_a_database_is_told_how_to_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with what to install."""
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    path = tmp_path / "asn.mmdb"
    path.write_bytes(mmdb({"asn": "AS1"}))
    with pytest.raises(TargetError, match=r"dalel\[mmdb\]"):
        read(path)
