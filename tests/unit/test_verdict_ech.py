"""Greetings that hide a name: an impairment of the line, by the whole rule of names, and never a word about a site."""

import pytest

from tests.unit.facts import HOST, NEUTRALS, RESET, SITE, TIMEOUT, Facts

OUTER = "cloudflare-ech.com"


def page() -> Facts:
    return Facts(f"https://{HOST}/").context().healthy().dns(SITE).tcp().tls().http()


def turns(
    facts: Facts,
    group: str,
    address: str | None,
    *,
    target: str | None = TIMEOUT,
    innocuous: str | None = None,
    rounds: int = 6,
) -> Facts:
    """Padding and the extension in turn at one place."""
    for number in range(rounds):
        for arm, failure in (("innocuous", innocuous), ("target", target)):
            facts.tls(
                address,  # type: ignore[arg-type]
                purpose="ech",
                group=group,
                arm=arm,
                round=number,
                sni=OUTER,
                verify=False,
                failure=failure,
            )
    return facts


def twice(**how) -> Facts:
    return turns(turns(page(), "neutral/1", NEUTRALS[0], **how), "neutral/2", NEUTRALS[1], **how)


@pytest.mark.parametrize(
    ("story", "told"),
    [
        (twice, True),
        (lambda: twice(target=RESET), True),
        (lambda: turns(turns(page(), "neutral/1", NEUTRALS[0]), "control:Helsinki", None), True),
        (lambda: twice(target=None, rounds=1), False),
        (lambda: twice(rounds=5), False),
        (lambda: twice(innocuous=TIMEOUT), False),
        (lambda: turns(page(), "neutral/1", NEUTRALS[0]), False),
        (lambda: turns(page(), "control:Helsinki", None), False),
        (lambda: turns(turns(page(), "neutral/1", NEUTRALS[0]), "neutral/2", NEUTRALS[0][:-1] + "9"), False),
        (lambda: turns(twice(), "neutral/3", NEUTRALS[2], target=None, rounds=1), False),
    ],
)
def test_what_is_told_of_hidden_names(story, told):
    """The page is accessible; two places must agree, and no such greeting may have passed."""
    verdict = story().healthy("after", 1).verdict()
    assert verdict.status == "accessible"
    assert ("ech_blocked" in verdict.impairments) is told


def test_it_is_told_beside_another_word_too():
    """What keeps people out of a site is told as ever."""
    facts = Facts(f"https://{HOST}/").context().healthy().no_greeting()
    turns(turns(facts, "neutral/1", NEUTRALS[0]), "neutral/2", NEUTRALS[1])
    verdict = facts.healthy("after", 1).verdict()
    assert verdict.status == "inconclusive"
    assert "ech_blocked" in verdict.impairments
