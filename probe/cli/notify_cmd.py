"""``dalel notify``: the channels through which people are told, and a test of them that says what came of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from probe.cli.archive import counted, database_option, read_place, sentences
from probe.cli.common import ConfigError, WholeGroup, config_option, read_settings
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.daemon.telling.means import Means, Sent
    from probe.daemon.telling.messages import Message
    from probe.settings import Settings
    from probe.settings.notify import Channel, Language

EXIT_NOT_SENT = 1
_LONGEST = 300


@click.group("notify", cls=WholeGroup)
def command() -> None:
    """See and test the channels through which dalel run tells people.

    \b
    Examples:
      dalel notify test --dry-run
      dalel notify test
      dalel notify waiting
    """  # noqa: D301


@command.command("test", short_help="Send a test message, and say what came of it.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--dry-run", is_flag=True, help="Say what would be sent and where to; send nothing.")
@click.option("--language", type=click.Choice(("en", "ru", "kk")), help="In this language.")
@config_option
def test(*, names: tuple[str, ...], dry_run: bool, language: Language | None, config: str | None) -> int:
    """Send a test message through every channel, or the named ones, and say what the other side answered.

    That a server took a message does not mean that somebody has seen it: look there too. Exit code: 0 all were taken,
    1 at least one was not.

    \b
    Examples:
      dalel notify test
      dalel notify test --language kk
    """  # noqa: D301
    settings = read_settings(config).settings
    channels = _chosen(settings.notify.channels, names)
    _check_apprise(channels)
    if dry_run:
        _show(settings, channels, language)
        return 0
    outcomes = _send(settings, channels, language)
    for channel, sent in zip(channels, outcomes, strict=True):
        word = "taken" if sent.ok else "NOT SENT"
        click.echo(safe(f"{channel.name} ({_where(channel)}): {word}. {sent.said}", _LONGEST))
    return 0 if all(sent.ok for sent in outcomes) else EXIT_NOT_SENT


@command.command("waiting", short_help="Show the messages that wait to be sent.")
@database_option
@config_option
def waiting(*, database: str | None, config: str | None) -> None:
    """Show the messages that wait to be sent, oldest first, and why the last attempt failed.

    \b
    Examples:
      dalel notify waiting
    """  # noqa: D301
    location, settings = read_place(database, config)
    from probe.daemon import words
    from probe.daemon.telling.messages import subject
    from probe.daemon.telling.parcels import sort
    from probe.report.document import timestamp
    from probe.wire import Wire
    from storage import outbox
    from storage.reader import Reader

    spoken = words.load(words.choose(settings.language, os.environ))
    with sentences(), Reader.open(location) as reader:
        rows = {row.id: row for row in outbox.waiting(reader.database)}
    parcels = sort(tuple(rows.values()), settings.notify.channels, Wire().now_us()).parcels
    for parcel in parcels:
        first, last = rows[parcel.rows[0]], rows[parcel.rows[-1]]
        why = next((row.trouble for row in (last, first) if row.trouble), "not tried yet")
        made = timestamp(first.made_us)[:16].replace("T", " ")
        line = f"{made} UTC  {parcel.channel}: {subject(parcel.items[-1].incident, spoken)} ({why})"
        click.echo(safe(line, _LONGEST))
    if not parcels:
        click.echo("No message waits.")
    known = {channel.name for channel in settings.notify.channels}
    if others := sorted({row.channel for row in rows.values()} - known):
        many = outbox.together([row for row in rows.values() if row.channel not in known])
        text = (
            f"{counted(many, 'more is', 'more are')} of channels that these settings do not have: {', '.join(others)}."
        )
        click.echo(safe(text, _LONGEST))


def _chosen(channels: Sequence[Channel], names: Sequence[str]) -> tuple[Channel, ...]:
    known = {channel.name: channel for channel in channels}
    if not known:
        raise ConfigError(
            "no channel is set up, so nobody is told but the log. For example:\n"
            '  [notify]\n  ntfy = "https://ntfy.sh/A-NAME-THAT-NOBODY-GUESSES"\n'
            "in the settings file, or the same in DALEL_NOTIFY_NTFY. More: dalel help notify"
        )
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no channel {name}. There are: {', '.join(known)}.")
    return tuple(known[name] for name in dict.fromkeys(names or known))


def _check_apprise(channels: Sequence[Channel]) -> None:
    """What is not installed is a mistake in the settings, and is told before anything is sent."""
    from probe.daemon.telling import others

    absent = [channel.name for channel in channels if channel.kind == "apprise" and not others.is_there()]
    if absent:
        raise ConfigError(f"the channel {absent[0]} cannot be used. {others.ABSENT}.")


def _where(channel: Channel) -> str:
    if not channel.is_remote:
        return channel.kind
    return f"{channel.kind}, {channel.shown}" if channel.kind == "apprise" else f"{channel.kind}, {channel.host}"


def _show(settings: Settings, channels: Sequence[Channel], language: Language | None) -> None:
    for channel in channels:
        message = _message(settings, channel, language)
        click.echo(safe(f"{channel.name}: to {channel.shown if channel.is_remote else channel.kind}", _LONGEST))
        click.echo(safe(f"  {message.title} / {message.text}", _LONGEST))


def _message(settings: Settings, channel: Channel, language: Language | None) -> Message:
    from probe.daemon import words
    from probe.daemon.telling.messages import Style, a_test
    from probe.daemon.telling.times import here
    from probe.wire import Wire

    spoken = channel.language or language or words.choose(settings.language, os.environ)
    style = Style(words=words.load(spoken), local=here, channel=channel.name, probe=settings.notify.probe)
    return a_test(style, Wire().now_us())


def _send(settings: Settings, channels: Sequence[Channel], language: Language | None) -> list[Sent]:
    import asyncio

    from probe.daemon.telling.means import Means, trust_of
    from probe.wire import Wire

    means = Means(wire=Wire(), trust=trust_of(os.environ), probe=settings.notify.probe)

    async def each() -> list[Sent]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_one(channel, _message(settings, channel, language), means)) for channel in channels
            ]
        return [task.result() for task in tasks]

    return asyncio.run(each())


async def _one(channel: Channel, message: Message, means: Means) -> Sent:
    import sys

    from probe.daemon.telling import local
    from probe.daemon.telling.channels import send
    from probe.daemon.telling.means import Sent

    if channel.is_remote:
        return await send(channel, message, means)
    if channel.kind == "log":
        local.write_log(message, channel.name, sys.stderr)
        return Sent(ok=True, said="written to standard error, where dalel run writes its log")
    local.write_terminal(message, sys.stdout)
    return Sent(ok=True, said="written here")
