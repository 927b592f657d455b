"""Which controls a check may ask: ``--control URL`` as typed, or ``[[control]]`` in the settings file.

A proxy (``socks5://``, ``http://``) may stand in for one: it measures nothing, but lets the probe look through it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

KEYS = ("url", "token", "sha256", "name", "country")
EXPECTED = "https://HOST:PORT#token=…&sha256=…, or of a proxy socks5://HOST:PORT or http://HOST:PORT"
Scheme = Literal["https", "socks5", "http"]
_ALIASES = {"socks5h": "socks5"}
"""What others write for a proxy that resolves names itself, which is the only way here."""
_LONGEST_LOGIN = 255
"""RFC 1929 §2 has one byte for the length."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ControlError(ValueError):
    """A control that cannot be asked; the text says why, and never quotes a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control. ``sha256``: of its certificate (DER), lower-case hex; ``None`` trusts the ordinary authorities.

    ``name`` is what results call it: ``control:NAME`` is its vantage. ``country`` (ISO 3166-1 alpha-2) is where the user
    says that it is. With another ``scheme`` than https it is a proxy, ``login`` the user and password for it.
    """

    host: str
    port: int
    name: str
    token: str | None = field(default=None, repr=False)
    sha256: str | None = None
    country: str | None = None
    scheme: Scheme = "https"
    login: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def is_proxy(self) -> bool:
        return self.scheme != "https"

    @property
    def vantage(self) -> str:
        return f"control:{self.name}"


def parse(text: str) -> Control:
    """``https://HOST:PORT[#token=…&sha256=…&name=…&country=…]``, or ``socks5://`` or ``http://[USER:PASSWORD@]HOST:PORT`` of a
    proxy with ``name`` and ``country``. Raises :class:`ControlError`.
    """
    address, _, fragment = text.strip().partition("#")
    try:
        told = dict(parse_qsl(fragment, keep_blank_values=True, strict_parsing=bool(fragment), max_num_fields=8))
    except ValueError:
        raise ControlError("what stands after its # must read token=…&sha256=…") from None
    return from_table({"url": address, **told})


def from_table(table: Mapping[str, Any]) -> Control:
    """One ``[[control]]``. Raises :class:`ControlError`."""
    for key, value in table.items():
        if key not in KEYS:
            raise ControlError(f'there is no "{key[:40]}". There are: {", ".join(KEYS)}')
        if not isinstance(value, str) or not value.strip():
            raise ControlError(f"{key} must be a text that is not empty")
    if "#" in table.get("url", ""):
        rest = {key: value for key, value in table.items() if key != "url"}
        return _joined(parse(table["url"]), rest)
    return _checked(table)


def _joined(control: Control, rest: Mapping[str, Any]) -> Control:
    """A pasted line in the file, and keys beside it that win."""
    if control.is_proxy:
        named = {"name": control.name, "country": control.country}
        told = _checked(
            {"url": f"{control.scheme}://{_bracketed(control.host)}:{control.port}"} | _set(named) | dict(rest)
        )
        return replace(told, login=control.login)
    url = f"https://{_bracketed(control.host)}:{control.port}"
    known = {"name": control.name, "token": control.token, "sha256": control.sha256, "country": control.country}
    return _checked({"url": url} | _set(known) | dict(rest))


def _set(known: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in known.items() if value is not None}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _checked(table: Mapping[str, str]) -> Control:
    parts, port = _address(table.get("url", ""))
    host = (parts.hostname or "").lower()
    token, sha256, country = table.get("token"), table.get("sha256"), table.get("country")
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise ControlError("its token has characters that no token has")
    if sha256 is not None:
        sha256 = sha256.replace(":", "").lower()
        if not _SHA256.fullmatch(sha256):
            raise ControlError("its sha256 must be 64 digits of 0-9 and a-f")
    if country is not None and not _COUNTRY.fullmatch(country):
        raise ControlError("its country must be two capital letters, such as DE")
    name = table.get("name", host.replace(":", "-").strip("-") if port == 443 else f"{host.replace(':', '-')}-{port}")
    if not _NAME.fullmatch(name):
        if "name" in table:
            raise ControlError("its name may have letters, digits, dots and hyphens, 63 at most")
        name = f"control-{port}"
    scheme = _scheme(parts.scheme)
    assert scheme is not None
    if scheme != "https" and (token is not None or sha256 is not None):
        raise ControlError(
            "a proxy has neither a token nor a sha256: a login stands before its host, as USER:PASSWORD@"
        )
    return Control(
        host=host,
        port=port,
        name=name,
        token=token,
        sha256=sha256,
        country=country,
        scheme=scheme,
        login=_login(parts) if scheme != "https" else None,
    )


def _scheme(text: str) -> Scheme | None:
    plain = _ALIASES.get(text, text)
    return next((scheme for scheme in get_args(Scheme) if scheme == plain), None)


def _login(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username is None:
        return None
    login = unquote(parts.username), unquote(parts.password or "")
    if not all(len(part.encode()) <= _LONGEST_LOGIN for part in login) or not login[0] or ":" in login[0]:
        raise ControlError("its login must read USER:PASSWORD@, at most 255 characters each")
    return login


def _address(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        # Nobody agrees on the port of a proxy: it has to be named.
        port = parts.port if parts.port is not None else 443 if parts.scheme == "https" else 0
    except ValueError:
        raise ControlError(f"its address must read {EXPECTED}") from None
    bare = parts.scheme != "https" or not (parts.username or parts.password)
    plain = bare and not parts.query and parts.path in ("", "/")
    if _scheme(parts.scheme) is None or not parts.hostname or not plain or port == 0 or not _is_host(parts.hostname):
        raise ControlError(f"its address must read {EXPECTED}")
    return parts, port


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(_HOST.fullmatch(host))
    return True


def read_token(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The tokens of ``DALEL_CONTROL_TOKEN`` or of the file that ``DALEL_CONTROL_TOKEN_FILE`` names, one a line.

    Raises :class:`ControlError`.
    """
    text, named = environ.get("DALEL_CONTROL_TOKEN"), environ.get("DALEL_CONTROL_TOKEN_FILE")
    if text and named:
        raise ControlError("DALEL_CONTROL_TOKEN and DALEL_CONTROL_TOKEN_FILE are both set: keep one of them")
    return tokens_in(named, "DALEL_CONTROL_TOKEN_FILE") if named else (text.strip(),) if text and text.strip() else ()


def tokens_in(file: str, named_by: str) -> tuple[str, ...]:
    """The tokens in *file*, one a line; ``#`` begins a comment. Raises :class:`ControlError`."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "it cannot be read") if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ControlError(f"{named_by} names {file}, which cannot be read: {why.lower()}") from None
    found = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not found:
        raise ControlError(f"{named_by} names {file}, which has no token in it")
    return found


def with_token(
    controls: tuple[Control, ...], environ: Mapping[str, str], shared: str | None = None
) -> tuple[Control, ...]:
    """*controls*, each with a token of its own, else *shared*, else the one of the environment; names made unique.

    Raises :class:`ControlError` for one that has none.
    """
    if not controls:
        return ()
    if shared is not None and not (shared.isascii() and shared.isprintable() and " " not in shared):
        raise ControlError("the token has characters that no token has")
    told = (shared,) if shared is not None or all(c.token or c.is_proxy for c in controls) else read_token(environ)
    found: dict[str, Control] = {}
    for control in controls:
        token = control.token or (told[0] if told and not control.is_proxy else None)
        if token is None and not control.is_proxy:
            raise ControlError(
                f"the control {control.name} has no token. Paste the line that dalel control serve printed, use "
                "--control-token, or set DALEL_CONTROL_TOKEN_FILE"
            )
        if control.name in found:
            raise ControlError(f"two controls are called {control.name}: give one of them another name")
        found[control.name] = replace(control, token=token)
    return tuple(found.values())
