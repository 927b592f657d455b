"""``dalel config show``: the settings in force, as a file that could be kept, and where each came from."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from probe.cli.common import WholeGroup, config_option, read_settings
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.settings.file import Loaded
    from probe.settings.notify import Notify

_OTHERS = (
    "DALEL_CONFIG",
    "DALEL_DEBUG",
    "DALEL_ACCEPT_RISK",
    "DALEL_CONTROL_TOKEN",
    "DALEL_CONTROL_TOKEN_FILE",
)
"""Variables that are no setting."""
_LONGEST = 300


@click.group("config", cls=WholeGroup)
def command() -> None:
    """Show the settings in force, and where each comes from.

    \b
    Examples:
      dalel config show
      dalel config show --origin
    """  # noqa: D301


@command.command("show")
@click.option("--origin", is_flag=True, help="Say of each setting where it comes from.")
@config_option
def show(*, origin: bool, config: str | None) -> None:
    """Print the settings in force, in the form of a settings file. Passwords are left out.

    \b
    Examples:
      dalel config show --origin
      dalel config show --config my.toml
    """  # noqa: D301
    loaded = read_settings(config)
    click.echo("\n".join((*_lines(loaded, origin=origin), *_unknown(os.environ))))


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    """Variables with a name like ours that set nothing: a slip of the pen there is heard of nowhere else."""
    from probe.settings.keys import KEYS

    known = {*_OTHERS, *(key.variable for key in KEYS), *(f"{key.variable}_FILE" for key in KEYS if key.secret)}
    wrong = sorted(name for name in environ if name.startswith("DALEL_") and name not in known)
    if wrong:
        yield ""
    for name in wrong:
        near = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        yield safe(f"# {name} is set, and there is no such setting.{hint}", _LONGEST)


def _lines(loaded: Loaded, *, origin: bool) -> Iterator[str]:
    from probe.settings.file import as_toml
    from probe.settings.keys import KEYS

    yield f"# Settings file: {loaded.file or 'none'}. Every setting has a variable: [check] profile is DALEL_CHECK_PROFILE."
    section = ""
    for key in KEYS:
        if key.section != section:
            section = key.section
            yield ""
            yield f"[{section}]"
        value = key.read(loaded.settings)
        if isinstance(value, str) and key.secret:
            value = "***" if key.section == "notify" else _without_password(value)
        line = f"# {key.name} is not set" if value is None else f"{key.name} = {as_toml(value)}"
        if origin:
            line = f"{line}  # {loaded.origins[key.label]}" if value is not None else f"{line} ({key.expected})"
        yield line
    for control in loaded.settings.controls:
        host = f"[{control.host}]" if ":" in control.host else control.host
        yield ""
        yield "[[control]]"
        yield f"url = {as_toml(f'{control.scheme}://{host}:{control.port}')}"
        yield f"name = {as_toml(control.name)}"
        yield f"sha256 = {as_toml(control.sha256)}" if control.sha256 else "# sha256 is not set"
        yield f"country = {as_toml(control.country)}" if control.country else "# country is not set"
        yield "# token is not shown" if control.token else "# token is not set"
    run = loaded.settings.run
    for kind, paces in (("platform", run.platforms), ("list", run.lists)):
        for name, every in paces:
            yield from ("", f"[run.{kind}.{as_toml(name)}]", f"every = {as_toml(every)}")
    yield from _telling(loaded.settings.notify)


def _telling(notify: Notify) -> Iterator[str]:
    """Whom to tell and when not to; of secrets only that they are there."""
    from probe.settings.file import as_toml

    for channel in notify.listed:
        yield from ("", "[[notify.channel]]", f"kind = {as_toml(channel.kind)}", f"name = {as_toml(channel.name)}")
        if channel.url is not None:
            yield f"# url is not shown: {channel.shown}"
        shown = {"from": channel.sender, "to": channel.to, "language": channel.language, "events": channel.events}
        yield from (f"{key} = {as_toml(value)}" for key, value in shown.items() if value)
        secret = {"token": channel.token, "user": channel.user, "password": channel.password}
        yield from (f"# {key} is not shown" for key, value in secret.items() if value)
    for quiet in notify.quiet:
        yield from ("", "[[notify.quiet]]")
        yield f"from = {as_toml(_clock(quiet.begins))}"
        yield f"until = {as_toml(_clock(quiet.ends))}"
        yield f"days = {as_toml(quiet.days)}"
        yield f"then = {as_toml('later' if quiet.later else 'never')}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _without_password(url: str) -> str:
    """A database URL that can be shown."""
    import re

    return re.sub(r"(//[^:/@]+):[^@]*@", r"\1:***@", url)
