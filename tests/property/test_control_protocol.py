"""What a control and a probe read of each other: all that is right, and nothing that is not."""

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.control import protocol
from probe.control.protocol import Request, Seen
from probe.control.strictly import ProtocolError
from probe.observations import DnsFact, Operation, TcpFact
from probe.observations.as_json import observation_from_json
from tests.property.test_verdict_properties import dns_facts, http_facts, tls_facts

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
ADDRESSES = st.sampled_from(["157.240.205.35", "2a00:1450::1", "10.0.0.1"])
quick = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

operations = st.builds(
    Operation,
    fact=dns_facts | tls_facts | http_facts | st.just(TcpFact(errno="ETIMEDOUT")),
    started_us=st.integers(0, 2**51),
    duration_us=st.none() | st.integers(0, 2**36),
    failure=st.none() | st.sampled_from(["generic_timeout_error", "eof_error", "unknown_failure: x"]),
    name=st.none() | TEXT,
    address=st.none() | ADDRESSES,
    port=st.none() | st.integers(0, 65535),
    bytes_sent=st.integers(0, 2**40),
    bytes_received=st.integers(0, 2**40),
)
seen = st.builds(
    Seen,
    operations,
    st.sampled_from(["own_side", "baseline", "siblings", "dns_answers", "neutral_pair"]),
    group=st.none() | TEXT,
    hop=st.integers(0, 10),
    member=st.none() | TEXT,
    arm=st.sampled_from([None, "target", "innocuous"]),
    round=st.none() | st.integers(0, 100),
)


@quick
@given(st.lists(seen, max_size=5))
def test_what_was_seen_comes_through(told: list[Seen]) -> None:
    """Both vantages have the same fields, and the form is that of the probe's own observations."""
    data = protocol.reply_to_json(told, software="dalel test")
    assert list(protocol.reply_from_json(data)) == told
    for flat, one in zip(json.loads(data)["observations"], told, strict=True):
        kept = observation_from_json({"number": 1, **flat})
        assert (kept.operation, kept.purpose, kept.group) == (one.operation, one.purpose, one.group)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_lowercase, max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        found += [place for key in value for place in _places(value[key], (*path, key))]
    if isinstance(value, list):
        found += [place for index, item in enumerate(value) for place in _places(item, (*path, index))]
    return found


@quick
@given(told=st.lists(seen, min_size=1, max_size=2), junk=JSON, data=st.data())
def test_anything_anywhere_is_read_or_refused(told: list[Seen], junk: Any, data: st.DataObject) -> None:
    """A value exchanged for any other: a ``ProtocolError``, or facts that can be written and read again."""
    document = json.loads(protocol.reply_to_json(told, software="x"))
    path = data.draw(st.sampled_from([place for place in _places(document) if place]))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = junk
    try:
        read = protocol.reply_from_json(json.dumps(document).encode())
    except ProtocolError:
        return
    again = protocol.reply_to_json(read, software="x")
    assert protocol.reply_from_json(again) == read
    json.dumps(json.loads(again), ensure_ascii=False).encode()


@quick
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """By either side."""
    for read in (protocol.reply_from_json, protocol.request_from_json):
        with pytest.raises(ProtocolError):
            read(data)


@quick
@given(st.lists(ADDRESSES, max_size=8))
def test_a_question_comes_through(addresses: list[str]) -> None:
    """Repeats apart."""
    read = protocol.request_from_json(protocol.request_to_json(Request("https://x.example/", tuple(addresses))))
    assert read == Request("https://x.example/", tuple(dict.fromkeys(addresses)))


def one(**changes: Any) -> dict[str, Any]:
    """One observation on the wire that is right but for *changes*."""
    right = {"kind": "tcp", "purpose": "baseline", "fact": {}, "started_us": 1, "failure": None, "address": "8.8.8.8"}
    return right | changes


WRONG = [
    one(kind="bug"),
    one(kind="context"),
    one(kind=["tcp"]),
    one(purpose="context"),
    one(purpose="own_pair"),
    one(arm="both"),
    one(round=-1),
    one(purpose={}),
    one(fact=[]),
    one(fact={"rtt_us": "1"}),
    one(fact={"rtt_us": True}),
    one(fact={"rtt_us": 2**63}),
    one(fact={"kernel": 1}),
    one(fact={"kernel": {"rtt_us": 1.5}}),
    one(failure="blocked"),
    one(failure=1),
    one(address="nowhere"),
    one(address="fe80::1%eth0"),
    one(started_us=2**70),
    one(started_us=None),
    one(started_us=2**53),
    one(started_us=-1),
    one(duration_us=2**40),
    one(port="443"),
    one(port=65_536),
    one(port=-1),
    one(hop=101),
    one(bytes_sent=-1),
    one(hop=None),
    one(member=7),
    one(name="a" * 5000),
    one(name="a\x00b"),
    one(name="\ud800"),
    one(kind="dns", fact={"role": "system", "qname": "x", "qtype": "A"}),
    one(kind="dns", fact={"transport": "carrier pigeon", "role": "system", "qname": "x", "qtype": "A"}),
    one(kind="tls", fact={"sni": None, "verify": True, "chain": [{}]}),
    one(kind="http", fact={"method": "GET", "url": "x", "verified_chain": True, "progress": [[1, 2, 3]]}),
    one(kind="http", fact={"method": "GET", "url": "x", "verified_chain": True, "date_offset_s": 1e300}),
    one(kind="http", fact={"method": "GET", "url": "x", "verified_chain": True, "headers": [["a", "b"]] * 129}),
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_what_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    """Each with the place where it does not; the same without the fault is read."""
    document = {"protocol": "dalel.control/1", "observations": [one(), wrong]}
    with pytest.raises(ProtocolError, match=r"observations\[1\]"):
        protocol.reply_from_json(json.dumps(document).encode())


def test_numbers_that_json_has_not_are_refused() -> None:
    """NaN and Infinity."""
    for text in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(ProtocolError):
            protocol.reply_from_json(f'{{"protocol": "dalel.control/1", "observations": [], "x": {text}}}'.encode())


def test_a_newer_control_may_say_more() -> None:
    """Keys that this version does not know are passed over; what it knows is read."""
    document = {"protocol": "dalel.control/1", "new": 1, "observations": [one(new=1, fact={"new": {}, "rtt_us": 5})]}
    (read,) = protocol.reply_from_json(json.dumps(document).encode())
    assert read.operation.fact == TcpFact(rtt_us=5)


def test_too_many_are_refused_and_never_sent() -> None:
    """128 observations, and a list of 128 inside of one."""
    right = one()
    document = {"protocol": "dalel.control/1", "observations": [right] * 129}
    with pytest.raises(ProtocolError):
        protocol.reply_from_json(json.dumps(document).encode())
    fact = DnsFact(transport="udp", role="foreign", qname="x", qtype="A", extended_errors=tuple(range(200)))
    small = Seen(Operation(fact=TcpFact(), started_us=1), "baseline")
    told = [Seen(Operation(fact=fact, started_us=1), "baseline"), *[small] * 200]
    assert protocol.reply_from_json(protocol.reply_to_json(told, software="x")) == (small,) * 128
