"""What this host says of itself without sending a packet: its roads out, its routers, tunnels, and sleep."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_SIOCGIFADDR = 0x8915


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What this host says of itself, without sending a packet."""

    default_route_v4: bool | None
    default_route_v6: bool | None
    tunnels: tuple[str, ...]
    proxies: tuple[str, ...]
    in_container: bool
    suspended_s: float | None


def state() -> HostState:
    """Routes, tunnels, proxy settings and sleep, read from the host itself. Sends nothing."""
    return HostState(
        default_route_v4=_default_route_v4(),
        default_route_v6=_default_route_v6(),
        tunnels=_tunnels(),
        proxies=tuple(
            name
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
            if os.environ.get(name)
        ),
        in_container=Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
        suspended_s=_suspended_s(),
    )


def _default_routes_v4() -> list[list[str]] | None:
    """Lines of the kernel's table that lead everywhere and are up, as fields (proc(5), /proc/net/route)."""
    try:
        lines = Path("/proc/net/route").read_text().splitlines()[1:]
    except OSError:
        return None
    return [
        fields
        for line in lines
        if len(fields := line.split()) > 3 and fields[1] == "00000000" and int(fields[3], 16) & 1
    ]


@dataclass(frozen=True, slots=True)
class WayOut:
    """An interface with a default route: its name, its own IPv4 address, and whether it looks like a mobile network's."""

    interface: str
    address: str
    is_mobile: bool


_MOBILE = re.compile(r"(wwan|wwp|rmnet|ccmni|usb|ppp|cdc)\w*")
"""Modems, phones on a cable, and dial-up over either."""


def ways_out() -> tuple[WayOut, ...]:
    """The interfaces that have a default route over IPv4, the one that the system prefers first. Linux only."""
    by_interface: dict[str, int] = {}
    for fields in _default_routes_v4() or ():
        if len(fields) > 6 and fields[0] != "lo":
            by_interface.setdefault(fields[0], int(fields[6]))
    found = []
    for name in sorted(by_interface, key=lambda one: by_interface[one]):
        address = _address_of(name)
        if address is not None:
            found.append(WayOut(name, address, _MOBILE.fullmatch(name) is not None))
    return tuple(found)


def _address_of(interface: str) -> str | None:
    """The first IPv4 address of *interface* (netdevice(7), SIOCGIFADDR)."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("256s", interface.encode()[:15])
        try:
            answer = fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, request)
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def _default_route_v4() -> bool | None:
    routes = _default_routes_v4()
    return None if routes is None else bool(routes)


def gateway_v4() -> str | None:
    """Of the first default route with a router; the table has addresses as numbers in this host's own byte order."""
    for fields in _default_routes_v4() or ():
        number = int(fields[2], 16)
        if number:
            return str(ipaddress.IPv4Address(number.to_bytes(4, sys.byteorder)))
    return None


def hardware_address(address: str) -> str | None:
    """Of a neighbour on IPv4, if the kernel knows it (proc(5), /proc/net/arp)."""
    try:
        lines = Path("/proc/net/arp").read_text().splitlines()[1:]
    except OSError:
        return None
    found = (fields[3] for line in lines if len(fields := line.split()) > 3 and fields[0] == address)
    return next((hardware for hardware in found if hardware.strip("0:")), None)


def _default_routes_v6() -> list[list[str]] | None:
    """Lines of the kernel's table that lead everywhere and reject nothing, as fields (proc(5), /proc/net/ipv6_route)."""
    try:
        lines = Path("/proc/net/ipv6_route").read_text().splitlines()
    except OSError:
        return None
    reject = 0x0200
    return [
        fields
        for line in lines
        if len(fields := line.split()) > 9
        and (fields[0] == "0" * 32 and fields[1] == "00" and fields[-1] != "lo" and not int(fields[8], 16) & reject)
    ]


def _default_route_v6() -> bool | None:
    routes = _default_routes_v6()
    return None if routes is None else bool(routes)


def gateway_v6() -> str | None:
    """Of the default route that is preferred (the least metric), if it leads over a router."""
    for fields in sorted(_default_routes_v6() or (), key=lambda fields: int(fields[5], 16)):
        number = int(fields[4], 16)
        if number:
            address = ipaddress.IPv6Address(number)
            return f"{address}%{fields[-1]}" if address.is_link_local else str(address)
    return None


_TUNNEL = re.compile(r"(tun|tap|wg|ppp|utun|tailscale|nordlynx|proton|warp|zt|amn)\w*")


def _tunnels() -> tuple[str, ...]:
    """Kinds of tunnel interface that are up (``tun``, ``wg`` …), not their names."""
    if sys.platform != "linux":
        return ()
    up = []
    for interface in sorted(Path("/sys/class/net").glob("*")):
        match = _TUNNEL.fullmatch(interface.name)
        try:
            flags = int((interface / "flags").read_text(), 16)
        except (OSError, ValueError):
            continue
        if match and flags & 1:
            up.append(match.group(1))
    return tuple(dict.fromkeys(up))


def _suspended_s() -> float | None:
    """How long this host has slept since it booted: CLOCK_BOOTTIME minus CLOCK_MONOTONIC."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    awake = time.monotonic()
    # In this order, or a host that never slept has slept for less than nothing.
    return round(time.clock_gettime(time.CLOCK_BOOTTIME) - awake, 3)
