"""Stories of greetings that are not answered, and of connections that are broken off."""

from __future__ import annotations

from typing import Any

from probe.observations import Arrived, PacketsFact
from tests.unit.facts import (
    EOF,
    HOST,
    INNOCUOUS,
    NEUTRALS,
    REFUSED,
    RESET,
    SITE,
    TIMEOUT,
    Facts,
    kernel,
)
from tests.unit.verdict_scenarios_begin import failed_retries, healthy_site, plain

# -- contrast ----------------------------------------------------------------------------------------------------------


def sni_block() -> Facts:
    """Silence for the name alone, at two neutrals."""
    return failed_retries(healthy_site().no_greeting()).neutrals().healthy("after", 1)


def sni_block_once() -> Facts:
    return failed_retries(healthy_site().no_greeting()).neutrals(1).healthy("after", 1)


def sni_block_short() -> Facts:
    return healthy_site().no_greeting().neutrals(rounds=3)


def sni_passes() -> Facts:
    return healthy_site().no_greeting().neutrals(target=None, rounds=1)


def router_with_dead_backend() -> Facts:
    """The server sorts by name and this name's backend is dead: own flip, neutrals never asked."""
    facts = failed_retries(healthy_site().no_greeting())
    return facts.own_pair(target_fact={"hello_acked": True}, innocuous_fact={"hello_acked": True})


def unacknowledged() -> Facts:
    facts = failed_retries(healthy_site().no_greeting())
    return facts.own_pair(target_fact={"hello_acked": False}, innocuous_fact={"hello_acked": True})


def half_blocked(*, rounds: int = 4, innocuous: str | None = None) -> Facts:
    """One of two paths has the device: the name fails at a neutral, and then gets through to its own server."""
    facts = healthy_site().no_greeting().neutrals(1, innocuous=innocuous, rounds=rounds)
    return facts.retry_tls(None, 1).retry_tls(None, 2)


def dead_server() -> Facts:
    return healthy_site().no_greeting().own_pair(innocuous=TIMEOUT, rounds=2).neutrals(target=None, rounds=1)


def trickled() -> Facts:
    """The first record came through at the own address and nothing after it; at neutral places not even that."""
    facts = healthy_site().dns(SITE).tcp().tls(failure=TIMEOUT, server_hello=True)
    for number, address in enumerate(NEUTRALS[:2], 1):
        facts.pair("neutral_pair", f"neutral/{number}", address)
    return facts


def ended_midway(*, deep: bool = True) -> Facts:
    """The first record of the answer passes, then the flow ends; *deep*: whether the other name's handshakes went on."""
    facts = healthy_site().no_greeting(EOF, server_hello=True).retry_tls(EOF, 1, server_hello=True)
    innocuous: dict[str, Any] = {"cipher": "TLS_AES_128_GCM_SHA256"} if deep else {}
    facts.neutrals(target=EOF, target_fact={"server_hello": True}, innocuous_fact=innocuous)
    # Small greetings stop at the first record, which passes for everybody.
    facts.tls(purpose="path_mtu", group="small", verify=False, round=0)
    return facts.healthy("after", 1)


def request_reset(target: str | None = RESET, status: int = 200, *, sent_to: str | None = None) -> Facts:
    """Handshakes pass, the request inside is reset; *target*: how it fares elsewhere, where *status* answers strangers and
    sends this name on to *sent_to*.
    """
    facts = healthy_site().dns(SITE).tcp().tls().http(failure=RESET)
    for place, address in enumerate(NEUTRALS[:2], 1):
        at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{place}", "address": address}
        told: dict[str, Any] = {"status": status, "verified_chain": False, **at}
        facts.http(url=f"https://{INNOCUOUS}/", arm="innocuous", round=0, **told)
        for number in range(6):
            facts.http(url=f"https://{HOST}/", arm="target", failure=target, round=number, location=sent_to, **told)
            facts.http(url=f"https://{INNOCUOUS}/", arm="innocuous", round=number + 1, **told)
    # Handshakes for the name pass at any time.
    facts.tcp(purpose="retry", group="retry/1").tls(purpose="retry", group="retry/1")
    return facts.http(purpose="retry", group="retry/1", failure=RESET).healthy("after", 1)


def request_answered_after_all() -> Facts:
    """The same, and in the end the site's own address answers, to nobody in particular."""
    own: dict[str, Any] = {"purpose": "own_pair", "group": f"own/{SITE}", "arm": "target", "round": 0}
    return request_reset().http(verified_chain=False, **own)


def small_packets_only() -> Facts:
    facts = failed_retries(healthy_site().no_greeting())
    for n in (0, 1):
        for group, failure in (("normal", TIMEOUT), ("small", TIMEOUT), ("small+mss", None)):
            facts.tls(purpose="path_mtu", group=group, failure=failure, verify=False, round=n)
    return facts


# -- resets ------------------------------------------------------------------------------------------------------------


def _behind_arm(facts: Facts, group: str, arm: str, failure: str | None, round: int, **fact: Any) -> Facts:  # noqa: A002
    return facts.arm("behind", group, SITE, arm, failure, round, **fact)


def behind(
    facts: Facts, *, answers: int = 3, answer: str | None = None, ignored: int | None = 1, others: int | None = 0
) -> Facts:
    """The server's packets come with TTL 59: in turn the name is heard, and asked with what is below 57 ignored."""
    facts.tcp(purpose="behind", group="distance", reply_ttl=59)
    _behind_arm(facts, "min_ttl/farther", "innocuous", None, 0, min_ttl=57, ignored=others)
    for n in range(answers):
        _behind_arm(facts, "heard", "target", RESET, n)
        _behind_arm(facts, "min_ttl/farther", "target", answer, n, min_ttl=57, ignored=ignored)
    _behind_arm(facts, "heard", "target", RESET, answers)
    return _behind_arm(facts, "min_ttl/farther", "innocuous", None, 1, min_ttl=57, ignored=others)


def answer_behind_reset(**kw: Any) -> Facts:
    return behind(healthy_site().no_greeting(RESET), **kw)


def request_behind_reset() -> Facts:
    """The same over plain HTTP."""
    facts = plain(failure=RESET)
    place: dict[str, Any] = {"purpose": "behind", "verified_chain": False}
    facts.http(group="min_ttl/farther", arm="innocuous", min_ttl=57, ignored=0, url=f"http://{INNOCUOUS}/", **place)
    for n in range(3):
        facts.http(failure=RESET, group="heard", arm="target", round=n, **place)
        facts.http(group="min_ttl/farther", arm="target", round=n, min_ttl=57, ignored=1, **place)
    return facts.http(failure=RESET, group="heard", arm="target", round=3, **place)


def reset_from_nearer(other: str | None = TIMEOUT) -> Facts:
    """With all of the server's own packets ignored the name is still reset; *other*: how an innocuous name ends then."""
    facts = healthy_site().no_greeting(RESET).tcp(purpose="behind", group="distance", reply_ttl=59)
    _behind_arm(facts, "min_ttl/farther", "innocuous", None, 0, min_ttl=57, ignored=0)
    _behind_arm(facts, "heard", "target", RESET, 0)
    _behind_arm(facts, "min_ttl/farther", "target", RESET, 0, min_ttl=57, ignored=0)
    for n in range(2):
        _behind_arm(facts, "min_ttl/nearer", "target", RESET, n, min_ttl=62, ignored=0)
    return _behind_arm(facts, "min_ttl/nearer", "innocuous", other, 0, min_ttl=62, ignored=8 if other == TIMEOUT else 0)


def reset_from_farther() -> Facts:
    """What came from farther than the server was ignored, and then there was silence."""
    return answer_behind_reset(answers=2, answer=TIMEOUT)


def _warm(facts: Facts, rtt_us: int) -> Facts:
    for n in range(3):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=rtt_us))
    return facts


def early_reset() -> Facts:
    facts = _warm(healthy_site(), 90_000).no_greeting(RESET, duration_us=20_000)
    return facts.retry_tls(RESET, 1, duration_us=21_000)


def reset_beside() -> Facts:
    facts = _warm(healthy_site(), 90_000).no_greeting(RESET, duration_us=300)
    return facts.retry_tls(RESET, 1, duration_us=400)


def reset_marked_otherwise(*ttls: tuple[int, int]) -> Facts:
    """Connections to the site that were listened to: TTLs of the server's first packet, and of the reset behind it."""
    facts = healthy_site().no_greeting(RESET).retry_tls(RESET, 1)
    for number, (server, reset) in enumerate(ttls or ((52, 61), (52, 61))):
        packets = (
            Arrived(after_us=0, flags="SA", ttl=server, window=64_240, identification=0),
            Arrived(after_us=20_000, flags="RA", ttl=reset, window=0, identification=54_321),
        )
        fact = PacketsFact(own_port=40_000 + number, packets=packets)
        facts.add(fact, purpose="packets", group=f"own/{SITE}", address=SITE, port=443)
    return facts


def reset_by_name(took_us: int = 5_000, *asked: str | None, router_us: int = 400) -> Facts:
    """Resets for the name alone, everywhere, *took_us* after it was named; the own router was *asked*, and what came of it."""
    facts = healthy_site().no_greeting(RESET, duration_us=took_us).retry_tls(RESET, 1, duration_us=took_us)
    for failure in asked:
        place: dict[str, Any] = {"purpose": "neutral_pair", "group": "gateway"}
        facts.tcp(failure=failure, duration_us=router_us, port=9, **place)
    return facts.neutrals(target=RESET, target_fact={"duration_us": took_us}).healthy("after", 1)


def reset_by_the_own_router(took_us: int = 3_500) -> Facts:
    """The router is three milliseconds away, over a slow radio, and so is whatever resets the name."""
    return reset_by_name(took_us, REFUSED, REFUSED, REFUSED, router_us=3_000)
