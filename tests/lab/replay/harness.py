"""One event, one lab, one daemon: the censor follows the timeline, and the clock jumps where nothing is due."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from tests.lab import servers
from tests.lab.lab import DALEL, Lab
from tests.lab.namespaces import WITHOUT_CAPABILITIES, LabError
from tests.lab.net import REPOSITORY
from tests.lab.replay.model import Event, Phase
from tests.lab.world import World, whole_world

_MICROSECOND = dt.timedelta(microseconds=1)
_LONG = dt.timedelta(hours=12)
_EAR = ("62.115.44.2", 8080)
"""Where somebody abroad is told by webhook; no site of the world has that address."""
Tell = Callable[[str], None]
AtJump = Callable[[int, dt.datetime, Mapping[str, Any]], None]
"""Given the daemon's process, the moment of the event, and what it said of itself, whenever nothing runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What is left of a replay: the database, what was heard abroad, the daemon's own lines, how long it took, and its exit
    code. ``shift``: by how much the event was moved."""

    database: Path
    heard: Path
    shift: dt.timedelta
    log: str
    seconds: float
    code: int
    applied: tuple[tuple[str, dt.datetime], ...]
    """Phases, and when (in the event's time) each was in force."""
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The daemon's process at a jump: resident memory and CPU seconds so far, and open file descriptors."""

    at: dt.datetime
    resident_mb: float
    cpu_s: float
    descriptors: int


@dataclass(slots=True)
class _Stage:
    """The lab as it is now."""

    lab: Lab
    whole: World
    world: World
    event: Event
    phase: Phase

    def enter(self, phase: Phase) -> None:
        world = phase.world(self.whole)
        if world != self.world:
            servers.stop(self.lab.net)
            servers.start(self.lab.net, world)
            self.world = world
        self.lab.net.router.set_rules(*phase.rules(world))
        self.lab.net.set_abroad(*phase.mobile(world))
        self.phase = phase


def replay(
    event: Event, directory: Path, *, tell: Tell = print, at_most_s: float = 3600, at_jump: AtJump | None = None
) -> Replayed:
    """Replay *event*; its database and log are left in *directory*. ``LabError`` if the daemon dies or hangs."""
    # Dates of web servers a day away from the time would be told, and rightly.
    whole = replace(whole_world(), moves=event.ends - event.begins > _LONG)
    first = event.phases[0]
    shift = shift_of(event)
    database = directory / f"{event.name}.db"
    for left in directory.glob(f"{event.name}.db*"):
        left.unlink()
    log, heard = directory / f"{event.name}.log", directory / f"{event.name}.heard"
    heard.write_text("")
    began = time.monotonic()
    world = first.world(whole)
    with Lab(world, rules=first.rules(world), mobile=event.mobile) as lab, log.open("wb") as output:
        stage = _Stage(lab, whole, world, event, first)
        _set_clocks(lab, microseconds(event.begins + shift))
        with _listens(lab, heard):
            child = _start(lab, event, shift, database, output)
            try:
                applied, samples = _lead(stage, child, shift, tell, time.monotonic() + at_most_s, at_jump)
                code = child.wait(120)
            finally:
                child.kill()
                child.wait()
    return Replayed(
        database=database,
        heard=heard,
        shift=shift,
        log=log.read_text(errors="replace"),
        seconds=time.monotonic() - began,
        code=code,
        applied=tuple(applied),
        samples=tuple(samples),
    )


def shift_of(event: Event) -> dt.timedelta:
    """Whole days from the event to the last day before today on which it can begin: the time of day stays."""
    today = dt.datetime.now(dt.UTC)
    return dt.timedelta(days=(today - event.begins).days)


@contextlib.contextmanager
def _listens(lab: Lab, heard: Path) -> Iterator[None]:
    """Somebody is told, by webhook. It is no server of the world's, which are started anew with every change of it."""
    address, port = _EAR
    script = Path(__file__).with_name("ear.py")
    words = [sys.executable, "-I", "-S", str(script), address, str(port), str(_moved(lab)), str(heard)]
    with subprocess.Popen(lab.net["world"].enter(words, as_server=True), stdin=subprocess.DEVNULL) as ear:
        try:
            yield
        finally:
            ear.kill()


def _start(lab: Lab, event: Event, shift: dt.timedelta, database: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    arguments = ["run", *event.watches, "--database", f"sqlite:///{database}", "--log-format", "json"]
    words = json.dumps({"begins_us": microseconds(event.begins + shift), "arguments": arguments})
    argv = [*WITHOUT_CAPABILITIES, sys.executable, "-m", "tests.lab.replay.drive", words]
    return subprocess.Popen(
        lab.probe.enter(["env", "--chdir", str(REPOSITORY), *argv]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={
            "PATH": f"{DALEL.parent}:{os.environ.get('PATH', '')}",
            "LANG": "C.UTF-8",
            "DALEL_ACCEPT_RISK": "1",
            "DALEL_NOTIFY_WEBHOOK": "http://{}:{}/".format(*_EAR),
            **lab.environment(),
        },
    )


def _lead(
    stage: _Stage,
    child: subprocess.Popen[bytes],
    shift: dt.timedelta,
    tell: Tell,
    deadline: float,
    at_jump: AtJump | None,
) -> tuple[list[tuple[str, dt.datetime]], list[Sample]]:
    """Answer where to jump, and change the lab at each phase, until the event is over."""
    assert child.stdin is not None
    assert child.stdout is not None
    event = stage.event
    applied = [(stage.phase.tells, event.begins)]
    samples: list[Sample] = []
    for line in child.stdout:
        if time.monotonic() > deadline:
            raise LabError(f"{event.name} takes too long: it is at {applied[-1][1]}")
        said = json.loads(line)
        now, due = (moment_of(said[key]) - shift for key in ("now_us", "due_us"))
        samples.append(_sample(child.pid, now))
        if at_jump is not None:
            at_jump(child.pid, now, said)
        to = max(now, event.jump(now, due))
        phase = event.at(to)
        if phase is not stage.phase:
            stage.enter(phase)
            applied.append((phase.tells, to))
            tell(f"{event.name} {to:%Y-%m-%d %H:%M} {phase.tells}")
        to_us = microseconds(to + shift)
        _set_clocks(stage.lab, to_us)
        answer = {"to_us": to_us, "off_s": phase.clock_s, "ends": to >= event.ends}
        child.stdin.write(json.dumps(answer).encode() + b"\n")
        child.stdin.flush()
        if to >= event.ends:
            return applied, samples
    raise LabError(f"the daemon of {event.name} ended at {applied[-1]}")


def _set_clocks(lab: Lab, to_us: int) -> None:
    """The Internet's clocks go with the event; the host's own may be off (``Phase.clock_s``)."""
    _moved(lab).write_text(str((to_us - time.time_ns() // 1000) / 1e6))


def _moved(lab: Lab) -> Path:
    return lab.net.directory / "moved"


def _sample(pid: int, at: dt.datetime) -> Sample:
    """As the kernel tells it; what we started has become the daemon by exec, so the number is its own."""
    process = Path(f"/proc/{pid}")
    resident = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    ticks = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    return Sample(
        at=at,
        resident_mb=resident / 2**20,
        cpu_s=sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
        descriptors=len(list((process / "fd").iterdir())),
    )


def microseconds(moment: dt.datetime) -> int:
    """UTC microseconds, as everything is stored."""
    return (moment - dt.datetime.fromtimestamp(0, dt.UTC)) // _MICROSECOND


def moment_of(us: int) -> dt.datetime:
    """The inverse of :func:`microseconds`."""
    return dt.datetime.fromtimestamp(0, dt.UTC) + us * _MICROSECOND
