"""What of the ledger is told to whom it is about: their own arms, under the names that they asked with. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from probe.control.ledger import Arrival
from probe.control.protocol import Arrived
from probe.observations import ArrivalFact


def told(arrivals: Iterable[Arrival], names: Collection[str], now: float) -> tuple[Arrived, ...]:
    """*arrivals* as they are handed back at *now* (the ledger's clock). Others may share the address: what came under
    another name than *names* is told without it.
    """
    asked = {name.rstrip(".").lower() for name in names}
    return tuple(Arrived(max(0, round((now - a.began) * 1e6)), _fact(a, asked)) for a in arrivals)


def _fact(arrival: Arrival, asked: Collection[str]) -> ArrivalFact:
    name = (arrival.name or "").rstrip(".").lower()
    return ArrivalFact(
        sink=arrival.kind,
        name=name if name in asked else None,
        named=bool(name) if arrival.whole else None,
        bytes=arrival.bytes,
        whole=arrival.whole,
        hello_hash=arrival.fingerprint,
        answered=arrival.answered,
        acknowledged=arrival.acknowledged,
        end=arrival.end,
        returned=arrival.returned,
        bulk=arrival.bulk,
        bulk_bytes=arrival.bulk_bytes,
        progress=tuple(arrival.progress),
    )
