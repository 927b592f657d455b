"""``dalel note``: what happened in the world, beside what happened in the network."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import click

from probe.cli.archive import database_option, read_place, sentences, tell
from probe.cli.common import ConfigError, WholeGroup, config_option
from probe.cli.incidents_cmd import local_in, zone_option
from probe.report.safe import safe

HELP = """\
Write down what happened in the world, to be shown beside incidents.

\b
  dalel note "opposition live stream" --at 20:00 --until 22:00
  dalel note "power cut in our street"
  dalel note list
  dalel note remove 3

A time without a date is today's, a time without a zone is this computer's (or that of --zone). Notes stay in the database;
nothing is sent. One that is removed is shown no more; `dalel purge` removes it from the disk.
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 2000


_WITH_VALUE = frozenset({"--at", "--until", "--zone", "--database", "--config", "--since", "--format"})


class NoteGroup(WholeGroup):
    """``dalel note TEXT`` is ``dalel note add TEXT``: what is no command is a note, wherever the options stand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = _first_word(args)
        if first is not None and args[first] in self.commands:
            args = [args[first], *args[:first], *args[first + 1 :]]
        elif args and not any(word in ("-h", "--help") for word in args):
            args = ["add", *args]
        return super().parse_args(ctx, args)


def _first_word(args: list[str]) -> int | None:
    """Where the first word is that is neither an option nor an option's value."""
    index = 0
    while index < len(args):
        if not args[index].startswith("-"):
            return index
        index += 2 if args[index] in _WITH_VALUE else 1
    return None


@click.group("note", cls=NoteGroup, help=HELP)
def command() -> None:
    """The group itself does nothing."""


@command.command("add")
@click.argument("words", nargs=-1, metavar="TEXT")
@click.option("--at", metavar="WHEN", help="When: 20:00, 2026-11-22T20:00, or a period ago such as 90m [now].")
@click.option("--until", metavar="WHEN", help="Until when, if it lasted.")
@zone_option
@database_option
@config_option
def add(
    *,
    words: tuple[str, ...],
    at: str | None,
    until: str | None,
    zone: tzinfo | None,
    database: str | None,
    config: str | None,
) -> None:
    """Write a note down.

    \b
    Examples:
      dalel note "power cut in our street" --at 20:00 --until 22:00
    """  # noqa: D301
    from probe.wire import Wire

    if len(words) > 1:
        raise click.UsageError(f'The text is one word for the shell: put it in quotes, "{" ".join(words)}".')
    text = words[0] if words else ""
    now_us = Wire().now_us()
    at_us = now_us if at is None else read_local(at, "--at", now_us, zone)
    until_us = None if until is None else read_local(until, "--until", now_us, zone)
    if not text.strip():
        raise click.BadParameter("it is empty.", param_hint="'TEXT'")
    if len(text) > _LONGEST:
        raise click.BadParameter(f"it is longer than {_LONGEST} characters.", param_hint="'TEXT'")
    if until_us is not None and until_us < at_us:
        raise click.BadParameter("it is before --at.", param_hint="'--until'")
    location, _settings = read_place(database, config)
    with sentences():
        from storage.archive import Archive
        from storage.notes import Note
        from storage.notes import add as keep

        with Archive.open(location) as archive:
            note = Note(at_us=at_us, until_us=until_us, text=text.strip(), made_us=now_us)
            number = keep(archive, note).result()
    from probe.report.incidents import zone_name

    local = local_in(zone)
    tell(f"Note {number}, {local(at_us):%Y-%m-%d %H:%M} ({zone_name(local(at_us))}).")


@command.command("list")
@click.option("--since", metavar="WHEN", help="About a time from then on: 7d, 2026-11-01 (UTC).")
@zone_option
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="How to show them [text].")
@database_option
@config_option
def list_(*, since: str | None, zone: tzinfo | None, form: str, database: str | None, config: str | None) -> None:
    """Show the notes, in the order of what they are about.

    \b
    Examples:
      dalel note list --since 7d
    """  # noqa: D301
    from probe.cli.archive import read_moment
    from probe.wire import Wire
    from storage.when import utc_text

    since_us = read_moment(since, "--since", Wire().now_us())
    location, _settings = read_place(database, config)
    found: list[Any] = []
    with sentences():
        from storage import notes
        from storage.errors import NoDatabaseError
        from storage.reader import Reader

        try:
            with Reader.open(location) as reader:
                found = list(notes.between(reader.database, since_us))
        except NoDatabaseError:
            pass
    if form == "json":
        from probe.report.incidents import Remark, remark_rows

        remarks = [Remark(id=one.id, at_us=one.at_us, until_us=one.until_us, text=one.text) for one in found]
        click.echo(json.dumps(remark_rows(remarks, utc_text), ensure_ascii=False))
        return
    local = local_in(zone)
    for one in found:
        until = "" if one.until_us is None else f" to {local(one.until_us):%Y-%m-%d %H:%M}"
        click.echo(f"{one.id}  {local(one.at_us):%Y-%m-%d %H:%M}{until}  {safe(one.text, _LONGEST)}")
    if found:
        from probe.report.incidents import zones

        click.echo(
            f"Times are those of {zones(local(us) for one in found for us in (one.at_us, one.until_us or one.at_us))}."
        )
    else:
        tell("There are no notes.")


def _number(_ctx: click.Context, _parameter: click.Parameter, value: str) -> int:
    """The number of a note, as `dalel note list` shows it."""
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 1 << 63):
        raise click.BadParameter(f"{value!r} is no number of a note. `dalel note list` shows them.")
    return int(value)


@command.command("remove")
@click.argument("number", callback=_number)
@database_option
@config_option
def remove(*, number: int, database: str | None, config: str | None) -> None:
    """Take a note back.

    \b
    Examples:
      dalel note remove 3
    """  # noqa: D301
    from probe.wire import Wire

    location, _settings = read_place(database, config)
    with sentences():
        from storage import notes
        from storage.archive import Archive
        from storage.errors import NoDatabaseError
        from storage.reader import Reader

        try:
            Reader.open(location).close()
        except NoDatabaseError as error:
            raise ConfigError(f"There is no note {number}.") from error
        with Archive.open(location) as archive:
            was_there = notes.remove(archive, number, Wire().now_us()).result()
    if not was_there:
        raise ConfigError(f"There is no note {number}. `dalel note list` shows them.")
    tell(f"Note {number} is taken back.")


def read_local(text: str, option: str, now_us: int, zone: tzinfo | None) -> int:
    """A moment as people say it where they are: a time of today, a date and time, or a period ago; UTC microseconds."""
    from storage.when import parse_period

    with contextlib.suppress(ValueError):
        return _since_1970(now_us - parse_period(text), text, option)
    today = local_in(zone)(now_us)
    try:
        if ":" in text and "-" not in text:
            moment = datetime.combine(today.date(), datetime.strptime(text.strip(), "%H:%M").time())  # noqa: DTZ007 (its zone comes next)
        else:
            moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()
    except (ValueError, OverflowError) as error:  # the year 1 has no time in a zone that is ahead
        hint = "give 20:00 (today), 2026-11-22T20:00, or a period ago such as 90m"
        raise click.BadParameter(f"{text!r} is no moment; {hint}.", param_hint=f"'{option}'") from error
    return _since_1970((moment - _EPOCH) // timedelta(microseconds=1), text, option)


def _since_1970(moment_us: int, text: str, option: str) -> int:
    """*moment_us*, if it can be shown as it is: times begin in 1970 here."""
    if moment_us < 0:
        raise click.BadParameter(f"{text!r} is before 1970.", param_hint=f"'{option}'")
    return moment_us
