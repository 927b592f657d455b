"""What an address in an answer can and cannot be. Our own tables: Python's ``is_global`` differs between versions.

Sources: RFC 6890 and the IANA special-purpose registries; RFC 6052 and RFC 8215 for the translation prefixes.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "100::/64",
        "2001:db8::/32",
        "3fff::/20",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)

_INSIDE = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
"""What companies and households number their own machines with (RFC 1918, RFC 4193)."""

_TUNNEL = (ipaddress.ip_network("198.18.0.0/15"), ipaddress.ip_network("100.64.0.0/10"))
"""What VPN and circumvention programs on this host or its router answer for names that they carry (and what carriers
use inside): not a site's address, but no lie by the network either."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@lru_cache(maxsize=4096)
def parse(text: str) -> Address | None:
    """The address, or ``None`` for what is none; a zone index is left out."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def unwrap(address: Address, prefixes: tuple[ipaddress.IPv6Network, ...] = ()) -> Address:
    """The IPv4 address inside a translated IPv6 one (*prefixes*: /96 networks that ipv4only.arpa told of)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64 or address in _NAT64_LOCAL or address in _MAPPED or any(address in p for p in prefixes):
        # RFC 6052 §2.2: with a /96 the IPv4 address is the last 32 bits. Operators' /48 are used as /96 in practice.
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


@lru_cache(maxsize=4096)
def is_bogon(text: str, prefixes: tuple[ipaddress.IPv6Network, ...] = ()) -> bool:
    """Whether no public site can have this address, after unwrapping. Tunnels' own ranges are not counted."""
    address = parse(text)
    if address is None:
        return True
    inner = unwrap(address, prefixes)
    return any(inner.version == network.version and inner in network for network in _NEVER)


@lru_cache(maxsize=4096)
def connectable(text: str) -> bool:
    """Whether the probe connects to such an address at all: never to this host itself, nor to what is no host."""
    address = parse(text)
    return address is not None and not (
        address.is_loopback
        or address.is_unspecified
        or address.is_multicast
        or address.is_link_local
        or (address.version == 4 and (int(address) >> 24 == 0 or int(address) >> 28 == 0xF))
    )


@lru_cache(maxsize=4096)
def is_tunnel(text: str) -> bool:
    """Whether this is an address that a local VPN or circumvention program may have made up."""
    address = parse(text)
    return address is not None and any(unwrap(address) in n for n in _TUNNEL if unwrap(address).version == 4)


@lru_cache(maxsize=4096)
def is_loopback(text: str) -> bool:
    """Whether this is the host itself."""
    address = parse(text)
    return address is not None and address.is_loopback


@lru_cache(maxsize=4096)
def is_private(text: str) -> bool:
    """Whether a resolver at this address is in this host or its own network."""
    address = parse(text)
    return address is not None and (address.is_private or address.is_loopback or address.is_link_local)


def is_inside(text: str) -> bool:
    """Whether a machine in somebody's own network may have it."""
    address = parse(text)
    return address is not None and any(address.version == one.version and address in one for one in _INSIDE)


def prefixes_of(answers: tuple[str, ...]) -> tuple[ipaddress.IPv6Network, ...]:
    """The translation prefixes that AAAA answers for ipv4only.arpa give away (RFC 7050): its IPv4 is 192.0.0.170/171."""
    found = []
    for text in answers:
        address = parse(text)
        if isinstance(address, ipaddress.IPv6Address) and int(address) & 0xFFFFFFFF in (0xC00000AA, 0xC00000AB):
            found.append(ipaddress.IPv6Network((int(address) >> 32 << 32, 96)))
    return tuple(dict.fromkeys(found))
