"""What others would have said of the same facts: pure functions over the observations of a check.

Each gets the probe's own baseline of one endpoint (what a browser does: name, connection, handshake, request, hop by hop)
and the same measured where nothing is censored, the control; ``None`` when the probe could not have reached a control. The
rules of OONI's Web Connectivity 0.5 and of its pipeline 5 are restated from their published description, not from code.

Where a rule of theirs leaves a choice, it is taken in their favour: ``http-failure`` counts as the layer that failed; a
connection that opens is all that a ``tcp://`` endpoint has to give; an address's network is its /16, where they look a
database up; the pipeline's tie of 0.5 is no call.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Seen = dict[str, Any]
"""One observation of ``dalel check --format json``."""


@dataclass(frozen=True, slots=True)
class Said:
    """One of our status words, a method, and the probability that the status is right (``None``: inconclusive)."""

    status: str
    method: str | None = None
    confidence: float | None = None
    rule: str = ""
    signature: str = ""


_DEPTH = {"dns": 0, "tcp": 1, "tls": 2, "http": 3}
_METHOD = {"dns": "dns", "tcp": "ip", "tls": "tls", "http": "http"}
_ADDRESSES = ("A", "AAAA")


def steps(observations: Sequence[Seen]) -> list[Seen]:
    """The operations of an IPv4 baseline, in their order."""
    return [
        o
        for o in observations
        if o["purpose"] == "baseline" and o["kind"] in _DEPTH and (o.get("group") or "v4") == "v4"
    ]


def reached_control(own_side: Sequence[Seen]) -> bool:
    """Whether a helper abroad could have been asked over TLS: some foreign canary's handshake went through."""
    return any(
        o["kind"] == "tls" and (o.get("member") or "").startswith("foreign/") and not o["failure"] for o in own_side
    )


# ---------------------------------------------------------------------------------------------------------------------
# any failure is blocked


def any_failure(probe: Sequence[Seen], _control: Sequence[Seen] | None, url: str) -> Said:
    """Whatever does not work is blocked, by the layer at which it does not."""
    walked = steps(probe)
    failed = [o for o in walked if o["failure"]]
    last = "tcp" if url.startswith("tcp:") else "http"
    if failed or not any(o["kind"] == last for o in walked):
        layer = failed[-1]["kind"] if failed else (walked[-1]["kind"] if walked else "")
        return Said("blocked", _METHOD.get(layer), 1.0, "failure")
    return Said("accessible", None, 1.0, "no_failure")


# ---------------------------------------------------------------------------------------------------------------------
# what both of OONI's engines need


def _network(address: str) -> str:
    return address.rpartition(".")[0].rpartition(".")[0] if "." in address else address[:9]


def _is_bogon(address: str) -> bool:
    return not ipaddress.ip_address(address).is_global


def _answers(lookup: Seen) -> list[str]:
    return [a["value"] for a in lookup["fact"].get("answers", ()) if a["rtype"] in _ADDRESSES]


def _system(walked: Sequence[Seen], *, hop: int | None = None) -> list[Seen]:
    lookups = [o for o in walked if o["kind"] == "dns" and o["fact"].get("role") == "system"]
    return [o for o in lookups if hop is None or o["hop"] == hop]


def _resolves(lookups: Sequence[Seen]) -> bool:
    return any(_answers(o) for o in lookups)


@dataclass(frozen=True, slots=True)
class _Control:
    """What the helper tells: the addresses of the name, and whether each address worked; the end of the whole request."""

    asked_name: bool
    addresses: tuple[str, ...]
    tcp: dict[tuple[str, int], bool]
    tls: dict[tuple[str, int], bool]
    http: bool | None
    page: Seen | None


def _control_of(observations: Sequence[Seen] | None) -> _Control | None:
    """``http`` is ``None`` when nothing was requested, for a ``tcp://`` endpoint."""
    walked = steps(observations or ())
    if not walked:
        return None
    lookups = _system(walked, hop=0)
    first = [o for o in walked if o["hop"] == 0]
    pages = [o for o in walked if o["kind"] == "http"]
    failed = any(o["failure"] for o in walked)
    return _Control(
        asked_name=bool(lookups),
        addresses=tuple(address for o in lookups for address in _answers(o)),
        tcp={(o["address"], o["port"]): not o["failure"] for o in first if o["kind"] == "tcp"},
        tls={(o["address"], o["port"]): not o["failure"] for o in first if o["kind"] == "tls"},
        http=None if not pages and not failed else bool(pages) and not pages[-1]["failure"] and not failed,
        page=pages[-1] if pages and not pages[-1]["failure"] else None,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Web Connectivity 0.5

_COMMON_HEADERS = frozenset(
    [
        "date",
        "content-type",
        "server",
        "cache-control",
        "vary",
        "set-cookie",
        "location",
        "expires",
        "x-powered-by",
        "content-encoding",
        "last-modified",
        "accept-ranges",
        "pragma",
        "x-frame-options",
        "etag",
        "x-content-type-options",
        "age",
        "via",
        "p3p",
        "x-xss-protection",
        "content-language",
        "cf-ray",
        "strict-transport-security",
        "link",
        "x-varnish",
    ]
)


def web_connectivity(probe: Sequence[Seen], control: Sequence[Seen] | None, url: str) -> Said:
    """The deepest step decides: redirects from the last hop back, request before handshake before connection before name,
    successes first; then a name that the control resolves otherwise overrides whatever is not a success."""
    walked, helper = steps(probe), _control_of(control)
    order = sorted(walked, key=lambda o: (-o["hop"], -_DEPTH[o["kind"]], bool(o["failure"])))
    said = next(
        (word for o in order if (word := _judge(o, helper, url)) is not None), Said("inconclusive", rule="none")
    )
    if said.status != "accessible" and _consistency(walked, helper) == "inconsistent":
        return Said("blocked", "dns", 1.0, "inconsistent_dns")
    return said


def _judge(o: Seen, helper: _Control | None, url: str) -> Said | None:
    if o["failure"]:
        return _on_failure(o, helper)
    if o["kind"] == "http" and 200 <= (o["fact"].get("status") or 0) < 600 and o["fact"]["status"] // 100 != 3:
        return _on_page(o, helper)
    if o["kind"] == "tcp" and url.startswith("tcp:"):
        return Said("accessible", None, 1.0, "connected")
    if o["kind"] == "dns":
        return _on_loopback(o, helper)
    return None


_DOWN = Said("outage", None, 1.0, "down")
_UNKNOWN = Said("inconclusive", rule="no_control")


def _blocked(kind: str, rule: str) -> Said:
    return Said("blocked", _METHOD[kind], 1.0, rule)


def _on_page(o: Seen, helper: _Control | None) -> Said:
    """Any page over TLS is the site's; one over plain HTTP is compared with the control's."""
    if o["fact"]["url"].startswith("https:"):
        return Said("accessible", None, 1.0, "https_page")
    if helper is None:
        return _UNKNOWN
    if helper.page is None or _differs(o, helper.page):
        return _blocked("http", "http-diff")
    return Said("accessible", None, 1.0, "same_page")


def _on_failure(o: Seen, helper: _Control | None) -> Said:
    kind = o["kind"]
    if kind == "dns":
        if helper is None:
            # Nobody to compare with: theirs calls the site accessible here.
            return Said("accessible", None, 1.0, "dns_without_control")
        return _DOWN if not helper.addresses else _blocked("dns", "dns")
    if helper is None:
        return _UNKNOWN
    if kind == "http":
        return _DOWN if not helper.http else _blocked("http", "http-failure")
    records = helper.tls if kind == "tls" else helper.tcp
    worked = records.get((o["address"], o["port"]))
    if worked is None:
        return _UNKNOWN if helper.http is None else _blocked(kind, "http-failure")
    if not worked:
        return _DOWN
    return _blocked(kind, "http-failure" if kind == "tls" else "tcp_ip")


def _on_loopback(o: Seen, helper: _Control | None) -> Said | None:
    addresses = _answers(o)
    if not addresses or not all(ipaddress.ip_address(a).is_loopback for a in addresses):
        return None
    theirs = helper.addresses if helper else ()
    if theirs and all(ipaddress.ip_address(a).is_loopback for a in theirs):
        return _DOWN
    return _blocked("dns", "loopback")


def _consistency(walked: Sequence[Seen], helper: _Control | None) -> str | None:
    """``consistent``, ``inconsistent``, or ``None`` when nothing can be said of the name of the first hop."""
    lookups = _system(walked, hop=0)
    if helper is None or not helper.asked_name or not lookups:
        return None
    addresses = {address for o in lookups for address in _answers(o)}
    if not addresses:
        return "inconsistent" if helper.addresses else "consistent"
    if not helper.addresses:
        return "inconsistent"
    theirs = set(helper.addresses)
    if addresses & theirs or {_network(a) for a in addresses} & {_network(a) for a in theirs}:
        return "consistent"
    return "inconsistent"


def _differs(ours: Seen, theirs: Seen) -> bool:
    """Not the same status, or none of length, headers and title alike."""
    one, other = ours["fact"], theirs["fact"]
    if one["status"] != other["status"]:
        return bool(200 <= other["status"] < 300)
    return not (_same_length(one, other) or _same_headers(one, other) or _same_title(one, other))


def _same_length(one: Seen, other: Seen) -> bool:
    lengths = sorted((one.get("body_length") or 0, other.get("body_length") or 0))
    truncated = one.get("body_truncated") or other.get("body_truncated")
    return not truncated and lengths[0] > 0 and lengths[0] / lengths[1] > 0.7


def _same_headers(one: Seen, other: Seen) -> bool:
    names = [{name.lower() for name, _ in fact.get("headers", ())} - _COMMON_HEADERS for fact in (one, other)]
    return bool(names[0] & names[1])


def _same_title(one: Seen, other: Seen) -> bool:
    words = [
        {word.lower() for word in re.split(" ", fact.get("title") or "") if len(word.encode()) >= 5}
        for fact in (one, other)
    ]
    return words[0] == words[1]


# ---------------------------------------------------------------------------------------------------------------------
# pipeline 5


@dataclass(frozen=True, slots=True)
class Scores:
    """How far a row speaks for blocked, down and fine; all zero when it was not scored."""

    blocked: float = 0.0
    down: float = 0.0
    fine: float = 0.0
    rule: str = "none"


def pipeline(probe: Sequence[Seen], control: Sequence[Seen] | None, url: str) -> Said:
    """First match of a list of rules for each row, the largest of each score for a layer, blocked when a layer says so.

    Only names, connections and handshakes of the input's own host are judged: no pages, no redirects. It runs centrally: a
    probe that could reach no helper could hand in nothing either.
    """
    if control is None:
        return Said("inconclusive", rule="not_handed_in")
    walked, helper = [o for o in steps(probe) if o["hop"] == 0], _control_of(control)
    names = _top([row for o in _system(walked) for row in _name_rows(o, walked, helper)])
    untrusted = names.blocked > 0 and names.fine <= names.blocked + names.down
    links = _top([_link_row(o, helper, untrusted=untrusted) for o in walked if o["kind"] == "tcp"])
    shakes = _top(
        [
            _handshake_row(o, helper, untrusted=untrusted, no_link=links.blocked > 0.5)
            for o in walked
            if o["kind"] == "tls"
        ]
    )
    return _decide({"dns": names, "tcp": links, "tls": shakes})


def _top(rows: Sequence[Scores]) -> Scores:
    if not rows:
        return Scores()
    worst = max(rows, key=lambda row: row.blocked)
    return Scores(worst.blocked, max(row.down for row in rows), max(row.fine for row in rows), worst.rule)


def _decide(layers: dict[str, Scores]) -> Said:
    layer, worst = max(layers.items(), key=lambda item: item[1].blocked)
    down, fine = max(s.down for s in layers.values()), max(s.fine for s in layers.values())
    blocked = probability_blocked(worst.blocked)
    if worst.blocked > 0.5:
        return Said("blocked", _METHOD[layer], blocked, worst.rule)
    if down > 0.5:
        rule = next(s.rule for s in layers.values() if s.down == down)
        return Said("outage", None, 1 - blocked, rule)
    if fine > 0 and worst.blocked < 0.5:
        return Said("accessible", None, 1 - blocked, "fine")
    return Said("inconclusive", rule="insufficient")


def probability_blocked(score: float) -> float:
    """Their deployed calibration: log10 of the odds is -2.3594 + 4.7413 × score."""
    odds = 10 ** (-2.3594 + 4.7413 * score)
    return float(odds / (1 + odds))


def _name_rows(lookup: Seen, walked: Sequence[Seen], helper: _Control | None) -> Iterator[Scores]:
    addresses = _answers(lookup)
    if not addresses:
        if helper is None or not helper.asked_name:
            yield Scores(0.5, 0.5, 0, "dns_system_failure_no_ctrl")
        elif helper.addresses:
            yield Scores(0.9, 0.1, 0, "dns_system_failure_ctrl_ok")
        else:
            yield Scores(0.1, 0.9, 0, "dns_system_failure_ctrl_also_failing")
    for address in addresses:
        yield _answer_row(address, [o for o in walked if o["kind"] == "tls" and o["address"] == address], helper)


def _answer_row(address: str, handshakes: Sequence[Seen], helper: _Control | None) -> Scores:
    theirs = helper.addresses if helper else ()
    valid = any(not o["failure"] for o in handshakes) or any(
        worked and where == address for (where, _), worked in (helper.tls.items() if helper else ())
    )
    rules: tuple[tuple[bool, Scores], ...] = (
        (valid, Scores(0, 0, 1, "tls_consistent_answer")),
        (_is_bogon(address) and address not in theirs, Scores(0.95, 0.05, 0, "bogon_not_in_ctrl")),
        (_is_bogon(address), Scores(0.1, 0.9, 0, "bogon_in_ctrl")),
        (
            any((o["failure"] or "").startswith("ssl_") for o in handshakes) and address not in theirs,
            Scores(0.9, 0.05, 0.05, "tls_inconsistent_not_in_ctrl"),
        ),
        (address in theirs, Scores(0, 0, 0.9, "answer_matches_ctrl")),
        (_network(address) in {_network(a) for a in theirs}, Scores(0.2, 0, 0.8, "answer_asn_matches_ctrl")),
    )
    return next((scores for holds, scores in rules if holds), Scores(0.75, 0, 0.25, "dns_system_answer_unmatched"))


def _link_row(o: Seen, helper: _Control | None, *, untrusted: bool) -> Scores:
    worked = helper.tcp.get((o["address"], o["port"])) if helper else None
    if not o["failure"]:
        return Scores(0, 0, 1, "connect_ok")
    if worked:
        return Scores(0.75, 0.25, 0, "tcp_failure_ctrl_ok")
    if untrusted or worked is None:
        return Scores()
    return Scores(0.25, 0.75, 0, "tcp_failure_ctrl_also_failing")


def _handshake_row(o: Seen, helper: _Control | None, *, untrusted: bool, no_link: bool) -> Scores:
    worked = helper.tls.get((o["address"], o["port"])) if helper else None
    failure = o["failure"]
    if not failure:
        return Scores(0, 0, 1, "certificate_valid")
    if worked and failure.startswith("ssl_"):
        return Scores(0.9, 0.1, 0, "tls_failure_ctrl_ok_ssl")
    if worked and failure == "connection_reset":
        return Scores(0.8, 0.2, 0, "tls_failure_ctrl_ok_reset")
    if worked:
        return Scores(0.7, 0.3, 0, "tls_failure_ctrl_ok_other")
    if untrusted or no_link or worked is None:
        return Scores()
    return Scores(0.2, 0.8, 0, "tls_failure_ctrl_also_failing")


Judge = Callable[[Sequence[Seen], "Sequence[Seen] | None", str], Said]
BASELINES: dict[str, Judge] = {
    "any failure is blocked": any_failure,
    "OONI Web Connectivity 0.5 rules": web_connectivity,
    "OONI pipeline 5 rules": pipeline,
}
