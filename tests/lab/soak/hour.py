"""A real hour of the installed daemon, started as its unit starts it, with all at rest in the lab."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.lab import DALEL, Lab
from tests.lab.namespaces import WITHOUT_CAPABILITIES, LabError
from tests.lab.soak.process import Sample, sample
from tests.lab.soak.stores import with_the_worlds_roots
from tests.lab.world import whole_world

_EVERY_S = 10.0
_METRICS = "127.0.0.1:9787"
_TASKS = re.compile(r"^dalel_tasks (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What is left of it. ``code``: the daemon's exit code after SIGTERM."""

    database: Path
    log: str
    seconds: float
    code: int
    samples: list[Sample]


def hour(directory: Path, *, seconds: float = 3600, tell: Callable[[str], None]) -> Hour:
    """Run it; its database and log are left in *directory*. ``LabError`` if the daemon dies."""
    database, log = directory / "soak_hour.db", directory / "soak_hour.log"
    for left in directory.glob("soak_hour.db*"):
        left.unlink()
    with Lab(with_the_worlds_roots(whole_world())) as lab, log.open("wb") as output:
        began = time.monotonic()
        with _daemon(lab, database, output) as child:
            samples = _watched(lab, child, began + seconds, tell)
            child.send_signal(signal.SIGTERM)
            code = child.wait(60)
    return Hour(
        database=database,
        log=log.read_text(errors="replace"),
        seconds=time.monotonic() - began,
        code=code,
        samples=samples,
    )


@contextlib.contextmanager
def _daemon(lab: Lab, database: Path, output: object) -> Iterator[subprocess.Popen[bytes]]:
    words = [str(DALEL), "run", "--database", f"sqlite:///{database}", "--log-format", "json"]
    child = subprocess.Popen(
        lab.probe.enter([*WITHOUT_CAPABILITIES, *words]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=output,  # type: ignore[call-overload]
        env={
            "PATH": f"{DALEL.parent}:{os.environ.get('PATH', '')}",
            "LANG": "C.UTF-8",
            "DALEL_ACCEPT_RISK": "1",
            "DALEL_METRICS_LISTEN": _METRICS,
            **lab.environment(),
        },
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def _watched(lab: Lab, child: subprocess.Popen[bytes], until: float, tell: Callable[[str], None]) -> list[Sample]:
    """A sample every ten seconds; every sixth one with the number of tasks, which the daemon's own page tells."""
    samples: list[Sample] = []
    while time.monotonic() < until:
        time.sleep(_EVERY_S)
        if child.poll() is not None:
            raise LabError(f"the daemon ended with exit code {child.returncode}")
        tasks = _tasks(lab) if len(samples) % 6 == 5 else None
        samples.append(sample(child.pid, dt.datetime.now(dt.UTC), tasks))
        if len(samples) % 30 == 0:
            last = samples[-1]
            tell(f"{last.at:%H:%M:%S} {last.resident_mb:.1f} MB, {last.cpu_s:.1f} s of CPU, {last.descriptors} open")
    return samples


def _tasks(lab: Lab) -> int | None:
    done = lab.run("curl", "-s", "--max-time", "5", f"http://{_METRICS}/metrics")
    found = _TASKS.search(done.stdout)
    return int(found[1]) if found else None
