"""``dalel.control/1``: what a probe asks of a control, and what it answers. Pure; both sides read a stranger's words.

Everything that is read is checked against the types of :mod:`probe.observations`: shape, type, length and range. What does
not fit is one :class:`ProtocolError`, never an exception somewhere behind.
"""

from __future__ import annotations

import ipaddress
import json
import re
import typing
from dataclasses import dataclass
from typing import Any

from probe.control.strictly import LONGEST_LIST, ProtocolError, check, check_fields, demand
from probe.observations import KINDS, Arm, ArrivalFact, Operation, Purpose
from probe.observations.as_json import fact_from_json, fact_to_json
from probe.observations.failures import is_failure_name

VERSION = "dalel.control/1"
MEASURE = "/v1/measure"
SINKS = "/v1/sinks"
ARMS = "/v1/arms"
HEALTH = "/healthz"
BULK = "/bulk"
"""Not at the control's own address but at its TLS sink, under any name: see probe/control/sinks/bulk.py."""

MOST_ADDRESSES = 8
MOST_OBSERVATIONS = 128
LONGEST_REPLY = 1_000_000
"""Bytes."""
MOST_BULK = 262_144
"""Bytes of one stream, either way: behind the 16 to 20 KB and the bursts at which throttles begin."""
BULK_EACH_HOUR = 16 * 1024 * 1024
"""Bytes for one token: some ten comparisons of two names in three rounds, both ways."""
MOST_NAMES = 8
MOST_SECONDS = 600
"""How far back arms are told of: as long as they are remembered."""
_LONGEST_URL = 4096
_RANGES = {
    "started_us": (0, 4_102_444_800_000_000),  # the year 2100: every reader can show it
    "duration_us": (0, 86_400_000_000),
    "port": (0, 65_535),
    "hop": (0, 100),
    "round": (0, 100),
    "bytes_sent": (0, 2**40),
    "bytes_received": (0, 2**40),
}
SinkKind = typing.Literal["tls", "http", "dns_silent", "dns_closing", "echo_udp", "echo_tcp", "quic", "bulk"]
"""A server for any name over TLS, or over HTTP; datagrams to port 53 that nobody answers, connections there that are closed;
echoes for those who have shown a token; QUIC for any name; streams of bytes, which are the TLS sink's, at its port."""
SINK_KINDS: tuple[SinkKind, ...] = typing.get_args(SinkKind)
_KINDS = ("dns", "tcp", "tls", "http")
_PURPOSES: tuple[Purpose, ...] = ("own_side", "baseline", "siblings", "dns_answers", "neutral_pair")
_OPERATION: dict[str, Any] = {
    "started_us": int,
    "duration_us": int | None,
    "failure": str | None,
    "name": str | None,
    "address": str | None,
    "port": int | None,
    "bytes_sent": int,
    "bytes_received": int,
}
_COUNTRY = re.compile("[A-Z]{2}")
"""ISO 3166-1 alpha-2."""
_PLACE: dict[str, Any] = {
    "group": str | None,
    "hop": int,
    "member": str | None,
    "arm": Arm | None,
    "round": int | None,
}


@dataclass(frozen=True, slots=True)
class Request:
    """Measure *url*, at your own addresses for it and at these, which the probe was given."""

    url: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One operation of a control, and its place: everything of an observation but what the probe itself decides."""

    operation: Operation
    purpose: Purpose
    group: str | None = None
    hop: int = 0
    member: str | None = None
    arm: Arm | None = None
    round: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a control saw, and the country that its operator says it is in."""

    seen: tuple[Seen, ...]
    country: str | None = None


# ---------------------------------------------------------------------------------------------------------------------
# the question


def request_to_json(request: Request) -> bytes:
    """The body of a ``POST /v1/measure``."""
    return json.dumps({"protocol": VERSION, "url": request.url, "addresses": list(request.addresses)}).encode()


def request_from_json(data: bytes) -> Request:
    """The inverse of :func:`request_to_json`. Raises :class:`ProtocolError`."""
    document = _object(data)
    if document.keys() - {"protocol", "url", "addresses"}:
        raise ProtocolError("the question has keys that this version does not know")
    url, addresses = document.get("url"), document.get("addresses", [])
    if not isinstance(url, str) or not 0 < len(url) <= _LONGEST_URL:
        raise ProtocolError("url: it must be a text of at most 4096 characters")
    if not isinstance(addresses, list) or len(addresses) > MOST_ADDRESSES or not all(map(_is_address, addresses)):
        raise ProtocolError(f"addresses: it must be a list of at most {MOST_ADDRESSES} addresses")
    return Request(url, tuple(dict.fromkeys(addresses)))


# ---------------------------------------------------------------------------------------------------------------------
# the answer


def reply_to_json(
    seen: typing.Sequence[Seen], *, software: str, notes: typing.Sequence[str] = (), country: str | None = None
) -> bytes:
    """The body of an answer: observations in the form that the probe keeps them in. What it would not believe is left out."""
    observations = [flat for flat in map(_flat, seen) if _would_be_believed(flat)][:MOST_OBSERVATIONS]
    document = {"protocol": VERSION, "software": software, "notes": list(notes), "observations": observations}
    if country is not None:
        document["country"] = country
    return json.dumps(document).encode()


def _flat(one: Seen) -> dict[str, Any]:
    return {
        "kind": one.operation.kind,
        "fact": fact_to_json(one.operation.fact),
        "purpose": one.purpose,
        **{key: getattr(one, key) for key in _PLACE},
        **{key: getattr(one.operation, key) for key in _OPERATION},
    }


def _would_be_believed(flat: dict[str, Any]) -> bool:
    try:
        _seen(flat, "")
    except ProtocolError:
        return False
    return True


def reply_from_json(data: bytes) -> tuple[Seen, ...]:
    """What was seen, of an answer. Raises :class:`ProtocolError`."""
    return read_reply(data).seen


def read_reply(data: bytes) -> Reply:
    """The inverse of :func:`reply_to_json`. Raises :class:`ProtocolError`."""
    if len(data) > LONGEST_REPLY:
        raise ProtocolError("the answer is too long")
    document = _object(data)
    observations, country = document.get("observations"), document.get("country")
    if country is not None and not is_country(country):
        raise ProtocolError("country: it must be two capital letters")
    if not isinstance(observations, list) or len(observations) > MOST_OBSERVATIONS:
        raise ProtocolError(f"observations: it must be a list of at most {MOST_OBSERVATIONS}")
    return Reply(tuple(_seen(item, f"observations[{index}]") for index, item in enumerate(observations)), country)


def is_country(value: Any) -> bool:
    """Whether *value* is the code of a country, such as DE."""
    return isinstance(value, str) and _COUNTRY.fullmatch(value) is not None


def _object(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ProtocolError("it is not JSON") from error
    if not isinstance(document, dict):
        raise ProtocolError("it is no JSON object")
    if document.get("protocol") != VERSION:
        raise ProtocolError(f"protocol: it must be {VERSION}")
    return document


def _no_number(text: str) -> float:
    raise ValueError(text)


def _is_address(value: Any) -> bool:
    if not isinstance(value, str) or "%" in value:
        return False
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _seen(item: Any, where: str) -> Seen:
    if not isinstance(item, dict):
        raise ProtocolError(f"{where}: it is no object")
    kind, purpose, fact = item.get("kind"), item.get("purpose"), item.get("fact")
    if kind not in _KINDS or purpose not in _PURPOSES or not isinstance(fact, dict):
        raise ProtocolError(f"{where}: kind, purpose or fact is none that a control has")
    operation = {key: item[key] for key in _OPERATION if key in item}
    place = {key: item[key] for key in _PLACE if key in item}
    for key, value in (operation | place).items():
        check((_OPERATION | _PLACE)[key], value, f"{where}.{key}")
    for key, (low, high) in _RANGES.items():
        value = (operation | place).get(key)
        demand(f"{where}.{key}", holds=value is None or low <= value <= high)
    check_fields(KINDS[kind], fact, f"{where}.fact")
    if not is_failure_name(operation.get("failure") or "eof_error"):
        raise ProtocolError(f"{where}.failure: there is no such failure")
    if operation.get("address") is not None and not _is_address(operation["address"]):
        raise ProtocolError(f"{where}.address: it is no address")
    if "started_us" not in operation:
        raise ProtocolError(f"{where}.started_us: it is missing")
    return Seen(Operation(fact=fact_from_json(kind, fact), **operation), purpose, **place)


# ---------------------------------------------------------------------------------------------------------------------
# what is there to be measured, and what of it arrived


@dataclass(frozen=True, slots=True)
class Sink:
    """A server of the control's that answers every name alike, and the port at which it came up."""

    kind: SinkKind
    port: int


@dataclass(frozen=True, slots=True)
class ArmsRequest:
    """What came from the asking address in the last *within_s* seconds? Names other than *names* are not told."""

    names: tuple[str, ...]
    within_s: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """One arm as the control saw it, and how long before its answer the connection came."""

    ago_us: int
    fact: ArrivalFact


def sinks_to_json(sinks: typing.Sequence[Sink], absent: typing.Sequence[SinkKind], *, software: str) -> bytes:
    """The answer to a ``GET /v1/sinks``: what came up, and what did not."""
    up = [{"kind": sink.kind, "port": sink.port} for sink in sinks]
    limits = {"bulk_bytes": MOST_BULK, "bulk_bytes_each_hour": BULK_EACH_HOUR}
    document = {"protocol": VERSION, "software": software, "sinks": up, "absent": list(absent), "limits": limits}
    return json.dumps(document).encode()


def sinks_from_json(data: bytes) -> tuple[Sink, ...]:
    """The inverse of :func:`sinks_to_json`; kinds of a newer version are passed over. Raises :class:`ProtocolError`."""
    if len(data) > LONGEST_REPLY:
        raise ProtocolError("the answer is too long")
    sinks = _object(data).get("sinks")
    if not isinstance(sinks, list) or len(sinks) > LONGEST_LIST:
        raise ProtocolError(f"sinks: it must be a list of at most {LONGEST_LIST}")
    return tuple(sink for index, item in enumerate(sinks) if (sink := _sink(item, f"sinks[{index}]")) is not None)


def _sink(item: Any, where: str) -> Sink | None:
    if not isinstance(item, dict):
        raise ProtocolError(f"{where}: it is no object")
    kind: Any = item.get("kind")
    port: Any = item.get("port")
    check(str, kind, f"{where}.kind")
    check(int, port, f"{where}.port")
    demand(f"{where}.port", holds=0 < port <= 65_535)
    return Sink(kind, port) if kind in SINK_KINDS else None


def arms_request_to_json(request: ArmsRequest) -> bytes:
    """The body of a ``POST /v1/arms``."""
    return json.dumps({"protocol": VERSION, "names": list(request.names), "within_s": request.within_s}).encode()


def arms_request_from_json(data: bytes) -> ArmsRequest:
    """The inverse of :func:`arms_request_to_json`. Raises :class:`ProtocolError`."""
    document = _object(data)
    if document.keys() - {"protocol", "names", "within_s"}:
        raise ProtocolError("the question has keys that this version does not know")
    names, within_s = document.get("names"), typing.cast("Any", document.get("within_s"))
    if not isinstance(names, list) or len(names) > MOST_NAMES:
        raise ProtocolError(f"names: it must be a list of at most {MOST_NAMES} names")
    for index, name in enumerate(names):
        check(str, name, f"names[{index}]")
    check(int, within_s, "within_s")
    demand("within_s", holds=0 < within_s <= MOST_SECONDS)
    return ArmsRequest(tuple(names), within_s)


def arms_to_json(arms: typing.Sequence[Arrived], *, software: str) -> bytes:
    """The answer to a ``POST /v1/arms``: the newest, oldest first."""
    told = [{"ago_us": arm.ago_us, "fact": fact_to_json(arm.fact)} for arm in arms[-MOST_OBSERVATIONS:]]
    return json.dumps({"protocol": VERSION, "software": software, "arms": told}).encode()


def arms_from_json(data: bytes) -> tuple[Arrived, ...]:
    """The inverse of :func:`arms_to_json`. Raises :class:`ProtocolError`."""
    if len(data) > LONGEST_REPLY:
        raise ProtocolError("the answer is too long")
    arms = _object(data).get("arms")
    if not isinstance(arms, list) or len(arms) > MOST_OBSERVATIONS:
        raise ProtocolError(f"arms: it must be a list of at most {MOST_OBSERVATIONS}")
    return tuple(_arrived(item, f"arms[{index}]") for index, item in enumerate(arms))


def _arrived(item: Any, where: str) -> Arrived:
    if not isinstance(item, dict) or not isinstance(item.get("fact"), dict):
        raise ProtocolError(f"{where}: it is no arm")
    ago_us: Any = item.get("ago_us")
    fact: Any = item["fact"]
    check(int, ago_us, f"{where}.ago_us")
    demand(f"{where}.ago_us", holds=0 <= ago_us <= MOST_SECONDS * 1_000_000)
    check_fields(ArrivalFact, fact, f"{where}.fact")
    arrival = fact_from_json("arrival", fact)
    assert isinstance(arrival, ArrivalFact)
    demand(f"{where}.fact.bytes", holds=arrival.bytes is None or 0 <= arrival.bytes <= LONGEST_REPLY)
    return Arrived(ago_us, arrival)
