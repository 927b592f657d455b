"""What `dalel check` and `dalel run` share: the options that both have, and what is made of them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import click

from probe.cli.common import ConfigError, not_empty, not_empty_each, several

if TYPE_CHECKING:
    from probe.settings import Settings
    from probe.settings.controls import Control
    from probe.settings.keys import Value
    from probe.wire import Wire
    from storage.location import Location
    from targets.fingerprints import Shelf
    from targets.model import Asked
    from targets.networks import Atlas

STATUSES = ("accessible", "blocked", "denied", "outage", "no_network", "inconclusive")

_PROBLEMS_SHOWN = 20
_LONGEST_INPUT = 4_000_000
"""Bytes of standard input: a list of a hundred thousand addresses."""


def names(_ctx: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Names that may be repeated or joined by commas; an unknown one is a usage error with the near name."""
    known = STATUSES if parameter.name == "fail_on" else _experiments()
    found = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in found:
        if name not in known:
            raise click.BadParameter(_unknown(name, known))
    return tuple(dict.fromkeys(found))


def _experiments() -> tuple[str, ...]:
    from probe.experiments import EXPERIMENTS

    return tuple(name for name, _help in EXPERIMENTS)


def _unknown(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"there is no '{name}'. {hint}There are: {', '.join(known)}."


# ---------------------------------------------------------------------------------------------------------------------
# options, and the settings that they make


class Chosen(Protocol):
    """What both commands let one type."""

    @property
    def ipv4(self) -> bool: ...
    @property
    def ipv6(self) -> bool: ...
    @property
    def only(self) -> tuple[str, ...]: ...
    @property
    def skip(self) -> tuple[str, ...]: ...
    @property
    def database(self) -> str | None: ...
    @property
    def controls(self) -> tuple[str, ...]: ...
    @property
    def control_token(self) -> str | None: ...


_Command = Callable[..., Any]


def question_options(command: _Command) -> _Command:
    """Over what, and which follow-ups."""
    for option in (
        click.option("--skip", multiple=True, callback=names, metavar="NAME", help="Not these follow-ups."),
        click.option(
            "--only",
            multiple=True,
            callback=names,
            metavar="NAME",
            help="Only these follow-ups (see dalel help safety).",
        ),
        click.option("-6", "ipv6", is_flag=True, help="Over IPv6 only."),
        click.option("-4", "ipv4", is_flag=True, help="Over IPv4 only."),
    ):
        command = option(command)
    return command


def control_options(command: _Command) -> _Command:
    """Who else is asked."""
    token = click.option(
        "--control-token", callback=not_empty, metavar="TOKEN", help="For those of them that have none of their own."
    )
    control = click.option(
        "--control",
        "controls",
        multiple=True,
        callback=not_empty_each,
        metavar="URL",
        help="Also ask this server of yours elsewhere (see dalel help control).",
    )
    return control(token(command))


def shared_flags(options: Chosen) -> dict[str, tuple[str, Value]]:
    """Settings that were typed, by key, each with the option that it came from."""
    flags: dict[str, tuple[str, Value]] = {}
    if options.ipv4 != options.ipv6:
        flags["check.families"] = ("-4", (4,)) if options.ipv4 else ("-6", (6,))
    if options.only:
        flags["check.only"] = ("--only", options.only)
    if options.skip:
        flags["check.skip"] = ("--skip", options.skip)
    if options.database:
        flags["database.url"] = ("--database", options.database)
    return flags


def with_controls(settings: Settings, options: Chosen) -> Settings:
    """The settings with the controls and proxies that were typed, if any were."""
    named = _chosen_controls(options.controls, settings.controls, options.control_token)
    return replace(
        settings,
        controls=tuple(control for control in named if not control.is_proxy),
        proxies=tuple(control for control in named if control.is_proxy),
    )


def need_a_control(asked: Sequence[Asked], settings: Settings) -> None:
    """What is measured at a control only cannot be measured without one. Raises :class:`ConfigError`."""
    here = [one.target for one in asked if one.endpoint.scheme == "protocol"]
    if here and not settings.controls:
        raise ConfigError(
            f"{here[0]} needs a server of yours elsewhere, to send packets to that come back: name one with --control "
            "(see `dalel help control`). A proxy is not enough."
        )


def need_aioquic(asked: Sequence[Asked], settings: Settings) -> None:
    """What is QUIC alone cannot be asked without the program that speaks it. Raises :class:`ConfigError`."""
    wanted = [one.target for one in asked if one.endpoint.scheme in ("quic", "doq")]
    wanted += ["--only quic"] if "quic" in settings.only else []
    if not wanted:
        return
    from probe.instruments import quic

    if not quic.is_here():
        raise ConfigError(
            f"{wanted[0]} needs aioquic, which is not installed: pip install 'dalel[quic]'. Everything else works without it."
        )


@contextlib.contextmanager
def understood() -> Iterator[None]:
    """Targets that are wrong are told all at once, as :class:`ConfigError`."""
    from targets.model import TargetError

    try:
        yield
    except TargetError as error:
        problems = str(error).splitlines()
        raise ConfigError(several("not everything was understood", problems, at_most=_PROBLEMS_SHOWN)) from error


def completed(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of platforms and lists, for the shell."""
    from targets.loader import load_catalogue

    catalogue = load_catalogue()
    names = [*(one.id for one in catalogue.platforms), *(f"@{name}" for name in catalogue.lists())]
    return [name for name in names if name.startswith(incomplete)]


def _chosen_controls(typed: Sequence[str], kept: tuple[Control, ...], token: str | None) -> tuple[Control, ...]:
    """The controls that were typed, else those of the settings file, each with its token. Tokens are never quoted."""
    from probe.settings.controls import ControlError, parse, with_token

    found = []
    for number, text in enumerate(typed, start=1):
        try:
            found.append(parse(text))
        except ControlError as error:
            which = f"--control {number}" if len(typed) > 1 else "--control"
            raise ConfigError(f"{which}: {error}.") from None
    try:
        return with_token(tuple(found) or kept, os.environ, token)
    except ControlError as error:
        raise ConfigError(f"{error}.") from None


def words_of(typed: Sequence[str]) -> tuple[str, ...]:
    """The words, with ``-`` replaced by the lines of standard input (``#`` begins a comment)."""
    typed = [_as_utf8(word) for word in typed]
    if "-" not in typed:
        return tuple(typed)
    data = sys.stdin.buffer.read(_LONGEST_INPUT + 1)
    if len(data) > _LONGEST_INPUT:
        raise click.UsageError("Standard input is longer than 4 MB: that is no list of targets.")
    text = data.decode("utf-8-sig", errors="replace")  # editors on Windows begin a file with a mark of its encoding
    lines = [
        line.partition("#")[0].strip() if line.lstrip().startswith("#") else line.strip() for line in text.splitlines()
    ]
    read = [line for line in lines if line]
    words = [word for typed_word in typed for word in (read if typed_word == "-" else [typed_word])]
    if not words:
        raise click.UsageError("Standard input names no target.")
    return tuple(words)


def _as_utf8(word: str) -> str:
    """*word* as it was meant, where the locale (``LANG=C``) kept Python from reading it."""
    if word.isprintable():
        return word
    try:
        return os.fsencode(word).decode()
    except UnicodeError:
        return word


def fingerprints_of(settings: Settings) -> Shelf | None:
    """The lists of block pages that the user has imported; ``None`` where there is no place that they could be in."""
    from probe.cli.fingerprints_cmd import directory_of, read_shelf

    try:
        directory = directory_of(settings)
    except ConfigError:
        return None  # --no-save needs no place for anything
    return read_shelf(directory)


def networks_of(settings: Settings) -> Atlas | None:
    """The tables of networks that the user has imported; ``None`` where there is no place that they could be in."""
    from probe.cli.networks_cmd import directory_of, read_atlas

    try:
        directory = directory_of(settings)
    except ConfigError:
        return None
    return read_atlas(directory)


def opt_ins(words: Sequence[str]) -> tuple[str, ...]:
    """Lists that are measured only because somebody asked for them."""
    from targets.loader import OPT_IN

    return tuple(name for name in OPT_IN if f"@{name}" in words)


def location_of(settings: Settings) -> Location:
    """Where results are kept."""
    from storage.errors import StorageError
    from storage.location import resolve

    try:
        return resolve(settings.database, os.environ, data_dir=settings.data_dir)
    except StorageError as error:
        raise ConfigError(str(error)) from error


def notes_of(retired: Sequence[str], wire: Wire, families: Sequence[int], *, quiet: bool) -> list[str]:
    """What the reader must know before the results."""
    state = wire.host()
    notes = list(retired)
    if state.tunnels:
        notes.append("A VPN is on: what follows is about the VPN's network, not about your ISP's.")
    if state.proxies and not quiet:
        notes.append(f"A proxy is set ({', '.join(state.proxies)}). It is not used: dalel measures the network itself.")
    routes = {4: state.default_route_v4, 6: state.default_route_v6}
    if len(families) == 1 and routes[families[0]] is False and any(routes.values()):
        (family,) = families
        notes.append(
            f"This computer has no way out over IPv{family}, and nothing else is asked over: leave out -{family}, or families "
            "in the settings."
        )
    return notes
