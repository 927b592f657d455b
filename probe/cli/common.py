"""What several commands share: settings in, catalogue in, and sentences for what is wrong with either."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from probe.settings import Settings
    from probe.settings.file import Loaded
    from probe.settings.keys import Value
    from targets.loader import Catalogue
    from targets.model import Canaries


_LONGEST_HELP = 1000


class ConfigError(click.ClickException):
    """Something that the user wrote is wrong; the text says what to do. Exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"dalel: {self.format_message()}", err=True, file=file)


class WholeGroup(click.Group):
    """A group whose help tells all of each command's summary: click cuts it off where the screen is narrow."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            names = self.list_commands(ctx)
            commands = [(name, self.get_command(ctx, name)) for name in names]
            formatter.write_dl(
                [(name, one.get_short_help_str(_LONGEST_HELP)) for name, one in commands if one is not None]
            )


def not_empty(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """An empty value is a script's variable that was never set: to go on as if nothing had been said would surprise."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty. Was a variable in your script never set?")
    return value


def not_empty_each(ctx: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """The same of an option that may be repeated."""
    return tuple(value for value in values if not_empty(ctx, parameter, value))


config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    callback=not_empty,
    help="Read the settings from this file and no other.",
)


def read_settings(config: str | None, flags: Mapping[str, tuple[str, Value]] | None = None) -> Loaded:
    """The settings of this process. Raises :class:`ConfigError` with every problem, one a line."""
    from probe.settings.file import SettingsError, load

    try:
        return load(os.environ, config=config, flags=flags)
    except SettingsError as error:
        raise ConfigError(several("the settings are wrong", error.problems)) from error


def read_catalogue(settings: Settings) -> tuple[Catalogue, Canaries]:
    """The catalogue and the canaries, the user's own files laid over them. Raises :class:`ConfigError`."""
    from targets.loader import load_canaries, load_catalogue
    from targets.model import TargetError

    directory = own_targets(settings)
    if settings.targets_dir and not directory.exists():
        raise ConfigError(f"There is no directory {directory} for your own target files ([targets] dir names it).")
    try:
        return load_catalogue(directory), load_canaries(directory)
    except TargetError as error:
        raise ConfigError(several("your own target files are wrong", str(error).splitlines())) from error


def own_targets(settings: Settings) -> Path:
    """Where the user's own target files are looked for."""
    from targets.loader import user_directory

    return user_directory(settings.targets_dir, os.environ)


def several(heading: str, problems: Sequence[str], *, at_most: int | None = None) -> str:
    """One problem as it is; several (*at_most* so many of them) under a heading."""
    if len(problems) == 1:
        return problems[0]
    lines = [f"{heading}, in {len(problems)} places:", *(f"  {problem}" for problem in problems[:at_most])]
    if at_most is not None and len(problems) > at_most:
        lines.append(f"  … and {len(problems) - at_most} more.")
    return "\n".join(lines)
