"""Running the installed command as a user does: its own process, an empty home, a plain environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DALEL = Path(sys.executable).with_name("dalel")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of this machine's but where programs are."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "COLUMNS": "100", **more}


def dalel(home: Path, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """The command's exit code, stdout and stderr."""
    return subprocess.run(
        [str(DALEL), *words],
        env=environment(home, **more),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def modules_after(home: Path, words: Sequence[str]) -> set[str]:
    """The top-level modules that the command has imported when it is done."""
    code = (
        "import sys\nfrom probe.cli import run\n"
        "try:\n    run(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())
