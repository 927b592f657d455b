"""``dalel status``: the last word on every platform and address, and how old it is."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from probe.cli.archive import database_option, folded, megabytes, read_moment, read_place, sentences
from probe.cli.common import config_option, read_catalogue
from probe.report.safe import safe, safe_cell

if TYPE_CHECKING:
    from probe.settings import Settings
    from probe.verdict.model import PlatformVerdict, Run
    from storage.location import Location
    from storage.reader import Latest, Reader
    from targets.model import Platform

HELP = """\
Show the last result of every platform and address, and how old it is. Measures nothing.

\b
  dalel status
  dalel status --since 24h -v
  dalel status --format csv > platforms.csv

`--format csv` gives one row a platform, with a sentence that names its parts.

The exit code is that of a check with these results; 3 where there are none.
"""
EXIT_UNKNOWN = 3
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How ``dalel run`` is: its last look, the bytes of 24 hours, how many they may be by which setting, and the kill switch
    if it is there.
    """

    last_us: int
    used: int
    cap: int
    setting: str
    used_up: bool
    stopped_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that is shown; times are by the corrected clock, ``now_us`` too. ``size``: bytes on the disk, ``None`` on a server;
    ``watching``: ``None`` if nobody ever watched; ``older``: whether there are results that were not asked for.
    """

    location: Location
    now_us: int
    size: int | None
    runs: int
    last_run: Run | None
    latest: tuple[Latest, ...]
    platforms: tuple[PlatformVerdict, ...]
    watching: Watching | None = None
    older: bool = False


@click.command("status", help=HELP)
@click.option("--since", metavar="WHEN", help="Only results from then on: 24h, 7d, 2026-11-01 (UTC).")
@click.option(
    "--format", "form", type=click.Choice(("table", "json", "csv")), default="table", help="How to show it [table]."
)
@click.option("-v", "--verbose", is_flag=True, help="Every address of every platform.")
@click.option("--health", is_flag=True, help="Only whether `dalel run` is alive: exit code 0 if so, 1 if not.")
@database_option
@config_option
def command(
    *, since: str | None, form: str, verbose: bool, health: bool, database: str | None, config: str | None
) -> int:
    """Read, show, and give the exit code."""
    if health:
        from probe.cli.status_health import health as tell_health

        return tell_health(database, config)
    from probe.cli.exit_code import exit_code
    from probe.wire import Wire

    now_us = Wire().now_us()
    since_us = read_moment(since, "--since", now_us)
    location, settings = read_place(database, config)
    catalogue, _canaries = read_catalogue(settings)
    with sentences():
        status = _read(location, now_us, since_us, catalogue.platforms, settings)
    if form == "json":
        click.echo(json.dumps(_document(status), ensure_ascii=False))
    elif form == "csv":
        _write_csv(status)
    else:
        click.echo("\n".join(_lines(status, verbose=verbose)))
    if not status.latest:
        return EXIT_UNKNOWN
    return exit_code([one.result for one in status.latest], status.platforms, bugs=0)


def _read(
    location: Location, now_us: int, since_us: int | None, platforms: Sequence[Platform], settings: Settings
) -> Status:
    from probe.verdict.rollup import roll_up
    from storage import own_sides
    from storage.errors import NoDatabaseError
    from storage.maintenance import size
    from storage.reader import Reader

    try:
        reader = Reader.open(location)
    except NoDatabaseError:
        return Status(location=location, now_us=now_us, size=None, runs=0, last_run=None, latest=(), platforms=())
    with reader:
        every = tuple(reader.latest(now_us))
        look = own_sides.last(reader.database, now_us)
        latest = tuple(one for one in every if since_us is None or one.at_us >= since_us)
        return Status(
            location=location,
            now_us=now_us + _offset_us(every, look, now_us),
            size=size(location) if location.path is not None else None,
            runs=reader.count_runs(),
            last_run=reader.last_run(now_us),
            latest=latest,
            platforms=roll_up([one.result for one in latest if _is_listed(one, platforms)], platforms),
            watching=_watching(reader, every, look, now_us, settings),
            older=len(every) > len(latest),
        )


def _offset_us(latest: Sequence[Latest], look: tuple[int, int] | None, now_us: int) -> int:
    """How far this computer's clock is behind, as far as the newest of all knows; nothing, if it was set since."""
    moments = [(one.result.started_us, one.run.clock_offset_us or 0) for one in latest]
    at_us, offset_us = max([*moments, *([look] if look is not None else [])], key=sum, default=(now_us, 0))
    return offset_us if at_us <= now_us + _MINUTE_US else 0


def _watching(
    reader: Reader, latest: Sequence[Latest], look: tuple[int, int] | None, now_us: int, settings: Settings
) -> Watching | None:
    from probe.cli.status_health import is_used_up
    from probe.daemon.caps import exists, switch_of
    from storage import days

    short_us = [one.at_us for one in latest if not one.run.id]
    last_us = max((*short_us, *([sum(look)] if look is not None else [])), default=None)
    if last_us is None:
        return None
    used = sum(count for _end_us, count in days.lately(reader.database, now_us))
    switch = switch_of(settings.run.kill_switch, reader.location.data_dir)
    return Watching(
        last_us=last_us,
        used=used,
        cap=settings.run.cap_bytes,
        setting=f"{'metered_' if settings.run.metered else ''}megabytes_per_day",
        used_up=is_used_up(used, settings),
        stopped_by=str(switch) if exists(switch) else None,
    )


def _is_listed(one: Latest, platforms: Sequence[Platform]) -> bool:
    """Whether the catalogue still has it, or never had its platform: what is measured no more would stay for ever."""
    platform = next((p for p in platforms if p.id == one.result.platform), None)
    return platform is None or any(
        endpoint.url == one.result.url for s in platform.services for endpoint in s.endpoints
    )


# ---------------------------------------------------------------------------------------------------------------------
# for people


def _lines(status: Status, *, verbose: bool) -> Iterator[str]:
    if not status.latest:
        yield from folded([_nothing(status)])
        return
    yield from _columns(list(_rows(status, verbose=verbose)))
    yield ""
    yield from folded(_about(status))


def _nothing(status: Status) -> str:
    """Why there is nothing to show; older results are no reason to check anew."""
    if status.older:
        return (
            f"There are older results in {status.location.shown}, and none since then. All of them: leave --since out."
        )
    return f"There are no results in {status.location.shown}. Run `dalel check` first."


def _about(status: Status) -> Iterator[str]:
    """How much there is, where, and how ``dalel run`` is."""
    if status.last_run is not None:
        yield f"Last run {_age(status.now_us - _begun_us(status.last_run))}, {status.runs} in all."
    if status.watching is not None:
        yield from _watched(status.watching, status.now_us)
    stored = f" ({megabytes(status.size)})" if status.size is not None else ""
    yield f"Stored in {status.location.shown}{stored}."


def _begun_us(run: Run) -> int:
    return run.started_us + (run.clock_offset_us or 0)


def _watched(watching: Watching, now_us: int) -> Iterator[str]:
    """How ``dalel run`` is, and why it measures nothing if it may not."""
    used = f"{watching.used / 1e6:.1f} of {watching.cap / 1e6:g} MB used in the last 24 hours"
    yield f"dalel run: last look {_age(now_us - watching.last_us)}; {used}."
    if watching.stopped_by is not None:
        yield f"Nothing is measured while {watching.stopped_by} exists."
    elif watching.used_up:
        yield (
            "That is about as much as it may use: little or nothing is measured until some of it is a day old "
            f"([run] {watching.setting} in the settings)."
        )


def _rows(status: Status, *, verbose: bool) -> Iterator[tuple[str, ...] | str]:
    from probe.report.platforms import says_more, sentence

    for platform in status.platforms:
        mine = [one for one in status.latest if one.result.platform == platform.platform]
        measured = max(one.at_us for one in mine)
        method = platform.method or ""
        yield _row(platform.platform, platform.status, method, platform.confidence, status.now_us - measured)
        if says_more(platform):
            yield f"  {sentence(platform)}"
        if verbose:
            yield from (_endpoint_row(one, status.now_us, "  ") for one in mine)
    yield from (_endpoint_row(one, status.now_us, "") for one in status.latest if one.result.platform is None)


def _endpoint_row(one: Latest, now_us: int, indent: str) -> tuple[str, ...]:
    verdict = one.result.verdict
    how = verdict.signature or verdict.method or ""
    return _row(indent + safe(one.result.url, 60), verdict.status, how, verdict.confidence, now_us - one.at_us)


def _row(name: str, word: str, how: str, confidence: float | None, age_us: int) -> tuple[str, ...]:
    from probe.report.words import LABELS, percent

    sure = percent(confidence).replace(" ", "") if confidence is not None else ""
    return name, LABELS[word], how, sure, _age(age_us)


def _columns(rows: Sequence[tuple[str, ...] | str]) -> Iterator[str]:
    """Rows of cells as aligned lines; what is no row stays as it is."""
    cells = [row for row in rows if not isinstance(row, str)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in rows:
        if isinstance(row, str):
            yield from folded([row])
        else:
            yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _age(age_us: int) -> str:
    """How long ago, in the largest unit that fits; a clock that was set back gives "in the future"."""
    if age_us < -_MINUTE_US:
        return "in the future (was the clock set back?)"
    seconds = max(age_us, 0) // 1_000_000
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


# ---------------------------------------------------------------------------------------------------------------------
# for programs


def _document(status: Status) -> dict[str, Any]:
    from storage.when import utc_text

    last = status.last_run
    return {
        "schema": "dalel.status/1",
        "now": utc_text(status.now_us),
        "database": status.location.shown,
        "bytes": status.size,
        "runs": status.runs,
        "last_run": None if last is None else {"run": last.id, "started_at": utc_text(_begun_us(last))},
        "watching": None if status.watching is None else _watching_document(status.watching, status.now_us),
        "platforms": [_platform(one, status) for one in status.platforms],
        "results": [_result(one, status.now_us) for one in status.latest],
    }


def _watching_document(watching: Watching, now_us: int) -> dict[str, Any]:
    from storage.when import utc_text

    return {
        "last_look_at": utc_text(watching.last_us),
        "age_s": (now_us - watching.last_us) // 1_000_000,
        "bytes_24h": watching.used,
        "cap_bytes_24h": watching.cap,
        "used_up": watching.used_up,
        "stopped_by": watching.stopped_by,
    }


def _platform(word: PlatformVerdict, status: Status) -> dict[str, Any]:
    from probe.report.platforms import sentence

    return {
        "platform": word.platform,
        "status": word.status,
        "method": word.method,
        "confidence": word.confidence,
        "partial": word.partial,
        "sentence": sentence(word),
        "impairments": list(word.impairments),
        "services": {service.service: service.status for service in word.services},
        **_measured(max(one.at_us for one in status.latest if one.result.platform == word.platform), status.now_us),
    }


def _write_csv(status: Status) -> None:
    """One row a platform (RFC 4180); an empty cell is *not known*."""
    writer = csv.writer(sys.stdout)
    keys = (
        "platform",
        "status",
        "method",
        "confidence",
        "partial",
        "sentence",
        "impairments",
        "services",
        "measured_at",
    )
    writer.writerow(keys)
    for word in status.platforms:
        told = _platform(word, status)
        told["impairments"] = " ".join(told["impairments"])
        told["services"] = " ".join(f"{name}={status}" for name, status in told["services"].items())
        told["confidence"] = "" if word.confidence is None else f"{word.confidence:.4f}"
        told["partial"] = int(word.partial)
        writer.writerow(safe_cell(safe(cell, 4000)) if isinstance(cell := told[key], str) else cell for key in keys)


def _result(one: Latest, now_us: int) -> dict[str, Any]:
    verdict = one.result.verdict
    return {
        "run": one.run.id or None,
        "endpoint": one.result.number if one.run.id else None,
        "target": one.result.target,
        "platform": one.result.platform,
        "service": one.result.service,
        "url": one.result.url,
        **{key: getattr(verdict, key) for key in ("status", "method", "signature", "confidence", "basis", "where")},
        "ruleset": verdict.ruleset,
        **_measured(one.at_us, now_us),
    }


def _measured(started_us: int, now_us: int) -> dict[str, Any]:
    from storage.when import utc_text

    return {"measured_at": utc_text(started_us), "age_s": (now_us - started_us) // 1_000_000}
