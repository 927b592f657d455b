"""Whose network an address is in, for the few whose edges serve half of the web.

Two addresses of one content network are one neutral, however far apart they look: both know the same customers and may
treat a customer's name in the same special way. So a target on such a network has no neutral there either. Prefixes are
the operators' published ones, written down by hand; one that is missing only falls back to the rule of near addresses.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from probe.verdict.addresses import parse, unwrap

_PREFIXES: dict[str, str] = {
    "cloudflare": (
        "173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 141.101.64.0/18 108.162.192.0/18 190.93.240.0/20 "
        "188.114.96.0/20 197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14 172.64.0.0/13 "
        "131.0.72.0/22 1.1.1.0/24 1.0.0.0/24 2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 "
        "2a06:98c0::/29 2c0f:f248::/32"
    ),
    "fastly": (
        "23.235.32.0/20 43.249.72.0/22 103.244.50.0/24 103.245.222.0/23 103.245.224.0/24 104.156.80.0/20 140.248.64.0/18 "
        "140.248.128.0/17 146.75.0.0/17 151.101.0.0/16 157.52.64.0/18 167.82.0.0/17 167.82.128.0/20 167.82.160.0/20 "
        "167.82.224.0/20 172.111.64.0/18 185.31.16.0/22 199.27.72.0/21 199.232.0.0/16 2a04:4e40::/32 2a04:4e42::/32"
    ),
    "google": (
        "64.233.160.0/19 74.125.0.0/16 108.177.0.0/17 142.250.0.0/15 172.217.0.0/16 173.194.0.0/16 209.85.128.0/17 "
        "216.58.192.0/19 8.8.8.0/24 8.8.4.0/24 2a00:1450::/32 2607:f8b0::/32 2404:6800::/32 2001:4860::/32"
    ),
    "cloudfront": (
        "13.32.0.0/15 13.35.0.0/16 13.224.0.0/14 13.249.0.0/16 18.64.0.0/14 18.154.0.0/15 18.160.0.0/15 18.164.0.0/15 "
        "18.172.0.0/15 18.238.0.0/15 18.244.0.0/15 52.84.0.0/15 52.222.128.0/17 54.182.0.0/16 54.192.0.0/16 54.230.0.0/16 "
        "54.239.128.0/18 99.84.0.0/16 99.86.0.0/16 108.138.0.0/15 108.156.0.0/14 143.204.0.0/16 205.251.192.0/19 "
        "2600:9000::/28"
    ),
    "akamai": (
        "2.16.0.0/13 23.0.0.0/12 23.32.0.0/11 23.64.0.0/14 23.72.0.0/13 23.192.0.0/11 88.221.0.0/16 92.122.0.0/15 "
        "95.100.0.0/15 96.6.0.0/15 96.16.0.0/15 104.64.0.0/10 184.24.0.0/13 184.50.0.0/15 184.84.0.0/14 2a02:26f0::/32 "
        "2600:1400::/24"
    ),
    "meta": (
        "31.13.24.0/21 31.13.64.0/18 66.220.144.0/20 69.63.176.0/20 69.171.224.0/19 102.132.96.0/20 129.134.0.0/16 "
        "157.240.0.0/16 173.252.64.0/18 179.60.192.0/22 185.89.216.0/22 2a03:2880::/32"
    ),
}
_NETWORKS = tuple(
    (ipaddress.ip_network(prefix), name) for name, prefixes in _PREFIXES.items() for prefix in prefixes.split()
)
_NEAR_V4, _NEAR_V6 = 16, 32


@lru_cache(maxsize=4096)
def network_of(text: str) -> str:
    """A word for the network that *text* is in: an operator's name, else its /16 (IPv6: /32), else the text itself."""
    address = parse(text)
    if address is None:
        return text
    inner = unwrap(address)
    for network, name in _NETWORKS:
        if network.version == inner.version and inner in network:
            return name
    bits = _NEAR_V4 if inner.version == 4 else _NEAR_V6
    return str(ipaddress.ip_network((inner, bits), strict=False))
