"""``dalel check``: measure now, say what was found, keep it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import click

from probe.cli.choices import (
    completed,
    control_options,
    fingerprints_of,
    location_of,
    names,
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
    read_settings,
)

if TYPE_CHECKING:
    from probe.cli.measure import Measured
    from probe.settings import Profile, Settings
    from probe.wire import Wire
    from probe.workflows.check import CheckRequest
    from targets.model import Asked, Canaries

_LONGEST = 1000
FORMATS = ("table", "json", "jsonl", "csv")
HELP = """\
Check platforms, lists, sites and addresses from this network, now.

\b
  dalel check                          every platform of @default
  dalel check facebook telegram        platforms by name
  dalel check @news                    a list
  dalel check example.com              a site; a URL and tcp://HOST:PORT work too,
                                       and what apps speak (dalel help apps)
  dalel check - < sites.txt            one a line from standard input
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was typed."""

    words: tuple[str, ...]
    form: str
    output: str | None
    save: bool
    database: str | None
    config: str | None
    profile: str | None
    ipv4: bool
    ipv6: bool
    only: tuple[str, ...]
    skip: tuple[str, ...]
    deep: bool
    timeout: float | None
    controls: tuple[str, ...]
    control_token: str | None
    dry_run: bool
    fail_on: tuple[str, ...]
    verbose: int
    quiet: bool


def _seconds(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """A number of seconds that anybody would want to wait."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 600:  # false for "nan" too
        raise click.BadParameter(f"'{value}' is not allowed. It must be a number of seconds from 0.1 to 600.")
    return seconds


@click.command("check", help=HELP)
@click.argument("words", nargs=-1, metavar="[TARGET|@LIST|URL|HOST|-]...", shell_complete=completed)
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="How to show it [table].")
@click.option("-o", "--output", metavar="FILE", callback=not_empty, help="Write the results to this file.")
@click.option("--save/--no-save", default=True, help="Keep the results, or write nothing at all to disk.")
@click.option("--database", metavar="URL", callback=not_empty, help="Keep them in this database instead.")
@config_option
@click.option("--profile", type=click.Choice(("light", "full")), help="A quick look, or the whole page.")
@question_options
@click.option("--deep", is_flag=True, help="Take minutes to learn how a block works, too (see dalel help safety).")
@click.option("--timeout", callback=_seconds, metavar="SECONDS", help="For one endpoint, at most [45].")
@control_options
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and to whom. Send nothing.")
@click.option("--fail-on", multiple=True, callback=names, metavar="STATUS", help="Exit 1 for these, 0 for others.")
@click.option("-v", "--verbose", count=True, help="A sentence to quote, comparisons, every step; -vv for every fact.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(**typed: Any) -> int:
    """Check, show, keep; the exit code."""
    options = Options(**typed)
    settings, chosen = _settings(options)
    words = words_of(options.words)
    catalogue, canaries = read_catalogue(settings)
    from targets import select

    with understood():
        asked = select.resolve(words, catalogue)
    need_a_control(asked, settings)
    need_aioquic(asked, settings)
    if not chosen:
        settings = replace(settings, profile=profile_for(words))
    from probe import raw
    from probe.wire import Wire

    wire = Wire()
    wire.may_listen = raw.is_available()
    if options.dry_run:
        _say_what_would_be_sent(asked, settings, canaries, wire)
        return 0
    for note in notes_of(select.retired_notes(asked, catalogue), wire, settings.families, quiet=options.quiet):
        click.echo(note, err=True)
    location = location_of(settings) if options.save else None
    from probe.workflows.check import CheckRequest

    request = CheckRequest(
        asked=asked,
        settings=settings,
        catalogue=catalogue.version,
        database=location.url if location else None,
        opt_ins=(*opt_ins(words), *(("deep",) if settings.deep else ())),
        canaries=canaries,
        platforms=catalogue.platforms,
        fingerprints=fingerprints_of(settings),
        networks=networks_of(settings),
    )
    return _run(options, request, wire, kept_in=location.shown if location else None)


def _say_what_would_be_sent(asked: Sequence[Asked], settings: Settings, canaries: Canaries, wire: Wire) -> None:
    import shutil

    from probe.cli.dry_run import describe, wrapped

    width = shutil.get_terminal_size((100, 24)).columns
    click.echo("\n".join(wrapped(describe(asked, settings, canaries, wire), max(width, 40))))


def _settings(options: Options) -> tuple[Settings, bool]:
    """The settings, and whether anybody chose the profile."""
    flags = shared_flags(options)
    if options.profile:
        flags["check.profile"] = ("--profile", options.profile)
    if options.deep:
        flags["check.deep"] = ("--deep", True)
    loaded = read_settings(options.config, flags)
    settings = with_controls(loaded.settings, options)
    if options.timeout is not None:
        settings = _hurried(settings, options.timeout)
    return settings, loaded.origins["check.profile"] != "default"


def _hurried(settings: Settings, timeout: float) -> Settings:
    """No deadline is longer than the user wants to wait for a whole endpoint."""
    deadlines = settings.deadlines
    capped = {field.name: min(getattr(deadlines, field.name), timeout) for field in fields(deadlines)}
    return replace(settings, deadlines=replace(deadlines, **capped | {"endpoint": timeout}))


def profile_for(words: Sequence[str]) -> Profile:
    """``full`` for what somebody named, ``light`` for whole lists: a page says more, and costs more."""
    return "full" if words and not any(word.startswith("@") for word in words) else "light"


def _run(options: Options, request: CheckRequest, wire: Wire, *, kept_in: str | None) -> int:
    from probe.cli.output import Output, opened
    from probe.cli.progress import Progress
    from probe.runner import Event

    with opened(options.output, options.form) as file:
        output = Output(file, options.form, options.verbose)
        progress = None if options.quiet else Progress(sys.stderr, wire.monotonic, kept_in=kept_in)

        def listen(event: Event) -> None:
            output(event)
            if progress is not None:
                progress(event)

        try:
            measured = _measured(request, wire, listen, kept_in)
        finally:
            if progress is not None:
                progress.close()
        if measured.pieces is not None:
            output.finish(measured.pieces)
    return _code(options, measured)


def _measured(request: CheckRequest, wire: Wire, listen: Any, kept_in: str | None) -> Measured:
    from probe.cli.measure import measure
    from probe.instruments.trust import TrustError
    from storage.errors import StorageError

    try:
        return measure(request, wire, listen, kept_in=kept_in)
    except StorageError as error:
        raise ConfigError(str(error)) from error
    except TrustError as error:
        raise ConfigError(f"{error}. Name a file of certificates (PEM), or unset SSL_CERT_FILE.") from error


def _code(options: Options, measured: Measured) -> int:
    from probe.cli.exit_code import exit_code

    if measured.stopped_by is not None:
        return 128 + measured.stopped_by
    assert measured.pieces is not None
    if options.form != "table":
        from probe.report import cut_short
        from probe.report.safe import safe

        pieces = measured.pieces
        for line in (safe(cut_short.sentence(pieces), _LONGEST), *pieces.notes, pieces.unsaved):
            if line:
                click.echo(line, err=True)
    if measured.bugs:
        from probe.cli.bug import report_parts

        report_parts(measured.bugs, keep=options.save)
    return exit_code(
        measured.pieces.results, measured.pieces.platforms, bugs=len(measured.bugs), fail_on=options.fail_on
    )
