"""``dalel targets``: what can be measured, where that is written down, and how to add to it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from probe.cli.archive import folded
from probe.cli.common import ConfigError, WholeGroup, config_option, own_targets, read_catalogue, read_settings, several

if TYPE_CHECKING:
    from targets.citizenlab import Imported
    from targets.loader import Catalogue, SiteList
    from targets.model import Platform, Service

HELP = """\
What can be measured, and how to add to it.

\b
  dalel targets list                 every platform
  dalel targets list @vpn            the platforms of a list
  dalel targets show telegram        what is measured of one, and why
  dalel targets import kz.csv        a list of your own, then: dalel check @kz
  dalel targets validate             look over the target files that you wrote

Your own files are TOML, one a platform, in the directory that `dalel targets list` names at its end
(setting [targets] dir, DALEL_TARGETS_DIR). A file with the id of a shipped platform takes its place.
"""

format_option = click.option(
    "--format", "form", type=click.Choice(("table", "json")), default="table", help="How to show it [table]."
)


@click.group("targets", cls=WholeGroup, help=HELP)
def command() -> None:
    """The group itself does nothing."""


# ---------------------------------------------------------------------------------------------------------------------
# list


@command.command("list")
@click.argument("name", required=False, metavar="[@LIST]")
@click.option("--all", "retired", is_flag=True, help="Retired platforms too.")
@format_option
@config_option
def list_(*, name: str | None, retired: bool, form: str, config: str | None) -> None:
    """List the platforms, or those of one list. Lists that you imported stand at the end.

    \b
    Examples:
      dalel targets list
      dalel targets list @news --format json
    """  # noqa: D301
    settings = read_settings(config).settings
    catalogue, _canaries = read_catalogue(settings)
    platforms, site_lists = _of_list(catalogue, name)
    if not retired:
        platforms = tuple(platform for platform in platforms if platform.retired is None)
    if form == "json":
        _print_json(catalogue, platforms, site_lists)
        return
    for line in _table([("NAME", "", "CATEGORY", "LISTS", "ENDPOINTS"), *map(_row, platforms)] if platforms else ()):
        click.echo(line)
    if platforms:
        click.echo("")
        for line in folded([_categories(platforms)]):
            click.echo(line)
    for site_list in site_lists:
        click.echo(_printable(f"@{site_list.name}: {_sites(len(site_list.sites))} from {site_list.origin}"))
    if name is None:
        click.echo(f"\nYour own target files: {own_targets(settings)}")


def _categories(platforms: Sequence[Platform]) -> str:
    """What the codes in the table mean: they are the Citizen Lab's."""
    from targets.categories import CATEGORIES

    codes = sorted({platform.category for platform in platforms if platform.category in CATEGORIES})
    return _printable(f"Categories: {', '.join(f'{code} {CATEGORIES[code]}' for code in codes)}.")


def _of_list(catalogue: Catalogue, name: str | None) -> tuple[tuple[Platform, ...], tuple[SiteList, ...]]:
    """The platforms and imported lists that *name* stands for; everything without one."""
    if name is None:
        return catalogue.platforms, catalogue.site_lists
    wanted = name.removeprefix("@").lower()
    platforms = catalogue.lists().get(wanted, ())
    site_lists = tuple(site_list for site_list in catalogue.site_lists if site_list.name == wanted)
    if not platforms and not site_lists:
        _resolved(catalogue, [f"@{wanted}"])  # raises, with the near name
    return platforms, site_lists


def _row(platform: Platform) -> tuple[str, ...]:
    lists = [name for name in platform.lists if name != "all"]
    name = platform.names.get("en", platform.id)
    if platform.retired is not None:
        name += f" (retired {platform.retired})"
    return platform.id, name, platform.category, " ".join(lists), str(len(platform.endpoints))


# ---------------------------------------------------------------------------------------------------------------------
# show


@command.command("show")
@click.argument("words", nargs=-1, required=True, metavar="TARGET...")
@format_option
@config_option
def show(*, words: tuple[str, ...], form: str, config: str | None) -> None:
    """Show what is measured of a platform, and why. Any name of it will do.

    \b
    Examples:
      dalel targets show facebook
      dalel targets show телеграм --format json
    """  # noqa: D301
    catalogue, _canaries = read_catalogue(read_settings(config).settings)
    asked = _resolved(catalogue, words)
    wanted = dict.fromkeys(item.platform for item in asked)
    platforms = tuple(platform for platform in catalogue.platforms if platform.id in wanted)
    loose = [item.endpoint.url for item in asked if item.platform is None]
    if form == "json":
        _print_json(catalogue, platforms, (), urls=loose)
        return
    parts = ["\n".join(_described(platform)) for platform in platforms]
    if loose:
        parts.append("\n".join(["not part of a platform:", *(f"  {url}" for url in loose)]))
    click.echo("\n\n".join(parts))


def _described(platform: Platform) -> Iterator[str]:
    from targets.categories import CATEGORIES

    code = platform.category
    facts = [
        ("names", ", ".join(dict.fromkeys((*platform.names.values(), *platform.aliases)))),
        ("category", f"{code} ({CATEGORIES[code]})" if code in CATEGORIES else code),
        ("lists", " ".join(f"@{name}" for name in platform.lists)),
        ("why", platform.why),
        ("sources", "; ".join(platform.sources)),
        ("notes", platform.notes),
        ("retired", platform.retired or ""),
        ("networks", " ".join(f"AS{number}" for number in platform.networks)),
        ("file", platform.file),
    ]
    yield platform.id
    for label, value in facts:
        if value:
            yield _printable(f"  {label:<9} {value}")
    for service in platform.services:
        yield _printable(f"  {service.name}: {_rule(service)}")
        for endpoint in service.endpoints:
            yield f"    {endpoint.url}"


_RULES = {
    "all-of": "works if all of these do",
    "any-of": "works if any of these does",
    "each": "each of these by itself",
}


def _rule(service: Service) -> str:
    words = [_RULES[service.rule]]
    if service.main:
        words.append("the platform stands or falls with it")
    if service.own_root:
        words.append("certified by the vendor itself")
    if service.handshake_only:
        words.append("of some only a valid greeting is asked")
    if service.any_status:
        words.append("any answer counts as reached")
    if service.vendor_sign:
        words = [f"the vendor's own sign of an outage: a DNS answer out of {', '.join(service.loopback_answers)}"]
    if service.retired is not None:
        words.append(f"retired ({service.retired}), not measured")
    return "; ".join(words)


# ---------------------------------------------------------------------------------------------------------------------
# validate


@command.command("validate")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[FILE|DIRECTORY]...")
@config_option
def validate(*, files: tuple[Path, ...], config: str | None) -> None:
    """Look over target files: every fault at once, with its line. Without FILE: yours, and the shipped ones.

    \b
    Examples:
      dalel targets validate
      dalel targets validate my-platform.toml
    """  # noqa: D301
    from targets.loader import CANARIES_FILE, CATALOGUE_DIR, shipped_platforms, user_files
    from targets.model import TargetError
    from targets.validate import check_files

    try:
        own = _files(files) if files else user_files(own_targets(read_settings(config).settings))
        shipped = () if files else (*user_files(CATALOGUE_DIR), CANARIES_FILE)
    except TargetError as error:
        raise ConfigError(str(error)) from error
    checked = (check_files(own, beside=shipped_platforms()), check_files(shipped))
    problems = [str(problem) for result in checked for problem in result.problems]
    if problems:
        raise ConfigError(several("the target files are wrong", problems))
    right = len(own) + len(shipped)
    click.echo(f"{right} target {'file is' if right == 1 else 'files are'} right.")


def _files(paths: Sequence[Path]) -> tuple[Path, ...]:
    from targets.loader import user_files

    return tuple(file for path in paths for file in (user_files(path) if path.is_dir() else (path,)))


# ---------------------------------------------------------------------------------------------------------------------
# import


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--name", metavar="NAME", help="What the list will be called [the name of FILE].")
@click.option("--replace", is_flag=True, help="Write over the list of that name.")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be measured, instead of stopping.")
@config_option
def import_(*, file: Path, name: str | None, replace: bool, skip_bad_rows: bool, config: str | None) -> None:
    """Make a list of your own from a Citizen Lab test list (CSV). Nothing is measured until you ask for it.

    \b
    The columns are url,category_code,category_description,date_added,source,notes.

    Look at what is in a list before you measure it: reaching some sites may be dangerous where you are.

    \b
    Examples:
      dalel targets import kz.csv
      dalel targets import lists/global.csv --name world
      dalel check @world
    """  # noqa: D301
    from targets.citizenlab import read_csv, write_list
    from targets.loader import SiteList
    from targets.model import TargetError

    settings = read_settings(config).settings
    catalogue, _canaries = read_catalogue(settings)
    chosen = _list_name(name or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-"), catalogue)
    try:
        imported = read_csv(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except TargetError as error:
        raise ConfigError(f"{file}: {error}") from error
    _refuse(imported, file, skip_bad_rows=skip_bad_rows)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    made = SiteList(name=chosen, origin=file.name, imported=today, sites=imported.sites)
    try:
        written = write_list(made, own_targets(settings), replace=replace)
    except TargetError as error:
        raise ConfigError(str(error)) from error
    for line in _told(imported):
        click.echo(line, err=True)
    count = _sites(len(made.sites))
    click.echo(f"{count} in the list @{chosen}, kept in {written}. To measure it: dalel check @{chosen}")


def _list_name(name: str, catalogue: Catalogue) -> str:
    """*name*, if a list may be called that. Raises :class:`ConfigError`."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > 40:
        raise ConfigError(
            f"A list cannot be called '{_printable(name[:60])}': give it another name with --name, of small letters a-z, "
            "digits and single hyphens."
        )
    if name in catalogue.lists() or name == "canaries":
        raise ConfigError(f"'@{name}' is taken: give the list another name with --name.")
    return name


def _refuse(imported: Imported, file: Path, *, skip_bad_rows: bool) -> None:
    if imported.rejected and not skip_bad_rows:
        problems = [f"{file}:{row.line}: {row.reason}" for row in imported.rejected]
        raise ConfigError(
            several("some rows cannot be measured", problems)
            + "\nNothing was imported. Correct the rows, or leave them out with --skip-bad-rows."
        )
    if not imported.sites:
        raise ConfigError(f"{file} has no row that can be measured.")


def _sites(count: int) -> str:
    return "1 site" if count == 1 else f"{count} sites"


def _told(imported: Imported) -> Iterator[str]:
    for row in imported.rejected:
        yield f"Left out, line {row.line}: {row.reason}"
    if imported.repeated:
        yield f"Left out: {imported.repeated} rows whose URL stands further up."


# ---------------------------------------------------------------------------------------------------------------------
# what they share


def _resolved(catalogue: Catalogue, words: Iterable[str]) -> Any:
    from targets.model import TargetError
    from targets.select import resolve

    try:
        return resolve(tuple(words), catalogue)
    except TargetError as error:
        raise ConfigError(several("not everything was understood", str(error).splitlines())) from error


def _print_json(
    catalogue: Catalogue,
    platforms: Sequence[Platform],
    site_lists: Sequence[SiteList],
    urls: Sequence[str] = (),
) -> None:
    document: dict[str, Any] = {
        "schema": "dalel.targets/1",
        "catalogue": catalogue.version,
        "platforms": [_platform_json(platform) for platform in platforms],
        "lists": [
            {"name": s.name, "origin": s.origin, "imported": s.imported, "sites": len(s.sites), "file": s.file}
            for s in site_lists
        ],
    }
    if urls:
        document["urls"] = list(urls)
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _platform_json(platform: Platform) -> dict[str, Any]:
    return {
        "id": platform.id,
        "names": platform.names,
        "aliases": list(platform.aliases),
        "category": platform.category,
        "lists": list(platform.lists),
        "networks": list(platform.networks),
        "retired": platform.retired,
        "why": platform.why,
        "sources": list(platform.sources),
        "notes": platform.notes,
        "file": platform.file,
        "services": [
            {
                "name": service.name,
                "rule": service.rule,
                "main": service.main,
                "own_root": service.own_root,
                "any_status": service.any_status,
                "handshake_only": list(service.handshake_only),
                "vendor_sign": service.vendor_sign,
                "loopback_answers": list(service.loopback_answers),
                "outage_answers": list(service.outage_answers),
                "retired": service.retired,
                "endpoints": [endpoint.url for endpoint in service.endpoints],
            }
            for service in platform.services
        ],
    }


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows of cells as aligned lines; the last column is not padded."""
    cells = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _printable(text: str) -> str:
    """*text* on one line, with nothing in it that a terminal would act on: target files may come from anybody."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
