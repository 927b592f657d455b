"""The strict look at target files that people write: every fault of every file at once, with its line and what to do.

Imported only where there is something to look at: pydantic costs more than the rest of a start-up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from targets.address import shown
from targets.lines import Broken, Place, line_of, places, read
from targets.loader import CANARIES_FILE
from targets.model import Platform
from targets.select import folded, nearest
from targets.shapes import (
    CanariesFile,
    HostCanary,
    ListFile,
    ListHead,
    PlatformFile,
    PortalCanary,
    ServiceFile,
    SiteFile,
    Strict,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the file, its line (from 1), what is wrong and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking files: the values of the good ones with the bytes they were read from, and all faults."""

    values: tuple[tuple[Path, bytes, dict[str, Any]], ...]
    problems: tuple[Problem, ...]


# ---------------------------------------------------------------------------------------------------------------------
# one file


@dataclass(frozen=True, slots=True)
class _File:
    """A file with whatever of it could be read; ``known`` has the line of everything in ``values``."""

    path: Path
    content: bytes
    values: dict[str, Any]
    known: dict[Place, int]
    problems: tuple[Problem, ...]

    @property
    def is_list(self) -> bool:
        return "list" in self.values

    @property
    def is_platform(self) -> bool:
        return not self.is_list and self.path.name != CANARIES_FILE.name


def check_files(paths: Sequence[Path], *, beside: Sequence[Platform] = ()) -> Checked:
    """Check *paths*, each by itself and all against each other and against the platforms *beside* them.

    A platform of *beside* whose ``id`` a file takes is left out: the file takes its place.
    """
    files = tuple(_check(path) for path in paths)
    between = tuple(_between(files, beside))
    problems: list[Problem] = []
    for file in files:
        own = [*file.problems, *(problem for problem in between if problem.file == str(file.path))]
        problems += sorted(own, key=lambda problem: problem.line)
    faulty = {problem.file for problem in problems}
    values = tuple((file.path, file.content, file.values) for file in files if str(file.path) not in faulty)
    return Checked(values, tuple(problems))


def _check(path: Path) -> _File:
    try:
        content = path.read_bytes()
    except OSError as error:
        return _File(path, b"", {}, {}, (Problem(str(path), 1, f"cannot be read: {error.strerror}."),))
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        problem = Problem(str(path), line, "is not UTF-8 text: save the file as UTF-8.")
        return _File(path, content, {}, {}, (problem,))
    found = read(text)
    if not isinstance(found, Broken):
        known = places(text)
        return _File(path, content, found, known, tuple(_shape(path, found, known)))
    problems = [Problem(str(path), line, f"{said}.") for line, said in found.faults]
    rest = {} if found.rest is None else read(found.rest)
    if not isinstance(rest, dict) or found.rest is None:
        return _File(path, content, {}, {}, tuple(problems))
    known = places(found.rest)
    # What seems to be missing may stand in a line that could not be read.
    problems += _shape(path, rest, known, incomplete=True)
    return _File(path, content, rest, known, tuple(problems))


def _shape(
    path: Path, values: dict[str, Any], known: dict[Place, int], *, incomplete: bool = False
) -> Iterator[Problem]:
    """What is wrong with the values of one file, whatever the other files say."""
    model: type[Strict] = PlatformFile
    if path.name == CANARIES_FILE.name:
        model = CanariesFile
    elif "list" in values:
        model = ListFile
    try:
        model.model_validate(values)
    except ValidationError as errors:
        for detail in errors.errors():
            if not incomplete or detail["type"] not in ("missing", "too_short"):
                yield _problem(detail, known, str(path), model)
    for place, value in _doubled(values):
        yield Problem(str(path), line_of(known, place), f"{_written(place)}: {shown(str(value))} is there twice.")


def _doubled(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every element of an array of plain values that is there for the second time."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _doubled(inner, (*place, key))
    elif isinstance(value, list):
        seen: set[tuple[type, Any]] = set()
        for index, inner in enumerate(value):
            if isinstance(inner, str | int):
                if (type(inner), inner) in seen:
                    yield (*place, index), inner
                seen.add((type(inner), inner))


def _problem(detail: ErrorDetails, known: dict[Place, int], file: str, model: type[Strict]) -> Problem:
    # "[key]" marks that the key of a table is at fault, not its value.
    place: Place = tuple(part for part in detail["loc"] if part != "[key]")
    where = _written(place)
    said = _said(detail, place, model)
    return Problem(file, line_of(known, place), f"{where}: {said}" if where else said)


def _written(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


_TYPES = {
    "string_type": 'must be text in "quotes"',
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "list_type": 'must be a list: ["one", "two"]',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
    "greater_than_equal": "is too small",
    "less_than": "is too large",
    "less_than_equal": "is too large",
}


def _said(detail: ErrorDetails, place: Place, model: type[Strict]) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        allowed = sorted(_fields(model, place[:-1]))
        near = nearest(str(place[-1]), allowed)
        return f"there is no such key. {f'Did you mean {near}?' if near else 'Known: ' + ', '.join(allowed) + '.'}"
    if kind == "missing":
        return f"is missing. {_MISSING.get(str(place[-1]), '')}".rstrip()
    if kind == "literal_error":
        return f"{shown(str(value))} is not one of {detail['ctx']['expected']}."
    if kind == "string_pattern_mismatch":
        return f"{shown(str(value))} must be of small letters a-z, digits and single hyphens."
    if kind in _TYPES:
        return f"{_TYPES[kind]}."
    return detail["msg"]


_MISSING = {
    "id": 'Add for example id = "my-platform".',
    "names": 'Add a table [names] with en = "…" (and ru, kk).',
    "category": 'Add a Citizen Lab category code, for example category = "NEWS".',
    "services": "Add a table [services.web] with a rule and endpoints.",
    "rule": 'Add rule = "all-of", "any-of" or "each".',
    "endpoints": 'Add endpoints = ["https://www.example.com/"].',
    "operator": "Say who runs it: two members of one operator count once.",
}


def _fields(model: type[BaseModel], place: Place) -> set[str]:
    """The keys that a table at *place* may have."""
    if model is PlatformFile and place[:1] == ("services",):
        return set(ServiceFile.model_fields)
    if model is ListFile:
        if not place:
            return {"list", "site"}
        return set(ListHead.model_fields if place[0] == "list" else SiteFile.model_fields)
    if model is CanariesFile and place:
        return set({"portal": PortalCanary}.get(str(place[0]), HostCanary).model_fields)
    return set(model.model_fields)


# ---------------------------------------------------------------------------------------------------------------------
# between files


def _between(files: Sequence[_File], beside: Sequence[Platform]) -> Iterator[Problem]:
    """Ids, names and lists that two files claim."""
    platforms = [file for file in files if file.is_platform]
    taken = {file.values.get("id") for file in platforms if isinstance(file.values.get("id"), str)}
    others = [platform for platform in beside if platform.id not in taken]
    ids: dict[str, str] = {}
    words = {folded(word): p.id for p in others for word in (p.id, *p.names.values(), *p.aliases)}
    for file in platforms:
        own = _text_at(file.values, ("id",)) or file.path.stem
        if (first := ids.setdefault(own, str(file.path))) != str(file.path):
            yield Problem(str(file.path), line_of(file.known, ("id",)), f"id: '{own}' is already in {first}.")
            continue
        for place, word in _words(file.values):
            if (owner := words.setdefault(folded(word), own)) != own:
                line = line_of(file.known, place)
                yield Problem(str(file.path), line, f"{_written(place)}: {shown(word)} already means '{owner}'.")
    yield from _list_names(files, {name for p in others for name in p.lists} | set(_joined(platforms)))


def _text_at(values: Any, place: Place) -> str | None:
    """The text at *place*, if there is one: the file may be wrong in any way."""
    for part in place:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values if isinstance(values, str) else None


def _many(values: dict[str, Any], key: str) -> Iterator[tuple[Place, str]]:
    inner = values.get(key)
    pairs = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
    for part, value in pairs:
        if isinstance(value, str):
            yield (key, part), value


def _words(values: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    if (own := _text_at(values, ("id",))) is not None:
        yield ("id",), own
    yield from _many(values, "names")
    yield from _many(values, "aliases")


def _joined(platforms: Sequence[_File]) -> Iterator[str]:
    for file in platforms:
        for _place, name in _many(file.values, "lists"):
            yield name


def _list_names(files: Sequence[_File], taken: set[str]) -> Iterator[Problem]:
    first: dict[str, str] = dict.fromkeys(taken, "a list of platforms")
    for file in files:
        name = _text_at(file.values, ("list", "name"))
        if file.is_list and name is not None and (owner := first.setdefault(name, str(file.path))) != str(file.path):
            line = line_of(file.known, ("list", "name"))
            yield Problem(str(file.path), line, f"list.name: '@{name}' is already taken by {owner}.")
