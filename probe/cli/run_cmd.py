"""``dalel run``: watch around the clock, notice what begins and ends, tell people, and cost next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from probe.cli import EXIT_USAGE
from probe.cli.choices import (
    completed,
    control_options,
    fingerprints_of,
    location_of,
    need_a_control,
    need_aioquic,
    networks_of,
    notes_of,
    opt_ins,
    question_options,
    shared_flags,
    understood,
    with_controls,
    words_of,
)
from probe.cli.common import (
    ConfigError,
    config_option,
    not_empty,
    read_catalogue,
    several,
)

if TYPE_CHECKING:
    from probe.daemon.consent import Asker
    from probe.daemon.daemon_jobs import WatchSet
    from probe.daemon.plan import Watched
    from probe.settings import Settings
    from probe.settings.keys import Value
    from probe.wire import Wire
    from targets.loader import Catalogue
    from targets.model import Asked

HELP = """\
Watch platforms, lists and sites around the clock from this network, and say when something begins and ends.

\b
  dalel run                            every platform of @default
  dalel run --dry-run                  the schedule, and the data that it takes a day and a month
  dalel run telegram https://kaz.tv/   platforms and sites of your own choice
  dalel run @default @news             @news and @vpn are watched only if you name them
  dalel run --once                     one round, then the end: for cron

It stops by Ctrl-C or SIGTERM, and reads its settings again on SIGHUP. While the kill switch (a file, see dalel help
settings) exists nothing is measured. DALEL_ACCEPT_RISK=1 agrees to the risks where nobody can be asked.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was typed. ``words`` have been read from standard input already, where they come from there."""

    words: tuple[str, ...]
    database: str | None
    config: str | None
    ipv4: bool
    ipv6: bool
    only: tuple[str, ...]
    skip: tuple[str, ...]
    deep: bool
    metered: bool
    controls: tuple[str, ...]
    control_token: str | None
    once: bool
    dry_run: bool
    log_format: str
    accept_risk: bool = False
    language: str | None = None


@click.command("run", help=HELP)
@click.argument("words", nargs=-1, metavar="[TARGET|@LIST|URL|HOST|-]...", shell_complete=completed)
@click.option("--database", metavar="URL", callback=not_empty, help="Keep the results in this database instead.")
@config_option
@question_options
@click.option("--deep", is_flag=True, help="Also ask how a block works, when one begins and hourly.")
@click.option("--metered", is_flag=True, help="Somebody pays for each byte: use few, and none beyond the small cap.")
@control_options
@click.option("--once", is_flag=True, help="One round, then the end.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be measured when, and what data that takes. Send nothing."
)
@click.option("--accept-risk", is_flag=True, help="You have read what it means (see dalel consent), and agree.")
@click.option("--language", type=click.Choice(("en", "ru", "kk")), help="Of the first question and of messages.")
@click.option("--log-format", type=click.Choice(("text", "json")), default="text", help="The lines it writes [text].")
def command(**typed: Any) -> int:
    """Watch; the exit code."""
    options = Options(**typed)
    options = replace(options, words=words_of(options.words))
    watch = _watch_set(options)
    from probe import raw
    from probe.wire import Wire

    wire = Wire()
    wire.may_listen = raw.is_available()
    wire.is_for_long = wire.name == "network" and not options.once
    if options.dry_run:
        import shutil

        from probe.cli.dry_run import wrapped
        from probe.cli.run_dry import schedule

        width = max(shutil.get_terminal_size((100, 24)).columns, 40)
        click.echo("\n".join(wrapped(schedule(watch), width)))
        return 0
    return _serve(options, watch, wire)


# ---------------------------------------------------------------------------------------------------------------------
# what is watched


def _watch_set(options: Options) -> WatchSet:
    """Read everything that a reload reads. Raises :class:`ConfigError` with all that is wrong."""
    settings = _settings(options)
    catalogue, canaries = read_catalogue(settings)
    from probe.daemon.caps import switch_of
    from probe.daemon.daemon_costs import within
    from probe.daemon.daemon_jobs import WatchSet
    from probe.daemon.plan import Pace
    from probe.incidents.parts import Parts

    asked, watched = _watched(options.words, settings, catalogue)
    run = settings.run
    pace = Pace(own_side=run.own_side_every, incident=run.incident_every, may_deep=run.deep and not run.metered)
    return WatchSet(
        settings=settings,
        asked=asked,
        watched=watched,
        pace=within(watched, pace, run.cap_bytes),
        kill_switch=switch_of(run.kill_switch, location_of(settings).data_dir),
        canaries=canaries,
        catalogue=catalogue.version,
        opt_ins=(*opt_ins(options.words), *(("deep",) if pace.may_deep else ())),
        fingerprints=fingerprints_of(settings),
        networks=networks_of(settings),
        parts=Parts.of(catalogue.platforms),
    )


def _settings(options: Options) -> Settings:
    flags = shared_flags(options)
    if options.deep:
        flags["run.deep"] = ("--deep", True)
    if options.metered:
        flags["run.metered"] = ("--metered", True)
    if options.language:
        flags["run.language"] = ("--language", options.language)
    settings = _read_settings(options.config, flags)
    return with_controls(settings, options)


def _read_settings(config: str | None, flags: dict[str, tuple[str, Value]]) -> Settings:
    from probe.settings.apart import load_apart
    from probe.settings.file import SettingsError

    try:
        return load_apart(os.environ, config=config, flags=flags).settings
    except SettingsError as error:
        raise ConfigError(several("the settings are wrong", error.problems)) from error


def _watched(
    words: tuple[str, ...], settings: Settings, catalogue: Catalogue
) -> tuple[tuple[Asked, ...], tuple[Watched, ...]]:
    """What was named, and the pace of each: a platform's own, else the quickest of its lists', else everybody's."""
    from targets import select

    with understood():
        asked = select.resolve(words, catalogue)
        platforms = _paces_of_platforms(settings, catalogue)
        lists = _paces_of_lists(words, settings, catalogue)
    need_a_control(asked, settings)
    need_aioquic(asked, settings)
    return asked, tuple(
        _paced(one, platforms.get(one.platform or "", lists.get(one.endpoint.url, settings.run.every))) for one in asked
    )


def _paced(one: Asked, every: float) -> Watched:
    """Somebody's server that is no web site is left alone for a while, and takes turns with none that is one."""
    from probe.daemon.plan import JITTER, Watched

    app = one.endpoint.app
    rests = app.rests_s if app is not None else 0.0
    return Watched(
        number=one.number,
        url=one.endpoint.url,
        platform=one.platform or one.endpoint.host,
        service=one.service or (one.endpoint.scheme if rests else ""),
        every=max(every, rests / (1 - JITTER)),
        rests=rests,
    )


def _paces_of_platforms(settings: Settings, catalogue: Catalogue) -> dict[str, float]:
    from targets import select

    paces = {}
    for name, every in settings.run.platforms:
        with _of_section(f"run.platform.{name}"):
            found = {one.platform for one in select.resolve([name], catalogue)} - {None}
        if len(found) != 1:
            raise ConfigError(f"[run.platform.{name}] names no platform. See `dalel targets list`.")
        paces[str(found.pop())] = every
    return paces


def _paces_of_lists(words: tuple[str, ...], settings: Settings, catalogue: Catalogue) -> dict[str, float]:
    """By URL. Only lists that are watched count, or @news would make one of @default's platforms quicker."""
    from targets import select
    from targets.loader import DEFAULT

    named = {word.removeprefix("@") for word in words or (f"@{DEFAULT}",) if word.startswith("@")}
    paces: dict[str, float] = {}
    for name, every in settings.run.lists:
        with _of_section(f"run.list.{name}"):
            listed = select.resolve([f"@{name}"], catalogue)
        for one in listed if name in named else ():
            paces[one.endpoint.url] = min(every, paces.get(one.endpoint.url, every))
    return paces


@contextlib.contextmanager
def _of_section(section: str) -> Iterator[None]:
    """Whoever typed no name looks for it in vain, unless it is said that it is one of the settings'."""
    from targets.model import TargetError

    try:
        yield
    except TargetError as error:
        raise ConfigError(f"[{section}] in the settings: {error}") from error


# ---------------------------------------------------------------------------------------------------------------------
# the daemon


def _serve(options: Options, watch: WatchSet, wire: Wire) -> int:
    from probe.cli.daemon_log import Log
    from probe.daemon import memory
    from probe.daemon.clock import SystemClock
    from probe.daemon.daemon import ReloadError
    from probe.daemon.daemon_start import Start, serve
    from probe.daemon.process import Supervisor
    from probe.instruments.trust import Trust, TrustError
    from storage.errors import StorageError

    memory.be_frugal()
    clock = SystemClock()
    log = Log(sys.stderr, "json" if options.log_format == "json" else "text", clock.now_us)

    def reload() -> WatchSet:
        try:
            return _watch_set(options)
        except ConfigError as error:
            raise ReloadError(error.format_message()) from error

    for note in notes_of((), wire, watch.settings.families, quiet=False):
        log("note", note)
    attended = sys.stdin.isatty() and sys.stderr.isatty()
    asker = _asker(options, watch)
    try:
        if attended and not _asked(asker, watch, clock.now_us()):
            return EXIT_USAGE
        start = Start(
            location=location_of(watch.settings),
            watch=watch,
            reload=reload,
            consent=lambda archive: asker.agreed(archive, clock.now_us()),
            trust=Trust.load(os.environ),
            say=log,
            log=log.as_file(),
            language=asker.language,
            patient=not attended,
            once=options.once,
            supervisor=Supervisor(os.environ),
        )
        return 0 if asyncio.run(serve(start, wire, clock)) else EXIT_USAGE
    except StorageError as error:
        raise ConfigError(str(error)) from error
    except TrustError as error:
        raise ConfigError(f"{error}. Name a file of certificates (PEM), or unset SSL_CERT_FILE.") from error


def _asker(options: Options, watch: WatchSet) -> Asker:
    import shutil

    from probe.daemon import words
    from probe.daemon.consent import Asker

    return Asker(
        language=words.choose(watch.settings.language, os.environ),
        accept_risk=options.accept_risk,
        environ=os.environ,
        screen=sys.stderr,
        width=shutil.get_terminal_size((80, 24)).columns,
        opt_ins=watch.opt_ins,
    )


def _asked(asker: Asker, watch: WatchSet, now_us: int) -> bool:
    """Ask whoever sits at the terminal, before anything else has begun, so that Ctrl-C is an answer too."""
    from storage.archive import Archive

    with Archive.open(location_of(watch.settings)) as archive:
        return asker.ask(archive, now_us, sys.stdin)
