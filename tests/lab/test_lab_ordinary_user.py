"""The same slice once more, by somebody who is not root: everything inside one ``unshare -Urnm``."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.lab.namespaces import require
from tests.lab.net import REPOSITORY
from tests.lab.table import SLICE

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}


def somebody() -> tuple[str, ...]:
    """What makes an ordinary user of root, if that user may read this interpreter and these files; else nothing, and root
    gives up its rights over the host in the namespace only."""
    if os.geteuid() != 0:
        return ()
    asked = [*NOBODY, "unshare", "-Urnm", sys.executable, "-c", "import tests.lab.run"]
    done = subprocess.run(asked, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
    return NOBODY if done.returncode == 0 else ()


def test_an_ordinary_user_sees_the_same():
    """Every row of the slice is right where nobody is root, real servers included."""
    require("unshare", "setpriv")
    command = [*somebody(), "unshare", "-Urnm", sys.executable, "-m", "tests.lab.run", "--slice", "--jobs", "2"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout.partition("## Wrong")[2][:3000]
    assert f"{len(SLICE)} scenarios ran and proved themselves" in done.stdout
