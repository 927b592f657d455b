"""A control under load, on loopback: connections that are held open, and requests without a token, beside a few honest ones.

``python -m tests.bench.bench_control [--seconds N]`` writes ``tests/bench/reports/DATE-control.md``: 2,000 connections (half of
them never say a word, half stop in the middle of a request), 200 requests a second, for 60 seconds. Exit code 1 if honest
requests went unanswered or the process grew beyond what is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import platform
import re
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DALEL = Path(sys.executable).with_name("dalel")
REPORTS = Path(__file__).with_name("reports")
TOKEN = "a-token-of-sixteen-and-more"
_LINE = re.compile(r"https://127\.0\.0\.1:(\d+)#")
_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n"
_STRANGER = (
    b"POST /v1/measure HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer nobody-knows-this\r\nContent-Length: 2\r\n\r\n{}"
)
_PATIENCE_S = 10.0
_TICK_S = 0.005
_HOLDERS, _STRANGERS, _HONEST = "127.0.0.1", "127.0.0.3", "127.0.0.2"
"""Three places: all of 127.0.0.0/8 is this machine (RFC 1122 §3.2.1.3), where Linux is asked."""
MOST_MB = 400.0
"""Resident. Two thousand connections of TLS cost some, and it must not go on growing."""


@dataclass(slots=True)
class Load:
    """What came of a storm. ``answers``: statuses of the storm's requests, ``lost`` for none; ``health_s``: how long honest
    requests took; ``held``: connections that were opened; ``lag_s``: the longest that the storm itself was late.
    """

    answers: Counter[str] = field(default_factory=Counter)
    health_s: list[float] = field(default_factory=list)
    unanswered: int = 0
    held: int = 0
    lag_s: float = 0.0
    resident_mb: float = 0.0
    cpu_s: float = 0.0
    seconds: float = 0.0


@contextlib.contextmanager
def control(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``dalel control serve`` on a free port of loopback: the process and the port."""
    tokens = folder / "tokens"
    tokens.write_text(f"{TOKEN}\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with subprocess.Popen(
        [str(DALEL), "control", "serve", "--listen", "127.0.0.1:0", "--token-file", str(tokens)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            found = _LINE.search(process.stdout.readline() + process.stdout.readline())
            assert found is not None
            yield process, int(found[1])
        finally:
            process.terminate()
            process.wait(60)


async def storm(port: int, *, connections: int, rate: float, seconds: float, pid: int | None = None) -> Load:
    """Hold *connections* open, send *rate* requests a second without a token, and have its health asked for once a second.

    That is asked in a process of its own: what it waits for is the control, not this process, which is busy.
    """
    load = Load()
    honest = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bench_control", "--honest", str(port), "--seconds", str(seconds)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    context = _anybody()
    begun = looked = time.monotonic()
    async with asyncio.TaskGroup() as group:
        holders = [
            group.create_task(_hold(port, context if number % 2 else None, begun + seconds, load))
            for number in range(connections)
        ]
        next_look = begun + 1.0
        sent = 0
        while (now := time.monotonic()) < begun + seconds:
            while sent < (now - begun) * rate:
                sent += 1
                group.create_task(_stranger(port, context, load))
            if now >= next_look:
                next_look += 1.0
                load.lag_s = max(load.lag_s, now - looked - _TICK_S)
                if pid is not None:
                    load.resident_mb = max(load.resident_mb, _resident_mb(pid))
            looked = now
            await asyncio.sleep(_TICK_S)
        load.cpu_s = _cpu_s(pid) if pid is not None else 0.0
        told, _ = await honest.communicate()
        for holder in holders:
            holder.cancel()
    for took_s in json.loads(told):
        if took_s is None:
            load.unanswered += 1
        else:
            load.health_s.append(took_s)
    load.seconds = time.monotonic() - begun
    return load


async def honest(port: int, seconds: float) -> list[float | None]:
    """Ask for its health once a second: how long each took, ``None`` for no answer."""
    context, took, begun = _anybody(), list[float | None](), time.monotonic()

    async def ask() -> None:
        asked = time.monotonic()
        answer = await _request(port, context, _HEALTH, _HONEST)
        took.append(time.monotonic() - asked if answer == "200" else None)

    async with asyncio.TaskGroup() as group:
        while time.monotonic() < begun + seconds:
            group.create_task(ask())
            await asyncio.sleep(1.0)
    return took


def _anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _hold(port: int, context: ssl.SSLContext | None, until: float, load: Load) -> None:
    """One connection that is kept: silent, or stopped in the middle of a head. Let go, it comes again."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await _open(port, context, _HOLDERS)
            load.held += 1
            try:
                if context is not None:
                    writer.write(b"POST /v1/mea")
                await reader.read()
            finally:
                writer.transport.abort()
        await asyncio.sleep(1.0)


async def _open(
    port: int, context: ssl.SSLContext | None, place: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, local_addr=(place, 0))


async def _request(port: int, context: ssl.SSLContext, data: bytes, place: str) -> str:
    """The status of one request, ``lost`` if there is none."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await _open(port, context, place)
            try:
                writer.write(data)
                answer = await reader.read()
            finally:
                writer.transport.abort()
    except OSError:  # TimeoutError is one
        return "lost"
    words = answer.split(b" ", 2)
    return words[1].decode() if len(words) > 1 else "lost"


async def _stranger(port: int, context: ssl.SSLContext, load: Load) -> None:
    load.answers[await _request(port, context, _STRANGER, _STRANGERS)] += 1


def _resident_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def allow(files: int) -> None:
    """Let this process have so many files open, if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(files, hard)), hard))


def text(load: Load, connections: int, rate: float) -> str:
    """The report."""
    asked = sum(load.answers.values())
    health = sorted(load.health_s) or [float("nan")]
    told = ", ".join(f"{status}: {count}" for status, count in sorted(load.answers.items()))
    return f"""# A control under load: {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC

{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}; both ends on this machine.
{connections} connections from one address held open (half of them silent, half stopped in a request; those that are closed come
again a second later), {rate:g} requests a second without a known token from another one, {load.seconds:.0f} s.

| what | figure |
|---|---|
| connections that were opened to be held, in all | {load.held} |
| requests without a known token | {asked} ({asked / load.seconds:.0f} a second); {told} |
| honest requests (health, one a second, from a process of their own) answered | {len(load.health_s)} of {len(load.health_s) + load.unanswered} |
| how long those took: median, worst | {statistics.median(health):.3f} s, {health[-1]:.3f} s |
| most memory of the control (resident) | {load.resident_mb:.0f} MB |
| its CPU time | {load.cpu_s:.1f} s |
| how late the storm itself was, at worst | {load.lag_s:.1f} s |
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--honest", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.honest is not None:
        print(json.dumps(asyncio.run(honest(options.honest, options.seconds))))
        return 0
    allow(3 * options.connections + 1000)
    with tempfile.TemporaryDirectory() as folder, control(Path(folder)) as (process, port):
        load = asyncio.run(
            storm(port, connections=options.connections, rate=options.rate, seconds=options.seconds, pid=process.pid)
        )
    report = text(load, options.connections, options.rate)
    REPORTS.mkdir(exist_ok=True)
    path = REPORTS / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}-control.md"
    path.write_text(report, encoding="utf-8")
    print(report)
    print(f"wrote {path}", file=sys.stderr)
    return 1 if load.unanswered > len(load.health_s) / 20 or load.resident_mb > MOST_MB else 0


if __name__ == "__main__":
    sys.exit(main())
