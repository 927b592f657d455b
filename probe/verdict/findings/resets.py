"""Resets that the server cannot have sent. Narrowly: distance (TTL) alone is weak, scrubbers and balancers differ too."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from probe.observations import HttpFact, Observation, PacketsFact, TcpFact, TlsFact
from probe.verdict import fingerprints
from probe.verdict.case import Case
from probe.verdict.rows import Match, Row, row

WARM_RTTS = 3
ANSWERS_BEHIND = 3
MARKED_FLOWS, MARKED_APART = 2, 2
"""Connections that it takes, and how many routers there are between two TTLs that are not one machine's."""
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


def is_pretended(case: Case) -> bool:
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
    if is_pretended(case):
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
        and not o.fact.server_hello
        and case.is_target(o.fact.sni or o.operation.name)
    )


def _warm_rtts(case: Case, address: str | None) -> list[int]:
    """Round trips of flows to *address* that carried data both ways: the first packet of a flow may have had to wake a
    mobile line, so a connect's own time is never warm (an own reset at 80 ms looked "early" against a 380 ms connect).

    A search for the distance (:mod:`probe.instruments.distance`) is one too: it has many acknowledgements, one by one.
    """
    found = []
    for o in case.observations:
        fact = o.fact
        if o.operation.address != address or not isinstance(fact, TlsFact | TcpFact) or fact.kernel is None:
            continue
        carried = fact.server_hello if isinstance(fact, TlsFact) else fact.reply_ttl is not None
        if carried and fact.kernel.min_rtt_us:
            found.append(fact.kernel.min_rtt_us)
    return found


# ---------------------------------------------------------------------------------------------------------------------
# behind a reset


@dataclass(frozen=True, slots=True)
class _Behind:
    """The arms of :mod:`probe.experiments.behind` at one address, in order.

    ``heard``: the name, with everything heard; ``farther``: with what came from farther than the server ignored; ``nearer``:
    with the server's own packets ignored too. ``others`` and ``others_nearer``: an innocuous name, in the same two ways.
    """

    heard: tuple[Observation, ...]
    farther: tuple[Observation, ...]
    nearer: tuple[Observation, ...]
    others: tuple[Observation, ...]
    others_nearer: tuple[Observation, ...]

    @property
    def arms(self) -> tuple[Observation, ...]:
        return (*self.heard, *self.farther, *self.nearer, *self.others, *self.others_nearer)

    @property
    def reset_when_heard(self) -> bool:
        """Whether the name was reset every time that everything was heard."""
        return bool(self.heard) and all(o.failure == "connection_reset" for o in self.heard)

    @property
    def one_distance(self) -> bool:
        """Whether the server's packets all come from one distance, as far as an innocuous name shows: none was ignored."""
        return bool(self.others) and all(_ignored(o) == 0 for o in self.others)


def _behind(case: Case) -> _Behind:
    def arms(group: str, arm: str) -> tuple[Observation, ...]:
        return tuple(
            o
            for o in case.of("behind", group=group)
            if o.arm == arm and isinstance(o.fact, TlsFact | HttpFact) and (arm != "target" or case.is_in_question(o))
        )

    return _Behind(
        heard=arms("heard", "target"),
        farther=arms("min_ttl/farther", "target"),
        nearer=arms("min_ttl/nearer", "target"),
        others=arms("min_ttl/farther", "innocuous"),
        others_nearer=arms("min_ttl/nearer", "innocuous"),
    )


def _ignored(observation: Observation) -> int | None:
    fact = observation.fact
    return fact.ignored if isinstance(fact, TlsFact | HttpFact) else None


def _answered(case: Case, observation: Observation) -> bool:
    """Whether the server's answer came, as far as the name's own way did not; a notice put in on the way is none."""
    fact = observation.fact
    if observation.failure is not None:
        return False
    if isinstance(fact, TlsFact):
        return fact.server_hello and case.is_deep_enough(fact)
    page = fingerprints.read(fact) if isinstance(fact, HttpFact) else None
    return isinstance(fact, HttpFact) and not (page is not None and page.blocks)


def _in_turn(behind: _Behind) -> bool:
    """Whether a reset was heard before, between and after all of the answers: a server that resets now and then does not
    keep to such turns.
    """
    heard = [o.number for o in behind.heard]
    answers = [o.number for o in behind.farther]
    edges = [0, *answers, max((*heard, *answers)) + 1]
    return all(any(a < h < b for h in heard) for a, b in itertools.pairwise(edges))


@row(
    "answer_behind_reset",
    speaks_for="blocked",
    weight=2.0,
    family="reset",
    basis="artefact",
    proves=True,
    sentence="the real answer of {host} arrived {times} times behind the packet that breaks the connection off, once packets "
    "from its distance were ignored: somebody on the way breaks the connection off in the server's name",
    why="a server that resets does not answer on that connection too; in turn with resets, each with a packet ignored; the cap",
    signatures=("tls.reset.sni", "http.reset.host"),
)
def answer_behind_reset(case: Case) -> Iterator[Match]:
    behind = _behind(case)
    recovered = [o for o in behind.farther if _answered(case, o) and _ignored(o)]
    if len(recovered) < ANSWERS_BEHIND or len(recovered) < len(behind.farther):
        return
    if not (behind.reset_when_heard and behind.one_distance and _in_turn(behind)):
        return
    over_tls = any(not isinstance(o.fact, HttpFact) or o.fact.url.startswith("https:") for o in recovered)
    yield Match(
        observations=(*_resets(case), *behind.arms),
        parameters={"host": case.name, "times": len(recovered)},
        method="tls" if over_tls else "http",
        signature="tls.reset.sni" if over_tls else "http.reset.host",
        where="unknown",
    )


@row(
    "reset_from_elsewhere",
    speaks_for="blocked",
    weight=0.3,
    family="reset",
    basis="behaviour",
    sentence="what breaks the connection to {host} off comes from {side} than its server's own packets do",
    why="balancers and scrubbers of the site send resets from another distance too: a hint, never more",
    signatures=("tls.reset.any", "http.reset.any"),
)
def reset_from_elsewhere(case: Case) -> Iterator[Match]:
    behind = _behind(case)
    if not (behind.reset_when_heard and behind.one_distance):
        return
    silent = [o for o in behind.farther if o.failure == "generic_timeout_error" and _ignored(o)]
    nearer = [o for o in behind.nearer if o.failure == "connection_reset"]
    # Only what is silent for another name shows that the server's own packets were ignored.
    deaf = [o for o in behind.others_nearer if o.failure == "generic_timeout_error" and _ignored(o)]
    side = "farther away" if len(silent) >= 2 else "nearer by" if len(nearer) >= 2 and deaf else None
    if side is not None:
        over_tls = isinstance(behind.heard[0].fact, TlsFact) or case.scheme != "http"
        yield Match(
            observations=behind.arms,
            parameters={"host": case.name, "side": side},
            method="tls" if over_tls else "http",
            signature="tls.reset.any" if over_tls else "http.reset.any",
            where="unknown",
        )


@row(
    "reset_marked_otherwise",
    speaks_for="blocked",
    weight=0.2,
    family="reset",
    basis="behaviour",
    sentence="what breaks the connection to {host} off has come another way, or farther, than what its server said just before",
    why="balancers and scrubbers of the site have TTLs of their own as well: a hint, never more",
    signatures=("tls.reset.any", "http.reset.any"),
)
def reset_marked_otherwise(case: Case) -> Iterator[Match]:
    """Every connection on which both were heard says so, and two at least: ways change, and balancers take turns."""
    told = [(o, ttls) for o in case.of("packets", "packets") if (ttls := _ttls(o)) is not None]
    if len(told) < MARKED_FLOWS or any(abs(reset - server) < MARKED_APART for _, (reset, server) in told):
        return
    (reset, server) = told[0][1]
    over_tls = case.scheme != "http"
    yield Match(
        observations=tuple(o for o, _ in told),
        parameters={"host": case.name, "reset_ttl": reset, "server_ttl": server, "flows": len(told)},
        method="tls" if over_tls else "http",
        signature="tls.reset.any" if over_tls else "http.reset.any",
        where="unknown",
    )


def _ttls(observation: Observation) -> tuple[int, int] | None:
    """The TTL of the first reset of a connection that had come about, and the server's own before it."""
    fact = observation.fact
    if not isinstance(fact, PacketsFact):
        return None
    server = next((packet.ttl for packet in fact.packets if set("SA") <= set(packet.flags)), None)
    reset = next((packet.ttl for packet in fact.packets if "R" in packet.flags), None)
    return None if server is None or reset is None else (reset, server)


def _early(case: Case) -> Iterator[tuple[Observation, int]]:
    """Resets before half the least of three warm round trips, with that least round trip."""
    if is_pretended(case):
        return
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


ROWS: tuple[Row, ...] = (
    answer_behind_reset,
    reset_from_elsewhere,
    reset_marked_otherwise,
    reset_too_early,
    reset_from_beside,
)
