"""What ``-v`` adds: one line an endpoint, what speaks against the verdict, and one line an operation. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence

from probe.observations import AppFact, ArrivalFact, DnsFact, Fact, HttpFact, Observation, PathFact, QuicFact, TlsFact
from probe.observations.as_json import fact_to_json
from probe.report import words
from probe.report.safe import safe
from probe.verdict import located, sentences
from probe.verdict.findings.located import place_of
from probe.verdict.model import EndpointResult

_FACT_LIMIT = 2000


def endpoint_line(result: EndpointResult) -> str:
    """URL, word, signature, how sure and on what basis, where, and what it cost."""
    verdict = result.verdict
    word = f"{verdict.status}/{verdict.method}" if verdict.method else verdict.status
    parts = [
        word,
        verdict.signature,
        f"probability {verdict.confidence:.3f}" if verdict.confidence is not None else None,
        words.BASES.get(verdict.basis or ""),
        words.PLACES.get(verdict.where or ""),
        f"{result.duration_us / 1e6:.2f} s, {result.bytes_sent} bytes sent, {result.bytes_received} received",
    ]
    return f"{safe(result.url)}  {' · '.join(part for part in parts if part)}"


def place_lines(result: EndpointResult, lang: str) -> Iterator[str]:
    """Where on the way it is stopped, in one sentence, where that was found out."""
    place = place_of((*result.verdict.findings, *result.verdict.against))
    if place is not None:
        yield safe(sentences.located(*located.words(place), lang))


def finding_lines(result: EndpointResult, lang: str) -> Iterator[str]:
    """What speaks for the verdict and against it, with weights: for the sceptical reader."""
    for sign, findings in (("for", result.verdict.findings), ("against", result.verdict.against)):
        for finding in findings:
            numbers = _numbers(finding.observations)
            text = safe(sentences.render(finding, lang))
            yield f"{sign} {finding.weight:+.1f} {finding.code}: {text}{f' ({numbers})' if numbers else ''}"


def _numbers(numbers: Sequence[int]) -> str:
    """``#2, #3, #7-#11``: three in a row and more are a range."""
    told: list[str] = []
    for _, group in itertools.groupby(enumerate(sorted(numbers)), key=lambda item: item[1] - item[0]):
        run = [number for _place, number in group]
        told += [f"#{run[0]}-#{run[-1]}"] if len(run) > 2 else [f"#{number}" for number in run]
    return ", ".join(told)


def gate_lines(result: EndpointResult, lang: str) -> Iterator[str]:
    """Why some evidence, or a word, did not count."""
    for code in result.verdict.gates:
        yield f"rule {code}: {safe(sentences.gate(code, lang))}"


def observation_lines(
    observations: Sequence[Observation], result: EndpointResult | None, *, everything: bool
) -> Iterator[str]:
    """The operations for one endpoint (or for the own side) in order; with *everything*, the facts too, as JSON."""
    wanted = set(result.observations) if result else {o.number for o in observations if o.endpoint is None}
    for observation in observations:
        if observation.number in wanted:
            yield _operation(observation)
            if everything:
                yield f"       {safe(json.dumps(fact_to_json(observation.fact), ensure_ascii=False), _FACT_LIMIT)}"


def _operation(observation: Observation) -> str:
    operation = observation.operation
    vantage = observation.vantage if observation.vantage != "local" else None
    place = " ".join(part for part in (vantage, observation.group, observation.arm, observation.member) if part)
    where = operation.address or ""
    if where and operation.port:
        where = f"[{where}]:{operation.port}" if ":" in where else f"{where}:{operation.port}"
    took = f"{operation.duration_us / 1000:.1f} ms" if operation.duration_us is not None else ""
    parts = [
        f"#{observation.number}",
        f"{observation.purpose}{f' ({place})' if place else ''}",
        operation.kind,
        _what(operation.fact) or (operation.name or ""),
        where,
        operation.failure or _came(operation.fact),
        took,
    ]
    return "  ".join(safe(part) for part in parts if part)


def _what(fact: Fact) -> str:
    if isinstance(fact, DnsFact):
        return f"{fact.transport} {fact.qtype} {fact.qname}"
    if isinstance(fact, TlsFact):
        return f"SNI {fact.sni}" if fact.sni else "no SNI"
    if isinstance(fact, HttpFact):
        return f"{fact.method} {fact.url}"
    if isinstance(fact, QuicFact):
        return f"SNI {fact.sni}" if fact.sni else "no SNI" if fact.exchange == "handshake" else "which versions?"
    if isinstance(fact, AppFact):
        return f"{fact.protocol} {fact.transport} {fact.sent}"
    if isinstance(fact, PathFact):
        said = {"hello": f"SNI {fact.sni}", "request": "a plain request", "syn": "SYN", "question": "a DNS question"}[
            fact.sent
        ]
        return f"TTL {fact.ttl}, {said}"
    return ""


def _came(fact: Fact) -> str:
    """What a success brought."""
    if isinstance(fact, DnsFact):
        return ", ".join(answer.value for answer in fact.answers[:6]) or "no answer"
    if isinstance(fact, TlsFact):
        verified = {True: "verified", False: "not verified", None: "not asked to verify"}[fact.verified]
        return f"{fact.version or 'ServerHello'}, {verified}"
    if isinstance(fact, HttpFact):
        return f"{fact.status}"
    if isinstance(fact, QuicFact):
        return "handshake done" if fact.completed else ", ".join(fact.versions) or "ok"
    if isinstance(fact, AppFact):
        return fact.detail or "answered in its own protocol"
    if isinstance(fact, ArrivalFact):
        return _arrived(fact)
    return "ok"


def _arrived(fact: ArrivalFact) -> str:
    """What a control says of one greeting or request."""
    if not fact.arrived or not fact.bytes:
        return "the connection arrived, and nothing in it" if fact.arrived else "nothing arrived"
    size = f"arrived ({fact.bytes} bytes)" if fact.whole else f"arrived in part ({fact.bytes} bytes)"
    return f"{size}, answered" if fact.answered else f"{size}, not answered"
