"""The columns of an export, each with the SQL that gives it and the words that explain it.

In the SQL ``r`` is the run, ``e`` the endpoint, ``v`` the newest verdict on it, ``o`` an observation, ``i`` the newest
version of an incident; of an hour it is the name of a value that ``storage.export.hours`` gives. ``kind`` says how a
value becomes text: ``time`` is UTC microseconds (shown in
milliseconds), ``codes`` words with spaces between them, ``json`` any JSON text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal["verdicts", "observations", "incidents", "hours"]
Kind = Literal["plain", "flag", "time", "codes", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``default``: whether it is exported when no ``--columns`` are named."""

    name: str
    sql: str
    meaning: str
    kind: Kind = "plain"
    default: bool = True


_CORRECTED = "(%s + COALESCE(r.clock_offset_us, 0))"

_RUN = (
    Column("network_status", "r.network_status", "the probe's own network in that run: ok, no_network, inconclusive"),
    Column("network_method", "r.network_method", "what was wrong with the probe's own network", default=False),
    Column("country", "r.country", "country of the probe, as its owner set it (ISO 3166-1)"),
    Column("asn", "r.asn", "number of the probe's network (AS number)"),
    Column("software", "r.software", "name and version of the program", default=False),
    Column("catalogue", "r.catalogue", "version of the catalogue of platforms", default=False),
    Column("trust", "r.trust", "whose certificates were trusted", default=False),
    Column("run_started_at", _CORRECTED % "r.started_us", "when the run began", "time", default=False),
    Column(
        "run_finished_at",
        _CORRECTED % "r.finished_us",
        "when the run ended; empty if it was killed",
        "time",
        default=False,
    ),
    Column(
        "clock_offset_us",
        "r.clock_offset_us",
        "how far the probe's clock was behind, in microseconds; all times here are corrected by it",
        default=False,
    ),
)

VERDICTS = (
    Column("run", "v.run", "random number of the run; the same in JSON; empty for a healthy look kept as one row"),
    Column("endpoint", "v.endpoint", "number of the endpoint in its run; empty where that is"),
    Column("started_at", _CORRECTED % "e.started_us", "when measuring it began, UTC", "time"),
    Column("target", "e.target", "what was asked for", default=False),
    Column("platform", "e.platform", "the platform's name in the catalogue; empty for a URL of one's own"),
    Column("service", "e.service", "the part of the platform"),
    Column("url", "e.url", "the endpoint"),
    Column("status", "v.status", "accessible, blocked, denied, outage, no_network or inconclusive"),
    Column("method", "v.method", "how: dns, ip, tls, http, quic, protocol, mitm, throttling, geo, server, link …"),
    Column("signature", "v.signature", "how exactly; `dalel explain SIGNATURE` tells more"),
    Column("confidence", "v.confidence", "probability that status is right, 0 to 1; empty when inconclusive"),
    Column("basis", "v.basis", "strongest kind of evidence: artefact, contrast, control, history, behaviour"),
    Column("where", 'v."where"', "nearest place of the cause: host, lan, access, transit, far_side, unknown"),
    Column("leaning", "v.leaning", "what an inconclusive result leans to"),
    Column("settle", "v.settle", "what would settle an inconclusive result", "codes", default=False),
    Column(
        "impairments", "v.impairments", "what is broken without keeping users out; see `dalel explain CODE`", "codes"
    ),
    Column("evidence", "v.evidence", "codes of the findings for the verdict; see `dalel explain CODE`", "codes"),
    Column("against", "v.against", "codes of the findings against it; see `dalel explain CODE`", "codes"),
    Column("profile", "e.profile", "light or full measurement", default=False),
    Column("duration_us", "e.duration_us", "how long measuring took, in microseconds"),
    Column("bytes_sent", "e.bytes_sent", "bytes sent for this endpoint", default=False),
    Column("bytes_received", "e.bytes_received", "bytes received for this endpoint", default=False),
    Column("ruleset", "v.ruleset", "version of the rules that judged"),
    *_RUN,
    Column(
        "judged_at",
        "v.judged_us",
        "when it was judged; later than measured after `dalel reclassify`",
        "time",
        default=False,
    ),
    Column("version", "v.version", "1 for the first verdict, more after `dalel reclassify`", default=False),
    Column("horizon", "v.horizon", "last observation that the judge could see", default=False),
    Column("also", "v.also", "what is true besides", "codes", default=False),
    Column("gates", "v.gates", "rules that overruled the evidence", "codes", default=False),
    Column("rule", "e.rule", "how the service's endpoints make one word: any-of, all-of, each", default=False),
    Column(
        "named_as_url",
        "e.named_as_url",
        "whether a URL was asked for, not a platform: true or false",
        "flag",
        default=False,
    ),
)

OBSERVATIONS = (
    Column("run", "o.run", "random number of the run; the same in JSON and in the database"),
    Column("number", "o.number", "number of the observation in its run"),
    Column("endpoint", "o.endpoint", "number of the endpoint it was made for; empty for the probe's own network"),
    Column("started_at", _CORRECTED % "o.started_us", "when it began, UTC", "time"),
    Column("duration_us", "o.duration_us", "how long it took, in microseconds"),
    Column("target", "e.target", "what was asked for"),
    Column("platform", "e.platform", "the platform's name in the catalogue"),
    Column("url", "e.url", "the endpoint"),
    Column("purpose", "o.purpose", "why it was made: baseline, own_side, neutral_pair …"),
    Column("kind", "o.kind", "what was done: dns, tcp, tls, http, quic, app, path, arrival, host, clock, context, bug"),
    Column("failure", "o.failure", "how it failed (OONI df-007 words); empty for success"),
    Column("name", "o.name", "host name"),
    Column("address", "o.address", "address that was used"),
    Column("port", "o.port", "port that was used"),
    Column("arm", "o.arm", "half of a pair: target or innocuous"),
    Column("group", 'o."group"', "attempt or pair that it belongs to"),
    Column("round", "o.round", "round inside a pair"),
    Column("hop", "o.hop", "number of redirects before it"),
    Column("member", "o.member", "canary, as family/name"),
    Column("vantage", "o.vantage", "where it was seen from"),
    Column("bytes_sent", "o.bytes_sent", "bytes sent"),
    Column("bytes_received", "o.bytes_received", "bytes received"),
    Column("fact", "o.fact", "all that was seen, as JSON", "json"),
    *(Column(c.name, c.sql, c.meaning, c.kind, default=False) for c in _RUN),
)

# Lists are kept as JSON; as words with spaces between them they fit into a cell.
_LISTED = """REPLACE(REPLACE(REPLACE(i.%s, '["', ''), '"]', ''), '", "', ' ')"""

INCIDENTS = (
    Column("incident", "i.id", "name of the incident; the same in messages and in the database"),
    Column("state", "i.state", "open or closed"),
    Column("status", "i.status", "blocked, denied, outage, or no_network (the probe's own side)"),
    Column("method", "i.method", "how: dns, ip, tls, http, quic, protocol, mitm, throttling, geo, server, shutdown …"),
    Column("signature", "i.signature", "how exactly, as far as all endpoints agree"),
    Column("confidence", "i.confidence", "probability that status is right, 0 to 1"),
    Column("where", 'i."where"', "nearest place of the cause: host, lan, access, transit, far_side, unknown"),
    Column("platforms", _LISTED % "platforms", "what it took at any time; empty for the probe's own side", "codes"),
    Column("began_after", "i.began_after_us", "it began after this, when all was well; empty if nobody saw it", "time"),
    Column("began_by", "i.began_by_us", "it had begun by then", "time"),
    Column("ended_after", "i.ended_after_us", "it ended after this, when it was last seen", "time"),
    Column(
        "ended_by",
        "i.ended_by_us",
        "it had ended by then; empty while it is open, or if this computer was elsewhere by then",
        "time",
    ),
    Column("shortest_us", "i.ended_after_us - i.began_by_us", "how long it lasted at least, in microseconds"),
    Column("longest_us", "i.ended_by_us - i.began_after_us", "how long it lasted at most, in microseconds"),
    Column("holes", _LISTED % "holes", "what stayed open while the rest was shut", "codes"),
    Column("urls", _LISTED % "urls", "its endpoints", "codes"),
    Column("remaining", _LISTED % "remaining", "endpoints that it still holds", "codes", default=False),
    Column("folded", _LISTED % "folded", "endpoints that failed because the own side was down", "codes", default=False),
    Column("interface", "i.interface", "the way out that it was seen through, where there are several", default=False),
    Column("opened_at", "i.opened_us", "when it was sure that it had begun", "time", default=False),
    Column(
        "closed_at", "i.closed_us", "when it was sure that it had ended or was seen no longer", "time", default=False
    ),
    Column("events", "i.events", "how often something happened to it", default=False),
    Column("version", "i.version", "how often it was written down anew", default=False),
)

HOURS = (
    Column("hour", "hour", "the hour, by its first moment, UTC", "time"),
    Column("platform", "platform", "the platform's name in the catalogue; empty for a URL of one's own"),
    Column("service", "service", "the part of the platform"),
    Column("url", "url", "the endpoint"),
    Column("looks", "looks", "how often it was measured in that hour"),
    Column("accessible", "accessible", "how many of these looks found it accessible"),
    Column("blocked", "blocked", "how many found it blocked"),
    Column("denied", "denied", "how many were denied by the site itself"),
    Column("outage", "outage", "how many found an outage of the platform's side"),
    Column("no_network", "no_network", "how many found the probe's own network down"),
    Column("inconclusive", "inconclusive", "how many came to no conclusion"),
    Column("median_us", "median_us", "median time that the accessible ones took, in microseconds; empty without any"),
    Column("bytes_sent", "bytes_sent", "bytes sent for this endpoint"),
    Column("bytes_received", "bytes_received", "bytes received for this endpoint"),
    Column("rolled_up", "rolled_up", "how many looks are kept only in such sums; their median stands for each of them"),
)

COLUMNS: dict[What, tuple[Column, ...]] = {
    "verdicts": VERDICTS,
    "observations": OBSERVATIONS,
    "incidents": INCIDENTS,
    "hours": HOURS,
}


def choose(what: What, names: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns that *names* ask for, in that order; the default ones for none, every one for ``all``.

    ``ValueError`` for a name that there is not.
    """
    known = {column.name: column for column in COLUMNS[what]}
    if not names:
        return tuple(column for column in known.values() if column.default)
    if names == ("all",):
        return tuple(known.values())
    for name in names:
        if name not in known:
            raise ValueError(f"there is no column {name!r} in {what}; `--columns help` lists them")
    return tuple(known[name] for name in dict.fromkeys(names))


def describe(what: What) -> str:
    """One line a column for ``--columns help``: name, meaning, and whether it must be asked for."""
    width = max(len(column.name) for column in COLUMNS[what])
    return "\n".join(
        f"{column.name:<{width}}  {column.meaning}{'' if column.default else ' (only if named)'}"
        for column in COLUMNS[what]
    )
