"""What is imported, and when: a check with --no-save pays nothing for the archive, and no check pays for Alembic."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = "sorted({name.partition('.')[0] for name in sys.modules} & {'sqlalchemy', 'alembic', 'psycopg'})"


def _imported(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint({HEAVY})", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "module",
    [
        "storage",
        "storage.archive",
        "storage.location",
        "storage.when",
        "storage.errors",
        "storage.export.columns",
        "probe.workflows.check",
    ],
)
def test_importing_is_free(module: str) -> None:
    """None of these imports SQLAlchemy."""
    assert _imported(f"import {module}") == "[]"


def test_a_new_and_a_current_database_need_no_alembic(tmp_path: Path) -> None:
    """Making, opening and writing a database imports SQLAlchemy and nothing heavier."""
    code = (
        "from storage.archive import Archive\n"
        "from tests.storage_samples import save_sample_run\n"
        "for number in (1, 2):\n"
        "    with Archive.open(sys.argv[1]) as archive:\n"
        "        save_sample_run(archive, number)\n"
        "        assert len(archive.runs()) == number\n"
    )
    assert _imported(code, str(tmp_path / "dalel.db")) == "['sqlalchemy']"


def test_opening_without_waiting_leaves_sqlalchemy_to_the_thread(tmp_path: Path) -> None:
    """The calling thread only looks at the file, and goes on."""
    code = (
        "import storage.writer\n"
        "storage.writer.Writer.start = lambda self: None\n"
        "from storage.archive import Archive\n"
        "Archive.open(sys.argv[1], wait=False)\n"
    )
    assert _imported(code, str(tmp_path / "dalel.db")) == "[]"
