"""What the user typed, turned into numbered endpoints. Pure: no file, no network, and no error but ``TargetError``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from targets.address import parse_endpoint, shown
from targets.loader import DEFAULT, Catalogue, SiteList
from targets.model import Asked, Endpoint, Platform, Service, TargetError

_DOTS = ".。．｡"
"""The full stop and the three that IDNA (UTS #46) reads as one."""

_FILE_ENDINGS = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".toml", ".yaml", ".yml", ".xlsx", ".list", ".lst")
"""None of them is a top-level domain."""


def resolve(words: Sequence[str], catalogue: Catalogue) -> tuple[Asked, ...]:
    """The endpoints that *words* stand for, numbered 0, 1, 2 … in the order asked; no words stand for ``@default``.

    A word is a platform's id or one of its names in any language and case, ``@list``, a host name or address
    (``https://HOST/`` is meant), a URL, or ``tcp://host:port``. An endpoint that several words name is kept once, where
    it was first named. Retired platforms are measured only if named themselves; ``Asked.retired`` then says since when.

    Raises :class:`TargetError`; its text has a line for each word that names nothing.
    """
    shelf = _Shelf.of(catalogue)
    found: dict[str, Asked] = {}
    faults: list[str] = []
    for word in words or (f"@{DEFAULT}",):
        try:
            for asked in _meant(word, shelf):
                _keep(found, asked)
        except TargetError as fault:
            faults.append(str(fault))
    if faults:
        raise TargetError("\n".join(dict.fromkeys(faults)))
    return tuple(replace(asked, number=number) for number, asked in enumerate(found.values()))


def retired_notes(asked: Iterable[Asked], catalogue: Catalogue) -> tuple[str, ...]:
    """One sentence for each retired platform among *asked*, to be shown before its results."""
    names = {platform.id: platform.names.get("en", platform.id) for platform in catalogue.platforms}
    since = {a.platform: a.retired for a in asked if a.retired is not None and a.platform is not None}
    return tuple(
        f"{names.get(platform, platform)} is retired since {date}: it is measured because you named it, and a failure "
        "is what should be expected."
        for platform, date in since.items()
    )


# ---------------------------------------------------------------------------------------------------------------------
# one word


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The catalogue, by everything that a word can be compared with."""

    by_name: dict[str, Platform]
    lists: dict[str, tuple[Platform, ...]]
    site_lists: dict[str, SiteList]
    by_url: dict[str, tuple[Platform, Service]]
    by_host: dict[str, tuple[Platform, Service]]

    @classmethod
    def of(cls, catalogue: Catalogue) -> _Shelf:
        names: dict[str, Platform] = {}
        urls: dict[str, tuple[Platform, Service]] = {}
        hosts: dict[str, tuple[Platform, Service]] = {}
        for platform in catalogue.platforms:
            for name in (platform.id, *platform.names.values(), *platform.aliases):
                names.setdefault(folded(name), platform)
            for service in platform.services:
                for endpoint in service.endpoints:
                    urls.setdefault(_key(endpoint), (platform, service))
                    hosts.setdefault(endpoint.host, (platform, service))
        return cls(
            by_name={platform.id: platform for platform in catalogue.platforms} | names,
            lists=catalogue.lists(),
            site_lists={site_list.name: site_list for site_list in catalogue.site_lists},
            by_url=urls,
            by_host=hosts,
        )


def folded(name: str) -> str:
    """*name* as it is compared: one case, one form of every letter, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _meant(word: str, shelf: _Shelf) -> Iterator[Asked]:
    text = word.strip()
    if not text:
        raise TargetError("An empty word names no target. See `dalel targets list`.")
    if text.startswith("@"):
        yield from _list(text, shelf)
    elif _looks_like_a_file(text) and folded(text) not in shelf.by_name:
        raise TargetError(
            f"{shown(text)} looks like a file. To check what a file lists, one target a line: dalel check - < FILE"
        )
    elif _looks_like_an_address(text):
        yield _one(parse_endpoint(text), text, shelf)
    elif (platform := shelf.by_name.get(folded(text))) is not None:
        yield from _platform(platform, target=text)
    else:
        raise TargetError(_unknown(text, shelf))


def _looks_like_an_address(text: str) -> bool:
    """Whether *text* can only be a URL, a host name or an address literal. A name with a space is a platform's."""
    return "://" in text or ":" in text or "[" in text or (any(dot in text for dot in _DOTS) and " " not in text)


def _looks_like_a_file(text: str) -> bool:
    """Whether *text* is a path, or has an ending that no site's name has."""
    if "://" in text:
        return False
    first, slash, _rest = text.partition("/")
    if slash and not any(sign in first for sign in (*_DOTS, ":", "[")):
        return True
    return first in (".", "..") or (not slash and text.lower().endswith(_FILE_ENDINGS))


def _list(text: str, shelf: _Shelf) -> Iterator[Asked]:
    name = folded(text[1:])
    if name in shelf.site_lists:
        for site in shelf.site_lists[name].sites:
            yield _one(parse_endpoint(site.url), site.url, shelf)
        return
    if name not in shelf.lists:
        known = sorted({*shelf.lists, *shelf.site_lists})
        near = nearest(name, known)
        hint = f"Did you mean '@{near}'? " if near else ""
        raise TargetError(f"No list is called {shown(text)}. {hint}Lists: {', '.join('@' + k for k in known)}.")
    current = [platform for platform in shelf.lists[name] if platform.retired is None]
    if not current:
        raise TargetError(f"Every platform of '@{name}' is retired: name the one that you want to measure.")
    for platform in current:
        yield from _platform(platform, target=platform.id)


def _platform(platform: Platform, *, target: str) -> Iterator[Asked]:
    for service in platform.measured:
        for endpoint in service.endpoints:
            yield _of(endpoint, target, platform, service)


def _of(endpoint: Endpoint, target: str, platform: Platform, service: Service) -> Asked:
    sign = platform.sign
    return Asked(
        number=0,
        endpoint=endpoint,
        target=target,
        platform=platform.id,
        service=service.name,
        rule=service.rule,
        networks=platform.networks,
        loopback_answers=service.loopback_answers,
        own_root=service.own_root,
        any_status=service.any_status,
        handshake_only=endpoint.url in service.handshake_only,
        vendor_sign=service.vendor_sign,
        sign=sign.endpoints[0].host if sign is not None else None,
        sign_answers=sign.loopback_answers if sign is not None else (),
        sign_outage=sign.outage_answers if sign is not None else (),
        retired=platform.retired or service.retired,
    )


def _one(endpoint: Endpoint, target: str, shelf: _Shelf) -> Asked:
    """An endpoint that was typed as such: with its place where the catalogue has the very same one.

    Another path of a host that the catalogue knows has no place in a platform's word, but what is known of the host
    (its networks, the vendor's own root) holds for every path.
    """
    if (place := shelf.by_url.get(_key(endpoint))) is not None:
        return replace(_of(endpoint, target, *place), named_as_url=True)
    asked = Asked(number=0, endpoint=endpoint, target=target, named_as_url=True)
    if (place := shelf.by_host.get(endpoint.host)) is not None:
        known = _of(endpoint, target, *place)
        asked = replace(known, platform=None, service=None, rule=None, any_status=False, named_as_url=True)
    return asked


def _key(endpoint: Endpoint) -> str:
    """What makes two endpoints the same: scheme, host, port, and what is asked for there."""
    rest = endpoint.url.split("://", 1)[1]
    path = rest[rest.find("/") :] if "/" in rest else "/"
    return f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}{path}"


def _keep(found: dict[str, Asked], asked: Asked) -> None:
    """Keep *asked* once. Named both as a URL and as part of a platform, an endpoint counts as both."""
    key = _key(asked.endpoint)
    first = found.get(key)
    if first is None:
        found[key] = asked
    elif asked.named_as_url and not first.named_as_url:
        found[key] = replace(first, named_as_url=True)


# ---------------------------------------------------------------------------------------------------------------------
# words for what was not understood


def _unknown(text: str, shelf: _Shelf) -> str:
    near = nearest(folded(text), shelf.by_name)
    hint = f"Did you mean '{near}'? " if near else ""
    return f"No platform is called {shown(text)}. {hint}For all names see `dalel targets list`."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of *known* that *word* is most likely a slip of, if any is near."""
    import difflib  # only where something was not understood

    near = difflib.get_close_matches(word[:64], list(known), n=1, cutoff=0.6)
    return near[0] if near else None
