"""The README cannot rot: what it says is what the program has."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.command import DALEL

README = (Path(__file__).parents[2] / "README.md").read_text()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DALEL, *arguments], capture_output=True, text=True, timeout=60)


def test_the_first_screen_has_exactly_two_commands_of_set_up():
    """make demo and make test, and no other command to set anything up."""
    first = README.split("## Check something")[0]
    assert re.findall(r"^    (\S+ \S+)", first, re.MULTILINE) == ["make demo", "make test"]


@pytest.mark.parametrize("rows", ["verdicts", "observations", "incidents", "hours"])
def test_every_column_of_the_export_is_explained(rows: str):
    """The README's table has each column with the words that --columns help prints."""
    printed = run("export", rows, "--columns", "help").stdout.splitlines()
    assert len(printed) >= 15
    for line in printed:
        name, _, rest = line.partition(" ")
        assert f"| `{name}` | {rest.strip()} |" in README


def test_every_command_that_is_shown_exists():
    """Each `dalel WORD` of the README is a command of the program."""
    shown = set(re.findall(r"^\s+dalel (\w+)", README, re.MULTILINE)) | set(re.findall(r"`dalel (\w+)", README))
    listed = set(re.findall(r"^  (\w+)  ", run("--help").stdout, re.MULTILINE))
    assert len(shown) >= 8
    assert shown <= listed


def test_every_exit_code_is_in_the_readme():
    """The codes of --help are those of the README's table."""
    for code in ("0", "1", "2", "3", "4"):
        assert f"| {code} |" in README
    assert "| 130, 143 |" in README


def test_every_column_of_the_status_is_explained(tmp_path: Path):
    """The README's table has the columns of `dalel status --format csv`, in their order."""
    header = run("status", "--format", "csv", "--database", str(tmp_path / "none.db")).stdout.strip().split(",")
    table = README.split("`dalel status --format csv` (a row for each platform):")[1].split("## More")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == header
