"""Whatever happens at a control's sink, and whatever the control says of it: no block without a neutral place of our own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from probe.control import protocol
from probe.control.strictly import ProtocolError
from probe.observations import ArrivalFact, HttpFact, Observation, Operation, TcpFact, TlsFact
from probe.settings import Priors
from probe.verdict.findings.tls import complete_neutrals
from probe.verdict.judge import judge
from tests.property.test_verdict_properties import URLS, observations, relaxed, view_of
from tests.unit.facts import EOF, RESET, TIMEOUT, Facts
from tests.unit.verdict_scenarios_sinks import ALTERED, GONE, NOTHING, at_sink, silent_site, told

VANTAGE = "control:x"
HOSTS = ("www.facebook.com", "meduza.io", "www.wikipedia1.org", None)
endings = st.sampled_from([None, TIMEOUT, RESET, EOF, "ssl_failed_handshake"])
flags = st.none() | st.booleans()
arrivals = st.builds(
    ArrivalFact,
    sink=st.sampled_from(["tls", "http"]),
    arrived=st.booleans(),
    name=st.sampled_from(HOSTS),
    named=flags,
    bytes=st.none() | st.integers(0, 600),
    whole=flags,
    hello_hash=st.sampled_from([None, "ab" * 16, "cd" * 16]),
    answered=flags,
    acknowledged=flags,
    end=st.sampled_from([None, "fin", "reset"]),
)
greetings = st.builds(
    TlsFact,
    sni=st.sampled_from(HOSTS),
    verify=st.booleans(),
    verified=flags,
    shipped_store_verifies=flags,
    server_hello=st.booleans(),
    hello_bytes=st.sampled_from([None, 517]),
    hello_hash=st.sampled_from([None, "ab" * 16]),
    hello_acked=flags,
)
pages = st.builds(
    HttpFact, method=st.just("GET"), url=URLS, verified_chain=st.booleans(), status=st.sampled_from([None, 200, 403])
)


@st.composite
def at_sinks(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Observations of pairs at controls, of any shape, and of what controls say of them."""
    found = []
    for _ in range(draw(st.integers(0, 30))):
        fact = draw(greetings | pages | arrivals | st.builds(TcpFact))
        local = not isinstance(fact, ArrivalFact)
        operation = Operation(
            fact=fact,
            started_us=draw(st.integers(0, 2**40)),
            duration_us=draw(st.none() | st.integers(0, 10**7)),
            failure=draw(endings) if local else None,
            name=draw(st.sampled_from(HOSTS)),
            port=draw(st.sampled_from([80, 443, 10443])),
        )
        found.append(
            {
                "operation": operation,
                "purpose": "control_pair",
                "endpoint": 1,
                "vantage": "local" if local else VANTAGE,
                "arm": draw(st.sampled_from([None, "target", "innocuous"])),
                "group": VANTAGE,
                "round": draw(st.none() | st.integers(0, 3)),
                "member": draw(st.sampled_from([None, "certificate", "sinks", "arms"])),
            }
        )
    return found


def with_sinks(found: list[Observation], sinks: list[dict[str, Any]]) -> list[Observation]:
    """The same run, with these between its observations: every other one moves on by one."""
    rest = [dataclasses.replace(o, number=2 * o.number) for o in found]
    return rest + [Observation(number=2 * place + 1, **one) for place, one in enumerate(sinks)]


@relaxed
@given(found=observations(), url=URLS, sinks=at_sinks())
def test_no_sink_makes_or_takes_a_word(found: list[Observation], url: str, sinks: list[dict[str, Any]]) -> None:
    """Any facts anywhere: where no single neutral place of our own says so, every word is what it is without the sink."""
    alone, asked = view_of(with_sinks(found, []), url)
    together, _ = view_of(with_sinks(found, sinks), url)
    if len(complete_neutrals(together.case(asked))) == 1:
        return
    said, heard = judge(alone, asked, Priors()), judge(together, asked, Priors())
    assert (heard.status, heard.method, heard.confidence) == (said.status, said.method, said.confidence)


@relaxed
@given(
    target=endings,
    innocuous=endings,
    rounds=st.integers(1, 7),
    port=st.sampled_from([443, 10443]),
    trusted=flags,
    home=st.sampled_from(["KZ", None]),
    lie=st.sampled_from([NOTHING, GONE, ALTERED, {"acknowledged": False}, {}]),
    own=st.booleans(),
    failure=st.sampled_from([TIMEOUT, RESET, EOF]),
)
def test_a_whole_story_of_a_sink_makes_no_block(
    target: str | None,
    innocuous: str | None,
    rounds: int,
    port: int,
    trusted: bool | None,
    home: str | None,
    lie: dict[str, Any],
    own: bool,
    failure: str,
) -> None:
    """A control that does and says what it likes, about a site that fails here, and perhaps for this name alone."""
    facts: Facts = silent_site(home, failure=failure)
    if own:
        # Acknowledged greetings: what is left unacknowledged for one name only is proof by itself.
        facts.own_pair(target=failure, target_fact={"hello_acked": True})
    at_sink(facts, target=target, innocuous=innocuous, rounds=rounds, port=port, trusted=trusted)
    told(facts, rounds, target=lie)
    assert facts.healthy("after", 1).verdict().status == "inconclusive"


# ---------------------------------------------------------------------------------------------------------------------
# what is read of a stranger's words

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
sinks_told = st.fixed_dictionaries(
    {"kind": st.sampled_from(["tls", "http", "new"]) | values, "port": st.integers(-1, 70_000) | values}
)
arms_told = st.fixed_dictionaries(
    {
        "ago_us": st.integers(-1, 10**9) | values,
        "fact": st.fixed_dictionaries(
            {"sink": st.sampled_from(["tls", "http", "udp"])},
            optional={
                "arrived": flags,
                "name": st.sampled_from(HOSTS) | values,
                "named": flags,
                "bytes": st.integers(-1, 600) | values,
                "whole": flags | values,
                "hello_hash": st.text(max_size=4),
                "answered": flags,
                "end": st.sampled_from([None, "fin", "reset", "gone"]),
                "more": values,
            },
        )
        | values,
    }
)


@relaxed
@given(
    sinks=st.lists(sinks_told | values, max_size=4) | values,
    arms=st.lists(arms_told | values, max_size=4) | values,
    names=st.lists(st.text(max_size=8) | values, max_size=10) | values,
    within=st.integers(-1, 700) | values,
)
def test_whatever_is_told_is_read_or_refused(sinks: Any, arms: Any, names: Any, within: Any) -> None:
    """One kind of error, from either side's words, and what was read can be written again."""
    for key, told_, read in (("sinks", sinks, protocol.sinks_from_json), ("arms", arms, protocol.arms_from_json)):
        with contextlib.suppress(ProtocolError):
            found: Any = read(json.dumps({"protocol": protocol.VERSION, key: told_}).encode())
            if key == "arms":
                assert protocol.arms_from_json(protocol.arms_to_json(found, software="t")) == found
    with contextlib.suppress(ProtocolError):
        request = protocol.arms_request_from_json(
            json.dumps({"protocol": protocol.VERSION, "names": names, "within_s": within}).encode()
        )
        assert protocol.arms_request_from_json(protocol.arms_request_to_json(request)) == request
