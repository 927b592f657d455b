"""What may be connected to, and what may be named there. Pure."""

from __future__ import annotations

import ipaddress


def sni_of(host: str) -> str | None:
    """The server_name to send: none for an address literal (RFC 6066 §3)."""
    return None if is_literal(host) else host


def connectable(address: str) -> bool:
    """Whether an answer may be connected to: never this host itself, nor what no site can have."""
    ip = ipaddress.ip_address(address)
    return not (
        ip.is_loopback
        or ip.is_unspecified
        or ip.is_multicast
        or ip.is_link_local
        or (ip.version == 4 and (int(ip) >> 24 == 0 or int(ip) >> 28 == 0xF))
    )


def is_literal(host: str) -> bool:
    """Whether *host* is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
