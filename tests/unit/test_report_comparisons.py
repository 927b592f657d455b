"""Pairs as two-line tables, and the sentence that can be quoted: the judge's own counts, in plain words."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest

from probe.observations import DnsFact, Observation, Operation, TlsFact
from probe.report.comparisons import comparisons, sides, title
from probe.report.document import check_document
from probe.report.groups import groups
from probe.report.pieces import Pieces
from probe.report.quote import quotes
from probe.report.terminal import Screen, print_check
from probe.verdict.model import EndpointResult, ServiceVerdict
from tests.unit import pieces as made
from tests.unit.facts import NEUTRALS, RESET, TIMEOUT, Facts, answer
from tests.unit.test_report_document import validate
from tests.unit.verdict_scenarios import CODES
from tests.unit.verdict_scenarios_handshakes import sni_block, sni_block_once, unacknowledged
from tests.unit.verdict_scenarios_protocols import compared as protocol_stopped
from tests.unit.verdict_scenarios_quic import stopped
from tests.unit.verdict_scenarios_requests import http_block
from tests.unit.verdict_scenarios_sinks import sink_and_neutral_flip

NOON_US = 1_795_356_300_000_000  # 2026-11-22T14:05:00Z


def checked(facts: Facts, **run: object) -> Pieces:
    """A check of the one endpoint of *facts*, judged."""
    verdict = facts.verdict()
    numbers = tuple(o.number for o in facts.observations if o.endpoint == 1)
    result = made.result(1, facts.asked.endpoint.url, verdict, observations=numbers, started_us=NOON_US)
    fields = {"country": None, "asn": None} | run
    return made.pieces(result, observations=tuple(facts.observations), run=made.run(**fields))


def pairs_of(facts: Facts) -> list[tuple[str, str, str]]:
    """Each comparison: its title and its two lines."""
    pieces = checked(facts)
    found = comparisons(pieces.results[0], pieces.observations)
    return [(title(one), this, other) for one in found for (_, this), (_, other) in [sides(one)]]


def said(facts: Facts, **run: object) -> str:
    """The sentence to quote."""
    pieces = checked(facts, **run)
    (quote,) = quotes(groups(pieces.results, ()), pieces.run, pieces.observations)
    return quote.text


def shown(facts: Facts, width: int = 100) -> str:
    file = io.StringIO()
    print_check(checked(facts), Screen(file=file, width=width, verbose=1))
    return file.getvalue()


def found_as(facts: Facts, name: str, address: str) -> Facts:
    """How the neutral at *address* was found: under *name*."""
    fact = DnsFact(transport="udp", role="system", qname=name, qtype="A", rcode=0, answers=answer(name, address))
    return facts.add(fact, purpose="neutral_pair", name=name, address="92.46.1.1", port=53, group="draw")


def test_a_pair_is_two_lines_with_its_place() -> None:
    """How many of how many failed and how; the neutral address by its name, and whose network it is."""
    facts = found_as(sni_block(), "www.python.org", NEUTRALS[0])
    assert pairs_of(facts)[0] == (
        f"At a server that has nothing to do with the site (www.python.org, {NEUTRALS[0]}, run by Fastly):",
        "www.facebook.com: failed 6 of 6 times (silence)",
        "www.wikipedia1.org: answered 7 of 7 times",
    )


def test_the_own_address_is_said_to_be_that() -> None:
    """A pair at the site's own address is told apart from one at a neutral."""
    assert pairs_of(unacknowledged())[0][0] == "At the site's own address (157.240.205.35, run by Meta):"


def test_a_server_of_ones_own_is_named_and_not_located() -> None:
    """A control's address is not kept, so its name stands in the table, and the quotation tells the two places apart."""
    facts = sink_and_neutral_flip()
    assert [told[0].partition(" (")[0] for told in pairs_of(facts)][:2] == [
        "At a server that has nothing to do with the site",
        "At your own server elsewhere",
    ]
    assert "control:" not in " ".join(told[0] for told in pairs_of(facts))
    text = said(facts)
    assert "times at an unrelated server and at a server that was set up for such measurements, while" in text


def test_a_protocol_and_random_packets_are_a_pair_too() -> None:
    """Under the control's name, in words for what was sent; the sentence to quote has the counts."""
    facts = protocol_stopped()
    assert pairs_of(facts) == [
        (
            "At your own server elsewhere, which sends everything back (Helsinki):",
            "OpenVPN's protocol: failed 6 of 6 times (silence)",
            "random bytes: answered 6 of 6 times",
        )
    ]
    (one,) = comparisons(checked(facts).results[0], facts.observations)
    assert [name for name, _ in sides(one)] == ["with this protocol", "with none"]
    assert "OpenVPN's protocol was stopped every time (6 times, from the first packet on)" in said(facts)
    assert "OpenVPN's protocol was blocked on this network" in said(facts)
    assert "OpenVPN's protocol passed from this network to a server elsewhere." in said(
        protocol_stopped(target=None, rounds=1)
    )
    validate(check_document(checked(facts)), "check")


def test_names_over_quic_are_pairs_too() -> None:
    """At unrelated servers and at the site's own address, and it is said that it was over QUIC."""
    told = pairs_of(stopped())
    places = [
        "At a server that has nothing to do with the site",
        "At a server that has nothing to do with the site",
    ]
    assert [title.partition(" (")[0] for title, *_ in told] == places
    assert all(title.endswith(", over QUIC:") for title, *_ in told)
    assert told[0][1:] == (
        "www.facebook.com: failed 6 of 6 times (silence)",
        "www.wikipedia1.org: answered 6 of 6 times",
    )
    validate(check_document(checked(stopped())), "check")


def test_several_manners_are_all_told() -> None:
    """One cut among silences is not hidden."""
    facts = Facts().context().healthy().no_greeting()
    for number, failure in enumerate((TIMEOUT, TIMEOUT, RESET)):
        facts.arm("neutral_pair", "neutral/1", NEUTRALS[0], "innocuous", None, number)
        facts.arm("neutral_pair", "neutral/1", NEUTRALS[0], "target", failure, number)
    assert pairs_of(facts)[0][1] == "www.facebook.com: failed 3 of 3 times (silence 2 times, broken off once)"


def test_unencrypted_requests_are_pairs_too() -> None:
    """Pages that came for the one name only are counted as failures of it."""
    (first, *_rest) = comparisons(checked(http_block()).results[0], http_block().observations)
    assert (first.over_tls, first.this.failed > 0, first.other.failed) == (False, True, 0)


def test_what_the_judge_did_not_see_is_not_counted() -> None:
    """Arms beyond the verdict's horizon are in no table."""
    pieces = checked(sni_block())
    result = pieces.results[0]
    first_pair = [o.number for o in pieces.observations if o.group == "neutral/1"]
    verdict = dataclasses.replace(result.verdict, horizon=max(first_pair))
    early = dataclasses.replace(result, verdict=verdict)
    assert [one.address for one in comparisons(early, pieces.observations)] == [NEUTRALS[0]]


def test_a_result_without_pairs_has_no_table() -> None:
    """Nothing is made up where nothing was compared."""
    assert pairs_of(Facts().context().healthy().works()) == []


def test_the_table_fits_a_narrow_terminal() -> None:
    """At 60 and at 40 columns nothing is wider than the screen, and both lines are there."""
    for width in (60, 40):
        text = shown(sni_block(), width)
        assert max(map(len, text.splitlines())) <= width
        assert "with this name" in text
        assert "with another name" in " ".join(text.split())


def test_the_table_on_the_screen() -> None:
    """-v shows the sentence to quote, then each pair."""
    lines = [line.strip() for line in shown(sni_block(), 240).splitlines()]
    at = next(n for n, line in enumerate(lines) if line.startswith("At a server that has nothing"))
    assert lines[at + 1] == "with this name     www.facebook.com: failed 6 of 6 times (silence)"
    assert lines[at + 2] == "with another name  www.wikipedia1.org: answered 7 of 7 times"
    assert any(line.startswith("To quote: On 22 November 2026 at 14:05 UTC, on this network,") for line in lines)


def test_a_proven_flip_is_quoted_with_its_counts() -> None:
    """When, where, how often of how often, and what passed in between."""
    assert said(sni_block()) == (
        "On 22 November 2026 at 14:05 UTC, on this network, connections that named www.facebook.com got no answer 12 of 12 "
        "times at two unrelated servers, while connections that named other sites passed 14 of 14 times."
    )


def test_the_network_is_named_where_it_is_known() -> None:
    """A quotation is read elsewhere: which network it was belongs to it."""
    assert "on this network (AS9198, KZ), connections that named" in said(sni_block(), country="KZ", asn=9198)


def test_the_network_is_named_behind_its_genitive() -> None:
    """What belongs to this network still does where the network is named."""
    told = said(CODES["own_resolver"](), country="KZ", asn=9198)
    assert "this network's (AS9198, KZ) DNS does not work" in told


def test_the_moment_is_by_the_right_clock() -> None:
    """What the run has learned of the clock's error is put right in the sentence."""
    assert said(sni_block(), clock_offset_us=-3_600_000_000).startswith("On 22 November 2026 at 13:05 UTC, ")


def test_what_never_arrived_is_quoted_so() -> None:
    """The proof at the own address speaks of arriving."""
    assert said(unacknowledged()) == (
        "On 22 November 2026 at 14:05 UTC, on this network, connections that named www.facebook.com did not get through to "
        "the site's own server 6 of 6 times, while connections to the same server that named another site got through 7 of "
        "7 times."
    )


def test_another_proof_is_quoted_by_its_own_sentence() -> None:
    """A block without pairs names its evidence."""
    assert said(CODES["national_interception"]()).startswith(
        "On 22 November 2026 at 14:05 UTC, encrypted connections to www.facebook.com were intercepted on this network: the "
        "certificate for www.facebook.com was made by "
    )


@pytest.mark.parametrize("code", sorted(CODES))
def test_no_quote_says_more_than_the_verdict(code: str) -> None:
    """Only a blocked site is said to be blocked, every sentence ends, and none has a hole in it."""
    facts = CODES[code]()
    text = said(facts)
    status = facts.verdict().status
    assert status == "blocked" or not re.search(r"(blocked|intercepted) on this network:", text)
    assert "Www." not in text
    assert ("could not tell whether" in text) == (status == "inconclusive")
    assert text.endswith(".")
    assert text.count("..") == 0
    assert "{" not in text


def test_a_platform_that_works_in_part_is_quoted_with_its_parts() -> None:
    """One address of its apps' would say nothing of the web that is blocked."""
    app = made.result(
        0, "mtproto://149.154.175.50:443", made.verdict("accessible"), platform="telegram", service="apps"
    )
    web = made.result(1, "https://t.me/", made.verdict("blocked", "tls"), platform="telegram")
    parts = (
        ServiceVerdict(service="apps", status="accessible", main=True),
        ServiceVerdict(service="web", status="blocked", method="tls"),
    )
    word = made.platform("telegram", made.verdict("accessible"), 0, 1, title="Telegram", services=parts)
    (quote,) = quotes(groups((app, web), (word,)), dataclasses.replace(made.run(), country="KZ", asn=9198), ())
    said_of_it = quote.text.partition(" UTC, ")[2]
    assert said_of_it == (
        "the state of Telegram on this network (AS9198, KZ) was this: the apps work, the web is blocked by name."
    )
    own_side = (parts[0], ServiceVerdict(service="web", status="no_network", method="resolver"))
    (quote,) = quotes(groups((app, web), (dataclasses.replace(word, services=own_side),)), made.run(), ())
    assert "your" not in quote.text


def test_a_leaning_is_never_quoted_as_a_block() -> None:
    """One neutral is not enough, so the sentence claims nothing."""
    assert said(sni_block_once()) == (
        "On 22 November 2026 at 14:05 UTC, this measurement could not tell whether www.facebook.com was blocked on this "
        "network."
    )


def test_the_document_has_both() -> None:
    """Tables are fields of a result, sentences of the document, and the schema knows them."""
    document = check_document(checked(found_as(sni_block(), "www.python.org", NEUTRALS[0])))
    validate(document)
    first = document["results"][0]["comparisons"][0]
    assert first["place"] == "neutral"
    assert (first["known_as"], first["network"], first["encrypted"]) == ("www.python.org", "Fastly", True)
    assert first["this_name"] == {
        "name": "www.facebook.com",
        "tried": 6,
        "failed": 6,
        "how": [{"manner": "timeout", "times": 6}],
    }
    assert first["another_name"]["failed"] == 0
    assert set(first["observations"]) < {o["number"] for o in document["results"][0]["observations"]}
    assert document["quotes"] == [{"about": "www.facebook.com", "text": said(sni_block(), country=None)}]


def test_names_from_the_wire_are_harmless_on_the_screen() -> None:
    """A name that somebody answered with escapes and overrides in it moves no cursor and reorders nothing."""
    text = shown(found_as(sni_block(), "\x1b[2J\u202eevil.example", NEUTRALS[0]))
    assert text.replace("\n", "").isprintable()


def test_results_of_others_are_left_out() -> None:
    """Only the endpoint's own observations are read, whatever else the run did."""
    pieces = checked(sni_block())
    other: EndpointResult = dataclasses.replace(pieces.results[0], observations=())
    assert comparisons(other, pieces.observations) == ()
    stray = Observation(
        number=9999, operation=Operation(fact=pieces.observations[0].fact, started_us=1), purpose="late"
    )
    assert len(comparisons(pieces.results[0], (*pieces.observations, stray))) == 2


def test_names_that_took_turns_with_this_one_are_counted() -> None:
    """Innocuous names are another one each time, and none of them is said to have been sent in all rounds."""
    facts = sni_block()
    first = next(o for o in facts.observations if o.arm == "innocuous" and isinstance(o.fact, TlsFact))
    assert isinstance(first.fact, TlsFact)
    operation = dataclasses.replace(first.operation, fact=dataclasses.replace(first.fact, sni="www.kelmora.org"))
    facts.observations[first.number - 1] = dataclasses.replace(first, operation=operation)
    assert pairs_of(facts)[0][2] == "www.kelmora.org and 1 more: answered 7 of 7 times"
