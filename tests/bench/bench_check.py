"""What one check costs, on the lab's 80 ms path: time to a verdict, bytes, CPU, memory.

``python -m tests.bench.bench_check [--seed N]`` writes ``tests/bench/reports/DATE-check.md``. Beside every time stands what a
plain client of the standard library needed for the same names over the same path, in the same minute.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.crowds import crowds
from tests.bench.rows import Row
from tests.lab.lab import DALEL, Lab
from tests.lab.net import REPOSITORY, RESOLVER
from tests.lab.scenarios import SCENARIOS
from tests.lab.world import whole_world

REPORTS = Path(__file__).with_name("reports")
HOPS = tuple(
    f"https://{name}/"
    for name in (
        "www.facebook.com",
        "www.instagram.com",
        "www.youtube.com",
        "x.com",
        "vk.com",
        "telegram.org",
        "signal.org",
    )
)

# DNS over UDP, one TCP connect, one verified handshake, one HEAD: what the standard library needs at the least.
PLAIN_CLIENT = """
import json, os, socket, ssl, sys, time
resolver, names = sys.argv[1], sys.argv[2:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(os.environ["SSL_CERT_FILE"])
def once(name):
    start = time.monotonic()
    question = b"\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0"
    question += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\\0\\0\\1\\0\\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3); s.connect((resolver, 53)); s.send(question)
        address = socket.inet_ntoa(s.recv(512)[-4:])
    resolved = time.monotonic()
    with socket.create_connection((address, 443), 5) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected = time.monotonic()
        with context.wrap_socket(raw, server_hostname=name) as tls:
            tls.sendall(f"HEAD / HTTP/1.1\\r\\nHost: {name}\\r\\nConnection: close\\r\\n\\r\\n".encode())
            assert b" 200 " in tls.recv(4096)
            end = time.monotonic()
    return {"total": end - start, "dns": resolved - start, "rtt": connected - resolved}
once(names[0])
print(json.dumps([once(name) for name in names]))
"""

# The same checks again and again in one process, as `dalel run` will: nothing is imported or loaded any more.
WARMED = """
import asyncio, json, os, sys
from dataclasses import replace
from probe.instruments.trust import Trust
from probe.runner import Judged
from probe.settings import Settings
from probe.wire import Wire
from probe.workflows.check import CheckRequest, check
from targets.loader import catalogue_version, load_catalogue
from targets.select import resolve
async def main():
    wire, trust, catalogue, found = Wire(), Trust.load(os.environ), load_catalogue(), []
    for url in sys.argv[1:]:
        judged = []
        listen = lambda event: judged.append(wire.now_us()) if isinstance(event, Judged) else None
        request = CheckRequest(asked=resolve([url], catalogue), settings=replace(Settings(), profile="light"),
                               catalogue=catalogue_version(), trust=trust)
        outcome = await check(request, wire, listen)
        (result,) = outcome.results
        began = min(o.operation.started_us for o in outcome.observations if o.purpose == "baseline")
        found.append({"status": result.verdict.status, "seconds": (judged[0] - began) / 1e6})
    print(json.dumps(found))
asyncio.run(main())
"""


def _run(lab: Lab, *arguments: str) -> tuple[float, dict[str, Any]]:
    """``dalel check`` with these arguments: wall seconds from start to exit, and the document."""
    done = lab.dalel("check", *arguments, "--format", "json", "--no-save", "-q")
    if not done.stdout.startswith("{"):
        raise SystemExit(f"dalel check {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return done.seconds, json.loads(done.stdout)


def _seconds_of(result: dict[str, Any]) -> float:
    """First packet to verdict: from the first operation of the baseline to the end of the result."""
    end = dt.datetime.fromisoformat(result["started_at"]) + dt.timedelta(seconds=result["duration_s"])
    started = [dt.datetime.fromisoformat(o["started_at"]) for o in result["observations"] if o["purpose"] == "baseline"]
    return (end - min(started)).total_seconds()


# ---------------------------------------------------------------------------------------------------------------------


def one_endpoint(lab: Lab, rounds: int) -> Iterator[Row]:
    """One healthy endpoint at a time: a plain client, ours when warmed, ours as a command that has just been started."""
    hosts = [url.split("/")[2] for url in HOPS]
    plain = json.loads(lab.run(sys.executable, "-I", "-S", "-c", PLAIN_CLIENT, RESOLVER, *hosts).ok().stdout)
    total = statistics.median(row["total"] for row in plain)
    least = statistics.median(row["dns"] + 3 * row["rtt"] for row in plain)
    yield Row("plain client: DNS + connect + handshake + HEAD", f"{total * 1000:.0f} ms median of {len(plain)}")
    yield Row("plain client's DNS + 3 × its connect time", f"{least * 1000:.0f} ms")
    warmed = lab.run(
        "env", f"--chdir={REPOSITORY}", sys.executable, "-c", WARMED, HOPS[0], *HOPS, *HOPS, timeout=120
    ).ok()
    found = json.loads(warmed.stdout)[1:]
    _all_accessible(row["status"] for row in found)
    yield _ratio("first packet to verdict, light, warmed", [row["seconds"] for row in found], least, limit=1.3)
    cold = []
    for number in range(rounds):
        _, document = _run(lab, HOPS[number % len(HOPS)], "--profile", "light")
        _all_accessible(result["status"] for result in document["results"])
        cold.append(_seconds_of(document["results"][0]))
    yield _ratio("… of a command that has just been started", cold, least)


def _all_accessible(statuses: Iterable[str]) -> None:
    if wrong := [status for status in statuses if status != "accessible"]:
        raise SystemExit(f"the healthy path is called {wrong}")


def _ratio(what: str, seconds: Sequence[float], least: float, limit: float | None = None) -> Row:
    middle = statistics.median(seconds)
    spread = f"{min(seconds) * 1000:.0f} to {max(seconds) * 1000:.0f}"
    figure = f"{middle * 1000:.0f} ms median of {len(seconds)} ({spread}): {middle / least:.2f} × (DNS + 3 RTT)"
    return Row(what, figure, f"≤ {limit} ×" if limit else "", middle / least <= limit if limit else None)


def whole_catalogue(lab: Lab, rounds: int) -> Iterator[Row]:
    """The default list in one run: time, packets, bytes a hop."""
    times, spans = [], []
    for _ in range(rounds):
        lab.net.router.clear()
        seconds, document = _run(lab, "--profile", "light")
        counters = lab.net.router.counters()
        times.append(seconds)
        stamps = [(remote["first"], remote["last"]) for remote in counters["remotes"].values()]
        spans.append(max(last for _, last in stamps) - min(first for first, _ in stamps))
    results = document["results"]
    accessible = sum(result["status"] == "accessible" for result in results)
    yield Row(
        "endpoints of the default catalogue, accessible",
        f"{accessible} of {len(results)}",
        "all",
        accessible == len(results),
    )
    median = statistics.median(times)
    each = ", ".join(f"{value:.2f}" for value in times)
    yield Row("whole default catalogue, start to exit", f"{median:.2f} s median of {each}", "≤ 3 s", median <= 3)
    yield Row("… first packet to last packet, at the router", f"{statistics.median(spans):.2f} s")
    yield Row("… packets through the router", f"{counters['seen']}, {counters['dropped']} dropped")
    carried = sum(remote["bytes_up"] + remote["bytes_down"] for remote in counters["remotes"].values())
    yield Row(
        "IP bytes of all of it, both directions, counted by the router",
        f"{carried / 1000:.0f} KB",
        "≤ 700 KB",
        carried <= 700_000,
    )
    sizes = sorted(hop_bytes(lab, results, counters).values())
    yield Row(
        "IP bytes of a healthy HTTPS hop, both directions, counted by the router (DNS included)",
        f"{statistics.median(sizes):.0f} median, {sizes[0]:.0f} to {sizes[-1]:.0f}, {len(sizes)} hops",
        "≤ 10 KB",
        sizes[-1] <= 10_000,
    )


def hop_bytes(lab: Lab, results: Sequence[dict[str, Any]], counters: dict[str, Any]) -> dict[str, float]:
    """IP bytes for every HTTPS endpoint that was the only one at its address: its own, and its share of the questions."""
    remotes = counters["remotes"]
    questions = remotes[RESOLVER]
    asked = sum(1 for r in results for o in r["observations"] if o["kind"] == "dns" and o.get("address") == RESOLVER)
    share = (questions["bytes_up"] + questions["bytes_down"]) / max(1, asked)
    sizes = {}
    for result in results:
        host = result["url"].split("/")[2]
        site = lab.world.sites.get(host)
        if site is not None and site.address in remotes:
            sizes[result["url"]] = remotes[site.address]["bytes_up"] + remotes[site.address]["bytes_down"] + share
    return sizes


def start_up(lab: Lab, rounds: int) -> Iterator[Row]:
    """CPU before anything useful happens, beside what importing click costs."""
    ours = [lab.measured(str(DALEL), "--help").cpu_s for _ in range(rounds)]
    click = [lab.measured(sys.executable, "-c", "import click").cpu_s for _ in range(rounds)]
    ratio = statistics.median(ours) / statistics.median(click)
    yield Row(
        "CPU of `dalel --help` beside `python -c 'import click'`",
        f"{statistics.median(ours) * 1000:.0f} ms beside {statistics.median(click) * 1000:.0f} ms: {ratio:.2f} ×",
        "≤ 3 ×",
        ratio <= 3,
    )
    first = statistics.median(cpu_to_first_packet(lab) for _ in range(rounds))
    yield Row("CPU of `dalel check` to its first packet", f"{first:.2f} s", "≤ 0.6 s", first <= 0.6)


def cpu_to_first_packet(lab: Lab) -> float:
    """CPU seconds that all threads of the process have had when its first packet is on the wire (/proc/…/schedstat)."""
    before = _packets_sent(lab)
    command = lab.probe.enter([str(DALEL), "check", HOPS[0], "--no-save", "-q"])
    environment = {"PATH": os.environ["PATH"], **lab.environment()}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        deadline = time.monotonic() + 30
        while _packets_sent(lab) == before:
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("dalel check sent nothing")
            time.sleep(0.001)
        threads = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        spent = sum(int(thread.read_text().split()[0]) for thread in threads)
        process.wait(60)
    return spent / 1e9


def _packets_sent(lab: Lab) -> int:
    lines = Path(f"/proc/{lab.probe.pid}/net/dev").read_text().splitlines()
    (line,) = [line for line in lines if line.strip().startswith("eth0:")]
    return int(line.partition(":")[2].split()[9])


def memory(lab: Lab) -> Iterator[Row]:
    measured = lab.measured(str(DALEL), "check", HOPS[0], "--no-save", "-q")
    figure = f"{measured.resident_mb:.1f} MB"
    yield Row("resident memory of `dalel check` of one endpoint", figure, "< 70 MB", measured.resident_mb < 70)
    unwanted = imported(lab, ("scapy", "starlette", "sqlalchemy"), "check", HOPS[0], "--no-save", "-q")
    yield Row("imported by it, of scapy, starlette, sqlalchemy", ", ".join(unwanted) or "none", "none", not unwanted)


def imported(lab: Lab, modules: Sequence[str], *arguments: str) -> list[str]:
    """Which of *modules* a run of the command imports (``python -X importtime``)."""
    done = lab.run(sys.executable, "-X", "importtime", str(DALEL), *arguments)
    seen = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "probe.cli" in seen, done.stderr[-2000:]
    return [module for module in modules if module in seen]


def without_network(seed: int) -> Iterator[Row]:
    """Start to exit where the own side is the trouble."""
    for scenario in SCENARIOS:
        if not scenario.is_own_side:
            continue
        with scenario.lab(seed) as lab:
            scenario.prove(lab)
            seconds, document = _run(lab)
        network = document["network"]
        said = f"{network['status']} {network['method']}"
        right = scenario.network_is_right(network) and all(scenario.is_right(result) for result in document["results"])
        yield Row(
            f"{scenario.tells}: default catalogue, start to exit",
            f"{seconds:.2f} s, {said}" + ("" if right else ", NOT all results right"),
            "< 5 s, right",
            right and seconds < 5,
        )


# ---------------------------------------------------------------------------------------------------------------------


def write_report(sections: dict[str, list[Row]], seed: int) -> Path:
    now = dt.datetime.now(dt.UTC)
    text = f"# What a check costs, {now:%Y-%m-%d %H:%M} UTC\n\n{_machine(seed)}\n"
    for title, rows in sections.items():
        text += f"\n## {title}\n\n| what | figure | asked | met |\n|---|---|---|---|\n"
        for row in rows:
            met = {True: "yes", False: "**no**", None: ""}[row.met]
            text += f"| {row.what} | {row.figure} | {row.limit} | {met} |\n"
    REPORTS.mkdir(exist_ok=True)
    path = REPORTS / f"{now:%Y-%m-%d-%H%M}-check.md"
    path.write_text(text)
    return path


def _machine(seed: int) -> str:
    git = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    dirty = subprocess.run(
        ["git", "status", "--porcelain", "--", "probe", "targets", "storage"],
        capture_output=True, text=True, cwd=REPOSITORY, check=False,
    )  # fmt: skip
    state = " with uncommitted changes" if dirty.stdout.strip() else ""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "?",
    )
    return (
        f"Commit {git.stdout.strip() or 'unknown'}{state}; seed {seed}; Python {platform.python_version()}, "
        f"Linux {platform.release()}, {os.cpu_count()} × {cpu}, load {load}.\n"
        "Path: 80 ms to every server, 10 ms to the provider's resolver, no loss; chains of 3 to 4 KB; `--no-save`."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    sections: dict[str, list[Row]] = {}
    with Lab(whole_world(), seed=options.seed) as lab:
        _run(lab, HOPS[0])  # warm: page cache, byte code, the resolver
        sections["One healthy endpoint"] = list(one_endpoint(lab, options.rounds))
        sections["The whole default catalogue"] = list(whole_catalogue(lab, 3))
        sections["Start-up and memory"] = [*start_up(lab, options.rounds), *memory(lab)]
    sections["Without a network"] = list(without_network(options.seed))
    sections["Everything silently dropped"] = list(crowds(options.seed))
    path = write_report(sections, options.seed)
    print(path.read_text())
    return 1 if any(row.met is False for rows in sections.values() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
