"""Imported lists of block pages, from the file to the verdict and to the verdict judged again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from targets.fingerprints import COLUMNS
from tests.integration.command import dalel
from tests.integration.test_cli_check import check

WEATHER = "http://weather.example/"


def imported(home: Path, *rows: str) -> subprocess.CompletedProcess[str]:
    file = home / "fingerprints_http.csv"
    file.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    return dalel(home, "fingerprints", "import", str(file))


@pytest.fixture
def home_with_list(tmp_path: Path) -> Path:
    """A home into which a list was imported that knows a page of the pretend Internet, in one country."""
    done = imported(tmp_path, "kz.weather,nat,,body,contains,words and people,5,KZ,src,,")
    assert (done.returncode, done.stderr) == (0, "")
    return tmp_path


def document(home: Path, *words: str) -> dict[str, Any]:
    done = check(home, "pages", WEATHER, "-4", "--format", "json", *words, DALEL_NETWORK_COUNTRY="KZ")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_list_is_a_fact_of_the_run(home_with_list: Path) -> None:
    """Its version is in the context and its marks are beside the page, so that the word stays when the list has gone."""
    told = document(home_with_list)
    (context,) = [o["fact"] for o in told["network"]["observations"] if o["kind"] == "context"]
    version = dalel(home_with_list, "fingerprints", "list").stdout.rpartition("version ")[2].strip()
    assert context["fingerprints"] == f"http {version}"

    (result,) = told["results"]
    marks = [o["fact"]["marks"] for o in result["observations"] if "marks" in o["fact"] and o["purpose"] == "baseline"]
    assert marks == [[{"name": "kz.weather", "scope": "nat", "expected": True}]]
    assert (result["status"], result["leaning"]) == ("inconclusive", "blocked")

    assert dalel(home_with_list, "fingerprints", "remove", "http").returncode == 0
    again = dalel(home_with_list, "reclassify")
    assert again.returncode == 0
    assert "inconclusive" not in again.stdout
    assert document(home_with_list, "--no-save")["results"][0]["status"] == "accessible"


def test_a_damaged_list_is_told(home_with_list: Path) -> None:
    """Exit 2 and what to do, before anything is measured."""
    (home_with_list / ".local/state/dalel/fingerprints/http.json").write_text("{")
    done = check(home_with_list, "pages", WEATHER, "--no-save")
    assert done.returncode == 2
    assert "http.json is damaged. Import the list again." in done.stderr


def test_purge_takes_imported_lists_with_it(home_with_list: Path):
    """Whoever removes everything finds no trace of what was brought, named beforehand; where only that was left, too."""
    done = dalel(home_with_list, "purge", "--yes")
    assert (done.returncode, done.stdout) == (0, "1 thing removed.\n")
    assert "fingerprints/http.json" in done.stderr
    assert not list(home_with_list.rglob("http.json"))
