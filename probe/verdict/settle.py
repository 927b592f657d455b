"""What would settle an inconclusive result: codes, the most useful first; each has a sentence."""

from __future__ import annotations

from probe.verdict import elsewhere
from probe.verdict.case import Case
from probe.verdict.facts import failed
from probe.verdict.findings import protocols
from probe.verdict.groups import FLIPS
from probe.verdict.model import Finding
from probe.verdict.pairs import at_neutrals


def settle(case: Case, findings: tuple[Finding, ...], fired: tuple[str, ...]) -> tuple[str, ...]:
    """Codes for one inconclusive endpoint; never empty."""
    codes = {f.code for f in findings if f.weight != 0}
    found: list[str] = []
    if "redirected_without_end" in codes:
        found.append("look_yourself")
    elif case.scheme == protocols.SCHEME:
        found.append("other_line" if "protocol_stopped" in codes else "echo_port")
    elif not case.observations or case.failing is None:
        found.append("measure_again")
    if "our_bug" in fired:
        found.append("report_bug")
    if "host_slept" in fired:
        found.append("stay_awake")
    if "host_moved" in fired:
        found.append("stay_here")
    if case.own.verdict.status == "inconclusive":
        found.append("know_own_side")
    found.extend(_by_stage(case, codes, fired))
    if case.scheme != protocols.SCHEME:
        found.extend(_elsewhere(case, codes))
    return tuple(dict.fromkeys(found))


def _by_stage(case: Case, codes: set[str], fired: tuple[str, ...]) -> list[str]:
    stage = case.failing.stage if case.failing is not None else None
    found = []
    if "transparent_proxy" in fired:
        found.append("without_proxy")
    if {"this_side", "stopped_at_home", "put_in_beside", "refuses_advertising"} & set(fired):
        found.append("without_own_routers")
    if "others_stopped_too" in fired:
        found.append("paid_line")
    if stage in ("tls", "http") and not codes & {"neutral_flip"} and not _certificate(case):
        found.append("more_neutrals" if codes & FLIPS or at_neutrals(case) else "neutral_pair")
    if "path_mtu" in codes:
        found.append("smaller_packets")
    if stage == "dns" or any(code.startswith("dns_") and code != "dns_failed" for code in codes):
        found.append("other_dns")
    if "certificate_expired_or_clock" in codes:
        found.append("set_clock")
    if stage in ("tcp", "app"):
        found.append("later")
    return found


def _elsewhere(case: Case, codes: set[str]) -> list[str]:
    """Who else should look. A server abroad that has spoken leaves the question which network here it is."""
    if any(code.startswith(("control_", "proxy_")) for code in codes):
        return [
            *(["know_countries"] if "control_fails_too" in codes and not _countries_known(case) else ()),
            "another_provider",
        ]
    asked = case.view.asked_of_controls
    silent = asked and all(failed(o) for o in asked)
    return ["control_silent", "another_vantage"] if silent else ["another_vantage"]


def _countries_known(case: Case) -> bool:
    home = case.view.context.country if case.view.context is not None else None
    return home is not None and any(told.country is not None for told in elsewhere.heard(case))


def _certificate(case: Case) -> bool:
    return case.failing is not None and (case.failing.failure or "").startswith("ssl_")
