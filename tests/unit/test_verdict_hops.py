"""Several hops: what was learned of one says nothing about another."""

from __future__ import annotations

from typing import Any

from tests.unit.facts import HOST, INNOCUOUS, NEUTRALS, SITE, TIMEOUT, Facts
from tests.unit.verdict_scenarios_begin import healthy_site
from tests.unit.verdict_scenarios_requests import MOVED, asked_elsewhere, cache_takes_pages, sent_to_the_shop


def undecided(facts: Facts) -> bool:
    """Nothing definite is said."""
    return facts.verdict().status == "inconclusive"


def sent_on_into_silence() -> Facts:
    """A first site that answers and sends on; the second one falls silent when it is named."""
    facts = healthy_site().dns(SITE).tcp().tls().http(302, location="https://second.example/")
    there: dict[str, Any] = {"hop": 1}
    facts.dns("104.244.42.9", name="second.example", **there)
    facts.tcp("104.244.42.9", name="second.example", **there)
    return facts.tls("104.244.42.9", sni="second.example", failure=TIMEOUT, **there)


def test_a_retry_of_an_earlier_hop_says_nothing_about_a_later_one() -> None:
    """That the first site can be reached again does not make the one behind it accessible."""
    assert undecided(sent_on_into_silence().neutrals(target=None, rounds=1).retry_tls())


def test_arms_for_an_earlier_hop_say_nothing_about_a_later_one() -> None:
    """That the first site's name passes neutral places speaks neither for nor against the name behind it."""
    codes = {found.code for found in sent_on_into_silence().neutrals(target=None, rounds=1).verdict().against}
    assert not codes & {"neutral_pass"}
    assert undecided(sent_on_into_silence().neutrals())


def test_the_first_name_going_on_to_pass_does_not_withdraw_the_flip_of_the_name_behind_it() -> None:
    """As when the first site was slow, and is looked at for being slowed after the second one was found silent."""
    facts = sent_on_into_silence()
    for index, address in enumerate(NEUTRALS[:2]):
        place: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "verify": False}
        facts.tls(address, sni=INNOCUOUS, arm="innocuous", round=0, **place)
        for number in range(6):
            facts.tls(address, sni="second.example", arm="target", failure=TIMEOUT, round=number, **place)
            facts.tls(address, sni=INNOCUOUS, arm="innocuous", round=number + 1, **place)
    facts.healthy("after", 1)
    assert facts.word().startswith("blocked/tls")

    facts.tls(NEUTRALS[0], purpose="throttling", group="elsewhere/1", arm="target", round=1, verify=False)
    assert facts.word().startswith("blocked/tls")
    facts.tls(
        NEUTRALS[0],
        sni="second.example",
        purpose="throttling",
        group="elsewhere/1",
        arm="target",
        round=2,
        verify=False,
    )
    assert undecided(facts)


def test_a_plain_request_says_nothing_about_a_greeting() -> None:
    """Port 80 was slow, answered and sent on to https of the same name, where the greeting fell silent."""
    facts = healthy_site(f"http://{HOST}/").dns(SITE).tcp(port=80).http(301, location=f"https://{HOST}/")
    facts.dns(SITE, hop=1).tcp(hop=1).tls(hop=1, failure=TIMEOUT)
    facts.neutrals(target=None, rounds=1)
    assert undecided(facts.http(200, purpose="retry", group="retry/1"))


def test_a_page_behind_a_plain_redirect_is_the_strangers_word() -> None:
    """It is verified for the host that the redirect led to, and anybody may have written the redirect."""
    assert "answer_is_the_sites_own" not in sent_to_the_shop().codes()
    proven = healthy_site().dns(SITE).tcp().tls().http(302, location="https://shop.example/")
    proven.tls("92.46.1.80", sni="shop.example", hop=1).http(200, url="https://shop.example/", hop=1)
    assert "answer_is_the_sites_own" in proven.codes()


def test_a_cache_gives_the_sites_own_answer_everywhere() -> None:
    """What comes at unrelated addresses too is not called somebody else's where one box answers for all of them."""
    facts = cache_takes_pages(asked_elsewhere(sent_to_the_shop(), **MOVED))
    assert "page_put_in" not in facts.codes()
    assert facts.verdict().leaning is None
