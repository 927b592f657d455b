"""What a daemon must not hold in memory for months."""

import subprocess
import sys

import pytest

HELD = """
import sys
import probe.cli.run_cmd, probe.daemon.daemon_start, probe.instruments.warm, storage.database, storage.outbox
from probe.instruments.trust import Trust
probe.instruments.warm.warm(Trust.load({}))
print(*sorted({*sys.modules, *(name.partition(".")[0] for name in sys.modules)}))
"""


@pytest.mark.parametrize(
    "package",
    [
        "rich",
        "pygments",
        "pydantic",
        "alembic",
        "psycopg",
        "sqlalchemy.dialects.postgresql",
        "cryptography",
        "aioquic",
        "scapy",
    ],
)
def test_what_costs_much_and_is_not_needed_is_not_imported(package):
    """httpx would bring rich for a command line of its own; alembic runs in a child process."""
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, timeout=60, check=True)
    assert package not in done.stdout.split()
