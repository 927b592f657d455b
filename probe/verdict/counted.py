"""Sentences where they are about one of a thing, or about an address that has no name. Pure.

What is said of many is what the findings' rows have; here is what is said of one. Only the rows' own words are looked at,
never what the network has sent.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

_OF_ONE = {
    "retries_failed": "one more try over a new connection failed as well",
    "all_addresses_dead": "the one address of {host} that was tried is dead",
    "datagrams_pass_here": "datagrams pass here: one unrelated server for calls answered at once",
    "datagrams_stopped_here": "datagrams may not pass here at all: one unrelated server for calls gave no answer either",
}
"""Sentences of their own, by code: theirs have one number, which is named in :data:`_NUMBER`."""
_NUMBER = ("count", "places")
_TIMES = re.compile(r"\{(\w+)\} times")
_AT_ITSELF = "{host} at {address}"


def template(code: str, sentence: str, said: Mapping[str, Any]) -> str:
    """*sentence*, the row of *code*, as it is right for these parameters.

    "failed once" for "failed 1 times", and a bare address is told once: what has no name is not *at* an address.
    """
    if code in _OF_ONE and any(said.get(name) == 1 for name in _NUMBER):
        sentence = _OF_ONE[code]
    if _is_bare(said.get("host"), said.get("address")):
        sentence = sentence.replace(_AT_ITSELF, "{host}")
    return _TIMES.sub(lambda found: "once" if said.get(found[1]) == 1 else found[0], sentence)


def _is_bare(host: Any, address: Any) -> bool:
    """Whether *host* is that *address*, however it is spelt, and no name."""
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(address)
    except ValueError:
        return False


def days(value: float) -> str:
    """``1.5``, ``365``: no tenth of a day where there are many."""
    return f"{value:.0f}" if value >= 10 else f"{value:g}"
