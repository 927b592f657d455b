"""``dalel db``: look after the database."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from probe.cli.archive import counted, database_option, megabytes, read_place, sentences
from probe.cli.common import ConfigError, WholeGroup, config_option

if TYPE_CHECKING:
    from probe.settings.keep import Keep
    from storage.location import Location
    from storage.maintenance import Removed

format_option = click.option(
    "--format", "form", type=click.Choice(("table", "json")), default="table", help="How to show it [table]."
)


@click.group("db", cls=WholeGroup)
def command() -> None:
    """Look after the database: upgrade, backup, prune, vacuum, check, repair.

    \b
    Examples:
      dalel db check
      dalel db backup -o copy.db
      dalel db prune --older-than 180d --dry-run
    """  # noqa: D301


@command.command("upgrade")
@format_option
@database_option
@config_option
def upgrade(*, form: str, database: str | None, config: str | None) -> None:
    """Bring an older database to this version. A copy is made first.

    Other commands do it by themselves when they must.

    \b
    Examples:
      dalel db upgrade
    """  # noqa: D301
    location, _settings = read_place(database, config)
    with sentences():
        from storage.database import Database
        from storage.revisions import HEAD
        from storage.sqlite_file import require

        if location.path is not None:
            require(location.path)
        Database.open(location, writable=True).close()
    _show(
        form, f"{location.shown} is as this version needs it (schema {HEAD}).", database=location.shown, revision=HEAD
    )


@command.command("backup")
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Copy to this new file.")
@format_option
@database_option
@config_option
def backup(*, output: str | None, form: str, database: str | None, config: str | None) -> None:
    """Copy the database to one file. Checks may go on meanwhile.

    \b
    Examples:
      dalel db backup -o copy.db
    """  # noqa: D301
    location, _settings = read_place(database, config)
    with sentences():
        from storage.maintenance import backup as copy

        path = copy(location, to=Path(output).absolute() if output else None)
    size = path.stat().st_size
    _show(form, f"Copied to {path} ({megabytes(size)}).", file=str(path), bytes=size)


@command.command("prune")
@click.option("--older-than", metavar="PERIOD", help="Everything from longer ago: 90d, 12w.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
@format_option
@database_option
@config_option
def prune(*, older_than: str | None, dry_run: bool, form: str, database: str | None, config: str | None) -> None:
    """Make old results shorter, or remove them.

    Without --older-than it does what `dalel run` does daily: old results that say that all is well lose their details,
    and so do those that only repeat others if the database is too large ([keep] in the settings says when and how much);
    nothing else goes. With it, everything older is removed, also incidents and notes that were over by then.

    \b
    Examples:
      dalel db prune --dry-run
      dalel db prune --older-than 180d
    """  # noqa: D301
    location, settings = read_place(database, config)
    if older_than is None:
        _tidy(location, settings.keep, dry_run=dry_run, form=form)
        return
    from probe.wire import Wire
    from storage.when import parse_period

    try:
        # Nothing was measured before 1970, whatever is typed.
        before_us = max(Wire().now_us() - parse_period(older_than), 0)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="'--older-than'") from error
    with sentences():
        from probe.workflows.prune import prune as remove

        removed = remove(location, before_us, dry_run=dry_run)
    text = _gone(removed) + (" would be removed." if dry_run else " removed.")
    text += _SPACE if removed.runs and not dry_run else ""
    _show(form, text, removed=not dry_run, **dataclasses.asdict(removed))


def _gone(removed: Removed) -> str:
    """All that goes, in words; what there is none of is left out, but for runs."""
    short = removed.readings + removed.rollups
    results, observations = counted(removed.endpoints, "result"), counted(removed.observations, "observation")
    parts = [f"{counted(removed.runs, 'run')} with {results} and {observations}"]
    if short:
        parts.append(f"{counted(short, 'result')} that {'is' if short == 1 else 'are'} kept in short form")
    for count, one, many in (
        (removed.own_sides, "look at the own network", "looks at the own network"),
        (removed.incidents, "incident", "incidents"),
        (removed.notes, "note", "notes"),
    ):
        if count:
            parts.append(counted(count, one, many))
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


_SPACE = " `dalel db vacuum` gives the space back to the disk."


def _tidy(location: Location, keep: Keep, *, dry_run: bool, form: str) -> None:
    """Housekeeping by the settings, or what it would do."""
    from probe.wire import Wire
    from probe.workflows.prune import tidy_due, tidy_now

    now_us = Wire().now_us()
    with sentences():
        done = tidy_due(location, keep, now_us) if dry_run else tidy_now(location, keep, now_us)
    would = "would " if dry_run else ""
    text = (
        f"{counted(done.runs, 'healthy check')} from before {keep.details_days} days {would}"
        f"{'lose' if dry_run else 'lost'} {'its' if done.runs == 1 else 'their'} details, "
        f"{counted(done.readings, 'short row')} from before {keep.readings_days} days {would}"
        f"{'become' if dry_run else 'became'} sums an hour, and {counted(done.own_sides, 'look')} at the own network "
        f"{would}{'go' if dry_run else 'went'}."
        + (_repeats(done.repeats, keep, dry_run=dry_run) if done.repeats else "")
        + (_SPACE if done.runs + done.repeats and not dry_run else "")
    )
    _show(form, text, done=not dry_run, **dataclasses.asdict(done))


def _repeats(runs: int, keep: Keep, *, dry_run: bool) -> str:
    many = f"{counted(runs, 'check')} that only {'repeats' if runs == 1 else 'repeat'} others"
    do = f"about {many} would lose" if dry_run else f"{many} lost"
    return f" To stay below {keep.megabytes} MB, {do} {'its' if runs == 1 else 'theirs'}."


@command.command("vacuum")
@format_option
@database_option
@config_option
def vacuum(*, form: str, database: str | None, config: str | None) -> None:
    """Give the space of removed runs back to the disk. No check may run meanwhile.

    \b
    Examples:
      dalel db vacuum
    """  # noqa: D301
    location, _settings = read_place(database, config)
    with sentences():
        from storage.maintenance import vacuum as shrink

        before, after = shrink(location)
    _show(form, f"{megabytes(before)} before, {megabytes(after)} now.", bytes_before=before, bytes_after=after)


@command.command("check")
@format_option
@database_option
@config_option
def check(*, form: str, database: str | None, config: str | None) -> int:
    """Look for damage in all of it. Exit code 1 if there is any.

    \b
    Examples:
      dalel db check
    """  # noqa: D301
    location, _settings = read_place(database, config)
    with sentences():
        from storage.health import advice, look_over

        if location.path is None:
            text = f"{location.shown} is on a PostgreSQL server, which looks after itself: nothing was looked at."
            _show(form, text, sound=None, problems=[])
            return 0
        _must_be_ours(location)
        found = look_over(location, seconds=None, thorough=True)
    wrong = (*found.problems, "", advice(location))
    text = f"{location.shown} is sound." if found.sound else "\n".join(wrong)
    _show(form, text, sound=found.sound, problems=list(found.problems))
    return 0 if found.sound else 1


def _must_be_ours(location: Location) -> None:
    """Raise for a file that is sound and yet no database of results; what cannot be read is damage, and is told as such."""
    from storage.errors import StorageError
    from storage.sqlite_file import check_state, read_state, require

    assert location.path is not None
    require(location.path)
    try:
        state, stamp = read_state(location.path)
    except StorageError:
        return
    check_state(location.shown, state, stamp)
    if state == "new":
        raise StorageError(f"{location.shown} is empty: there is nothing to look at yet.")


@command.command("repair")
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Save to this new file.")
@format_option
@database_option
@config_option
def repair(*, output: str | None, form: str, database: str | None, config: str | None) -> int:
    """Save what can be read of a damaged database to a new file.

    The damaged one stays as it is. What is lost is counted and named. `dalel run` must be stopped.

    \b
    Examples:
      dalel db repair -o saved.db
    """  # noqa: D301
    location, _settings = read_place(database, config)
    if location.path is None:
        raise ConfigError(f"{location.shown} is on a PostgreSQL server, which looks after itself.")
    with sentences():
        from storage.maintenance import alone, damaged_path, saved_path
        from storage.repair import repair as save
        from storage.sqlite_file import require

        to = Path(output).absolute() if output else saved_path(location.path)
        require(location.path)
        with alone(location):
            saved = save(location, to)
    lost = [one for one in saved if one.lost != 0]
    many = sum(one.rows for one in saved)
    lines = [f"{counted(many, 'row')} {'is' if many == 1 else 'are'} saved in {to}."]
    for one in lost:
        rows = "some rows" if one.lost is None else counted(one.lost, "row")
        names = f": {', '.join(one.named)}{' …' if one.lost and one.lost > len(one.named) else ''}" if one.named else ""
        lines.append(f"Lost of {one.table}: {rows}{names}.")
    if not lost:
        lines.append("Nothing is lost.")
    lines.append(f"To use it: mv {location.path} {damaged_path(location.path)} && mv {to} {location.path}")
    _show(form, "\n".join(lines), file=str(to), tables=[dataclasses.asdict(one) for one in saved])
    return 1 if lost else 0


def _show(form: str, text: str, **values: Any) -> None:
    click.echo(json.dumps(values) if form == "json" else text)
