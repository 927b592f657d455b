"""The strict look at target files that people write: every fault of every file at once, with its line and what to do.

Imported only where there is something to look at: pydantic costs more than the rest of a start-up.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from targets.address import host_name, parse_endpoint, shown
from targets.categories import CATEGORIES
from targets.lines import Broken, Place, line_of, places, read
from targets.loader import CANARIES_FILE, COMPUTED
from targets.model import Platform, Rule, TargetError
from targets.select import folded, nearest

T = TypeVar("T")


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
# the shapes of the files


def _fault(message: str) -> PydanticCustomError:
    # Braces would be read as a template.
    return PydanticCustomError("plain", "{message}", {"message": message})


def _endpoint(url: str) -> str:
    try:
        parse_endpoint(url)
    except TargetError as fault:
        raise _fault(str(fault)) from None
    if "://" not in url:
        raise _fault(f"{shown(url)} needs its scheme here: https://, http:// or tcp://host:port.")
    return url


def _host(name: str) -> str:
    try:
        return host_name(name)
    except TargetError as fault:
        raise _fault(str(fault)) from None


def _loopback(address: str) -> str:
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise _fault(f"{shown(address)} is no loopback address such as 127.0.0.2.")


_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?|date unknown", re.ASCII)


def _date(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE.fullmatch(value) and _exists(value):
        return value
    raise _fault('is no date: write 2021-03-31, or "2021-03", "2021" or "date unknown".')


def _exists(date: str) -> bool:
    try:
        dt.date.fromisoformat((date + "-01-01")[:10] if date[0].isdigit() else "2000-01-01")
    except ValueError:
        return False
    return True


def _category(code: str) -> str:
    if code not in CATEGORIES:
        raise _fault(f"{shown(code)} is no category code. One of: {', '.join(sorted(CATEGORIES))}.")
    return code


def _list_name(name: str) -> str:
    if name in COMPUTED:
        raise _fault(f"the list '{name}' is worked out and cannot be joined by hand: leave it out.")
    return name


_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=_NAME, max_length=40)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Url = Annotated[str, AfterValidator(_endpoint)]
Date = Annotated[str, BeforeValidator(_date)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ServiceFile(_Strict):
    """``[services.NAME]``."""

    rule: Rule
    endpoints: Annotated[list[Url], Field(min_length=1)]
    main: bool = False
    own_root: bool = False
    any_status: bool = False
    handshake_only: list[Url] = []
    loopback_answers: list[Annotated[str, AfterValidator(_loopback)]] = []
    outage_answers: list[Annotated[str, AfterValidator(_loopback)]] = []
    vendor_sign: bool = False
    retired: Date | None = None

    @field_validator("handshake_only")
    @classmethod
    def _are_its_own(cls, value: list[str], info: ValidationInfo) -> list[str]:
        for url in value:
            if url not in info.data.get("endpoints", ()) or not url.startswith("https://"):
                raise _fault(f"{shown(url)} is none of this service's https:// endpoints.")
        return value

    @field_validator("outage_answers")
    @classmethod
    def _are_answers(cls, value: list[str], info: ValidationInfo) -> list[str]:
        for answer in value:
            if answer not in info.data.get("loopback_answers", ()):
                raise _fault(f"{shown(answer)} is none of loopback_answers.")
        return value

    @field_validator("vendor_sign")
    @classmethod
    def _has_answers(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("loopback_answers") == []:
            raise _fault("needs loopback_answers: the addresses that the vendor's sign is given with.")
        return value


class PlatformFile(_Strict):
    """A platform."""

    id: Name
    names: Annotated[dict[Literal["en", "ru", "kk"], Text], Field(min_length=1)]
    category: Annotated[str, AfterValidator(_category)]
    services: Annotated[dict[Name, ServiceFile], Field(min_length=1)]
    lists: list[Annotated[Name, AfterValidator(_list_name)]] = []
    networks: list[Annotated[int, Field(ge=1, lt=2**32)]] = []
    domestic_cdn: bool = False
    aliases: list[Text] = []
    retired: Date | None = None
    why: str = ""
    sources: list[Text] = []
    notes: str = ""

    @field_validator("services")
    @classmethod
    def _one_main(cls, value: dict[str, ServiceFile]) -> dict[str, ServiceFile]:
        mains = [name for name, service in value.items() if service.main]
        if len(mains) > 1:
            raise _fault(f"only one service can be the main one, and {' and '.join(mains)} say that they are.")
        if any(value[name].vendor_sign or value[name].retired is not None for name in mains):
            raise _fault(f"{mains[0]} cannot be the main service: it is not measured.")
        return value


class ListHead(_Strict):
    """``[list]``: what was imported, and when."""

    name: Annotated[Name, AfterValidator(_list_name)]
    origin: Text
    imported: Date


class SiteFile(_Strict):
    """``[[site]]``: one row of what was imported."""

    url: Url
    category: str = ""
    added: str = ""
    source: str = ""
    notes: str = ""
    line: Annotated[int, Field(ge=0)] = 0


class ListFile(_Strict):
    """A list that was imported."""

    head: Annotated[ListHead, Field(alias="list")]
    site: Annotated[list[SiteFile], Field(min_length=1)]


def _host_and_port(where: str) -> str:
    try:
        parse_endpoint(f"tcp://{where}")
    except TargetError:
        raise _fault(f"{shown(where)} is no host with a port, such as stun.example.org:3478.") from None
    return where


class HostCanary(_Strict):
    """A canary that is a host name."""

    where: Annotated[str, AfterValidator(_host)]
    operator: Text


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise _fault(f"{shown(text)} is no IP address.") from None
    return text


class AddressCanary(_Strict):
    """A canary that is an address."""

    where: Annotated[str, AfterValidator(_address)]
    operator: Text


def _plain_http(url: str) -> str:
    if not url.startswith("http://"):
        raise _fault(f"{shown(url)} must start with http://: a captive portal cannot answer for https.")
    return _endpoint(url)


class PortalCanary(_Strict):
    """A page over plain HTTP whose answer is known beforehand."""

    where: Annotated[str, AfterValidator(_plain_http)]
    operator: Text
    status: Annotated[int, Field(ge=100, le=599)]
    expect: str


def _two_operators(members: list[T]) -> list[T]:
    if len({getattr(member, "operator", None) for member in members}) < 2:
        raise _fault("a family needs two members of different operators: one alone can never be said to have failed.")
    return members


HostFamily = Annotated[list[HostCanary], AfterValidator(_two_operators)]
AddressFamily = Annotated[list[AddressCanary], AfterValidator(_two_operators)]


class CanariesFile(_Strict):
    """``canaries.toml``; only the families that are in it take the place of the shipped ones."""

    version: str = ""
    ad_domains: list[Annotated[str, AfterValidator(_host)]] = []
    http3: list[Annotated[str, AfterValidator(_host)]] = []
    stun: list[Annotated[str, AfterValidator(_host_and_port)]] = []
    domestic: HostFamily | None = None
    foreign: HostFamily | None = None
    literal: AddressFamily | None = None
    portal: Annotated[list[PortalCanary], AfterValidator(_two_operators)] | None = None
    resolver: AddressFamily | None = None
    clock: HostFamily | None = None
    innocuous: dict[str, list[Annotated[str, AfterValidator(_host)]]] = {}


# ---------------------------------------------------------------------------------------------------------------------
# files


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
    model: type[_Strict] = PlatformFile
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


def _problem(detail: ErrorDetails, known: dict[Place, int], file: str, model: type[_Strict]) -> Problem:
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


def _said(detail: ErrorDetails, place: Place, model: type[_Strict]) -> str:
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
