"""Runs, results and observations for the tests of the archive: no two alike, all fields used."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from probe.observations import (
    Answer,
    ContextFact,
    DnsFact,
    HttpFact,
    KernelCounters,
    Observation,
    Operation,
    TcpFact,
    TlsFact,
)
from probe.verdict.model import EndpointResult, Finding, Run, Verdict
from storage.archive import Archive
from storage.database import Database
from storage.location import parse
from targets.model import Asked, Endpoint

START_US = 1_790_000_000_123_456
MINUTE_US = 60_000_000


def run_id(number: int) -> str:
    return f"{number:032x}"


def sample_run(number: int = 1, *, started_us: int | None = None, finished: bool = False) -> Run:
    started = START_US + number * MINUTE_US if started_us is None else started_us
    return Run(
        id=run_id(number),
        started_us=started,
        software="dalel 0.1.0",
        ruleset="2026.11",
        catalogue="2026-11-01",
        trust="mozilla",
        profile="light",
        country="KZ",
        asn=4_200_000_001,
        clock_offset_us=-1_500 if finished else None,
        finished_us=started + 9_000_000 if finished else None,
        network_status="ok" if finished else None,
        interrupted=False,
    )


def sample_asked(count: int) -> tuple[Asked, ...]:
    """Every third is a URL of one's own, the others belong to a platform."""
    return tuple(
        Asked(number=n, endpoint=Endpoint(f"https://own{n}.example/"), target=f"own{n}.example", named_as_url=True)
        if n % 3 == 0
        else Asked(
            number=n,
            endpoint=Endpoint(f"https://www.platform{n}.example/"),
            target="@default",
            platform=f"platform{n}",
            service="web",
            rule="all-of",
            networks=(9198, 4_200_000_000),
            loopback_answers=("0.0.0.0",),
            any_status=True,
        )
        for n in range(1, count + 1)
    )


def sample_observations(first: int, endpoint: int | None, started_us: int) -> tuple[Observation, ...]:
    """Four observations of an endpoint, numbered from *first*."""
    operations = (
        Operation(
            fact=DnsFact(
                transport="udp",
                role="system",
                qname="www.example.",
                qtype="A",
                rcode=0,
                answers=(Answer(name="www.example.", rtype="A", value="192.0.2.7", ttl=60),),
                extended_errors=(15, 17),
            ),
            started_us=started_us,
            duration_us=1200,
            name="www.example",
        ),
        Operation(
            fact=TcpFact(rtt_us=80_000, kernel=KernelCounters(state=1, bytes_acked=2**33)),
            started_us=started_us + 2000,
            address="2001:db8::7",
            port=443,
        ),
        Operation(
            fact=TlsFact(sni="www.example", verify=True, alpn_offered=("h2",)),
            started_us=started_us + 3000,
            failure="generic_timeout_error",
            bytes_sent=517,
        ),
        Operation(
            fact=HttpFact(
                method="GET",
                url="http://www.example/",
                verified_chain=False,
                title="\x1b[31m\0Сайт қолжетімсіз \ud800",
                headers=(("server", "=cmd()"),),
                progress=((10, 20), (30, 40)),
                date_offset_s=-0.25,
            ),
            started_us=started_us + 4000,
            bytes_received=2**40,
        ),
    )
    return tuple(
        Observation(
            number=first + index,
            operation=operation,
            purpose="baseline" if endpoint else "own_side",
            endpoint=endpoint,
            arm="target" if index == 2 else None,
            group="v4",
            round=index or None,
            hop=index,
            member=None if endpoint else "foreign/example.org",
        )
        for index, operation in enumerate(operations)
    )


def context_observation(number: int, started_us: int) -> Observation:
    fact = ContextFact(software="dalel 0.1.0", catalogue="2026-11-01", trust="mozilla", notes=("a note",))
    return Observation(number=number, operation=Operation(fact=fact, started_us=started_us), purpose="context")


def sample_finding(code: str, *observations: int) -> Finding:
    return Finding(
        code=code,
        speaks_for="blocked",
        weight=1.5,
        family="tls",
        basis="contrast",
        observations=observations,
        parameters={"name": "www.example", "rounds": 6, "share": 0.5, "list": ["a", 1]},
        method="tls",
        signature="tls.timeout.sni",
        where="access",
    )


def sample_verdict(endpoint: int, *, status: str = "blocked", ruleset: str = "2026.11", horizon: int = 4) -> Verdict:
    if status == "accessible":
        return Verdict(endpoint=endpoint, status="accessible", confidence=0.99, ruleset=ruleset, horizon=horizon)
    if status == "inconclusive":
        return Verdict(
            endpoint=endpoint,
            status="inconclusive",
            leaning="blocked",
            settle=("another.network", "a.control"),
            ruleset=ruleset,
            horizon=horizon,
        )
    return Verdict(
        endpoint=endpoint,
        status="blocked",
        method="tls",
        signature="tls.timeout.sni",
        confidence=0.97,
        basis="contrast",
        where="access",
        findings=(sample_finding("contrast.neutral", 1, 2), sample_finding("tls.unacked")),
        against=(sample_finding("control.silent", 3),),
        impairments=("quic", "ipv6"),
        gates=("own_side",),
        also=("down",),
        ruleset=ruleset,
        horizon=horizon,
    )


def sample_result(
    asked: Asked, run: Run, observations: Sequence[Observation], status: str = "blocked"
) -> EndpointResult:
    return EndpointResult(
        number=asked.number,
        target=asked.target,
        url=asked.endpoint.url,
        platform=asked.platform,
        service=asked.service,
        rule=asked.rule,
        profile="light",
        verdict=sample_verdict(asked.number, status=status, horizon=max(o.number for o in observations)),
        observations=tuple(o.number for o in observations),
        started_us=run.started_us + asked.number * 1000,
        duration_us=250_000,
        bytes_sent=1800,
        bytes_received=9000,
        named_as_url=asked.named_as_url,
    )


STATUSES = ("blocked", "accessible", "inconclusive")


def save_sample_run(
    archive: Archive, number: int = 1, *, endpoints: int = 3, started_us: int | None = None
) -> list[Observation]:
    """A whole run, begun, saved and finished; statuses go round blocked, accessible, inconclusive. Its observations."""
    run = sample_run(number, started_us=started_us)
    asked = sample_asked(endpoints)
    seen = [context_observation(1, run.started_us)]
    futures = [archive.begin(run, asked), archive.save_observations(run.id, seen)]
    for index, one in enumerate(asked):
        observations = sample_observations(len(seen) + 1, one.number, run.started_us + index)
        seen.extend(observations)
        futures.append(archive.save(run.id, sample_result(one, run, observations, STATUSES[index % 3]), observations))
    futures.append(archive.finish(sample_run(number, started_us=started_us, finished=True)))
    for future in futures:
        future.result(timeout=30)
    return seen


# ---------------------------------------------------------------------------------------------------------------------
# many verdicts, quickly: written by the raw driver into tables that the archive has made

PER_RUN = 40
_WORDS = (
    ("accessible", None, None, 0.99, "behaviour", None, "page.verified", None),
    ("blocked", "tls", "tls.timeout.sni", 0.97, "contrast", "access", "contrast.neutral tls.unacked", "control.silent"),
    ("outage", "server", "tls.timeout.any", 0.9, "control", "far_side", "control.agrees", None),
    ("inconclusive", None, None, None, None, None, None, None),
)


def fill_verdicts(path: Path, count: int, *, seed: int) -> None:
    """A database with *count* verdicts in runs of forty endpoints; one in eight is not ``accessible``."""
    Database.open(parse(str(path)), writable=True).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for table, made in (("runs", _runs), ("endpoints", _endpoints), ("verdicts", _verdicts)):
            rows = made(count // PER_RUN, random.Random(seed))
            columns = next(rows)
            names = ", ".join(f'"{name}"' for name in columns)
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
        connection.commit()


def _started(run: int) -> int:
    return START_US + run * 10 * MINUTE_US


def _runs(count: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    yield (
        *("id", "started_us", "finished_us", "clock_offset_us", "software", "ruleset", "catalogue", "trust"),
        *("profile", "country", "asn", "network_status", "interrupted"),
    )
    for number in range(count):
        started = _started(number)
        offset = chance.randrange(-5000, 5000)
        yield (
            *(run_id(number), started, started + 9_000_000, offset, "dalel 0.1.0", "2026.11", "2026-11-01", "mozilla"),
            *("light", "KZ", 9198, "ok", 0),
        )


def _endpoints(count: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    yield (
        *("run", "number", "url", "target", "platform", "service", "rule", "named_as_url", "profile"),
        *("started_us", "duration_us", "bytes_sent", "bytes_received"),
    )
    for run in range(count):
        for n in range(1, PER_RUN + 1):
            yield (
                *(run_id(run), n, f"https://www.platform{n}.example/", f"platform{n}", f"platform{n}", "web", "all-of"),
                *(0, "light", _started(run) + n * 1000, chance.randrange(90_000, 900_000), 1800, 9000),
            )


def _verdicts(count: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    yield (
        *("run", "endpoint", "version", "ruleset", "judged_us", "horizon"),
        *("status", "method", "signature", "confidence", "basis", "where", "evidence", "against"),
    )
    for run in range(count):
        for n in range(1, PER_RUN + 1):
            words = _WORDS[chance.randrange(4)] if chance.randrange(6) == 0 else _WORDS[0]
            yield (run_id(run), n, 1, "2026.11", _started(run) + n * 1000 + 500_000, n * 12, *words)
