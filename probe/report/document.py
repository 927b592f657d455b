"""The pieces of a check as one JSON document, ``dalel.check/1`` (``probe/schema/check.json``). Pure.

Adding keys keeps ``/1``; removing or renaming one, or changing what it means, makes ``/2``. Times are RFC 3339 in UTC,
durations are seconds, sizes are bytes. ``null`` means not measured or not applicable; it is never 0 and never "blocked".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.observations import Network, Observation
from probe.observations.as_json import observation_to_json
from probe.report import cut_short, platforms
from probe.report.comparisons import comparisons, to_json
from probe.report.groups import groups
from probe.report.pieces import Pieces
from probe.report.quote import quotes
from probe.verdict import located, sentences
from probe.verdict.findings.located import place_of
from probe.verdict.model import EndpointResult, Finding, NetworkVerdict, PlatformVerdict, Run, ServiceVerdict, Verdict

SCHEMA = "dalel.check/1"
RESULT_SCHEMA = "dalel.result/1"

Json = dict[str, Any]

_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp(us: int) -> str:
    """UTC microseconds since 1970 as RFC 3339, always with microseconds and ``Z``."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def json_text(document: Json, *, indent: int | None = None) -> str:
    """*document* as JSON that is harmless on a screen: letters of any script as they are, whatever is invisible escaped.

    JSON itself escapes only C0 controls; a C1 control is a terminal escape too, and a lone surrogate is no UTF-8.
    """
    text = json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False)
    return _NOT_ASCII.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def check_document(pieces: Pieces, *, lang: str = "en") -> Json:
    """The whole document. ``results`` keep their order: the order asked."""
    run = pieces.run
    by_number = {observation.number: observation for observation in pieces.observations}
    return {
        "schema": SCHEMA,
        "run": run.id,
        "started_at": timestamp(run.started_us),
        "finished_at": timestamp(run.finished_us) if run.finished_us is not None else None,
        "interrupted": run.interrupted,
        "software": run.software,
        "catalogue": run.catalogue,
        "trust": pieces.trust,
        "network": _network(run, pieces.network, pieces.observations, lang),
        "platforms": [_platform(platform, pieces.results, lang) for platform in pieces.platforms],
        "quotes": _quotes(pieces, lang),
        "cut_short": _cut_short(pieces),
        "results": [_result(result, by_number, lang) for result in pieces.results],
    }


def result_line(run_id: str, result: EndpointResult, observations: Iterable[Observation], *, lang: str = "en") -> Json:
    """One result on its own, as ``--format jsonl`` prints it: the document's entry with its schema and its run."""
    by_number = {observation.number: observation for observation in observations}
    return {"schema": RESULT_SCHEMA, "run": run_id, **_result(result, by_number, lang)}


def _quotes(pieces: Pieces, lang: str) -> list[Json]:
    found = quotes(groups(pieces.results, pieces.platforms), pieces.run, pieces.observations, lang)
    return [{"about": quote.about, "text": quote.text} for quote in found]


def _cut_short(pieces: Pieces) -> Json | None:
    """What stayed undecided while something could not be asked about it; ``null`` where all was asked."""
    found = cut_short.results(pieces)
    return {"urls": [result.url for result in found], "text": cut_short.sentence(pieces)} if found else None


def _network(run: Run, network: NetworkVerdict, observations: Sequence[Observation], lang: str) -> Json:
    return {
        "status": network.status,
        "method": network.method,
        "asn": run.asn,
        "country": run.country,
        "clock_offset_s": _seconds(run.clock_offset_us),
        "evidence": [_finding(finding, lang) for finding in network.findings],
        "impairments": list(network.impairments),
        "observations": [_observation(o) for o in observations if o.endpoint is None],
    }


def _platform(platform: PlatformVerdict, results: Sequence[EndpointResult], lang: str) -> Json:
    urls = {result.number: result.url for result in results}
    return {
        "platform": platform.platform,
        "status": platform.status,
        "method": platform.method,
        "confidence": _probability(platform.confidence),
        "partial": platform.partial,
        "sentence": platforms.sentence(platform, lang),
        "impairments": list(platform.impairments),
        "services": [_service(service) for service in platform.services],
        "urls": [urls[number] for number in platform.endpoints if number in urls],
    }


def _service(service: ServiceVerdict) -> Json:
    return {
        "service": service.service,
        "status": service.status,
        "method": service.method,
        "rule": service.rule,
        "main": service.main,
        "working": service.working,
        "measured": service.measured,
    }


def _result(result: EndpointResult, by_number: Mapping[int, Observation], lang: str) -> Json:
    verdict = result.verdict
    return {
        "endpoint": result.number,
        "target": result.target,
        "platform": result.platform,
        "service": result.service,
        "url": result.url,
        "status": verdict.status,
        "method": verdict.method,
        "signature": verdict.signature,
        "confidence": _probability(verdict.confidence),
        "basis": verdict.basis,
        "where": verdict.where,
        "place": _place(verdict, lang),
        "profile": result.profile,
        "evidence": [_finding(finding, lang) for finding in verdict.findings],
        "against": [_finding(finding, lang) for finding in verdict.against],
        "comparisons": [to_json(one) for one in comparisons(result, by_number.values())],
        "impairments": list(verdict.impairments),
        "also": list(verdict.also),
        "gates": list(verdict.gates),
        "leaning": verdict.leaning,
        "settle": [{"code": code, "text": sentences.settle(code, lang)} for code in verdict.settle],
        "observations": [_observation(by_number[n]) for n in result.observations if n in by_number],
        "started_at": timestamp(result.started_us),
        "duration_s": _seconds(result.duration_us),
        "bytes_sent": result.bytes_sent,
        "bytes_received": result.bytes_received,
        "ruleset": verdict.ruleset,
    }


def _place(verdict: Verdict, lang: str) -> Json | None:
    """Between which hops it is, where that was found out."""
    place = place_of((*verdict.findings, *verdict.against))
    if place is None:
        return None
    code, parameters = located.words(place)
    return {
        "what": place.what,
        "manner": place.manner,
        "at": place.at,
        "after": _hop(place.after, place.after_hop, place.scopes[0], place.after_network)
        if place.is_interval
        else None,
        "before": _hop(place.before, place.before_hop, place.scopes[1], place.before_network)
        if place.before is not None
        else None,
        "distance": place.distance,
        "ways_stopped": place.ways[0],
        "ways": place.ways[1],
        "where": place.where,
        "text": sentences.located(code, parameters, lang),
    }


def _hop(number: int, address: str | None, scope: str | None, network: Network | None) -> Json:
    whose = None if network is None else {"asn": network.asn, "name": network.name, "country": network.country}
    return {"hop": number, "address": address, "scope": scope, "network": whose}


def _finding(finding: Finding, lang: str) -> Json:
    return {
        "code": finding.code,
        "for": finding.speaks_for,
        "weight": round(finding.weight, 4),
        "family": finding.family,
        "basis": finding.basis,
        "text": sentences.render(finding, lang),
        "observations": list(finding.observations),
    }


def _observation(observation: Observation) -> Json:
    flat = observation_to_json(observation)
    flat["started_at"] = timestamp(flat.pop("started_us"))
    flat["duration_s"] = _seconds(flat.pop("duration_us"))
    return flat


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / 1_000_000


def _probability(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
