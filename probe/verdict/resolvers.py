"""Who answers at well-known resolver addresses, and which of them refuse names because somebody asked them to.

Written from the operators' public pages. A household that points its router at a family filter gets lies that it asked
for: that is its own filter, and never the network's block.
"""

from __future__ import annotations

from probe.verdict.addresses import parse

_OPERATORS: dict[str, tuple[str, ...]] = {
    "google": ("8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"),
    "cloudflare": ("1.1.1.1", "1.0.0.1", "2606:4700:4700::1111", "2606:4700:4700::1001"),
    "cloudflare-filter": ("1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3"),
    "quad9": ("9.9.9.10", "149.112.112.10"),
    "quad9-filter": ("9.9.9.9", "149.112.112.112", "9.9.9.11", "149.112.112.11", "2620:fe::fe", "2620:fe::9"),
    "opendns-filter": ("208.67.222.222", "208.67.220.220", "208.67.222.123", "208.67.220.123"),
    "adguard": ("94.140.14.140", "94.140.14.141"),
    "adguard-filter": ("94.140.14.14", "94.140.15.15", "94.140.14.15", "94.140.15.16"),
    "yandex": ("77.88.8.8", "77.88.8.1"),
    "yandex-filter": ("77.88.8.88", "77.88.8.2", "77.88.8.7", "77.88.8.3"),
    "comodo-filter": ("8.26.56.26", "8.20.247.20"),
    "dns0-filter": ("193.110.81.0", "185.253.5.0", "193.110.81.9", "185.253.5.9", "193.110.81.1", "185.253.5.1"),
    "cleanbrowsing-filter": (
        "185.228.168.9",
        "185.228.169.9",
        "185.228.168.10",
        "185.228.169.11",
        "185.228.168.168",
        "185.228.169.168",
    ),
    "controld-filter": ("76.76.2.1", "76.76.2.2", "76.76.2.3", "76.76.2.4", "76.76.10.1", "76.76.10.2", "76.76.10.4"),
    "level3": ("4.2.2.1", "4.2.2.2", "4.2.2.3", "4.2.2.4"),
}
_BY_ADDRESS = {address: operator for operator, addresses in _OPERATORS.items() for address in addresses}
_NETWORKS = {"45.90.28.": "nextdns-filter", "45.90.30.": "nextdns-filter"}

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
