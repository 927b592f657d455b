"""One question to a resolver in flight, over whatever it goes: when it began, and what is noted of its end."""

from __future__ import annotations

from typing import Any

from probe.instruments import dns_message
from probe.instruments.dns_message import Question, Reply
from probe.observations import DnsTransport, Operation, ResolverRole
from probe.wire import Wire
from probe.wire.resolvers import Nameserver


class Asking:
    """One question in flight: where it goes, when it began, and what becomes of it."""

    def __init__(
        self, wire: Wire, server: Nameserver, question: Question, transport: DnsTransport, role: ResolverRole
    ) -> None:
        self.wire = wire
        self.question = question
        self._started = wire.monotonic()
        self._operation: dict[str, Any] = {
            "started_us": wire.now_us(),
            "name": question.qname,
            "address": server.address,
            "port": server.port,
        }
        self._fact: dict[str, Any] = {
            "transport": transport,
            "role": role,
            "resolver_is_private": server.is_private,
        }

    def elapsed_us(self) -> int:
        return round((self.wire.monotonic() - self._started) * 1e6)

    def arrived_us(self, stamp_us: int) -> int:
        """How long after the start a datagram came, by the kernel's stamp; it may be read much later than it came."""
        since = stamp_us - int(self._operation["started_us"])
        elapsed = self.elapsed_us()
        return since if 0 <= since <= elapsed else elapsed  # the wall clock may have jumped

    def left_s(self, deadline_s: float) -> float:
        return max(deadline_s - self.elapsed_us() / 1e6, 0)

    def operation(
        self, reply: Reply | None, *, failure: str | None, duration_us: int | None = None, sent: int = 0, **fact: Any
    ) -> Operation:
        return Operation(
            fact=dns_message.fact(self.question, reply, **self._fact, **fact),
            duration_us=self.elapsed_us() if duration_us is None else duration_us,
            failure=failure,
            bytes_sent=sent,
            bytes_received=reply.fields.get("reply_bytes", 0) if reply else 0,
            **self._operation,
        )

    def unaskable(self, error: ValueError) -> Operation:
        return self.operation(None, failure="dns_non_recoverable_failure", malformed=str(error))
