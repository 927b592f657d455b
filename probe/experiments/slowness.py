"""Whether a baseline was slow, or stopped midway, by what an ordinary line does: reason enough to compare, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from probe.observations import HttpFact, KernelCounters, Operation, TlsFact

if TYPE_CHECKING:
    from probe.experiments.site import Site

_LEAST_BYTES = 16_384
"""Of a body that says anything of speed: less comes in one round trip, or out of a policer's burst."""
_SOME_BYTES = 1_000
"""More than a ticket and what else comes before an answer."""
_SLOW_RATE = 80_000
"""Bytes a second: more than the policers that are known allow (100 to 400 kbit/s), less than video needs."""
_ROUND_TRIPS = 6
"""In which 64 KB come on a line that is not the limit (RFC 6928: ten segments at first, then twice as many each time)."""
_TIMEOUT = "generic_timeout_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """What was slow about which host: its ``greeting``, the ``bytes`` of its page, or that the page ``stopped``.

    ``handshake_s``: how long its handshake took.
    """

    kind: Literal["greeting", "bytes", "stopped"]
    host: str
    url: str
    handshake_s: float


def slowness(site: Site) -> Slow | None:
    """What of the endpoint's baseline was slow; with ``--deep`` also one page of the run that was not. Encrypted pages only."""
    mine = [
        o.operation for o in site.session.recorder.observations if o.endpoint == site.number and o.purpose == "baseline"
    ]
    shaken = {o.name: (o.duration_us or 0) / 1e6 for o in mine if isinstance(o.fact, TlsFact)}
    found: list[Slow] = []
    for operation in mine:
        kind = _kind(site, operation)
        if kind is not None and operation.name is not None:
            url = operation.fact.url if isinstance(operation.fact, HttpFact) else f"https://{operation.name}/"
            found.append(Slow(kind=kind, host=operation.name, url=url, handshake_s=shaken.get(operation.name, 0.0)))
    # What says most: a page that stopped, then one that came slowly.
    order = ("stopped", "bytes", "greeting")
    return min(found, key=lambda slow: order.index(slow.kind), default=None) or _deep(site, mine, shaken)


def _kind(site: Site, operation: Operation) -> Literal["greeting", "bytes", "stopped"] | None:
    fact = operation.fact
    if isinstance(fact, TlsFact):
        if operation.failure == _TIMEOUT:
            return "bytes" if fact.server_hello else None
        late = operation.failure is None and (operation.duration_us or 0) / 1e6 > _patience_s(site)
        return "greeting" if late else None
    if not isinstance(fact, HttpFact) or not fact.verified_chain:
        return None
    # Of an encrypted record that is not whole nobody sees anything but that bytes came.
    if operation.failure == _TIMEOUT and operation.bytes_received >= _SOME_BYTES:
        return "stopped"
    return "bytes" if operation.failure is None and _crawled(site, fact) else None


def _patience_s(site: Site) -> float:
    """What a greeting may take here: less than silence may before it is suspicious, for comparing greetings costs little."""
    return max(site.settings.deadlines.suspicion_floor, 4 * (site.rtt_us or 0) / 1e6, 2 * site.session.ordinary_s())


def _crawled(site: Site, fact: HttpFact) -> bool:
    """Whether the body took long, for its bytes and for the way there."""
    if not fact.progress or fact.first_byte_us is None:
        return False
    kernel = fact.kernel or KernelCounters()
    # A connection may have been long in coming for reasons of its own: one lost packet, a busy machine.
    rtt_us = min((rtt for rtt in (site.rtt_us, kernel.min_rtt_us) if rtt), default=0)
    last_us, count = fact.progress[-1]
    # Where packets were dropped, all waits for the first one that is missing, and then comes at once: time runs from the
    # request, or a policer looks like a server that thinks for a moment.
    took_s = (last_us - (rtt_us if kernel.rcv_ooopack else fact.first_byte_us)) / 1e6
    floor_s = 0.8 * site.settings.deadlines.suspicion_floor
    least_s = max(floor_s, _ROUND_TRIPS * rtt_us / 1e6)
    return count >= _LEAST_BYTES and took_s > least_s and count / took_s < _SLOW_RATE


def _deep(site: Site, mine: list[Operation], shaken: dict[str | None, float]) -> Slow | None:
    pages = [o for o in mine if isinstance(o.fact, HttpFact) and o.fact.verified_chain and o.failure is None]
    if not site.settings.deep or not pages or site.session.deep.setdefault("throttling", site.number) != site.number:
        return None
    last = pages[-1]
    assert isinstance(last.fact, HttpFact)
    return Slow(kind="bytes", host=last.name or site.host, url=last.fact.url, handshake_s=shaken.get(last.name, 0.0))
