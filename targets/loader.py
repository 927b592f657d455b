"""Files in, frozen catalogue out: the shipped TOML files, and a directory of the user's own laid over them.

The shipped files are read without a second look, because tests hold every one of them against the strict validator;
that keeps pydantic out of every start-up. What a user wrote is always validated (:mod:`targets.validate`), and then read
by the same few lines. Layout of the user's directory, all of it optional:

``NAME.toml``       a platform of the user's, or one that takes the place of the shipped platform with the same ``id``,
                    or an imported list (``[list]``, written by ``dalel targets import``)
``canaries.toml``   families of canaries; each family named in it takes the place of the shipped family
"""

from __future__ import annotations

import functools
import hashlib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from targets.address import parse_endpoint
from targets.model import Canaries, Canary, Endpoint, Platform, Service, TargetError

SHIPPED = Path(__file__).parent
CATALOGUE_DIR = SHIPPED / "catalogue"
CANARIES_FILE = SHIPPED / "canaries.toml"

DEFAULT = "default"
"""The list that is measured when nothing is named: every current platform that is in none of ``OPT_IN``."""
EVERYTHING = "all"
OPT_IN = ("news", "vpn", "dns")
COMPUTED = (DEFAULT, EVERYTHING)
"""Lists that are worked out and cannot be written into a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One row of an imported list, with where it came from. ``line`` is its line in the file that was imported."""

    url: str
    category: str = ""
    added: str = ""
    source: str = ""
    notes: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteList:
    """A list that the user imported: ``@name``. ``origin`` is the file it was read from, ``imported`` an ISO date."""

    name: str
    origin: str
    imported: str
    sites: tuple[Site, ...]
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything that can be asked for by name. Platforms are in the order of their ids, retired ones included."""

    platforms: tuple[Platform, ...]
    site_lists: tuple[SiteList, ...] = ()
    version: str = ""

    def lists(self) -> dict[str, tuple[Platform, ...]]:
        """The name of every list of platforms, and its members (retired ones too), in order of name."""
        members: dict[str, list[Platform]] = {}
        for platform in self.platforms:
            for name in platform.lists:
                members.setdefault(name, []).append(platform)
        return {name: tuple(members[name]) for name in sorted(members)}


# ---------------------------------------------------------------------------------------------------------------------
# from the values of a TOML file to the frozen words

ReadEndpoint = Callable[[str], Endpoint]


def platform_from(values: Mapping[str, Any], *, file: str = "", read: ReadEndpoint = Endpoint) -> Platform:
    """The platform that a (valid) TOML file describes. *read* brings endpoints that a person wrote into one form."""
    services = tuple(_service_from(name, service, read) for name, service in values["services"].items())
    retired = _text(values.get("retired"))
    return Platform(
        id=values["id"],
        names=dict(values["names"]),
        category=values["category"],
        services=services,
        lists=_lists_of(tuple(values.get("lists", ())), retired=retired),
        networks=tuple(values.get("networks", ())),
        domestic_cdn=values.get("domestic_cdn", False),
        retired=retired,
        why=values.get("why", ""),
        sources=tuple(values.get("sources", ())),
        notes=values.get("notes", ""),
        loopback_answers=tuple(answer for service in services for answer in service.loopback_answers),
        file=file,
        aliases=tuple(values.get("aliases", ())),
    )


def _service_from(name: str, values: Mapping[str, Any], read: ReadEndpoint) -> Service:
    return Service(
        name=name,
        rule=values["rule"],
        endpoints=tuple(read(url) for url in values["endpoints"]),
        main=values.get("main", False),
        handshake_only=tuple(read(url).url for url in values.get("handshake_only", ())),
        own_root=values.get("own_root", False),
        any_status=values.get("any_status", False),
        vendor_sign=values.get("vendor_sign", False),
        loopback_answers=tuple(values.get("loopback_answers", ())),
        outage_answers=tuple(values.get("outage_answers", ())),
        retired=_text(values.get("retired")),
    )


def _text(value: Any) -> str | None:
    """A date written with or without quotes, as text."""
    return None if value is None else str(value)


def _lists_of(named: tuple[str, ...], *, retired: str | None) -> tuple[str, ...]:
    if retired is not None:
        return named
    computed = (EVERYTHING,) if any(name in OPT_IN for name in named) else (DEFAULT, EVERYTHING)
    return (*named, *computed)


def site_list_from(values: Mapping[str, Any], *, file: str = "") -> SiteList:
    """The imported list that a (valid) TOML file holds."""
    head = values["list"]
    return SiteList(
        name=head["name"],
        origin=head["origin"],
        imported=str(head["imported"]),
        sites=tuple(Site(**row) for row in values.get("site", ())),
        file=file,
    )


def canaries_from(values: Mapping[str, Any]) -> Canaries:
    """The canaries that a (valid) TOML file names; ``[[FAMILY]]`` tables, one a member."""
    members = tuple(
        Canary(family=family, **member)
        for family in ("domestic", "foreign", "literal", "portal", "resolver", "clock")
        for member in values.get(family, ())
    )
    return Canaries(
        members=members,
        innocuous=tuple(name for names in values.get("innocuous", {}).values() for name in names),
        version=str(values.get("version", "")),
        ad_domains=tuple(values.get("ad_domains", ())),
        http3=tuple(values.get("http3", ())),
        stun=tuple(values.get("stun", ())),
    )


# ---------------------------------------------------------------------------------------------------------------------
# what is shipped


@functools.cache
def _shipped() -> tuple[tuple[tuple[Path, bytes], ...], str]:
    """Every shipped file with its bytes, in order of name, and a short hash of them all."""
    paths = [*sorted(CATALOGUE_DIR.glob("*.toml")), CANARIES_FILE]
    files = tuple((path, path.read_bytes()) for path in paths)
    return files, _digest(files)


def _digest(files: tuple[tuple[Path, bytes], ...]) -> str:
    digest = hashlib.sha256()
    for path, content in files:
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def catalogue_version() -> str:
    """A short hash of all that is shipped: two runs with the same one measured the same lists."""
    return _shipped()[1]


@functools.cache
def shipped_platforms() -> tuple[Platform, ...]:
    """The platforms of the shipped catalogue, in order of id."""
    files, _version = _shipped()
    return tuple(
        platform_from(tomllib.loads(content.decode()), file=f"catalogue/{path.name}")
        for path, content in files
        if path != CANARIES_FILE
    )


# ---------------------------------------------------------------------------------------------------------------------
# what the user adds


class CatalogueError(TargetError):
    """The user's own target files are not right. The text has every fault, one a line, with file and line number."""


def user_directory(configured: str | None, environ: Mapping[str, str]) -> Path:
    """Where the user's own target files are: as set, else ``dalel/targets`` under ``XDG_CONFIG_HOME``."""
    # Not Path.expanduser: a container's user may have neither a home nor an entry in the list of users.
    if configured:
        return Path(os.path.expanduser(configured))  # noqa: PTH111
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    return Path(environ.get("XDG_CONFIG_HOME") or Path(home) / ".config") / "dalel" / "targets"


def user_files(directory: Path | None) -> tuple[Path, ...]:
    """The ``.toml`` files of *directory* in order of name; none where it does not exist. ``CatalogueError`` if barred."""
    if directory is None:
        return ()
    try:
        return tuple(sorted(path for path in directory.iterdir() if path.suffix == ".toml"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise CatalogueError(f"{directory}: the target files cannot be read: {error.strerror}") from error


def _checked(directory: Path | None) -> Iterator[tuple[Path, bytes, dict[str, Any]]]:
    """Every file of the user's with its bytes and values. ``CatalogueError`` with all faults of all files."""
    paths = user_files(directory)
    if not paths:
        return
    from targets.validate import check_files  # pydantic: imported only where a user wrote something

    checked = check_files(paths, beside=shipped_platforms())
    if checked.problems:
        raise CatalogueError("\n".join(str(problem) for problem in checked.problems))
    yield from checked.values


def load_catalogue(directory: Path | None = None) -> Catalogue:
    """The shipped catalogue with the user's *directory* laid over it.

    Raises :class:`CatalogueError` with every fault of every file of the user's.
    """
    platforms = {platform.id: platform for platform in shipped_platforms()}
    site_lists: list[SiteList] = []
    own: list[tuple[Path, bytes]] = []
    for path, content, values in _checked(directory):
        own.append((path, content))
        if "list" in values:
            site_lists.append(site_list_from(values, file=str(path)))
        elif path.name != CANARIES_FILE.name:
            platforms[values["id"]] = platform_from(values, file=str(path), read=parse_endpoint)
    version = catalogue_version() if not own else f"{catalogue_version()}+{_digest(tuple(own))[:8]}"
    return Catalogue(
        platforms=tuple(platforms[key] for key in sorted(platforms)), site_lists=tuple(site_lists), version=version
    )


def load_canaries(directory: Path | None = None) -> Canaries:
    """The shipped canaries; each family in ``canaries.toml`` of the user's *directory* takes its shipped place.

    Raises :class:`CatalogueError` with every fault of that file.
    """
    files, _version = _shipped()
    shipped = canaries_from(tomllib.loads(dict(files)[CANARIES_FILE].decode()))
    path = None if directory is None else directory / CANARIES_FILE.name
    if path is None or not path.is_file():
        return shipped
    from targets.validate import check_files

    checked = check_files((path,))
    if checked.problems:
        raise CatalogueError("\n".join(str(problem) for problem in checked.problems))
    return _laid_over(shipped, canaries_from(checked.values[0][2]))


def _laid_over(shipped: Canaries, own: Canaries) -> Canaries:
    replaced = {member.family for member in own.members}
    return replace(
        shipped,
        members=(*(m for m in shipped.members if m.family not in replaced), *own.members),
        innocuous=own.innocuous or shipped.innocuous,
        ad_domains=own.ad_domains or shipped.ad_domains,
        http3=own.http3 or shipped.http3,
        stun=own.stun or shipped.stun,
        version=f"{shipped.version}+{own.version or 'own'}",
    )
