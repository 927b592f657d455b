"""One settings file, read and validated whole: every error at once, each with its line and what to do."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from probe.settings import controls
from probe.settings.controls import Control, ControlError
from probe.settings.file import SettingsError, as_toml, reason
from probe.settings.keys import BY_LABEL, KEYS, SECTIONS, Key, Value
from probe.settings.notify import Channel, NotifyError, Quiet, channel_from_table, quiet_from_table
from probe.settings.run import PaceError, pace_from_table

_LONGEST = 1_000_000
_MAX_SYNTAX_ERRORS = 20
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_OPEN_HEADER = re.compile(r"\s*\[+\s*([\w-]+)")
_SYNTAX = (
    ("expected ']'", "the name of a section is not closed with ]"),
    ("invalid value", 'what stands after the = is no value: text goes in "double quotes"'),
    ("expected '='", "there is no = after the key"),
    ("expected newline", "something is left over at the end of the line"),
    ("unterminated string", "a quote is opened and never closed"),
    ("illegal character '\\n'", "a quote is opened and not closed on the same line"),
    ("unclosed array", "a [ is opened and never closed, or a comma is missing between two values"),
    ("cannot overwrite", "this key is already set further up"),
    ("cannot declare", "this section is already there further up"),
    ("invalid statement", "this is neither a [section], nor key = value, nor a # comment"),
)
_HEADER = re.compile(r"\s*\[\s*([\w-]+)\s*\]\s*(#.*)?")
_REPEATED = re.compile(r"\s*\[\[\s*(control|notify\s*\.\s*(?:channel|quiet))\s*\]\]\s*(#.*)?")
"""The sections that there may be several of."""
_PACE = re.compile(r"""\s*\[\s*run\s*\.\s*(platform|list)\s*\.\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*\]\s*(#.*)?""")
"""``[run.platform.NAME]`` and ``[run.list.NAME]``."""
_ASSIGNMENT = re.compile(r"""\s*["']?([\w-]+)["']?(?:\s*\.\s*["']?([\w-]+)["']?)?\s*=""")

_Made = TypeVar("_Made")


@dataclass(slots=True)
class Read:
    """What a file says: values and origins by label, and what is wrong with it."""

    values: dict[str, Value] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    controls: tuple[Control, ...] = ()
    channels: tuple[Channel, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    platform_paces: tuple[tuple[str, float], ...] = ()
    list_paces: tuple[tuple[str, float], ...] = ()


def read(path: Path) -> Read:
    """Read *path*. Raises ``SettingsError`` only if it cannot be read at all; the rest is in ``problems``."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((f"The settings file {path} cannot be read: {reason(error)}.",)) from error
    if len(data) > _LONGEST:
        raise SettingsError((f"The settings file {path} is longer than 1 MB: that is no settings file.",))
    result = Read()
    values, errors, kept = _parse(text)
    lines = _lines(kept)
    found = [(line, f"this is not TOML: {words}") for line, words in errors]
    result.controls = _repeated(values.pop("control", []), "control", controls.from_table, kept, found)
    told = values.get("notify")
    if isinstance(told, dict):
        result.channels = _repeated(told.pop("channel", []), "notify.channel", channel_from_table, kept, found)
        result.quiet = _repeated(told.pop("quiet", []), "notify.quiet", quiet_from_table, kept, found)
    watched = values.get("run")
    if isinstance(watched, dict):
        result.platform_paces = _paces(watched.pop("platform", {}), "platform", lines, found)
        result.list_paces = _paces(watched.pop("list", {}), "list", lines, found)
    known = _validate(values, lines, found)
    for label, value in known.items():
        result.values[label] = tuple(value) if isinstance(value, list) else value
        result.origins[label] = f"{path}:{lines.get(label, 0)}"
    result.problems = [f"{path}:{line}: {words}" for line, words in sorted(found)]
    return result


def _parse(text: str) -> tuple[dict[str, Any], list[tuple[int, str]], list[str]]:
    """The document, every syntax error as (line, words), and the lines that were read in the end.

    tomllib stops at the first: its line is then mended and the rest is tried again, so a reader mends all at once.
    """
    lines = text.splitlines()
    errors: list[tuple[int, str]] = []
    while len(errors) < _MAX_SYNTAX_ERRORS:
        try:
            return tomllib.loads("\n".join(lines) + "\n"), errors, lines
        except tomllib.TOMLDecodeError as error:
            at = _AT_LINE.search(str(error))
            line = min(int(at.group(1)), len(lines)) if at else len(lines)
            errors.append((line, _plain(_AT_LINE.sub("", str(error)).removesuffix(" (at end of document)").lower())))
            mended = _mended(lines, line)
            if not lines[line - 1]:  # an error on a line that is empty by now: a string that never ends, say
                break
            lines[line - 1] = mended
    return {}, errors, lines


def _mended(lines: list[str], number: int) -> str:
    """What takes the place of a line that is no TOML: a section's name closed as it should be, else nothing.

    Without the name, every key below it would be called misplaced, and nothing is wrong with those.
    """
    header = _OPEN_HEADER.match(lines[number - 1])
    mended = f"[{header.group(1)}]" if header else ""
    return "" if mended in lines else mended


def _plain(said: str) -> str:
    """The words of tomllib in plain ones."""
    return next((words for start, words in _SYNTAX if said.startswith(start)), said)


def _lines(kept: list[str]) -> dict[str, int]:
    """The line of each ``section`` and ``section.key``, 1 for the first. Nested tables do not occur in a valid file."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(kept, start=1):
        header, assignment = _HEADER.fullmatch(line), _ASSIGNMENT.match(line)
        if (repeated := _repeated_name(line)) is not None:
            section = repeated
        elif (pace := _PACE.fullmatch(line)) is not None:
            section = _pace_section(pace.group(1), pace.group(2) or pace.group(3) or pace.group(4))
            found.setdefault(section, number)
        elif header:
            section = header.group(1)
            found.setdefault(section, number)
        elif assignment:
            names = [part for part in (section, assignment.group(1), assignment.group(2)) if part]
            found.setdefault(names[0], number)
            found.setdefault(".".join(names), number)
    return found


def _repeated(
    tables: Any, name: str, make: Callable[[Mapping[str, Any]], _Made], kept: list[str], problems: list[tuple[int, str]]
) -> tuple[_Made, ...]:
    """The ``[[name]]`` sections that are right; what is wrong is added to *problems* as (line, words)."""
    places = [number for number, line in enumerate(kept, start=1) if _repeated_name(line) == name]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        last = name.rpartition(".")[2]
        line = next((n for n, line in enumerate(kept, start=1) if re.match(rf"\s*\[?\s*(\w+\.)?{last}\b", line)), 1)
        problems.append((line, f"a {last} is written as [[{name}]], with two brackets, and its keys below it."))
        return ()
    found = []
    for index, table in enumerate(tables):
        try:
            found.append(make(table))
        except (ControlError, NotifyError) as error:
            problems.append((places[index] if index < len(places) else 1, f"[[{name}]]: {error}."))
    return tuple(found)


def _repeated_name(line: str) -> str | None:
    match = _REPEATED.fullmatch(line)
    return "".join(match.group(1).split()) if match else None


def _paces(
    tables: Any, kind: str, lines: Mapping[str, int], problems: list[tuple[int, str]]
) -> tuple[tuple[str, float], ...]:
    """The ``[run.platform.NAME]`` sections (or those of lists) that are right; what is wrong is added to *problems*."""
    if not isinstance(tables, dict):
        problems.append(
            (lines.get(f"run.{kind}", 1), f"a pace is written as [run.{kind}.NAME], with every = SECONDS below it.")
        )
        return ()
    found = []
    for name, table in tables.items():
        line = lines.get(_pace_section(kind, name), lines.get("run", 1))
        try:
            found.append((name, pace_from_table(table)))
        except PaceError as error:
            problems.append((line, f"[run.{kind}.{name}]: {error}."))
    return tuple(found)


def _pace_section(kind: str, name: str) -> str:
    return f"run.{kind}.{name}"


def _validate(data: Mapping[str, Any], lines: Mapping[str, int], problems: list[tuple[int, str]]) -> dict[str, Any]:
    """The values that are right, by label; what is wrong is added to *problems* as (line, words)."""
    errors: list[tuple[Any, ...]] = []
    try:
        _model().model_validate(data)
    except ValidationError as error:
        errors = [item["loc"] for item in error.errors(include_url=False)]
    wrong = dict.fromkeys(tuple(str(part) for part in place[:2]) for place in errors)
    for place in wrong:
        line = lines.get(".".join(place)) or lines.get(place[0], 1)
        problems.append((line, _words(place, data)))
    return {
        f"{section}.{name}": value
        for section, table in data.items()
        if isinstance(table, dict)
        for name, value in table.items()
        if (section, name) not in wrong and f"{section}.{name}" in BY_LABEL
    }


def _words(place: tuple[str, ...], data: Mapping[str, Any]) -> str:
    """What is wrong at *place* (section, or section and key), and what to write instead."""
    section = place[0]
    if section not in SECTIONS:
        kind = f"section [{section}]" if isinstance(data[section], dict) else f'key "{section}" outside of a section'
        return f"there is no {kind}.{_near(section, SECTIONS, '[{}]')}"
    if len(place) == 1:
        return f"[{section}] must be a section of its own, with keys below it."
    names = [key.name for key in KEYS if key.section == section]
    if place[1] not in names:
        return f'there is no "{place[1]}" in [{section}].{_near(place[1], names, chr(34) + "{}" + chr(34))}'
    key = BY_LABEL[".".join(place)]
    value = data[section][place[1]]
    shown = "its value" if key.secret else _shown(value)
    return f"[{section}] {key.name}: {shown} is not allowed. It must be {key.expected}."


def _shown(value: Any) -> str:
    return "true" if value is True else "false" if value is False else as_toml(_tupled(value))


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list) else value


def _near(name: str, known: tuple[str, ...] | list[str], quoted: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f" Did you mean {quoted.format(near[0])}?"
    return f" There are: {', '.join(known)}."


def _model() -> type[BaseModel]:
    """The pydantic model of a whole file, made from the table of keys. Strict: "5" is no number."""
    config = ConfigDict(extra="forbid", strict=True)
    sections: dict[str, Any] = {}
    for section in SECTIONS:
        fields: dict[str, Any] = {key.name: (_annotation(key), None) for key in KEYS if key.section == section}
        model = create_model(section.title(), __config__=config, **fields)
        sections[section] = (model, None)
    return create_model("SettingsFile", __config__=config, **sections)


def _annotation(key: Key) -> Any:
    item: Any
    if key.choices:
        item = Literal[key.choices]
    elif key.kind == "flag":
        item = bool
    elif key.kind in ("text", "texts"):
        item = Annotated[str, Field(pattern=f"^(?:{key.pattern})$")] if key.pattern else str
    elif key.kind == "integer":
        item = Annotated[int, Field(ge=key.low, le=key.high)]
    else:
        item = Annotated[float, Field(ge=key.low, le=key.high, allow_inf_nan=False)]
    if key.kind in ("texts", "integers"):
        return Annotated[list[item], Field(min_length=1 if key.choices else 0)]
    return item
