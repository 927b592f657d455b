"""The words of a judgement, and the frozen types that carry it. See ARCHITECTURE.md, "The words"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Status = Literal["accessible", "blocked", "denied", "outage", "no_network", "inconclusive"]
Basis = Literal["artefact", "contrast", "control", "history", "behaviour"]
Where = Literal["host", "lan", "access", "transit", "far_side", "unknown"]

STATUSES: tuple[Status, ...] = get_args(Status)
DEFINITE: tuple[Status, ...] = ("accessible", "blocked", "denied", "outage", "no_network")
BASES: tuple[Basis, ...] = get_args(Basis)
"""Strongest first."""

METHODS: dict[Status, frozenset[str]] = {
    "accessible": frozenset(),
    "blocked": frozenset({"dns", "ip", "tls", "http", "quic", "protocol", "mitm", "throttling"}),
    "denied": frozenset({"geo", "legal", "antibot", "ratelimit"}),
    "outage": frozenset({"dns", "server", "certificate", "http", "route"}),
    "no_network": frozenset(
        {
            "link",
            "upstream",
            "resolver",
            "filter",
            "captive_portal",
            "clock",
            "international",
            "whitelist",
            "shutdown",
        }
    ),
    "inconclusive": frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One piece of evidence: a row of the evidence table and the observations that matched it.

    ``speaks_for`` is a status; a negative ``weight`` (log10 likelihood ratio, |weight| ≤ 2) speaks against it. Findings
    of one ``family`` count once, the strongest. ``parameters`` fill the sentence, which is rendered in the reader's
    language; they are plain JSON values. ``method``, ``signature`` and ``where`` are what the verdict gets if this
    finding decides it.
    """

    code: str
    speaks_for: Status
    weight: float
    family: str
    basis: Basis
    observations: tuple[int, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    method: str | None = None
    signature: str | None = None
    where: Where | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One word about one endpoint, from one network, at one moment, and all that speaks for and against it.

    ``confidence`` is the probability that ``status`` is right; ``None`` when inconclusive. ``leaning`` (a status) and
    ``settle`` (codes of what would settle it) are given only then. ``impairments`` are codes of what is broken without
    keeping the user out. ``horizon`` is the highest observation number that the judge could see: judging the same facts
    up to there again gives the same verdict.
    """

    endpoint: int
    status: Status
    method: str | None = None
    signature: str | None = None
    confidence: float | None = None
    basis: Basis | None = None
    where: Where | None = None
    findings: tuple[Finding, ...] = ()
    against: tuple[Finding, ...] = ()
    impairments: tuple[str, ...] = ()
    leaning: Status | None = None
    settle: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    horizon: int = 0
    ruleset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkVerdict:
    """The state of the probe's own side in one run: ``ok`` or a ``no_network`` method, and why."""

    status: Literal["ok", "no_network", "inconclusive"]
    method: str | None = None
    findings: tuple[Finding, ...] = ()
    impairments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceVerdict:
    """One word for a part of a platform, and what it is made of.

    ``method``: the commonest of the members that have the word. ``working``: how many of the ``measured`` members are
    accessible. ``main``: the platform stands or falls with it. ``centres``: of Telegram's data centres, how many answer on
    some port, and how many were asked; ``None`` of everything else.
    """

    service: str
    status: Status
    method: str | None = None
    rule: str = "each"
    working: int = 0
    measured: int = 1
    main: bool = False
    centres: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformVerdict:
    """One word for a platform, rolled up from its services by their rules; ``services`` has a word for each.

    ``title``: its English name. ``impairments``: ``NAME_STATUS`` of services that do not work beside a main one that does
    (``web_blocked``). ``missing``: the main service, where nothing of it was measured. ``endpoints``: numbers of the
    results that it is made of; ``deciding``: of those that have its word, in services that have it. ``partial``: not all
    that the catalogue has was measured.
    """

    platform: str
    status: Status
    method: str | None = None
    confidence: float | None = None
    services: tuple[ServiceVerdict, ...] = ()
    endpoints: tuple[int, ...] = ()
    deciding: tuple[int, ...] = ()
    impairments: tuple[str, ...] = ()
    title: str | None = None
    missing: str | None = None
    partial: bool = False


# ---------------------------------------------------------------------------------------------------------------------
# what a run hands over


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one probe. ``id`` is 32 lower-case hex digits; times are UTC microseconds."""

    id: str
    started_us: int
    software: str
    ruleset: str
    catalogue: str
    trust: str
    profile: str
    country: str | None = None
    asn: int | None = None
    clock_offset_us: int | None = None
    finished_us: int | None = None
    network_status: str | None = None
    network_method: str | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointResult:
    """What was measured of one endpoint and the verdict on it. ``observations`` are numbers in the run."""

    number: int
    target: str
    url: str
    platform: str | None
    service: str | None
    rule: str | None
    profile: str
    verdict: Verdict
    observations: tuple[int, ...]
    started_us: int
    duration_us: int
    bytes_sent: int
    bytes_received: int
    named_as_url: bool = False
