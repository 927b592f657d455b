"""What is asked once more along the way: where a packet may have got lost, and never what says nothing."""

from __future__ import annotations

from typing import Any

from probe.observations import Came, Observation
from probe.verdict import located, located_connections
from tests.unit.facts import NEUTRALS, SITE, Facts
from tests.unit.verdict_scenarios_located import DISTANCE, innocuous, syn, target

_TO: dict[str, Any] = {"purpose": "locate", "group": f"connection/{SITE}", "port": 443}


def seen(facts: Facts) -> list[Observation]:
    return [o for o in facts.observations if o.purpose == "locate"]


def syns(**lost: Any) -> Facts:
    """SYNs to an address that is lost behind router 3, and to another one, from the same ports; *lost*: ``theirs`` and
    ``mine``, hops of whose router nothing was heard.
    """
    facts = Facts()
    for ttl in range(1, DISTANCE + 1):
        port = 40_000 + ttl
        facts.add(
            syn(ttl, port, "nothing" if ttl in lost.get("theirs", ()) else None),
            arm="innocuous",
            address=NEUTRALS[0],
            **_TO,
        )
        came: Came = "icmp" if ttl <= 3 and ttl not in lost.get("mine", ()) else "nothing"
        facts.add(syn(ttl, port, came), arm="target", address=SITE, **_TO)
    return facts


def test_the_first_silent_hop_is_asked_until_its_silence_counts() -> None:
    """Once, where one more silence makes two; then nothing is left to learn."""
    facts = syns()
    assert located_connections.silent_yet(seen(facts), 6) == (4,)
    facts.add(syn(4, 41_000), arm="innocuous", address=NEUTRALS[0], **_TO)
    facts.add(syn(4, 41_000, "nothing"), arm="target", address=SITE, **_TO)
    assert located_connections.silent_yet(seen(facts), 6) == ()


def test_a_line_that_loses_packets_of_both_has_to_be_silent_more_often() -> None:
    """Each SYN that the other address lost, at a hop that does speak, is one more silence that may be an accident."""
    facts = syns(theirs=(5,))
    facts.add(syn(5, 41_000), arm="innocuous", address=NEUTRALS[0], **_TO)
    assert located_connections.silent_yet(seen(facts), 6) == (4, 4)
    assert located_connections.silent_yet(seen(facts), 1) == (4,)


def test_a_hop_that_was_not_heard_by_either_is_asked_once_more() -> None:
    """A router that never speaks looks the same as one whose word got lost; twice is enough to tell."""
    facts = syns(theirs=(3,), mine=(3,))
    assert located_connections.silent_yet(seen(facts), 6) == (3, 4)
    for arm in ("innocuous", "target"):
        facts.add(syn(3, 41_000, "nothing"), arm=arm, address=SITE if arm == "target" else NEUTRALS[0], **_TO)
    assert located_connections.silent_yet(seen(facts), 6) == (4,)


def test_an_address_that_answers_is_not_asked_on() -> None:
    """Nor one whose way has parted from the other's, nor where the other one gave no answer."""
    facts = syns()
    facts.add(syn(64, 60_000), arm="target", address=SITE, **_TO)
    assert located_connections.silent_yet(seen(facts), 6) == ()
    assert located_connections.silent_yet([o for o in seen(syns()) if o.arm == "target"], 6) == ()


def test_as_many_greetings_go_for_a_silent_hop_as_it_takes() -> None:
    """Where other names are lost too, several ports at once: an accident must not cost another volley."""
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0], "port": 443}
    facts = Facts()
    facts.add(syn(DISTANCE, 39_000), **place)
    for ttl in range(1, DISTANCE):
        facts.add(syn(ttl, 40_000 + ttl), **place)
        facts.add(innocuous(ttl, 40_000 + ttl), arm="innocuous", **place)
        facts.add(target(ttl, 40_000 + ttl, device=3), arm="target", **place)
    assert located.still_open(seen(facts), 6) == (4, 4)
    for port in (41_000, 41_001):
        facts.add(innocuous(5, port, "nothing"), arm="innocuous", **place)
    assert located.still_open(seen(facts), 6) == (4, 4, 4)
    assert located.still_open(seen(facts), 2) == (4, 4)
