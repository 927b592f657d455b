"""What apps speak: the answer of the app's own protocol, silence in its place, or somebody else's words.

Only the first proves anything. A server that is up may still not speak to this program; and whoever else answers may be a
household's gateway, a page before a log-in, or a machine that has the address by now.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation, QuicFact
from probe.observations.failures import UNKNOWN_FAILURE
from probe.verdict.attempts import Attempt
from probe.verdict.case import Case
from probe.verdict.facts import app, verified
from probe.verdict.rows import Match, Row, row

_ADMINISTRATIVE = (9, 10, 13)
_WORDS = {
    "generic_timeout_error": "timeout",
    "connection_reset": "reset",
    "connection_aborted": "reset",
    "connection_refused": "refused",
    "eof_error": "eof",
    "connection_already_closed": "eof",
}
_SIGNATURES = ("app.timeout", "app.reset", "app.refused", "app.eof", "app.unreachable", "app.other")


def answers(case: Case) -> Iterator[tuple[Attempt, Observation]]:
    """Baselines that ended with an answer of the app's own protocol."""
    for attempt in case.all_baselines:
        if attempt.ok and attempt.stage == "app" and attempt.last is not None and app(attempt.last).expected:
            yield attempt, attempt.last


def unanswered(case: Case) -> Observation | None:
    """The exchange that the verdict is about, where it is one that failed."""
    attempt = case.failing
    return attempt.last if attempt is not None and attempt.stage == "app" else None


def is_another(o: Observation) -> bool:
    """Whether something answered, and not in the app's protocol."""
    return app(o).expected is False


def _is_inside(case: Case) -> bool:
    """Whether what failed was asked inside a connection of the site's own: nobody on the way could read it, or answer it."""
    attempt = case.failing
    return attempt is not None and (any(verified(o.fact) for o in attempt.of("tls")) or _is_inside_quic(case))


def _is_inside_quic(case: Case) -> bool:
    """The same of a resolver over QUIC: only the handshakes that the question is asked in offer its protocol, and verify."""
    shaken = (o.fact for o in case.of("quic", "quic") if case.scheme == "doq")
    return any(isinstance(fact, QuicFact) and fact.completed and fact.alpn == "doq" for fact in shaken)


def _connected(o: Observation) -> bool:
    return app(o).transport != "udp"


def _signature(o: Observation) -> str:
    if is_another(o):
        return "app.other"
    return f"app.{_WORDS.get(o.failure or '', 'unreachable')}"


def _about(case: Case, o: Observation) -> dict[str, object]:
    return {
        "host": case.name,
        "address": o.operation.address,
        "port": o.operation.port,
        "protocol": app(o).protocol,
        "failure": o.failure,
    }


@row(
    "app_answered",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} answered in {protocol} on port {port}, to a number that only this question had",
    why="who answers so has read the question and speaks what the app speaks; a page of somebody's does not; the cap",
)
def app_answered(case: Case) -> Iterator[Match]:
    for _, o in answers(case):
        yield Match(observations=(o,), parameters=_about(case, o))


@row(
    "app_failed",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="{host} gave no answer in {protocol} on port {port}: {failure}",
    why="as dns_failed: an app that gets no answer does not work; whose fault that is it does not say",
    signatures=_SIGNATURES,
)
def app_failed(case: Case) -> Iterator[Match]:
    o = unanswered(case)
    if o is not None:
        yield Match(observations=(o,), parameters=_about(case, o), signature=_signature(o))


@row(
    "app_stopped",
    speaks_for="blocked",
    weight=0.5,
    family="app",
    basis="behaviour",
    sentence="{address} took the connection, and what the app says first ({protocol}) got no answer: {failure}",
    why="a server that is up answers, and devices that read the first bytes do this; servers hang and limit too: a reason",
    signatures=_SIGNATURES,
)
def app_stopped(case: Case) -> Iterator[Match]:
    o = unanswered(case)
    if o is not None and _connected(o) and not is_another(o) and not _is_inside(case):
        yield Match(
            observations=(o,),
            parameters=_about(case, o),
            method="protocol",
            signature=_signature(o),
            where="unknown",
        )


@row(
    "app_silent",
    speaks_for="outage",
    weight=0.1,
    family="app",
    basis="behaviour",
    sentence="{address} did not answer to {protocol} at all",
    why="as tcp_timeout: nobody there, and packets that are dropped on the way, look alike; nearly nothing",
    signatures=_SIGNATURES,
)
def app_silent(case: Case) -> Iterator[Match]:
    o = unanswered(case)
    if o is not None and not _connected(o) and o.failure == "generic_timeout_error" and not is_another(o):
        yield Match(observations=(o,), parameters=_about(case, o), method="server", signature="app.timeout")


@row(
    "app_refused",
    speaks_for="outage",
    weight=0.5,
    family="app",
    basis="behaviour",
    sentence="{address} says that nobody listens on port {port} (for {protocol})",
    why="as tcp_refused: a stopped server says so, and so can anybody on the way; a reason",
    signatures=_SIGNATURES,
)
def app_refused(case: Case) -> Iterator[Match]:
    o = unanswered(case)
    if o is not None and not _connected(o) and o.failure == "connection_refused":
        yield Match(observations=(o,), parameters=_about(case, o), method="server", signature="app.refused")


@row(
    "app_prohibited",
    speaks_for="blocked",
    weight=0.5,
    family="app",
    basis="behaviour",
    sentence="{offender} on the way said that what the app sends to {address} is prohibited by its administrator",
    why="as tcp_prohibited: homes and companies filter too; a reason",
    signatures=_SIGNATURES,
)
def app_prohibited(case: Case) -> Iterator[Match]:
    o = unanswered(case)
    if o is not None and app(o).icmp_type == 3 and app(o).icmp_code in _ADMINISTRATIVE:
        parameters = _about(case, o) | {"offender": app(o).icmp_from or "somebody"}
        yield Match(observations=(o,), parameters=parameters, method="ip", signature=_signature(o), where="unknown")


@row(
    "app_other_answer",
    speaks_for="blocked",
    weight=0.5,
    family="app",
    basis="behaviour",
    sentence="what answered at {address} on port {port} does not speak {protocol}: {detail}",
    why="something in between answers in the app's place: a provider's device, or a gateway, a log-in page, a new owner of "
    "the address; a reason",
    signatures=_SIGNATURES,
)
def app_other_answer(case: Case) -> Iterator[Match]:
    o = unanswered(case)
    if o is not None and is_another(o) and not _is_inside(case):
        detail = app(o).detail or (o.failure or "").removeprefix(UNKNOWN_FAILURE)
        yield Match(
            observations=(o,),
            parameters=_about(case, o) | {"detail": detail},
            method="protocol",
            signature="app.other",
            where="unknown",
        )


@row(
    "app_failed_inside",
    speaks_for="outage",
    weight=0.8,
    family="app",
    basis="behaviour",
    sentence="the connection to {host} had a valid certificate, and what the app asked in it got no right answer: {failure}",
    why="nobody on the way can read what is asked in there: the servers behind are in trouble, or do not like this program",
    signatures=_SIGNATURES,
)
def app_failed_inside(case: Case) -> Iterator[Match]:
    o = unanswered(case)
    if o is not None and _is_inside(case):
        yield Match(
            observations=(o,),
            parameters=_about(case, o),
            method="server",
            signature=_signature(o),
            where="far_side",
        )


ROWS: tuple[Row, ...] = (
    app_answered,
    app_failed,
    app_stopped,
    app_silent,
    app_refused,
    app_prohibited,
    app_other_answer,
    app_failed_inside,
)
