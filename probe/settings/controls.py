"""Which controls a check may ask: ``--control URL`` as typed, or ``[[control]]`` in the settings file."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

KEYS = ("url", "token", "sha256", "name", "country")
EXPECTED = "https://HOST:PORT#token=…&sha256=…"
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
    says that it is.
    """

    host: str
    port: int
    name: str
    token: str | None = field(default=None, repr=False)
    sha256: str | None = None
    country: str | None = None

    @property
    def vantage(self) -> str:
        return f"control:{self.name}"


def parse(text: str) -> Control:
    """``https://HOST:PORT[#token=…&sha256=…&name=…]``. Raises :class:`ControlError`."""
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
    url = f"https://{_bracketed(control.host)}:{control.port}"
    known = {"name": control.name, "token": control.token, "sha256": control.sha256, "country": control.country}
    return _checked({"url": url} | {key: value for key, value in known.items() if value is not None} | dict(rest))


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
    return Control(host=host, port=port, name=name, token=token, sha256=sha256, country=country)


def _address(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port if parts.port is not None else 443
    except ValueError:
        raise ControlError(f"its address must read {EXPECTED}") from None
    plain = not (parts.username or parts.password or parts.query) and parts.path in ("", "/")
    if parts.scheme != "https" or not parts.hostname or not plain or port == 0 or not _is_host(parts.hostname):
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


def with_token(controls: tuple[Control, ...], environ: Mapping[str, str]) -> tuple[Control, ...]:
    """*controls*, each with a token of its own, else the one of the environment; names made unique.

    Raises :class:`ControlError` for one that has none.
    """
    if not controls:
        return ()
    shared = read_token(environ)
    found: dict[str, Control] = {}
    for control in controls:
        token = control.token or (shared[0] if shared else None)
        if token is None:
            raise ControlError(
                f"the control {control.name} has no token. Paste the line that dalel control serve printed, or set "
                "DALEL_CONTROL_TOKEN_FILE"
            )
        if control.name in found:
            raise ControlError(f"two controls are called {control.name}: give one of them another name")
        found[control.name] = replace(control, token=token)
    return tuple(found.values())
