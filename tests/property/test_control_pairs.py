"""Whatever happens at a control's sink, and whatever the control says of it: no block without a neutral place of our own."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

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
