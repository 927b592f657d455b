"""One process as the kernel shows it (proc(5)): memory, CPU, what it holds open, what its network has carried."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

MB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """At one moment. ``resident_mb`` counts pages that are shared with others too (code of libraries); ``anonymous_mb`` does
    not. ``wire_bytes`` are those of whole frames, both ways, of the machine; ``tasks`` are asyncio's, where they are known.
    """

    at: dt.datetime
    resident_mb: float
    anonymous_mb: float
    cpu_s: float
    descriptors: int
    sockets: int
    threads: int
    wire_bytes: int
    tasks: int | None = None


def sample(pid: int, at: dt.datetime, tasks: int | None = None) -> Sample:
    """Raises ``OSError`` if there is no such process."""
    process = Path(f"/proc/{pid}")
    page = os.sysconf("SC_PAGE_SIZE")
    statm = [int(word) * page for word in (process / "statm").read_text().split()]
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    held = _held(process / "fd")
    return Sample(
        at=at,
        resident_mb=statm[1] / MB,
        anonymous_mb=(statm[1] - statm[2]) / MB,
        cpu_s=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        descriptors=len(held),
        sockets=sum(name.startswith("socket:") for name in held),
        threads=int(fields[17]),
        wire_bytes=_wire_bytes(process / "net" / "dev"),
        tasks=tasks,
    )


def _held(folder: Path) -> list[str]:
    names = []
    for link in folder.iterdir():
        try:
            names.append(str(link.readlink()))
        except OSError:  # closed meanwhile
            continue
    return names


def _wire_bytes(path: Path) -> int:
    """Received and sent, of all interfaces but the loopback."""
    lines = (line.partition(":") for line in path.read_text().splitlines() if ":" in line)
    counted = [fields.split() for name, _, fields in lines if name.strip() != "lo"]
    return sum(int(fields[0]) + int(fields[8]) for fields in counted)
