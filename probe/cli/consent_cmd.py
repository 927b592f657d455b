"""``dalel consent``: the text, whether somebody has agreed to it, and a way to agree while ``dalel run`` waits elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from probe.cli.archive import database_option, read_place, sentences
from probe.cli.common import config_option

if TYPE_CHECKING:
    from probe.daemon.words import Words
    from probe.settings.notify import Language
    from storage.consents import Consent
    from storage.location import Location

EXIT_NOT_AGREED = 1


@click.command("consent")
@click.option("--accept-risk", is_flag=True, help="Agree without being asked: you have read the text.")
@click.option("--show", is_flag=True, help="Show the text and whether it is agreed to; ask nothing.")
@click.option("--language", type=click.Choice(("en", "ru", "kk")), help="In this language.")
@database_option
@config_option
def command(
    *, accept_risk: bool, show: bool, language: Language | None, database: str | None, config: str | None
) -> int:
    """Read what measuring around the clock means, and agree to it or not.

    A dalel run that waits for it, in a container or a service, begins within a minute.

    \b
    Examples:
      dalel consent
      dalel consent --show --language ru
    """  # noqa: D301
    location, settings = read_place(database, config)
    from probe.daemon import words
    from probe.daemon.consent import VERSION, Asker
    from probe.wire import Wire
    from storage.archive import Archive

    asker = Asker(
        language=language or words.choose(settings.language, os.environ),
        accept_risk=accept_risk,
        environ={},
        screen=sys.stdout,
        width=shutil.get_terminal_size((80, 24)).columns,
    )
    with sentences():
        last = _last(location)
        if show:
            asker.show()
        agreed = last is not None and last.version == VERSION
        if agreed or show:
            click.echo(_state(last, words.load(asker.language), agreed=agreed))
        else:
            with Archive.open(location) as archive:
                agreed = asker.ask(archive, Wire().now_us(), sys.stdin)
    return 0 if agreed else EXIT_NOT_AGREED


def _last(location: Location) -> Consent | None:
    """The last agreement that is kept; looking for it makes no database."""
    from storage import consents
    from storage.errors import NoDatabaseError
    from storage.reader import Reader

    try:
        with Reader.open(location) as reader:
            return consents.last(reader.database)
    except NoDatabaseError:
        return None


def _state(last: Consent | None, spoken: Words, *, agreed: bool) -> str:
    if last is None:
        return spoken.say("consent.none")
    when = datetime.fromtimestamp(last.at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    sentence = "consent.agreed" if agreed else "consent.agreed_before"
    return spoken.say(sentence, version=last.version, language=last.language, when=when, how=last.how)
