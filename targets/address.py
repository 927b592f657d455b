"""One URL, ``tcp://host:port``, app's address, host name or address literal, as typed, to an ``Endpoint``; or why not."""

from __future__ import annotations

import base64
import ipaddress
import re
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from targets.model import Endpoint, TargetError
from targets.schemes import Scheme, app_of, ready

SCHEMES = ("https", "http", "tcp")
_LONGEST = 4096
"""Longer URLs are refused by many servers, so their failure would say nothing about the network."""
_AS_TYPED = "/%:@!$&'()*+,;=~-._[]|"
"""What a browser sends in a path as it was typed; everything else is percent-encoded (WHATWG URL, path set)."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_CODE_POINT = re.compile(r"codepoint U\+([0-9A-F]{4,6})", re.IGNORECASE)
_IDNA = (
    ("empty", "there is nothing between two dots"),
    ("too long", "it is too long"),
    ("hyphen", "a part between dots begins or ends with a hyphen, or has two of them in third place"),
)
_PORT = re.compile(r"(?P<host>[^:/?#\[\]]+|\[[^\]]*\]):(?P<port>[^:/?#\[\]]*)")


def parse_endpoint(text: str) -> Endpoint:
    """The endpoint that *text* names: a URL, ``tcp://host:port``, an app's address, or a host (``https://HOST/`` is meant).

    The URL stays as typed but for what cannot be sent: a name in other letters becomes its ``xn--`` form (IDNA 2008),
    other letters in the path are percent-encoded, and the fragment is left off. Raises :class:`TargetError`.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise TargetError(f"{shown(text)} is too long for an address: more than {_LONGEST} characters.")
    if any(c.isspace() or not c.isprintable() for c in text):
        raise TargetError(f"{shown(text)} has a space or an unprintable character in it. Put one target in one word.")
    return _from_url(text) if "://" in text else _from_host(text)


def _from_host(text: str) -> Endpoint:
    if _is_v6(text):
        return Endpoint(f"https://[{text.lower()}]/")
    if text.startswith("[") and text.endswith("]"):
        return Endpoint(f"https://[{_v6(text[1:-1], text)}]/")
    if with_port := _PORT.fullmatch(text):
        port = _port(with_port["port"], text)
        host = with_port["host"]
        raise TargetError(
            f"{shown(text)} has a port but no scheme. Write {shown(f'https://{host}:{port}/')} for a page, or "
            f"{shown(f'tcp://{host}:{port}')} for a bare connection."
        )
    host, slash, rest = text.partition("/")
    return _from_url(f"https://{host.lower()}/{rest}" if slash else f"https://{host.lower()}/", typed=text)


def _from_url(url: str, *, typed: str | None = None) -> Endpoint:
    typed = typed or url
    try:
        parts = urlsplit(url)
    except ValueError:
        raise TargetError(f"{shown(typed)} {_broken(url)}") from None
    app = app_of(parts.scheme)
    if parts.scheme not in SCHEMES and (app is None or not app.ready):
        scheme = url.partition("://")[0]
        meant = _near(scheme.lower())
        raise TargetError(
            f"{shown(typed)} starts with {shown(f'{scheme}://')}, which cannot be measured. "
            f"{f'Did you mean {meant}://? ' if meant else ''}Use https://, http:// or tcp://host:port"
            f"{'; what apps speak is in `dalel help apps`' if meant in _OF_APPS else ''}."
        )
    if "@" in parts.netloc:
        raise TargetError(f"{shown(typed)} has a user name or password in it: leave it out, nothing is logged in to.")
    if app is not None and app.bare and not parts.netloc:
        raise TargetError(f"{shown(typed)} names no protocol. There are {_known(app)}.")
    host = _host(parts, typed)
    port = _port_of(parts, typed)
    if app is not None:
        return _app(app, parts, host, port, typed)
    return _tcp(parts, host, port, typed) if parts.scheme == "tcp" else _web(parts, host, port)


_OF_APPS = frozenset(scheme.name for scheme in ready())


def _near(scheme: str) -> str:
    """The scheme that somebody who typed this may have meant; empty if none is like it."""
    import difflib  # only where something was not understood

    near = difflib.get_close_matches(scheme[:64], (*SCHEMES, *sorted(_OF_APPS)), n=1, cutoff=0.7)
    return near[0] if near else ""


def _broken(url: str) -> str:
    """Why *url* cannot be taken apart."""
    host = url.partition("://")[2].partition("/")[0]
    # Which of these a Python refuses by itself differs between its versions; what is said of it does not.
    if ("[" in host) != ("]" in host) or (host.startswith("[") and host.partition("]")[2][:1] not in ("", ":")):
        return "has an IPv6 address whose brackets do not match."
    if "[" in host:
        return "has no IPv6 address between its brackets, such as [2001:db8::1]."
    return "is not a web address: what stands after :// is no host name."


def _tcp(parts: SplitResult, host: str, port: int | None, typed: str) -> Endpoint:
    if port is None:
        raise TargetError(f"{shown(typed)} has no port. Write tcp://host:port, for example tcp://{host}:443.")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise TargetError(f"{shown(typed)} has a path: a bare connection has none. Write tcp://{host}:{port}.")
    return Endpoint(f"tcp://{host}:{port}")


def _known(app: Scheme) -> str:
    return ", ".join(f"{app.name}://{name}" for name in app.names)


def _app(app: Scheme, parts: SplitResult, host: str, port: int | None, typed: str) -> Endpoint:
    if app.bare and host not in app.names:
        raise TargetError(f"{shown(typed)} is nothing that is known here. There are {_known(app)}.")
    if app.bare and port is not None:
        raise TargetError(f"{shown(typed)} has a port: {app.name}:// has none. Write for example {app.example}.")
    if port is None and app.port is None:
        raise TargetError(f"{shown(typed)} has no port. Write for example {app.example}.")
    if parts.fragment or (app.path is None and parts.path not in ("", "/")):
        raise TargetError(f"{shown(typed)} has a path: {app.name}:// has none. Write for example {app.example}.")
    given = parse_qs(parts.query, keep_blank_values=True)
    if given.keys() != set(app.keys):
        wanted = " and ".join(f"{key}=" for key in app.keys)
        raise TargetError(
            f"{shown(typed)} needs {wanted} behind a question mark, and nothing else. Write for example {app.example}."
            if wanted
            else f"{shown(typed)} has something behind a question mark, which {app.name}:// has not."
        )
    if "key" in app.keys and not _is_key(given["key"][-1]):
        raise TargetError(f"{shown(typed)} has no public key of WireGuard behind key=: that is 44 characters (base64).")
    where = host if port is None else f"{host}:{port}"
    path = quote(parts.path, safe=_AS_TYPED) if parts.path not in ("", "/") else app.path or ""
    query = f"?{quote(parts.query, safe=_AS_TYPED + '?{}`^')}" if parts.query else ""
    return Endpoint(f"{app.name}://{where}{path}{query}")


def _is_key(text: str) -> bool:
    """Whether *text* is a public key of WireGuard: 32 bytes in base64. In a URL a plus may have become a space."""
    try:
        return len(base64.b64decode(text.replace(" ", "+").rstrip("=") + "=", validate=True)) == 32
    except ValueError:
        return False


def _web(parts: SplitResult, host: str, port: int | None) -> Endpoint:
    typed_host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":")
    kept = typed_host if typed_host.lower() == host else host
    netloc = kept if port is None else f"{kept}:{port}"
    path = quote(parts.path, safe=_AS_TYPED)
    query = f"?{quote(parts.query, safe=_AS_TYPED + '?{}`^')}" if parts.query else ""
    return Endpoint(f"{parts.scheme}://{netloc}{path}{query}")


# ---------------------------------------------------------------------------------------------------------------------
# hosts and ports


def _port_of(parts: SplitResult, typed: str) -> int | None:
    tail = parts.netloc.rpartition("]")[2]
    return _port(tail.partition(":")[2], typed) if ":" in tail and tail.partition(":")[2] else None


def _port(digits: str, typed: str) -> int:
    if not (digits.isascii() and digits.isdigit()):
        raise TargetError(f"{shown(typed)} has a port that is not a number.")
    port = int(digits) if len(digits) <= 10 else 65_536
    if not 1 <= port <= 65_535:
        raise TargetError(f"{shown(typed)} has port {digits[:20]}: a port is a number from 1 to 65535.")
    return port


def _host(parts: SplitResult, typed: str) -> str:
    """The host as it goes on the wire: lower case, A-labels, an IPv6 literal in brackets."""
    netloc = parts.netloc
    if netloc.startswith("["):
        inside, closed, tail = netloc[1:].partition("]")
        if not closed or (tail and not tail.startswith(":")):
            raise TargetError(f"{shown(typed)} has an IPv6 address whose brackets do not match.")
        return f"[{_v6(inside, typed)}]"
    return host_name(netloc.partition(":")[0] if netloc.count(":") <= 1 else netloc, typed)


def host_name(name: str, typed: str | None = None) -> str:
    """*name* in lower case with A-labels, or an IPv4 literal. Raises :class:`TargetError` that quotes *typed*."""
    typed = typed or name
    if not name:
        raise TargetError(f"{shown(typed)} has no host name.")
    host = (name.lower() if name.isascii() else _a_labels(name, typed)).removesuffix(".")
    if ":" in host:
        raise TargetError(f"{shown(typed)} has an IPv6 address without brackets. Write https://[2001:db8::1]/.")
    labels = host.split(".")
    if labels[-1].isdigit():
        return _v4(host, typed)
    if len(host) > 253:
        raise TargetError(f"{shown(typed)} is not a host name: it is longer than 253 characters.")
    for label in labels:
        _check_label(label, typed)
    return host


def _check_label(label: str, typed: str) -> None:
    if not label:
        raise TargetError(f"{shown(typed)} is not a host name: there is nothing between two dots.")
    if len(label) > 63:
        raise TargetError(f"{shown(typed)} is not a host name: a part between dots is longer than 63 characters.")
    if not _LABEL.fullmatch(label):
        raise TargetError(f"{shown(typed)} is not a host name: {shown(label)} has a character that names cannot have.")


def _a_labels(name: str, typed: str) -> str:
    import idna  # a megabyte of tables: only for names in other letters than a-z

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as fault:
        raise TargetError(f"{shown(typed)} is not a host name: {_idna_words(str(fault))}.") from None


def _idna_words(fault: str) -> str:
    """In plain words what the library says (with code points and contextual rules) of a name."""
    if found := _CODE_POINT.search(fault):
        return f"{shown(chr(int(found[1], 16)))} is not allowed in names"
    said = fault.lower()
    return next((words for start, words in _IDNA if start in said), "its letters do not make a name")


def _v4(host: str, typed: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise TargetError(f"{shown(typed)} is not a host name, and not an IPv4 address such as 192.0.2.1.") from None


def _is_v6(text: str) -> bool:
    if ":" not in text or "%" in text:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _v6(text: str, typed: str) -> str:
    if not _is_v6(text):
        raise TargetError(f"{shown(typed)} has no IPv6 address between its brackets, such as [2001:db8::1].")
    return text.lower()


def shown(text: str) -> str:
    """*text* in quotes, on one line, with nothing in it that a terminal would act on."""
    short = text if len(text) <= 80 else text[:79] + "…"
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + "'"
