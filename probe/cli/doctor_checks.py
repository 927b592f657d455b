"""What ``dalel doctor`` looks at: each check says what was found, what that means for results, and what to do.

Nothing in here sends a packet. Sockets are opened only to ask the kernel what it can tell, and closed unused.
"""

from __future__ import annotations

import os
import platform
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from probe import __version__
from probe.cli.common import ConfigError, own_targets, read_catalogue
from probe.wire import Wire
from probe.wire.resolvers import Nameserver
from probe.wire.sockets import IP_MINTTL
from probe.wire.this_host import HostState

if TYPE_CHECKING:
    from probe.settings import Settings
    from probe.settings.file import Loaded

State = Literal["ok", "warning", "broken"]

_LOCAL_FORWARDERS = {
    "127.0.0.53": "systemd-resolved on this computer, which passes questions on",
    "127.0.0.11": "Docker's own, which passes questions on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the list. ``means`` and ``do`` are empty where nothing follows."""

    name: str
    state: State
    found: str
    means: str = ""
    do: str = ""


def checks(loaded: Loaded, wire: Wire, environ: Mapping[str, str]) -> Iterator[Check]:
    """Every check, from what must work to what is nice to have."""
    state = wire.host()
    yield _version()
    yield _settings_file(loaded, environ)
    yield _route(state)
    yield _ipv6(state)
    yield from _nameservers(wire.nameservers(), state)
    yield _tunnels(state)
    yield _proxies(state)
    yield _trust(environ)
    yield _kernel()
    yield _quic()
    yield _database(loaded.settings, environ)
    yield _targets(loaded.settings)


def _version() -> Check:
    found = f"dalel {__version__}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    return Check(name="version", state="ok", found=found)


def _settings_file(loaded: Loaded, environ: Mapping[str, str]) -> Check:
    import difflib

    from probe.settings.keys import KEYS

    known = {key.variable for key in KEYS}
    close = {
        name: near[0]
        for name in environ
        if name.startswith("DALEL_") and name not in known
        if (near := difflib.get_close_matches(name, known, n=1, cutoff=0.85))
        if name != f"{near[0]}_FILE"
    }
    found = f"settings file {loaded.file}" if loaded.file else "no settings file; the defaults hold"
    if not close:
        return Check(name="settings", state="ok", found=found)
    slips = ", ".join(f"{name} (did you mean {near}?)" for name, near in close.items())
    return Check(
        name="settings",
        state="warning",
        found=f"{found}; variables that mean nothing: {slips}",
        means="They are not read.",
        do="Correct their names. All of them: dalel help settings",
    )


def _route(state: HostState) -> Check:
    if state.default_route_v4 is None and state.default_route_v6 is None:
        return Check(name="route", state="ok", found="this system does not say where its packets go")
    if state.default_route_v4 or state.default_route_v6:
        return Check(name="route", state="ok", found="this computer has a way out")
    return Check(
        name="route",
        state="broken",
        found="this computer has no way out: no default route",
        means="Nothing outside can be reached, so nothing can be said about any site.",
        do="Look at the cable, the Wi-Fi or the mobile data switch.",
    )


def _ipv6(state: HostState) -> Check:
    if state.default_route_v6:
        return Check(name="ipv6", state="ok", found="IPv6 has a way out")
    return Check(name="ipv6", state="ok", found="no IPv6 here", means="Sites are measured over IPv4 only.")


def _nameservers(servers: tuple[Nameserver, ...], state: HostState) -> Iterator[Check]:
    if not servers:
        yield Check(
            name="nameservers",
            state="broken",
            found="no DNS server is set in /etc/resolv.conf",
            means="No name can be found, so nearly every site is out of reach.",
            do="Join the network again, or add a line such as: nameserver 192.168.1.1",
        )
    for server in servers:
        yield _nameserver(server, state)


def _nameserver(server: Nameserver, state: HostState) -> Check:
    from probe.verdict.resolvers import known

    operator = known(server.address)
    if operator is not None:
        who = operator.removesuffix("-filter")
        why = " Docker sets it where it finds no other." if state.in_container else ""
        filtered = " It refuses some names by itself." if operator.endswith("-filter") else ""
        return Check(
            name="nameservers",
            state="warning",
            found=f"{server.address} belongs to {who}, not to your ISP{filtered and ', and filters'}",
            means=f"What your ISP's own DNS blocks is not seen.{filtered}{why}",
            do="To test your ISP's DNS, use the one that it gives to its customers.",
        )
    if forwarder := _LOCAL_FORWARDERS.get(server.address):
        return Check(
            name="nameservers",
            state="ok",
            found=f"{server.address}: {forwarder}",
            means="Whose DNS answers in the end cannot be seen from here.",
        )
    if server.is_private:
        return Check(
            name="nameservers",
            state="ok",
            found=f"{server.address}: a router or server of your own network",
            means="It usually asks your ISP's DNS. A filter on it would look like your ISP's, and dalel tells them apart.",
        )
    return Check(name="nameservers", state="ok", found=f"{server.address}: probably your ISP's")


def _tunnels(state: HostState) -> Check:
    if not state.tunnels:
        return Check(name="vpn", state="ok", found="no VPN is on")
    return Check(
        name="vpn",
        state="warning",
        found=f"a VPN seems to be on ({', '.join(state.tunnels)})",
        means="Results are about the VPN's network, not about your ISP's.",
        do="Turn it off while you measure, if that is safe for you.",
    )


def _proxies(state: HostState) -> Check:
    if not state.proxies:
        return Check(name="proxy", state="ok", found="no proxy is set")
    return Check(
        name="proxy",
        state="warning",
        found=f"a proxy is set: {', '.join(state.proxies)}",
        means="dalel does not use it: it measures the network itself. If nothing works without it, all will look broken.",
        do="Nothing, if sites open without the proxy too.",
    )


def _trust(environ: Mapping[str, str]) -> Check:
    named = environ.get("SSL_CERT_FILE")
    if not named:
        return Check(name="trust", state="ok", found="certificates are checked against the usual authorities")
    if not os.access(named, os.R_OK):
        return Check(
            name="trust",
            state="broken",
            found=f"SSL_CERT_FILE names {named}, which cannot be read",
            means="No certificate can be checked.",
            do="Unset SSL_CERT_FILE, or correct it.",
        )
    return Check(
        name="trust",
        state="warning",
        found=f"SSL_CERT_FILE replaces all trusted authorities with {named}",
        means="Whether a certificate counts as forged depends on that file alone. Every result says so.",
        do="Unset SSL_CERT_FILE, unless you set it on purpose.",
    )


def _kernel() -> Check:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        counters = _can(lambda: sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, "TCP_INFO", 11), 256))
        distance = _can(lambda: sock.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 1))
    if counters and distance:
        return Check(name="kernel", state="ok", found="this kernel tells what became of each connection")
    missing = [name for name, there in (("TCP_INFO", counters), ("IP_MINTTL", distance)) if not there]
    return Check(
        name="kernel",
        state="warning",
        found=f"this kernel does not give {' and '.join(missing)}",
        means="Some evidence is missing: whether the other side had received a greeting, or how far away an answer was made.",
        do="Nothing, or use a newer Linux.",
    )


def _quic() -> Check:
    from probe.instruments import quic

    if quic.is_here():
        return Check(name="quic", state="ok", found="aioquic is here, so sites are asked over QUIC too")
    return Check(
        name="quic",
        state="ok",
        found="no aioquic here",
        means="Sites are not asked over QUIC, the newer kind of connection. Nothing else needs it.",
        do="If you want it: pip install 'dalel[quic]'.",
    )


def _can(ask: object) -> bool:
    assert callable(ask)
    try:
        ask()
    except OSError:
        return False
    return True


def _database(settings: Settings, environ: Mapping[str, str]) -> Check:
    from storage.errors import StorageError
    from storage.location import resolve

    try:
        location = resolve(settings.database, environ, data_dir=settings.data_dir)
    except StorageError as error:
        return Check(name="database", state="broken", found=str(error), means="Results cannot be kept.")
    if location.path is None:
        return Check(name="database", state="ok", found=f"{location.shown} (not contacted)")
    if location.path.exists():
        if wrong := _unusable(location.path):
            return Check(
                name="database",
                state="broken",
                found=wrong,
                means="Results cannot be kept.",
                do="Update dalel, or name another file with DALEL_DATABASE_URL.",
            )
        good, found = os.access(location.path, os.R_OK | os.W_OK), f"{location.shown}"
    else:
        good, found = _can_make(location.path.parent), f"{location.shown}, which does not exist yet"
    if good:
        return Check(name="database", state="ok", found=found)
    return Check(
        name="database",
        state="broken",
        found=f"{found}: it cannot be written",
        means="Results cannot be kept.",
        do="Change who may write there, or choose another place with DALEL_DATA_DIR, or use --no-save.",
    )


def _unusable(path: Path) -> str | None:
    """Why the file is no database that this version can use, if it is none. Nothing is changed."""
    from storage import sqlite_file
    from storage.errors import StorageError

    try:
        sqlite_file.check_state(str(path), *sqlite_file.read_state(path))
    except StorageError as error:
        return str(error)
    return None


def _can_make(directory: Path) -> bool:
    """Whether *directory* can be written, or made: the nearest part of it that exists decides."""
    existing = next((place for place in (directory, *directory.parents) if place.exists()), Path("/"))
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _targets(settings: Settings) -> Check:
    try:
        catalogue, _canaries = read_catalogue(settings)
    except ConfigError as error:
        return Check(
            name="targets",
            state="broken",
            found=error.message,
            means="No check can start while your own target files are wrong.",
            do=f"Correct them in {own_targets(settings)}. Then: dalel targets validate",
        )
    current = sum(1 for one in catalogue.platforms if one.retired is None)
    return Check(name="targets", state="ok", found=f"{current} platforms, catalogue {catalogue.version}")
