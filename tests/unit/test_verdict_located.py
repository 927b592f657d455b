"""Where on the way a name is stopped: read from how far greetings and SYNs got, and what is said of it."""

from __future__ import annotations

import dataclasses
import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from probe.observations import Observation
from probe.report.details import place_lines
from probe.report.document import check_document
from probe.verdict import located, located_connections, sentences
from probe.verdict.findings.located import lost_at_the_provider, place_of, refined
from probe.verdict.located import Hop, Located, where_of
from probe.verdict.view import View
from tests.unit import pieces as made
from tests.unit.facts import NEUTRALS, SITE, Facts
from tests.unit.verdict_scenarios_located import (
    DISTANCE,
    HOPS,
    blocked_and_followed,
    followed,
    followed_to,
    innocuous,
    silent_and_followed,
    syn,
    target,
)


def read(facts: Facts) -> Located | None:
    return located.read_greetings(path(facts), NEUTRALS[0])


def path(facts: Facts) -> list[Observation]:
    return [o for o in facts.observations if o.purpose == "locate"]


@pytest.mark.parametrize("manner", ["drop", "reset", "beside", "memory"])
@pytest.mark.parametrize("device", range(DISTANCE))
def test_the_device_is_between_the_hops_that_it_is_between(device: int, manner: str) -> None:
    """Whatever a device does to the name, the last hop before it and the first behind it are found."""
    found = read(followed(Facts(), device=device, manner=manner))
    assert found is not None
    assert (found.after, found.before, found.distance) == (device, device + 1, DISTANCE)
    assert found.manner == ("dropped" if manner in ("drop", "memory") else "reset")


@pytest.mark.parametrize("mute", [(3,), (2, 3), (4,), (1,)])
def test_silent_routers_make_the_interval_wider_and_never_wrong(mute: tuple[int, ...]) -> None:
    """A hop that is not heard of bounds nothing; the next ones that are heard of do."""
    found = read(followed(Facts(), device=3, mute=mute))
    assert found is not None
    assert found.before is not None
    assert found.after == max((hop for hop in (1, 2, 3) if hop not in mute), default=0)
    assert found.before == min(hop for hop in (4, 5, 6) if hop not in mute)


def test_ways_without_the_device_are_left_out_and_counted() -> None:
    """Where a balancer sends some ports another way, what passes there says nothing of the device's place."""
    found = read(followed(Facts(), device=2, free=(3, 5)))
    assert found is not None
    assert (found.after, found.before, found.ways) == (2, 4, (4, 6))


def test_one_silence_is_no_stop_where_a_farther_hop_was_passed() -> None:
    """That nothing comes is weak: a router may be busy. That the next router speaks of the greeting is certain."""
    facts = followed(Facts(), device=3)
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0]}
    facts.add(innocuous(2, 50_000), arm="innocuous", **place)
    facts.add(target(2, 50_000, device=0), arm="target", **place)
    found = read(facts)
    assert found is not None
    assert (found.after, found.before) == (3, 4)


def test_one_silence_bounds_nothing_by_itself() -> None:
    """An accident before the device must not pull the interval away from it: the second silence does."""
    facts = followed(Facts(), device=4, mute=(3, 4))
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0]}
    facts.add(innocuous(3, 50_000), arm="innocuous", **place)
    facts.add(target(3, 50_000, device=0), arm="target", **place)
    found = read(facts)
    assert found is not None
    assert (found.after, found.before) == (2, 5)


def test_where_other_names_are_lost_too_more_silences_are_needed() -> None:
    """A line that loses packets loses those with the name as well: what happens to both says nothing of either."""
    facts = followed(Facts(), device=3)
    calm = read(facts)
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0]}
    for port in (50_000, 50_001):
        facts.add(innocuous(2, port, "nothing"), arm="innocuous", **place)
    lossy = read(facts)
    assert calm is not None
    assert lossy is not None
    assert (calm.after, calm.before) == (3, 4)
    assert (lossy.after, lossy.before) == (3, DISTANCE)
    assert located.still_open(path(facts), 6) == (4, 4)


def test_an_answer_that_is_taken_on_its_way_back_has_no_interval() -> None:
    """The greeting is acknowledged by the place itself, so every hop was passed."""
    found = read(followed(Facts(), device=2, manner="reply"))
    assert found is not None
    assert found.manner == "reply_lost"
    assert not found.is_interval


def test_nothing_is_said_of_a_name_that_passes() -> None:
    """On ways that have no device there is no place."""
    assert read(followed(Facts(), device=None)) is None


def test_nothing_is_said_of_a_network_on_this_computer() -> None:
    """A pretend Internet, and whoever takes every connection at the first hop, answer a TTL of 1."""
    facts = Facts()
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0]}
    for port in (1, 2, 3):
        facts.add(syn(1, port, "answer"), **place)
        facts.add(innocuous(1, port, "answer"), arm="innocuous", **place)
        facts.add(target(1, port, device=0), arm="target", **place)
    assert read(facts) is None


def test_a_port_whose_innocuous_greeting_is_broken_off_too_says_nothing() -> None:
    """What acts on every name there does not act on this one."""
    facts = Facts()
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0]}
    facts.add(syn(DISTANCE, 1), **place)
    for port in (2, 3, 4):
        facts.add(innocuous(3, port, "reset"), arm="innocuous", **place)
        facts.add(target(3, port, device=2, manner="reset"), arm="target", **place)
    assert read(facts) is None


def test_a_device_that_says_unreachable_looks_like_no_router() -> None:
    """Where a router's word comes even of what goes all the way, such words tell no distance."""
    facts = Facts()
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0]}
    facts.add(syn(DISTANCE, 1), **place)
    for ttl in (2, 3, 4, 5):
        facts.add(innocuous(ttl, ttl), arm="innocuous", **place)
        facts.add(dataclasses.replace(target(ttl, ttl, device=5), later="icmp"), arm="target", **place)
    assert read(facts) is None


# ---------------------------------------------------------------------------------------------------------------------
# what is sent next


def test_what_is_sent_next_is_what_is_still_open() -> None:
    """First the hops evenly, then only those between the last passed and the first stopped; nothing once they meet."""
    whole = followed(Facts(), device=2, ttls=())
    assert located.still_open(path(whole), 6) == (1, 2, 3, 4, 5)
    assert located.still_open(path(whole), 3) == (1, 3, 5)
    assert located.still_open(path(whole), 1) == (3,)
    assert located.still_open(path(whole), 0) == ()
    assert set(located.still_open(path(followed(Facts(), device=2, ttls=(1, 4, 5))), 6)) == {2, 3}
    assert located.still_open(path(followed(Facts(), device=2)), 6) == ()
    assert set(located.still_open(path(followed(Facts(), device=2, mute=(2,))), 6)) == set()


def test_ports_whose_way_has_the_device_are_known() -> None:
    """Those are asked again first, and with another TTL."""
    ports = located.on_the_way(path(followed(Facts(), device=2, free=(3, 5))))
    assert {ttl for tried in ports.values() for ttl in tried} == {1, 2, 4}


# ---------------------------------------------------------------------------------------------------------------------
# connections


@pytest.mark.parametrize("device", range(DISTANCE))
def test_a_silent_address_is_followed_beside_another_one(device: int) -> None:
    """Packets to it are lost behind the last router that speaks of them, if the other's go on from there."""
    found = located_connections.read_connections(path(followed_to(Facts(), device=device)), SITE)
    assert found is not None
    assert (found.after, found.before) == (device, device + 1)


def test_two_ways_that_have_parted_say_nothing_of_each_other() -> None:
    """Behind the router where they part nobody knows what should have spoken."""
    assert located_connections.read_connections(path(followed_to(Facts(), device=4, parted=4)), SITE) is None


def test_an_address_that_answers_after_all_is_not_lost() -> None:
    """A SYN that was answered says that connections get through."""
    facts = followed_to(Facts(), device=2)
    facts.add(syn(64, 60_000), purpose="locate", group=f"connection/{SITE}", arm="target", address=SITE)
    assert located_connections.read_connections(path(facts), SITE) is None


# ---------------------------------------------------------------------------------------------------------------------
# whose it is


_WAY = {
    1: Hop(None, "gateway"),
    2: Hop(None, "shared"),
    3: Hop("92.46.7.9", "public"),
    4: Hop("92.46.8.1", "public"),
    5: Hop("213.248.97.5", "public"),
    6: Hop("62.115.44.1", "public"),
}


@pytest.mark.parametrize(
    ("after", "before", "acts", "where"),
    [
        (0, 1, False, "lan"),
        (1, 2, False, "access"),
        (2, 4, False, "access"),
        (4, 5, False, "unknown"),
        (3, 6, False, "unknown"),
        (5, 6, False, "transit"),
        (6, 7, True, "far_side"),
        (6, 7, False, "unknown"),
    ],
)
def test_whose_part_of_the_way_an_interval_is_in(after: int, before: int, acts: bool, where: str) -> None:
    """The border is nobody's for certain; behind the last router only what was sent in the server's name tells a place."""
    assert where_of(after, before, 7, _WAY, acts=acts) == where


def test_nobodys_part_is_told_where_no_router_is_known() -> None:
    """Without an address nobody knows where the provider ends."""
    assert where_of(2, 3, 7, {1: Hop(None, "gateway"), 2: Hop(None, "private")}, acts=False) == "unknown"


# ---------------------------------------------------------------------------------------------------------------------
# what is said of it


def test_a_block_gets_its_place() -> None:
    """Where nobody else knew where it is, the place says so; a word it makes never."""
    verdict = blocked_and_followed(device=2).verdict()
    assert (verdict.status, verdict.where) == ("blocked", "access")
    assert refined("far_side", verdict.findings) == "far_side"
    alone = followed(Facts().healthy().no_greeting(), device=2).verdict()
    assert alone.status == "inconclusive"


def test_a_place_survives_being_kept() -> None:
    """A finding's parameters are plain JSON and give the place back."""
    verdict = blocked_and_followed(device=2).verdict()
    place = place_of(verdict.findings)
    assert place is not None
    kept = located.from_parameters(json.loads(json.dumps(place.parameters())))
    assert kept == place
    assert located.from_parameters({"address": SITE}) is None


def test_the_document_has_the_interval_and_follows_its_schema() -> None:
    """Two hops with their addresses, as far as these may be kept, and one sentence."""
    judged = blocked_and_followed(device=2).verdict()
    document = check_document(made.pieces(made.result(0, "https://www.facebook.com/", judged)))
    (entry,) = document["results"]
    assert entry["place"]["after"] == {"hop": 2, "address": HOPS[1], "scope": "public", "network": None}
    assert entry["place"]["before"] == {"hop": 3, "address": HOPS[2], "scope": "public", "network": None}
    assert HOPS[1] in entry["place"]["text"]
    schema = json.loads(files("probe.schema").joinpath("check.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (blocked_and_followed(device=2), f"router 2 ({HOPS[1]}) and router 3 ({HOPS[2]})"),
        (blocked_and_followed(device=0), "this computer and router 1"),
        (blocked_and_followed(device=5, manner="reset"), f"router 5 ({HOPS[4]}) and the place itself"),
        (blocked_and_followed(device=5), "passes every router"),
        (blocked_and_followed(manner="reply"), "on its way back"),
        (silent_and_followed(2), "Packets to the site get lost between router 2"),
        (silent_and_followed(5), "pass every router"),
    ],
)
def test_one_sentence_says_where(facts: Facts, says: str) -> None:
    """What `-v` shows of a place is one plain sentence."""
    result = made.result(0, "https://www.facebook.com/", facts.verdict())
    (line,) = place_lines(result, "en")
    assert says in line
    assert line.endswith(".")


def test_every_code_of_words_has_a_sentence() -> None:
    """All manners at all ends."""
    codes = set()
    for manner in ("dropped", "reset", "ended", "reply_lost"):
        for after in (2, 5):
            codes.add(located.words(Located("greeting", manner, SITE, after, after + 1, 6))[0])
    codes |= {located.words(Located("connection", "dropped", SITE, after, after + 1, 6))[0] for after in (2, 5)}
    assert codes == sentences.codes()["located"]


def test_what_is_lost_at_the_provider_is_told_to_whoever_weighs_it() -> None:
    """A silent address that is lost past the own router, in the provider's network; not one that is lost farther away."""

    def told(facts: Facts) -> Located | None:
        return lost_at_the_provider(View(facts.observations, (facts.asked,)).case(facts.asked))

    assert told(silent_and_followed(2)) is not None
    assert told(silent_and_followed(1)) is None
    assert told(silent_and_followed(4)) is None
