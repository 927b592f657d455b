"""``dalel networks``: a table from the file to the run's context, and away again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from tests.integration.command import dalel
from tests.integration.test_cli_check import check

ROWS = (
    "92.46.0.0\t92.47.255.255\t9198\tKZ\tKAZTELECOM-AS",
    "2a03:2880::\t2a03:2880:ffff:ffff:ffff:ffff:ffff:ffff\t32934\tUS\tFACEBOOK",
)


def table(home: Path, *rows: str) -> str:
    file = home / "ip2asn-combined.tsv.gz"
    file.write_bytes(gzip.compress("\n".join([*rows, ""]).encode()))
    return str(file)


def test_a_table_is_imported_listed_and_removed(tmp_path: Path) -> None:
    """One file of both families is two tables; each is named with its version, and goes by its own name."""
    done = dalel(tmp_path, "networks", "import", table(tmp_path, *ROWS))
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 network over IPv4 (1 row), kept in" in done.stdout
    listed = dalel(tmp_path, "networks", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["v4", "v6"]
    assert dalel(tmp_path, "networks", "remove", "v6").returncode == 0
    assert len(dalel(tmp_path, "networks", "list").stdout.splitlines()) == 1
    assert "There is no table of this kind" in dalel(tmp_path, "networks", "remove", "v6").stdout
    assert "v4.table" in dalel(tmp_path, "purge", "--yes").stderr
    assert "None is imported" in dalel(tmp_path, "networks", "list").stdout


def test_a_table_with_faults_is_refused_whole(tmp_path: Path) -> None:
    """Every fault with its line, exit 2, nothing kept; unless the user says that such rows may be left out."""
    file = table(tmp_path, ROWS[0], "1.2.3\t1.2.4\t1\tKZ\tX", "what")
    done = dalel(tmp_path, "networks", "import", file)
    assert done.returncode == 2
    assert ":2: '1.2.3' is no IP address." in done.stderr
    assert ":3: 1 column instead" in done.stderr
    assert "None is imported" in dalel(tmp_path, "networks", "list").stdout
    done = dalel(tmp_path, "networks", "import", file, "--skip-bad-rows")
    assert (done.returncode, done.stderr.count("Left out, line")) == (0, 2)
    empty = dalel(tmp_path, "networks", "import", table(tmp_path, "1.0.0.0\t1.0.0.255\t0\tNone\tNot routed"))
    assert (empty.returncode, "no row that can be used" in empty.stderr) == (2, True)


def test_a_run_says_which_tables_were_in_force(tmp_path: Path) -> None:
    """The version is in the run's context, and a damaged table is told before anything is measured."""
    assert dalel(tmp_path, "networks", "import", table(tmp_path, *ROWS)).returncode == 0
    told = json.loads(check(tmp_path, "pages", "http://weather.example/", "-4", "--format", "json").stdout)
    (context,) = [o["fact"] for o in told["network"]["observations"] if o["kind"] == "context"]
    listed = dalel(tmp_path, "networks", "list").stdout.splitlines()
    assert context["networks"] == " ".join(f"{line.split()[0]} {line.rpartition(' ')[2]}" for line in listed)
    (tmp_path / ".local/state/dalel/networks/v4.table").write_bytes(b"")
    done = check(tmp_path, "pages", "http://weather.example/", "-4")
    assert (done.returncode, "Import the table again" in done.stderr) == (2, True)
