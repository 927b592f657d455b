"""Outcomes of checks made by hand, for the tests of reports."""

from __future__ import annotations

from typing import Any

from probe.observations import Answer, DnsFact, HostFact, Observation, Operation, TcpFact
from probe.report.pieces import Pieces
from probe.verdict.model import EndpointResult, NetworkVerdict, PlatformVerdict, Run, ServiceVerdict, Status, Verdict

STARTED_US = 1_795_286_632_123_456  # 2026-11-21T18:43:52.123456Z


def run(**changes: Any) -> Run:
    """A finished run."""
    fields: dict[str, Any] = {
        "id": "3f2a91c0" * 4,
        "started_us": STARTED_US,
        "finished_us": STARTED_US + 8_400_000,
        "software": "dalel 0.1.0",
        "ruleset": "1",
        "catalogue": "57af7f469eec",
        "trust": "Mozilla and the system's store",
        "profile": "full",
        "country": "KZ",
        "asn": 9198,
    }
    return Run(**fields | changes)


def verdict(status: Status, method: str | None = None, signature: str | None = None, **changes: Any) -> Verdict:
    """A verdict on endpoint 0, 93 % sure unless it is inconclusive."""
    fields: dict[str, Any] = {
        "endpoint": 0,
        "status": status,
        "method": method,
        "signature": signature,
        "confidence": None if status == "inconclusive" else 0.934,
        "basis": None if status == "inconclusive" else "contrast",
        "ruleset": "1",
    }
    return Verdict(**fields | changes)


def result(number: int, url: str, judged: Verdict, *, platform: str | None = None, **changes: Any) -> EndpointResult:
    """A result; part of *platform*, or else named as a URL."""
    fields: dict[str, Any] = {
        "number": number,
        "target": platform or url,
        "url": url,
        "platform": platform,
        "service": "web" if platform else None,
        "rule": "all-of" if platform else None,
        "profile": "full",
        "verdict": judged,
        "observations": (),
        "started_us": STARTED_US,
        "duration_us": 1_200_000,
        "bytes_sent": 2000,
        "bytes_received": 9000,
        "named_as_url": platform is None,
    }
    return EndpointResult(**fields | changes)


def platform(name: str, judged: Verdict, *numbers: int, **changes: Any) -> PlatformVerdict:
    """A platform whose word is that of *judged*."""
    fields: dict[str, Any] = {
        "platform": name,
        "status": judged.status,
        "method": judged.method,
        "confidence": judged.confidence,
        "services": (ServiceVerdict(service="web", status=judged.status, method=judged.method),),
        "endpoints": numbers,
    }
    return PlatformVerdict(**fields | changes)


def pieces(*results: EndpointResult, **changes: Any) -> Pieces:
    """A whole check with a sound network."""
    fields: dict[str, Any] = {
        "run": run(),
        "network": NetworkVerdict(status="ok"),
        "results": results,
        "platforms": (),
        "observations": (),
        "trust": "Mozilla and the system's store",
    }
    return Pieces(**fields | changes)


def observations(value: str = "192.0.2.7") -> tuple[Observation, ...]:
    """The own side (1), and a question (2) and a connection (3) of endpoint 0."""
    host = Operation(fact=HostFact(default_route_v4=True), started_us=STARTED_US)
    answer = Answer(name="example.com", rtype="A", value=value, ttl=60)
    asked = Operation(
        fact=DnsFact(transport="udp", role="system", qname="example.com", qtype="A", rcode=0, answers=(answer,)),
        started_us=STARTED_US + 1,
        duration_us=12_000,
        name="example.com",
        address="192.0.2.53",
        port=53,
        bytes_sent=29,
        bytes_received=45,
    )
    refused = Operation(
        fact=TcpFact(errno="ECONNREFUSED"),
        started_us=STARTED_US + 2,
        duration_us=40_000,
        failure="connection_refused",
        address="192.0.2.7",
        port=443,
    )
    return (
        Observation(number=1, operation=host, purpose="own_side", group="before", member="host"),
        Observation(number=2, operation=asked, purpose="baseline", endpoint=0, group="v4"),
        Observation(number=3, operation=refused, purpose="baseline", endpoint=0, group="v4"),
    )
