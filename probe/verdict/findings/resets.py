"""Resets that the server cannot have sent. Narrowly: distance (TTL) alone is weak, scrubbers and balancers differ too."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import HttpFact, Observation, TlsFact
from probe.verdict.rows import Match, Row, row
from probe.verdict.view import Case

WARM_RTTS = 3
SLACK_US = 2_000
"""What answers within this much of the own router's round trip cannot be told from it: programs and radios take time."""
ABROAD_US = 1_000
"""No place abroad is nearer. Where one is, all of the Internet is pretended, on this computer, and times tell nothing."""
FAR_US = 10_000
"""No router at home is further than this, slow Wi-Fi included: the border where the router itself would not be asked."""
_BROKEN_OFF = frozenset(
    {
        "connection_reset",
        "connection_aborted",
        "eof_error",
        "connection_already_closed",
        "ssl_failed_handshake",
        "http_request_failed",
    }
)


def own_network_us(case: Case) -> tuple[int, bool]:
    """How long an answer from within the own network may take, and whether that was measured.

    The router's least round trip, for both are held to the least of theirs, and a slack. A router that was asked and was
    silent may be at any distance that such routers have; where it was never asked, only the slack is left.
    """
    asked = case.of("neutral_pair", "tcp", "gateway")
    took = [
        o.operation.duration_us
        for o in asked
        if o.failure in (None, "connection_refused") and o.operation.duration_us is not None
    ]
    if took:
        return min(took) + SLACK_US, True
    return (FAR_US if asked else SLACK_US), False


def _is_pretended(case: Case) -> bool:
    """Whether every neutral place, all of which are abroad, is nearer than any place abroad."""
    least: dict[str | None, int] = {}
    for o in case.of("neutral_pair", "tcp"):
        took = o.operation.duration_us
        if o.arm is not None and o.failure is None and took is not None:
            least[o.operation.address] = min(took, least.get(o.operation.address, took))
    return bool(least) and max(least.values()) < ABROAD_US


def broken_off_beside(case: Case) -> tuple[Observation, ...]:
    """Exchanges with the name that were broken off as soon as the own network could have, wherever they went.

    Two at least: waiting for a processor makes an answer late, and nothing makes it early.
    """
    if _is_pretended(case):
        return ()
    limit, _measured = own_network_us(case)
    found = tuple(
        o
        for o in case.observations
        if o.failure in _BROKEN_OFF
        and o.arm != "innocuous"
        and o.purpose in ("baseline", "retry", "own_pair", "neutral_pair")
        and isinstance(o.fact, TlsFact | HttpFact)
        and not (isinstance(o.fact, TlsFact) and o.fact.chain)
        and case.is_in_question(o)
        and o.operation.duration_us is not None
        and o.operation.duration_us <= limit
    )
    return found if len(found) >= 2 else ()


def _resets(case: Case) -> tuple[Observation, ...]:
    """Handshakes for the name that a reset ended, by any way that ordinary packets go."""
    return tuple(
        o
        for o in case.observations
        if isinstance(o.fact, TlsFact)
        and o.failure == "connection_reset"
        and o.arm != "innocuous"
        and o.purpose in ("baseline", "retry", "own_pair")
        and not (o.group or "").startswith("min_ttl")
        and not o.fact.server_hello
        and case.is_target(o.fact.sni or o.operation.name)
    )


def _warm_rtts(case: Case, address: str | None) -> list[int]:
    """Round trips of flows to *address* that carried data both ways: the first packet of a flow may have had to wake a
    mobile line, so a connect's own time is never warm (an own reset at 80 ms looked "early" against a 380 ms connect).
    """
    found = []
    for o in case.observations:
        fact = o.fact
        if not isinstance(fact, TlsFact) or o.operation.address != address or not fact.server_hello:
            continue
        rtt = fact.kernel.min_rtt_us if fact.kernel is not None else None
        if rtt:
            found.append(rtt)
    return found


@row(
    "answer_behind_reset",
    speaks_for="blocked",
    weight=2.0,
    family="reset",
    basis="artefact",
    proves=True,
    sentence="the real answer of {host} arrived once packets from nearer by were ignored: somebody on the way breaks the "
    "connection in the server's name",
    why="the server was up and answering while a reset in its name ended the connection; the cap",
    signatures=("tls.reset.sni",),
)
def answer_behind_reset(case: Case) -> Iterator[Match]:
    behind = tuple(
        o
        for o in case.of("retry", "tls")
        if (o.group or "").startswith("min_ttl") and isinstance(o.fact, TlsFact) and o.fact.server_hello
    )
    resets = tuple(o for o in _resets(case) if o.operation.address in {b.operation.address for b in behind})
    if len(behind) >= 2 and len(resets) >= 2:
        yield Match(
            observations=(*resets, *behind),
            parameters={"host": case.name},
            method="tls",
            signature="tls.reset.sni",
            where="unknown",
        )


def _early(case: Case) -> Iterator[tuple[Observation, int]]:
    """Resets before half the least of three warm round trips, with that least round trip."""
    for o in _resets(case):
        rtts = _warm_rtts(case, o.operation.address)
        took = o.operation.duration_us
        if len(rtts) >= WARM_RTTS and took is not None and took * 2 < min(rtts):
            yield o, min(rtts)


@row(
    "reset_too_early",
    speaks_for="blocked",
    weight=2.0,
    family="reset",
    basis="artefact",
    proves=True,
    sentence="the connection was broken {took_ms} ms after {host} was named, but its server is {rtt_ms} ms away: it cannot "
    "have been the server",
    why="nothing comes back before half a round trip; twice, so that one bad clock reading is not enough; the cap",
    signatures=("tls.reset.sni",),
)
def reset_too_early(case: Case) -> Iterator[Match]:
    limit, _measured = own_network_us(case)
    early = [(o, rtt) for o, rtt in _early(case) if (o.operation.duration_us or 0) > limit]
    if len(early) >= 2:
        first, rtt = early[0]
        parameters = {
            "host": case.name,
            "took_ms": round((first.operation.duration_us or 0) / 1000, 1),
            "rtt_ms": round(rtt / 1000, 1),
        }
        yield Match(
            observations=tuple(o for o, _ in early),
            parameters=parameters,
            method="tls",
            signature="tls.reset.sni",
            where="unknown",
        )


@row(
    "reset_from_beside",
    speaks_for="no_network",
    weight=1.5,
    family="reset",
    basis="artefact",
    sentence="the connection was broken {took_ms} ms after {host} was named, as quickly as this network's own router answers, "
    "and its server is {rtt_ms} ms away: this computer or its own network did it",
    why="antivirus, home routers and company gateways break connections by name too; not proof, for fibre to the provider is "
    "quick",
    signatures=("network.filter",),
)
def reset_from_beside(case: Case) -> Iterator[Match]:
    limit, measured = own_network_us(case)
    beside = [
        (o, rtt) for o, rtt in _early(case) if (o.operation.duration_us or 0) <= (limit if measured else SLACK_US)
    ]
    if len(beside) >= 2:
        first, rtt = beside[0]
        yield Match(
            observations=tuple(o for o, _ in beside),
            parameters={
                "host": case.name,
                "took_ms": round((first.operation.duration_us or 0) / 1000, 1),
                "rtt_ms": round(rtt / 1000, 1),
            },
            method="filter",
            signature="network.filter",
            where="lan",
        )


ROWS: tuple[Row, ...] = (answer_behind_reset, reset_too_early, reset_from_beside)
