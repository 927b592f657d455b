"""Whom to tell, and when not to: ``[notify]``, ``[[notify.channel]]`` and ``[[notify.quiet]]`` of the settings file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

ChannelKind = Literal["log", "terminal", "webhook", "ntfy", "email", "apprise"]
Language = Literal["en", "ru", "kk"]
EventKind = Literal["opened", "reopened", "widened", "narrowed", "method", "closed", "reminder"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

KINDS: tuple[ChannelKind, ...] = get_args(ChannelKind)
LANGUAGES: tuple[Language, ...] = get_args(Language)
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
DAYS: tuple[Day, ...] = get_args(Day)
CHANNEL_KEYS = ("kind", "name", "url", "token", "user", "password", "from", "to", "language", "events")
SECRETS = ("url", "token", "password")
"""Each may be in a file of its own instead: ``url_file``, ``token_file``, ``password_file``."""
QUIET_KEYS = ("from", "until", "days", "then")
REMOTE: tuple[ChannelKind, ...] = ("webhook", "ntfy", "email", "apprise")
"""What needs a network; the others are told at once."""

_MINUTE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\\]+@[^\s@<>,;:\"()\\]+")
_PORTS = {"https": 443, "http": 80, "smtps": 465, "smtp": 587, "smtp-plain": 25}
_SCHEMES: Mapping[ChannelKind, tuple[str, ...]] = {
    "webhook": ("https", "http"),
    "ntfy": ("https", "http"),
    "email": ("smtps", "smtp", "smtp-plain"),
}
_EXPECTED: Mapping[ChannelKind, str] = {
    "webhook": "https://HOST/PATH",
    "ntfy": "https://HOST/TOPIC",
    "email": "smtps://HOST (encrypted from the start) or smtp://HOST (encrypted by STARTTLS)",
    "apprise": "an address as Apprise writes it, such as tgram://TOKEN/CHAT",
}


class NotifyError(ValueError):
    """What is wrong with a channel or a quiet time, in words; it never quotes a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One way to tell somebody. ``url`` may hold a secret of its own (a topic, a token in a path), so it is never shown whole.

    ``events``: only these kinds; empty is all. ``language``: of this channel's messages, else the program's.
    """

    kind: ChannelKind
    name: str
    url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sender: str | None = None
    to: tuple[str, ...] = ()
    language: Language | None = None
    events: tuple[EventKind, ...] = ()

    @property
    def is_remote(self) -> bool:
        return self.kind in REMOTE

    @property
    def host(self) -> str:
        """Where it goes, without anything secret; empty where there is no such place."""
        return "" if self.url is None or self.kind == "apprise" else urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Of a webhook, of ntfy or of a mail server."""
        return urlsplit(self.url or "").port or _PORTS.get(self.scheme, 0)

    @property
    def scheme(self) -> str:
        return (self.url or "").partition("://")[0].lower()

    @property
    def shown(self) -> str:
        """The address as it may be shown: a topic or a path may be all that keeps strangers out."""
        return f"{self.scheme}://{self.host}/***" if self.host else f"{self.scheme}://***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A time of the day, local, in which nobody is told: minutes since midnight, the end not included.

    It may go past midnight, and then belongs to the day on which it begins. ``later``: what happened is told at its end,
    in one message an incident; else it is not told at all.
    """

    begins: int
    ends: int
    days: tuple[Day, ...] = DAYS
    later: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Everything about telling people."""

    probe: str | None = None
    """What messages call this probe: for whoever has several."""
    remind_hours: float = 24.0
    """An open incident is told of again after so many hours; 0 is never. Less would teach people to look away."""
    webhook: str | None = field(default=None, repr=False)
    ntfy: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    apprise: str | None = field(default=None, repr=False)
    listed: tuple[Channel, ...] = ()
    quiet: tuple[Quiet, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those of the file, and the short forms (``[notify] ntfy``, ``DALEL_NOTIFY_NTFY``), which are called by their kind.

        Raises :class:`NotifyError` for a short form that is wrong; the loading of the settings has found it before.
        """
        short = {"webhook": self.webhook, "ntfy": self.ntfy, "email": self.email, "apprise": self.apprise}
        named = {channel.name for channel in self.listed}
        made = tuple(_short(kind, url) for kind, url in short.items() if url is not None and kind not in named)
        return (*self.listed, *made)


def _short(kind: str, url: str) -> Channel:
    try:
        return channel_from_table({"kind": kind, "name": kind, "url": url})
    except NotifyError as error:
        raise NotifyError(f"{kind}: {error}") from None


def channel_from_table(table: Mapping[str, Any]) -> Channel:
    """One ``[[notify.channel]]``. Files that hold secrets are read now. Raises :class:`NotifyError`."""
    known = (*CHANNEL_KEYS, *(f"{key}_file" for key in SECRETS))
    for key in table:
        if key not in known:
            raise NotifyError(f'there is no "{key[:40]}". There are: {", ".join(known)}')
    kind = _kind(table.get("kind"))
    values = {key: _text(table, key) for key in ("url", "token", "user", "password", "from", "name")}
    name = values["name"] or kind
    if not _NAME.fullmatch(name):
        raise NotifyError("its name may have letters, digits, dots and hyphens, 32 at most")
    channel = Channel(
        kind=kind,
        name=name,
        url=values["url"],
        token=values["token"],
        user=values["user"],
        password=values["password"],
        sender=values["from"],
        to=_texts(table, "to"),
        language=_one_of(table, "language", LANGUAGES),
        events=_some_of(table, "events", EVENT_KINDS),
    )
    return _checked(channel)


def quiet_from_table(table: Mapping[str, Any]) -> Quiet:
    """One ``[[notify.quiet]]``. Raises :class:`NotifyError`."""
    for key in table:
        if key not in QUIET_KEYS:
            raise NotifyError(f'there is no "{key[:40]}". There are: {", ".join(QUIET_KEYS)}')
    begins, ends = _minute(table, "from"), _minute(table, "until")
    if begins == ends:
        raise NotifyError("it ends when it begins. For a whole day write from 00:00 until 24:00")
    then = _one_of(table, "then", ("later", "never"))
    return Quiet(begins=begins, ends=ends, days=_some_of(table, "days", DAYS) or DAYS, later=then != "never")


def distinct(channels: tuple[Channel, ...]) -> None:
    """Raises :class:`NotifyError` if two have one name: what was sent is remembered by it."""
    names = [channel.name for channel in channels]
    for name in names:
        if names.count(name) > 1:
            raise NotifyError(f"two channels are called {name}: give one of them another name")


# ---------------------------------------------------------------------------------------------------------------------


def _kind(value: Any) -> ChannelKind:
    found = next((kind for kind in KINDS if kind == value), None)
    if found is None:
        raise NotifyError(f"its kind must be one of {', '.join(KINDS)}")
    return found


def _text(table: Mapping[str, Any], key: str) -> str | None:
    """The value of *key*, or what is in the file that ``KEY_file`` names."""
    value, named = table.get(key), table.get(f"{key}_file") if key in SECRETS else None
    if value is not None and named is not None:
        raise NotifyError(f"{key} and {key}_file are both there: keep one of them")
    for told in (value, named):
        if told is not None and (not isinstance(told, str) or not told.strip()):
            raise NotifyError(f"{key} must be a text that is not empty")
    if named is not None:
        value = _file(key, named)
    if value is not None and not value.isprintable():
        raise NotifyError(f"{key} has characters that cannot be in it")
    return value


def _file(key: str, name: str) -> str:
    try:
        text = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "it cannot be read") if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NotifyError(f"{key}_file names {name}, which cannot be read: {why.lower()}") from None
    if not text:
        raise NotifyError(f"{key}_file names {name}, which is empty")
    return text


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise NotifyError(f"{key} must be a text, or a list of them")
    return tuple(item.strip() for item in value)


def _one_of(table: Mapping[str, Any], key: str, allowed: tuple[Any, ...]) -> Any:
    value = table.get(key)
    if value is not None and value not in allowed:
        raise NotifyError(f"{key} must be one of {', '.join(allowed)}")
    return value


def _some_of(table: Mapping[str, Any], key: str, allowed: tuple[Any, ...]) -> tuple[Any, ...]:
    values = _texts(table, key)
    if any(value not in allowed for value in values):
        raise NotifyError(f"{key} must be a list of {', '.join(allowed)}")
    return tuple(item for item in allowed if item in values)


def _minute(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key)
    if key == "until" and value == "24:00":
        return 1440
    match = _MINUTE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise NotifyError(f'{key} must be a time of the day, such as "23:00"')
    return int(match.group(1)) * 60 + int(match.group(2))


def _checked(channel: Channel) -> Channel:
    if not channel.is_remote:
        if any((channel.url, channel.token, channel.user, channel.password, channel.sender, channel.to)):
            raise NotifyError(f"a {channel.kind} has a name, a language and events, and no more")
        return channel
    if channel.url is None:
        raise NotifyError(f"it has no url: write {_EXPECTED[channel.kind]}")
    check: Callable[[Channel], Channel] = {"email": _email, "apprise": _apprise}.get(channel.kind, _web)
    return check(channel)


def _split(channel: Channel) -> SplitResult:
    try:
        parts = urlsplit(channel.url or "")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = (parts.hostname or "").strip()
    if parts.scheme not in _SCHEMES[channel.kind] or not host or port == 0 or " " in (channel.url or ""):
        raise NotifyError(f"its url must read {_EXPECTED[channel.kind]}")
    return parts


def _web(channel: Channel) -> Channel:
    parts = _split(channel)
    if parts.username is not None or parts.password is not None:
        raise NotifyError("its url may hold no user and password: use token")
    if channel.kind == "ntfy" and (not parts.path.strip("/") or "/" in parts.path.strip("/") or parts.query):
        raise NotifyError(f"its url must read {_EXPECTED['ntfy']}")
    if channel.user or channel.password or channel.sender or channel.to:
        raise NotifyError(f"user, password, from and to are for email, and not for {channel.kind}")
    if channel.token is not None and (not channel.token.isascii() or " " in channel.token):
        raise NotifyError("its token has characters that no token has")
    return replace(channel, url=parts._replace(fragment="").geturl())


def _email(channel: Channel) -> Channel:
    """A mail server. Its URL may hold all of it: ``smtps://USER:PASSWORD@HOST?from=A&to=B``."""
    parts = _split(channel)
    told = {key: values[0] for key, values in parse_qs(parts.query).items()}
    user = channel.user or (unquote(parts.username) if parts.username else None)
    password = channel.password or (unquote(parts.password) if parts.password else None)
    to = channel.to or tuple(part.strip() for part in told.get("to", "").split(",") if part.strip())
    sender = channel.sender or told.get("from") or (user if user and _ADDRESS.fullmatch(user) else None)
    if channel.token is not None:
        raise NotifyError("an email has a user and a password, and no token")
    if (user is None) != (password is None):
        raise NotifyError("user and password belong together")
    if password is not None and parts.scheme == "smtp-plain" and not _is_here(parts.hostname or ""):
        raise NotifyError("its password would be readable on the way: use smtps:// or smtp://")
    if sender is None or not _ADDRESS.fullmatch(sender):
        raise NotifyError("from must be an address such as probe@example.org")
    if not to or not all(_ADDRESS.fullmatch(address) for address in to):
        raise NotifyError("to must be an address such as me@example.org, or a list of them")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    url = f"{parts.scheme}://{host}:{parts.port or _PORTS[parts.scheme]}"
    return replace(channel, url=url, user=user, password=password, sender=sender, to=to)


def _is_here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def _apprise(channel: Channel) -> Channel:
    if not re.match(r"[a-z0-9]+://", channel.url or "", re.IGNORECASE):
        raise NotifyError(f"its url must be {_EXPECTED['apprise']}")
    if channel.token or channel.user or channel.password or channel.sender or channel.to:
        raise NotifyError("all of it is in its url, as Apprise writes it")
    return channel
