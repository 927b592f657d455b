"""``dalel incidents``: what began and ended, and when. Measures nothing."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import click

from probe.cli.archive import counted, database_option, folded, read_moment, read_place, read_span, sentences, tell
from probe.cli.common import config_option, read_catalogue

if TYPE_CHECKING:
    from probe.incidents.model import Incident
    from probe.incidents.recurrence import Local
    from probe.report.incidents import Picture, Remark
    from storage.database import Database
    from storage.location import Location
    from storage.reader import Reader
    from targets.model import Platform

HELP = """\
Show what began and ended: open incidents first. Measures nothing.

\b
  dalel incidents
  dalel incidents --since 2026-11-01 --zone Asia/Almaty -v
  dalel incidents --open --format json

`dalel run` notices incidents; checks by hand open none. A beginning is told as an interval: after the last time that all
was well, and by the first time that it was not. Notes (`dalel note`) are shown beside what they fall into.

The exit code is 1 while something is blocked, refused or down, 3 while only your own network is or where nobody watched,
0 otherwise.
"""
USUAL_SINCE = "30d"
_DAY_US = 86_400_000_000
_LOOKED_BACK_US = 90 * _DAY_US
"""Incidents before the ones that are asked for, in which an appointment may have begun."""
EXIT_UNKNOWN = 3
_WHO_WATCHES = "`dalel run` watches around the clock, and notices them."
_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_zone(_ctx: click.Context, _parameter: click.Parameter, name: str | None) -> tzinfo | None:
    """The time zone that was typed; ``None`` for this computer's own."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(f"'{name}' is no time zone that this computer knows, such as Asia/Almaty.") from error


zone_option = click.option(
    "--zone", metavar="NAME", callback=read_zone, help="Times of this zone, e.g. Asia/Almaty [this computer's]."
)


def local_in(zone: tzinfo | None) -> Local:
    """UTC microseconds to that zone's time, with the rule of that very day."""

    def local(us: int) -> datetime:
        try:
            return (_EPOCH + timedelta(microseconds=us)).astimezone(zone)
        except (OverflowError, ValueError, OSError):  # a clock that was wrong by ages
            return datetime.max.replace(tzinfo=UTC) if us > 0 else _EPOCH

    return local


@click.command("incidents", help=HELP)
@click.option(
    "--since",
    metavar="WHEN",
    help=f"Under way then or later: 7d, 2026-11-01 (UTC) [{USUAL_SINCE} before the end, and all open].",
)
@click.option("--until", metavar="WHEN", help="Begun before then.")
@click.option("--open", "open_only", is_flag=True, help="Only what is going on.")
@click.option("--target", multiple=True, metavar="NAME", help="Only with this platform or URL.")
@zone_option
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "csv")), default="text", help="How to show it [text]."
)
@click.option("-v", "--verbose", is_flag=True, help="All that happened to each.")
@database_option
@config_option
def command(
    *,
    since: str | None,
    until: str | None,
    open_only: bool,
    target: tuple[str, ...],
    zone: tzinfo | None,
    form: str,
    verbose: bool,
    database: str | None,
    config: str | None,
) -> int:
    """Read, show, and give the exit code."""
    from probe.wire import Wire

    if open_only and form == "csv":
        raise click.UsageError("--open does not go with --format csv: its column 'state' says which are open.")
    now_us = Wire().now_us()
    since_us, until_us = read_span(since, until, now_us)
    # A month before what is asked for, or nothing of last year would be found by naming its end.
    end_us = now_us if until_us is None else min(until_us, now_us)
    since_us = read_moment(USUAL_SINCE, "--since", end_us) if since_us is None else since_us
    assert since_us is not None
    location, settings = read_place(database, config)
    platforms = read_catalogue(settings)[0].platforms
    with sentences():
        if form == "csv":
            _csv(location, since_us, until_us, target)
        shown = _read(
            location,
            now_us,
            since_us,
            until_us,
            local_in(zone),
            open_only=open_only,
            targets=target,
            events=verbose or form == "json",
            platforms=platforms,
        )
        watched = shown is None or bool(shown.incidents) or _was_watched(location, since_us, until_us, now_us)
    if shown is None:
        click.echo(
            _nothing(now_us, local_in(zone))
            if form == "json"
            else f"There are no results in {location.shown} yet. {_WHO_WATCHES}"
        )
        return EXIT_UNKNOWN
    if form == "json":
        from probe.report.incidents import document
        from storage.when import utc_text

        click.echo(json.dumps(document(shown, utc_text), ensure_ascii=False))
    elif form == "text":
        ago = "in that time" if until is not None else _ago(USUAL_SINCE if since is None else since)
        _say(shown, ago, watched=watched, some=open_only or bool(target))
    return _exit_code(shown.incidents) if watched else EXIT_UNKNOWN


def _was_watched(location: Location, since_us: int, until_us: int | None, now_us: int) -> bool:
    """Whether `dalel run` looked at all in that time: where nobody watched, no incident is no good news."""
    from storage import own_sides
    from storage.reader import Reader

    # Looks are dated by the corrected clock, and this computer's may be behind.
    latest_us = now_us + _DAY_US
    end_us = latest_us if until_us is None else min(max(until_us, 0), latest_us)
    with Reader.open(location) as reader:
        return own_sides.is_any_between(reader.database, min(max(since_us, 0), end_us), end_us)


def _say(picture: Picture, ago: str, *, watched: bool, some: bool) -> None:
    """The sentences; *some*: only incidents of one kind are wanted."""
    from probe.report.incidents import lines

    if not picture.incidents:
        nobody = f"Nobody watched {ago}, so nothing is known of incidents. {_WHO_WATCHES}"
        none = f"No {'such ' if some else ''}incidents {ago}."
        click.echo(f"{none if watched else nobody}\n")
    click.echo("\n".join(folded(lines(picture))))


def _ago(since: str) -> str:
    return f"in the last {_period(since)}" if _is_period(since) else f"since {since}"


def _is_period(text: str) -> bool:
    from storage.when import parse_period

    try:
        parse_period(text)
    except ValueError:
        return False
    return True


def _period(text: str) -> str:
    """``30 days`` for ``30d``; ``day`` for ``1d``."""
    number, unit = int(text.strip()[:-1]), _UNITS[text.strip()[-1].lower()]
    return unit if number == 1 else f"{number} {unit}s"


def _nothing(now_us: int, local: Local) -> str:
    """The document of what was never kept: it has every key."""
    from probe.report.incidents import Picture, document
    from storage.when import utc_text

    empty = Picture(incidents=(), events={}, remarks=(), recurrences=(), now_us=now_us, local=local)
    return json.dumps(document(empty, utc_text))


def _exit_code(incidents: tuple[Incident, ...]) -> int:
    going_on = {incident.status for incident in incidents if incident.state == "open"}
    if going_on - {"no_network"}:
        return 1
    return 3 if going_on else 0


def _csv(location: Location, since_us: int | None, until_us: int | None, targets: tuple[str, ...]) -> None:
    """As ``dalel export incidents`` has it."""
    from probe.workflows.export import ExportRequest, export
    from storage.export.columns import choose
    from storage.export.query import Selection

    selection = Selection(what="incidents", since_us=since_us, until_us=until_us, targets=targets)
    count = export(
        ExportRequest(location=location, selection=selection, columns=choose("incidents", ())), sys.stdout.buffer
    )
    sys.stdout.buffer.flush()
    tell(counted(count, "incident"))


def _read(
    location: Location,
    now_us: int,
    since_us: int | None,
    until_us: int | None,
    local: Local,
    *,
    open_only: bool,
    targets: tuple[str, ...],
    events: bool,
    platforms: tuple[Platform, ...],
) -> Picture | None:
    """All that is shown; ``None`` where nothing was ever kept."""
    from probe.incidents.parts import Parts
    from probe.incidents.recurrence import recurrences
    from probe.report.incidents import Picture
    from storage import incidents as kept
    from storage import own_sides
    from storage.errors import NoDatabaseError
    from storage.reader import Reader

    try:
        reader = Reader.open(location)
    except NoDatabaseError:
        return None
    with reader:
        database = reader.database
        before_us = None if since_us is None else since_us - _LOOKED_BACK_US
        known = [one for one in kept.newest(database, since_us=before_us, until_us=until_us) if _is_of(one, targets)]
        shown = tuple(one for one in known if _is_shown(one, since_us, open_only=open_only))
        ids = {incident.id for incident in shown}
        look = own_sides.last(database, now_us)
        return Picture(
            incidents=shown,
            looked_us=_looked_us(reader, shown, look, now_us),
            events=kept.events_of(database, ids) if events else {},
            remarks=_remarks(database, since_us, until_us),
            recurrences=tuple(one for one in recurrences(known, local) if ids & set(one.incidents)),
            now_us=_corrected(now_us, look),
            local=local,
            parts=Parts.of(platforms),
        )


def _looked_us(
    reader: Reader, shown: tuple[Incident, ...], look: tuple[int, int] | None, now_us: int
) -> dict[str, int]:
    """When what each open one holds was looked at last: it may be watched no more, or nobody watches at all."""
    living = [one for one in shown if one.state == "open"]
    latest: dict[str, int] = {}
    for one in reader.latest(now_us) if any(one.remaining for one in living) else ():
        latest[one.result.url] = max(one.at_us, latest.get(one.result.url, 0))
    line = [sum(look)] if look is not None else []
    found = {one.id: [latest[url] for url in one.remaining if url in latest] if one.urls else line for one in living}
    return {name: max(moments) for name, moments in found.items() if moments}


def _corrected(now_us: int, look: tuple[int, int] | None) -> int:
    """Now, if this computer's clock is still as far behind as it was at the last look."""
    return now_us + look[1] if look is not None and look[0] <= now_us else now_us


def _is_of(incident: Incident, targets: tuple[str, ...]) -> bool:
    return not targets or any(target in incident.platforms or target in incident.urls for target in targets)


def _is_shown(incident: Incident, since_us: int | None, *, open_only: bool) -> bool:
    if incident.state == "open":
        return True
    ended_us = incident.ended_by_us if incident.ended_by_us is not None else incident.closed_us
    return not open_only and (since_us is None or ended_us is None or ended_us >= since_us)


def _remarks(database: Database, since_us: int | None, until_us: int | None) -> tuple[Remark, ...]:
    from probe.report.incidents import Remark
    from storage import notes

    found = notes.between(database, since_us, until_us)
    return tuple(Remark(id=one.id, at_us=one.at_us, until_us=one.until_us, text=one.text) for one in found)
