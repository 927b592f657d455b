"""What is read out of QUIC's observations: whatever they are, one word or none, and no block without the whole rule."""

from hypothesis import given
from hypothesis import strategies as st

from probe.verdict.quic import PLACES, Quic
from probe.verdict.view import View
from tests.unit.facts import NEUTRALS, SITE
from tests.unit.verdict_scenarios_quic import beside, greeting, ping, site

FAILURES = [None, "generic_timeout_error", "host_unreachable", "interrupted", "ssl_failed_handshake"]
STEP = st.fixed_dictionaries(
    {
        "group": st.sampled_from(["own", "long", "neutral/1", "neutral/2", "control:a", "here", "way", "ping"]),
        "arm": st.sampled_from(["target", "innocuous"]),
        "failure": st.sampled_from(FAILURES),
        "address": st.sampled_from([SITE, *NEUTRALS, None]),
        "ttl": st.sampled_from([None, 1, 2, 3]),
    }
)


@given(st.booleans(), st.lists(STEP, max_size=40))
def test_any_observations_have_one_word_or_none(is_page, steps):
    """A page is accessible however its QUIC fares, and a site over QUIC is blocked by six silences at two places only."""
    facts = beside() if is_page else site()
    for number, step in enumerate(steps):
        here = step["group"] == "here"
        if step["group"] == "ping":
            ping(facts, *(["00000001"] if step["failure"] is None else []))
            continue
        greeting(
            facts,
            step["group"],
            step["arm"],
            step["failure"],
            address=step["address"],
            round=number,
            endpoint=None if here else 1,
            ttl=step["ttl"],
        )
    verdict = facts.healthy("after", 1).verdict()
    read = Quic(View(facts.observations, (facts.asked,)).case(facts.asked))
    assert read.word() in (None, "blocked", "filtered", "version_filtered", "partly", "unanswered")
    silences = [s for s in steps if s["arm"] == "target" and s["failure"] == FAILURES[1] and s["ttl"] is None]
    if is_page:
        assert verdict.status == "accessible"
    if verdict.status == "blocked" or read.word() == "blocked":
        assert len([s for s in silences if s["group"].startswith(("neutral", "control"))]) >= 6 * PLACES
