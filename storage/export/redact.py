"""An export that can be given away: what could tell whose it is is taken out, and what is kept is named here. Pure.

No address of anybody (the words ``address`` stand for one), no own name of a control, no path of this computer, no text of a
page or a header, nothing behind the ``?`` of a URL, no settings; times by the hour. Country and network number stay: they are
the owner's own word, and the point of it. What is not named here is left out, so a new column or a new field of a fact is
redacted until somebody decides.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from storage.export.columns import Column
from storage.rows import words_from


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ADDRESS = "address"
KEPT = _names(
    "run endpoint number platform service status method signature confidence basis where leaning settle impairments evidence "
    "against profile duration_us bytes_sent bytes_received ruleset network_status network_method country asn software "
    "catalogue version horizon also gates rule named_as_url purpose kind failure port arm round hop incident state "
    "holes shortest_us longest_us events looks accessible blocked denied outage no_network inconclusive median_us rolled_up"
)
"""Columns that are what they are: words and numbers of ours."""
TEXTS = _names("name group member vantage platforms")
"""Columns with a text that may have an address or a control's name in it."""
URLS = _names("url target urls remaining folded")
DROPPED = _names("address trust clock_offset_us interface")
FACT_KEPT = _names(
    "acked acknowledged advmss after_us again alert alert_sent alpn alpn_offered answered answers arrived asn "
    "authenticated_data body_length body_sha256 body_truncated bulk bulk_bytes bytes bytes_acked bytes_received came "
    "catalogue chain checking_disabled cipher close_code completed country datagrams_received datagrams_sent deadline_scale "
    "detail default_route_v4 default_route_v6 dnssec_ok end errno exchange expected experiment extended_errors families "
    "first_byte_us first_reply_us flags hello_acked hello_bytes hello_hash hop_is hop_of http_version icmp_code icmp_type "
    "identification ignored issuer kernel last_operation later later_acked left_out location lost marks method min_rtt_us "
    "messages_received messages_sent min_ttl mname mss_cap name named names nameservers_private network not_after_us "
    "not_before_us packets pieces place pmtu profile progress protocol qname qtype query_index rcode rcv_mss rcv_ooopack "
    "reply_bytes reply_index reply_ttl resends resolver_is_private resumed retransmits retry returned rname role rto_us "
    "rtt_us rtype rwnd_limited_us sacked scope segs_in segs_out self_issued sent serial server_hello sha256 "
    "shipped_store_verifies sink size snd_mss snd_wnd sni soa software source spki_sha256 stack state status stratum subject "
    "system_store_verifies ticket_age_s total_retrans transport truncated trust_replaced ttl unacked url value verified "
    "verified_chain verify verify_code version versions whole window zone"
)
FACT_DROPPED = _names(
    "body body_sketch tags_sketch title headers first_bytes der_base64 malformed close_reason hop icmp_from nameservers "
    "hosts_file_addresses proxies tunnels in_container suspended_s own_port source_port offset_s date_offset_s notes opt_ins "
    "trust fingerprints networks traceback error"
)

_LOOKS_LIKE_ADDRESS = re.compile(
    r"(?<![\w.:])\[?(?:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+|\d{1,3}(?:\.\d{1,3}){3})(?:%\w+)?\]?(?![\w])"
)
_CONTROL = re.compile(r"control:\S+")
_CONTROLS_NAME = "CASE WHEN o.member LIKE 'control:%' OR o.vantage LIKE 'control:%' THEN NULL ELSE o.name END"


def columns_of(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The same columns; a control's own name is not even read."""
    return tuple(
        replace(column, sql=_CONTROLS_NAME) if column.name == "name" and column.sql == "o.name" else column
        for column in columns
    )


def redacted(
    columns: Sequence[Column], batches: Iterable[Sequence[Sequence[Any]]]
) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows with every cell redacted."""
    for rows in batches:
        yield [tuple(cell(column, value) for column, value in zip(columns, row, strict=True)) for row in rows]


def cell(column: Column, value: Any) -> Any:
    """*value* as it may be given away; ``None`` where nothing of it may."""
    if value is None or column.name in KEPT:
        return value
    if column.kind == "time":
        return by_the_hour(str(value), up=column.name.endswith("_by"))
    if column.name == "fact":
        return json.dumps(_fact(json.loads(value)), ensure_ascii=False, separators=(",", ":"))
    clean = text if column.name in TEXTS else url if column.name in URLS else None
    if clean is None:
        return None
    if column.kind != "codes":
        return clean(str(value))
    return " ".join(dict.fromkeys(clean(word) for word in words_from(value)))


def by_the_hour(when: str, *, up: bool) -> str:
    """``2026-11-22T15:50:30.000Z`` as ``2026-11-22T15:00:00.000Z``; *up* to the next hour, so that an interval only widens."""
    hour = f"{when[:13]}:00:00.000Z"
    if not up or when == hour:
        return hour
    later = datetime.fromisoformat(hour) + timedelta(hours=1)
    return later.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def url(address: str) -> str:
    """Scheme, host, port and path; no user, nothing behind ``?`` or ``#``, and no address for a host."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not parts.scheme or not host:
        return text(address.partition("?")[0].partition("#")[0].rpartition("@")[2])
    shown = ADDRESS if _is_address(host) else host
    return text(f"{parts.scheme}://{shown}{f':{port}' if port is not None else ''}{parts.path}")


def text(said: str) -> str:
    """*said* without addresses and without names of controls."""
    return _LOOKS_LIKE_ADDRESS.sub(_hidden, _CONTROL.sub("control", said))


# ---------------------------------------------------------------------------------------------------------------------


def _fact(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _fact(inner, name) for name, inner in value.items() if name in FACT_KEPT}
    if isinstance(value, list):
        return [_fact(inner, key) for inner in value]
    if isinstance(value, str):
        return url(value) if key in ("url", "location") else text(value)
    return value


def _hidden(found: re.Match[str]) -> str:
    return ADDRESS if _is_address(found[0].strip("[]")) else found[0]


def _is_address(said: str) -> bool:
    try:
        ipaddress.ip_address(said.partition("%")[0])
    except ValueError:
        return False
    return True
