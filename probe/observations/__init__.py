"""The facts: what was seen on the wire. The words for how it failed are in ``failures``, their JSON in ``as_json``.

An *operation* is one thing that an instrument did (one question, one connection, one handshake, one request) and what came
of it. An *observation* is an operation with its place in a run: its number, the endpoint it was made for, why it was
made, and which half of a pair it is. Facts are frozen; nothing in here says what they mean. That is the judge's business.

Units: times stored are UTC microseconds (``*_us``) unless the name says otherwise, durations come from the monotonic
clock. ``None`` means *not measured*; it is never zero and never "blocked".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from probe.observations.exchanges import (
    Answer,
    AppFact,
    AppTransport,
    Certificate,
    DnsFact,
    DnsTransport,
    HttpFact,
    KernelCounters,
    Mark,
    QuicFact,
    ResolverRole,
    Soa,
    TcpFact,
    TlsFact,
)
from probe.observations.probe_itself import BugFact, ClockFact, ContextFact, HostFact
from probe.observations.way import ArrivalFact, Arrived, Came, HopOf, HopScope, Network, PacketsFact, PathFact

__all__ = [
    "KINDS",
    "Answer",
    "AppFact",
    "AppTransport",
    "Arm",
    "ArrivalFact",
    "Arrived",
    "BugFact",
    "Came",
    "Certificate",
    "ClockFact",
    "ContextFact",
    "DnsFact",
    "DnsTransport",
    "Fact",
    "HopOf",
    "HopScope",
    "HostFact",
    "HttpFact",
    "KernelCounters",
    "Kind",
    "Mark",
    "Network",
    "Observation",
    "Operation",
    "PacketsFact",
    "PathFact",
    "Purpose",
    "QuicFact",
    "Recorder",
    "ResolverRole",
    "Soa",
    "TcpFact",
    "TlsFact",
]

Kind = Literal[
    "dns", "tcp", "tls", "http", "quic", "app", "path", "arrival", "packets", "host", "clock", "context", "bug"
]

Fact = (
    DnsFact
    | TcpFact
    | TlsFact
    | HttpFact
    | QuicFact
    | AppFact
    | PathFact
    | ArrivalFact
    | PacketsFact
    | HostFact
    | ClockFact
    | ContextFact
    | BugFact
)

KINDS: dict[str, type[Any]] = {
    "dns": DnsFact,
    "tcp": TcpFact,
    "tls": TlsFact,
    "http": HttpFact,
    "quic": QuicFact,
    "app": AppFact,
    "path": PathFact,
    "arrival": ArrivalFact,
    "packets": PacketsFact,
    "host": HostFact,
    "clock": ClockFact,
    "context": ContextFact,
    "bug": BugFact,
}
_KIND_OF = {cls: kind for kind, cls in KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one instrument did once, and what came of it. ``failure`` is ``None`` for success, else a df-007 name."""

    fact: Fact
    started_us: int
    duration_us: int | None = None
    failure: str | None = None
    name: str | None = None
    address: str | None = None
    port: int | None = None
    bytes_sent: int = 0
    bytes_received: int = 0

    @property
    def kind(self) -> str:
        return _KIND_OF[type(self.fact)]

    @property
    def family(self) -> Literal[4, 6] | None:
        """4 or 6, by the address that was used."""
        if self.address is None:
            return None
        return 6 if ":" in self.address else 4


Purpose = Literal[
    "context",
    "own_side",  # the probe's own network, before and after
    "baseline",  # what an ordinary user's browser does
    "cheap",  # one question, one connection and a resumed handshake, between full baselines
    "retry",  # the same again, from a fresh port
    "dns_answers",  # who says what about the name
    "neutral_pair",  # T and I at an address that serves neither
    "neutral_chain",  # T at an address that serves it not: whose certificate comes?
    "own_pair",  # T and I at the target's own address
    "path_mtu",  # small segments and a small hello
    "siblings",  # other addresses, families and ports of the name
    "neighbours",  # other names at the same network
    "behind",  # T at its own address, with packets from farther away or nearer by ignored
    "packets",  # what the packets of T's own address look like (CAP_NET_RAW)
    "residual",  # what becomes of other exchanges after T, and for how long (deep)
    "locate",  # how far T and I get, and SYNs: where on the way the difference is made
    "split",  # T whole and in pieces, at an address that serves it not (deep)
    "control",  # how a control was asked, and why it gave no answer
    "control_pair",  # T and I at a control's own sink, and what arrived of them there
    "vendor_sign",  # what the vendor itself says of an outage, by a DNS answer
    "udp_here",  # whether datagrams pass here at all, by servers that are nobody's target
    "protocol_pair",  # a protocol's packets (T) and random ones (I) at a control's echo
    "ech",  # greetings with an encrypted one inside (T) and with padding in its place (I), at places of nobody's (deep)
    "quic",  # T, I and the question for versions over QUIC: at the own address, elsewhere, and where nobody is a target
    "throttling",  # the same bytes with T and with I, timed: at addresses that serve neither, a control's sink, its own
    "late",  # what arrived after it was no longer waited for
]
Arm = Literal["target", "innocuous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An operation with its place in a run. ``(run, number)`` is its key everywhere.

    ``endpoint``: the number of the endpoint in the run, ``None`` for the own side. ``group`` ties the operations of one
    attempt or one pair together (``"neutral/1"``); ``round`` counts alternations inside it; ``hop`` counts redirects.
    ``member`` names a canary as ``family/name``.
    """

    number: int
    operation: Operation
    purpose: Purpose
    endpoint: int | None = None
    vantage: str = "local"
    arm: Arm | None = None
    group: str | None = None
    round: int | None = None
    hop: int = 0
    member: str | None = None

    @property
    def fact(self) -> Fact:
        return self.operation.fact

    @property
    def failure(self) -> str | None:
        return self.operation.failure

    @property
    def ended_us(self) -> int:
        return self.operation.started_us + (self.operation.duration_us or 0)


@dataclass(slots=True)
class Recorder:
    """Numbers the observations of one run 1, 2, 3 … and keeps them in order. Not thread-safe; one event loop."""

    observations: list[Observation] = field(default_factory=list)

    def add(
        self,
        operation: Operation,
        *,
        purpose: Purpose,
        endpoint: int | None = None,
        arm: Arm | None = None,
        group: str | None = None,
        round: int | None = None,  # noqa: A002 - the field's name
        hop: int = 0,
        member: str | None = None,
        vantage: str = "local",
    ) -> Observation:
        """Give *operation* its number and its place."""
        observation = Observation(
            number=len(self.observations) + 1,
            operation=operation,
            purpose=purpose,
            endpoint=endpoint,
            arm=arm,
            group=group,
            round=round,
            hop=hop,
            member=member,
            vantage=vantage,
        )
        self.observations.append(observation)
        return observation
