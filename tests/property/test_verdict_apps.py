"""Whatever becomes of an app's own exchanges: from them alone nothing is blocked, and nothing works that has not answered."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.facts import EOF, REFUSED, RESET, SITE, TIMEOUT, Facts

NOT = "unknown_failure: not mtproto"
URLS = {
    "tcp": f"mtproto://{SITE}:443",
    "udp": f"stun://{SITE}:3478",
    "websocket": "mtproto+ws://www.facebook.com/apiws",
}
CAME = st.sampled_from([None, TIMEOUT, RESET, EOF, REFUSED, "host_unreachable", "interrupted", NOT])
ICMP = st.sampled_from([(None, None), (3, 3), (3, 13), (3, 1), (11, 0)])


@st.composite
def stories(draw: st.DrawFn) -> tuple[Facts, bool]:
    """One endpoint: its baseline, up to three retries, both looks at a healthy own side; and whether anything answered."""
    transport = draw(st.sampled_from(sorted(URLS)))
    facts, well = Facts(URLS[transport]).context().healthy(), False
    for n in range(draw(st.integers(1, 4))):
        place: dict[str, Any] = {"purpose": "retry", "group": f"retry/{n}", "round": n} if n else {}
        if transport != "udp":
            failure = draw(st.sampled_from([None, None, None, TIMEOUT, REFUSED]))
            facts.tcp(failure=failure, **place)
            if failure is not None:
                continue
        if transport == "websocket":
            failure = draw(st.sampled_from([None, None, None, TIMEOUT, RESET]))
            facts.tls(failure=failure, **place)
            if failure is not None:
                continue
        came, (kind, code) = draw(CAME), draw(ICMP)
        said: dict[str, Any] = {"answered": True, "expected": False, "detail": "noise"} if came == NOT else {}
        if came is not None:
            said |= {"icmp_type": kind, "icmp_code": code}
        facts.app(failure=came, transport=transport, **said, **place)
        well |= came is None
    return facts.healthy("after", 1), well


@settings(max_examples=400, deadline=None)
@given(stories())
def test_exchanges_alone_block_nothing_and_only_answers_work(story: tuple[Facts, bool]) -> None:
    """Silence, ends, strangers and ICMP are leanings; an answer in the baseline or a retry is what makes it accessible."""
    facts, well = story
    status = facts.verdict().status
    assert status not in ("blocked", "denied")
    assert (status == "accessible") <= well
