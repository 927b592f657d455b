"""Where settings come from: defaults < one TOML file < ``DALEL_SECTION_KEY`` environment < flags.

One file, no merging: ``--config``, else ``DALEL_CONFIG``, else ``$XDG_CONFIG_HOME/dalel/config.toml``, else
``/etc/dalel/config.toml``. It is validated whole, by pydantic, which is imported only when there is a file; what is wrong
is told all at once, each with its line. Proxy variables and the like are never read: they must not shape a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from probe.settings import Settings
from probe.settings.controls import Control
from probe.settings.keys import KEYS, Key, Value, apply
from probe.settings.notify import REMOTE, Channel, Notify, NotifyError, Quiet, distinct


class SettingsError(ValueError):
    """What is wrong with the settings, every problem at once; ``problems`` are whole sentences."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and where each came from (``default``, ``file:line``, a variable's name, or a flag's)."""

    settings: Settings
    origins: dict[str, str]
    file: Path | None


def load(
    environ: Mapping[str, str], *, config: str | None = None, flags: Mapping[str, tuple[str, Value]] | None = None
) -> Loaded:
    """Read everything. *flags*: label (``check.profile``) to the flag's name and value. Raises :class:`SettingsError`."""
    file = find(environ, config)
    values: dict[str, Value] = {}
    origins = {key.label: "default" for key in KEYS}
    problems: list[str] = []
    controls: tuple[Control, ...] = ()
    channels: tuple[Channel, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    platforms: tuple[tuple[str, float], ...] = ()
    lists: tuple[tuple[str, float], ...] = ()
    if file is not None:
        from probe.settings import toml

        read = toml.read(file)
        values |= read.values
        origins |= read.origins
        problems += read.problems
        controls, channels, quiet = read.controls, read.channels, read.quiet
        platforms, lists = read.platform_paces, read.list_paces
    for key in KEYS:
        _from_environment(key, environ, values, origins, problems)
    for label, (flag, value) in (flags or {}).items():
        values[label] = value
        origins[label] = flag
    made = apply(values)
    made = replace(made, controls=controls, notify=replace(made.notify, listed=channels, quiet=quiet))
    made = replace(made, run=replace(made.run, platforms=platforms, lists=lists))
    problems += _wrong_channels(made.notify, origins)
    if problems:
        raise SettingsError(tuple(problems))
    return Loaded(made, origins, file)


def _wrong_channels(notify: Notify, origins: Mapping[str, str]) -> list[str]:
    """What is wrong with each short form of a channel, which may come from a variable, and with all channels together."""
    problems = []
    for kind in REMOTE:
        others: dict[str, Any] = {other: None for other in REMOTE if other != kind}
        try:
            _ = replace(notify, **others).channels
        except NotifyError as error:
            wrong, origin = str(error).removeprefix(f"{kind}: "), origins.get(f"notify.{kind}", "")
            place = origin if origin.startswith("DALEL_") else f"{origin}: [notify] {kind}"
            problems.append(f"{place}: {wrong}.")
    if not problems:
        try:
            distinct(notify.channels)
        except NotifyError as error:
            problems.append(f"[notify] {error}.")
    return problems


def find(environ: Mapping[str, str], config: str | None = None) -> Path | None:
    """The one settings file, or ``None``. One that was named must exist: :class:`SettingsError`."""
    for named, by in ((config, "--config"), (environ.get("DALEL_CONFIG"), "DALEL_CONFIG")):
        if named:
            path = Path(named)
            if path.is_dir():
                raise SettingsError((f"{named} is a directory, not a settings file ({by} names it).",))
            if not path.exists():
                raise SettingsError((f"There is no settings file {named} ({by} names it).",))
            return path
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else None)
    places = ([Path(home, "dalel/config.toml")] if home else []) + [Path("/etc/dalel/config.toml")]
    found = next((place for place in places if _exists(place)), None)
    if found is not None and not found.is_file():
        raise SettingsError((f"{found} is where the settings file belongs, and is no file: move it away.",))
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a directory that is not ours to read
        return False


def _from_environment(
    key: Key, environ: Mapping[str, str], values: dict[str, Value], origins: dict[str, str], problems: list[str]
) -> None:
    """Take one key from its variable (a secret also from the file that ``…_FILE`` names); an empty one is not set."""
    variable, text = key.variable, environ.get(key.variable)
    if key.secret and (named := environ.get(f"{variable}_FILE")):
        if text:
            problems.append(f"{variable} and {variable}_FILE are both set: keep one of them.")
            return
        variable = f"{variable}_FILE"
        try:
            text = Path(named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{variable} names {named}, which cannot be read: {reason(error)}.")
            return
    if not text:
        return
    try:
        values[key.label] = key.parse(text)
    except ValueError:
        shown = "its value" if key.secret else f'"{text}"'
        problems.append(f"{variable}: {shown} is not allowed. It must be {key.expected}.")
        return
    origins[key.label] = variable


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (error.strerror or str(error)).lower()


def as_toml(value: Any) -> str:
    """One value as TOML writes it; ``None`` has no form there and is shown as a comment by the caller."""
    if isinstance(value, tuple):
        return f"[{', '.join(as_toml(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)
