"""The demo's words: each verdict next to what was done, and a wrong one never passed over."""

import json
from dataclasses import replace

import pytest

from probe.demo import show
from probe.demo.play import Judged, Played
from probe.demo.scene import Accepted, Act, Scene
from probe.verdict.model import EndpointResult, NetworkVerdict, Run, Verdict
from probe.workflows.check import CheckOutcome

SCENE = Scene(
    url="https://videos.example/",
    done="the box drops everything after a handshake that names it",
    accepted=(Accepted("blocked", ("tls",), ("tls.timeout.sni",)),),
)
RIGHT = Verdict(endpoint=1, status="blocked", method="tls", signature="tls.timeout.sni", confidence=0.99)
WRONG = Verdict(endpoint=1, status="outage", method="server", confidence=0.9)


def played(verdict: Verdict) -> Played:
    """An act of one scene with this verdict."""
    result = EndpointResult(
        number=1,
        target=SCENE.url,
        url=SCENE.url,
        platform=None,
        service=None,
        rule=None,
        profile="light",
        verdict=verdict,
        observations=(),
        started_us=0,
        duration_us=1,
        bytes_sent=0,
        bytes_received=0,
    )
    run = Run(id="0" * 32, started_us=0, software="", ruleset="", catalogue="", trust="", profile="light")
    outcome = CheckOutcome(
        run=run,
        asked=(),
        network=NetworkVerdict(status="ok"),
        results=(result,),
        platforms=(),
        observations=(),
        trust="",
    )
    return Played(Act(name="handshakes", title="A box", scenes=(SCENE,)), outcome, (Judged(SCENE, result),))


def test_a_right_verdict_stands_next_to_what_was_done() -> None:
    """The act's text has the site, the verdict's words and what was really done, and calls nothing wrong."""
    text = "\n".join(show.act_lines(played(RIGHT), width=100))
    assert "videos.example" in text
    assert "blocked · tls · tls.timeout.sni" in text
    assert SCENE.done in text
    assert "WRONG" not in text


def test_a_wrong_verdict_is_called_wrong_and_says_what_it_should_have_been() -> None:
    """A verdict that differs from what was done is named in the act and again at the end."""
    wrong = played(WRONG)
    assert not wrong.right
    assert "WRONG:   this should have been blocked · tls · tls.timeout.sni" in "\n".join(
        show.act_lines(wrong, width=120)
    )
    assert "WRONG: videos." in "\n".join(show.summary_lines([wrong], seconds=1, width=100))


def test_the_summary_counts() -> None:
    """The end says how many are right and which words appeared."""
    lines = show.summary_lines([played(RIGHT), played(WRONG)], seconds=31, width=100)
    first, second, *_ = lines
    assert first == "1 of 2 verdicts right, in 31 s."
    assert second == "Seen: 1 blocked, 1 outage; 1 signature."


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_keep_to_the_width(width: int) -> None:
    """What is done and found is wrapped to the screen."""
    lines = list(show.act_lines(played(RIGHT), width=width))
    assert all(len(line) <= width for line in lines if line.startswith("      "))


def test_the_document_is_json_and_says_what_is_right() -> None:
    """The JSON document holds every scene with what was done, what was accepted and whether the verdict is right."""
    document = json.loads(json.dumps(show.document([played(RIGHT), played(WRONG)], csv="results.csv")))
    assert document["schema"] == "dalel.demo/1"
    assert document["right"] is False
    scenes = [scene for act in document["acts"] for scene in act["scenes"]]
    assert [scene["right"] for scene in scenes] == [True, False]
    assert scenes[0]["accepted"] == [
        {"status": "blocked", "methods": ["tls"], "signatures": ["tls.timeout.sni"], "leanings": [], "impairments": []}
    ]


def test_what_is_broken_beside_is_told() -> None:
    """An impairment has a sentence in the act's text and its code in the document; one that should be there is named."""
    besides = replace(RIGHT, impairments=("quic_blocked",))
    text = "\n".join(show.act_lines(played(besides), width=1000))
    assert "also:    The newer, faster kind of connection gets no answer when it names this site" in text
    assert "WRONG:" in text  # nobody said that it would be there
    document = show.document([played(besides)], csv="")
    assert document["acts"][0]["scenes"][0]["impairments"] == ["quic_blocked"]
    expected = replace(SCENE, accepted=(Accepted("accessible", impairments=("quic_blocked",)),))
    result = played(RIGHT).judged[0].result
    act = replace(played(RIGHT), judged=(Judged(expected, result),))
    assert "should have been accessible, with quic_blocked" in "\n".join(show.act_lines(act, width=120))


def test_what_could_not_be_played_is_said() -> None:
    """An act for which something is not installed is named in the summary, with what to install, and in the document."""
    act = played(RIGHT).act
    *_, line = show.summary_lines([played(RIGHT)], seconds=1, width=100, missing=[act])
    assert line == "Left out: handshakes, for it needs aioquic, which is not installed: pip install 'dalel[quic]'."
    assert show.document([], csv="", missing=[act])["left_out"] == ["handshakes"]
    assert not [line for line in show.summary_lines([played(RIGHT)], seconds=1, width=100) if "Left out" in line]


def test_the_list_names_every_scene() -> None:
    """--list shows the names that --only takes."""
    assert "\n".join(show.listing([played(RIGHT).act], 100)).startswith(
        "handshakes: A box\n  videos      the box drops"
    )
