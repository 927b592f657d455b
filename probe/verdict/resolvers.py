"""Who answers at well-known resolver addresses, and which of them refuse names because somebody asked them to.

Written from the operators' public pages. A household that points its router at a family filter gets lies that it asked
for: that is its own filter, and never the network's block.
"""

from __future__ import annotations

from probe.verdict.addresses import parse

_OPERATORS: dict[str, tuple[str, ...]] = {
    "google": ("8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"),
    "cloudflare": ("1.1.1.1", "1.0.0.1", "2606:4700:4700::1111", "2606:4700:4700::1001"),
    "cloudflare-filter": (
        *("1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3"),
        *("2606:4700:4700::1112", "2606:4700:4700::1002", "2606:4700:4700::1113", "2606:4700:4700::1003"),
    ),
    "quad9": ("9.9.9.10", "149.112.112.10", "2620:fe::10", "2620:fe::fe:10"),
    "quad9-filter": ("9.9.9.9", "149.112.112.112", "9.9.9.11", "149.112.112.11", "2620:fe::fe", "2620:fe::9"),
    "opendns-filter": (
        *("208.67.222.222", "208.67.220.220", "208.67.222.123", "208.67.220.123"),
        *("2620:119:35::35", "2620:119:53::53", "2620:119:35::123", "2620:119:53::123"),
    ),
    "adguard": ("94.140.14.140", "94.140.14.141", "2a10:50c0::1:ff", "2a10:50c0::2:ff"),
    "adguard-filter": (
        *("94.140.14.14", "94.140.15.15", "94.140.14.15", "94.140.15.16"),
        *("176.103.130.130", "176.103.130.131", "176.103.130.132", "176.103.130.134"),
        *("2a10:50c0::ad1:ff", "2a10:50c0::ad2:ff", "2a10:50c0::bad1:ff", "2a10:50c0::bad2:ff"),
    ),
    "yandex": ("77.88.8.8", "77.88.8.1", "2a02:6b8::feed:ff", "2a02:6b8:0:1::feed:ff"),
    "yandex-filter": (
        *("77.88.8.88", "77.88.8.2", "77.88.8.7", "77.88.8.3"),
        *("2a02:6b8::feed:bad", "2a02:6b8:0:1::feed:bad", "2a02:6b8::feed:a11", "2a02:6b8:0:1::feed:a11"),
    ),
    "skydns-filter": ("193.58.251.251",),
    "safedns-filter": ("195.46.39.39", "195.46.39.40"),
    "neustar-filter": (
        *("156.154.70.2", "156.154.71.2", "156.154.70.3", "156.154.71.3", "156.154.70.4", "156.154.71.4"),
    ),
    "cira-filter": ("149.112.121.20", "149.112.122.20", "149.112.121.30", "149.112.122.30"),
    "dnsforfamily-filter": ("94.130.180.225", "78.47.64.161"),
    "comodo-filter": ("8.26.56.26", "8.20.247.20"),
    "dns0-filter": ("193.110.81.0", "185.253.5.0", "193.110.81.9", "185.253.5.9", "193.110.81.1", "185.253.5.1"),
    "cleanbrowsing-filter": (
        "185.228.168.9",
        "185.228.169.9",
        "185.228.168.10",
        "185.228.169.11",
        "185.228.168.168",
        "185.228.169.168",
        *("2a0d:2a00:1::", "2a0d:2a00:2::", "2a0d:2a00:1::1", "2a0d:2a00:2::1", "2a0d:2a00:1::2", "2a0d:2a00:2::2"),
    ),
    "controld-filter": ("76.76.2.1", "76.76.2.2", "76.76.2.3", "76.76.2.4", "76.76.10.1", "76.76.10.2", "76.76.10.4"),
    "level3": ("4.2.2.1", "4.2.2.2", "4.2.2.3", "4.2.2.4"),
}
_BY_ADDRESS = {address: operator for operator, addresses in _OPERATORS.items() for address in addresses}
_NETWORKS = {
    "45.90.28.": "nextdns-filter",
    "45.90.30.": "nextdns-filter",
    "2a07:a8c0:": "nextdns-filter",
    "2a07:a8c1:": "nextdns-filter",
}

_SITES = {
    "gstatic.com": "google",
    "google.com": "google",
    "googleapis.com": "google",
    "android.com": "google",
    "youtube.com": "google",
    "apple.com": "apple",
    "icloud.com": "apple",
    "microsoft.com": "microsoft",
    "msftconnecttest.com": "microsoft",
    "msftncsi.com": "microsoft",
    "windows.com": "microsoft",
    "bing.com": "microsoft",
    "mozilla.org": "mozilla",
    "mozilla.com": "mozilla",
    "firefox.com": "mozilla",
    "cloudflare.com": "cloudflare",
    "one.one": "cloudflare",
    "wikipedia.org": "wikimedia",
    "wikimedia.org": "wikimedia",
    "wikidata.org": "wikimedia",
    "ubuntu.com": "canonical",
    "canonical.com": "canonical",
}


def known(address: str | None) -> str | None:
    """The operator's word for a well-known resolver, ``…-filter`` where it refuses names by request; else ``None``."""
    if address is None:
        return None
    plain = address.partition("%")[0]
    by_network = next((name for start, name in _NETWORKS.items() if plain.startswith(start)), None)
    return _BY_ADDRESS.get(plain, by_network)


def is_filter(address: str | None) -> bool:
    """Whether a well-known resolver refuses names because its users asked for it."""
    return (known(address) or "").endswith("-filter")


def operator_of(where: str) -> str:
    """Who is behind a canary: two members of one operator count once. A host name, an address, or ``host/path``."""
    host = where.removeprefix("http://").removeprefix("https://").partition("/")[0]
    name = known(host)
    if name is not None:
        return name.removesuffix("-filter")
    address = parse(host)
    if address is not None:
        # A /16 (or /32) is as near as one comes to an operator without a table of networks.
        bits = 16 if address.version == 4 else 96
        return f"net-{int(address) >> bits:x}"
    site = ".".join(host.rstrip(".").lower().split(".")[-2:])
    return _SITES.get(site, site)
