"""Findings that belong together: what several gates ask of, by code."""

from __future__ import annotations

AT_CONTROLS = frozenset(
    {
        "neutral_and_control_flip",
        "control_flip",
        "control_flip_elsewhere",
        "control_never_arrived",
        "control_answer_lost",
        "control_altered",
    }
)
DEEP = frozenset({"residual_memory", "split_passes", "split_stopped"})
FLIPS = (
    AT_CONTROLS | DEEP | {"neutral_flip", "neutral_flip_once", "neutral_flip_short", "own_flip", "unacknowledged_only"}
)
AT_OWN_ADDRESS = frozenset({"own_flip", "unacknowledged_only", "tls_no_answer"})
LIES = frozenset(
    {
        "dns_bogon",
        "dns_bogon_unconfirmed",
        "dns_sinkhole",
        "dns_block_page_address",
        "dns_wrong_address",
        "dns_nxdomain_contradicted",
        "dns_refused_contradicted",
        "dns_denial_unconfirmed",
        "dns_no_answer_contradicted",
    }
)
ANSWERED = frozenset(
    {
        "dns_bogon",
        "dns_sinkhole",
        "dns_block_page_address",
        "dns_nxdomain_contradicted",
        "dns_refused_contradicted",
        "dns_operator_says_blocked",
        "dns_injected_no_resolver",
        "dns_injected_denial",
        "dns_two_replies",
    }
)
"""What is said of a name in clear, which a household's router or resolver may have said."""
LOST = frozenset({"dns_questions_dropped"})
LOCAL_FILTERS = frozenset(
    {
        "filter_hosts_file",
        "filter_on_this_computer",
        "filter_local_resolver",
        "filter_chosen_resolver",
        "filter_by_request",
        "filter_page",
    }
)
SLOWED = frozenset({"slowed_by_name", "slow_for_this_name", "slower_at_one_place", "keeps_up_elsewhere"})
BY_DISTANCE = frozenset({"answer_behind_reset", "reset_from_elsewhere"})
BY_NAME = FLIPS | BY_DISTANCE | {"reset_too_early"}
"""What any device does that reads names, be it the household's, the company's or the provider's."""
PAGES_PUT_IN = frozenset(
    {"block_page", "block_page_likely", "redirect_to_block_page", "redirect_likely", "page_unlike_elsewhere"}
)
