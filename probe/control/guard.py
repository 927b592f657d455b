"""Which addresses a control may connect to: public unicast ones with no other address hidden inside. Pure.

Our own tables: Python's ``is_global`` differs between versions, and knows of no metadata services.
"""

from __future__ import annotations

import ipaddress

_PRIVATE_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        # The IANA special-purpose registry (RFC 6890), every block that is not globally reachable unicast.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' inside (RFC 6598), and one cloud's metadata service
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local (RFC 3927): most clouds' metadata service
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # Public by number only: Azure's host answers here, and only its own guests.
        "168.63.129.16/32",
    )
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""All that has been handed out (RFC 4291 §2.4). Outside of it lie the loopback, IPv4-mapped and -compatible addresses,
translators' own prefixes (64:ff9b::/96, 64:ff9b:1::/48), unique local, link-local and multicast ones."""
_PRIVATE_6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments, Teredo among them: an IPv4 address is inside
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address is inside
        "3fff::/20",
    )
)
_EMBEDDED = ipaddress.IPv6Network("::5efe:0:0/96")
"""The lower half of an ISATAP address (RFC 5214 §6.1): an IPv4 address is inside."""


def is_public(text: str) -> bool:
    """Whether *text* is a unicast address of the public Internet with no other address hidden in it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _PRIVATE_4)
    if address.scope_id is not None or address not in _GLOBAL_6 or any(address in network for network in _PRIVATE_6):
        return False
    return int(address) >> 32 & 0xFDFFFFFF != int(_EMBEDDED.network_address) >> 32
