"""A reader that goes away is no finding."""

import subprocess

from tests.integration.command import DALEL


def test_a_table_whose_reader_has_gone_is_no_finding():
    """Closed before the first line, the table ends with 141 and not with 1, which would mean that something is blocked."""
    command = f"exec 3>&1; (unshare -Urn {DALEL} check facebook --no-save -q; echo $? >&3) | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("141", "")
