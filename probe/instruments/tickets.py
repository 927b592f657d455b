"""What makes the next handshake with the same server shorter: its ticket, and how good the proof behind it still is."""

from __future__ import annotations

import ssl
import sys
from dataclasses import dataclass, replace

OLDEST_PROOF_S = 86_400.0
"""How long the proof behind a ticket is good for: certificates expire, and browsers check a chain again within days."""


def loses_memory(version: tuple[int, int, int]) -> bool:
    """Whether this Python loses some 6 KB for good whenever a connection is asked for its session (cpython issue 116810):
    from 3.10 until 3.12.8 and 3.13.1. An hour of watching is two hundred connections.
    """
    return (3, 10) <= version < (3, 12, 8) or version == (3, 13, 0)


LOSES_MEMORY = loses_memory(sys.version_info[:3])


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a server gave for a shorter handshake next time (RFC 8446 §4.6.1, RFC 5077), after a chain that verified.

    ``given`` and ``proven`` are moments of the wire's monotonic clock: when this ticket came, and when the chain behind it was
    last shown and verified. OpenSSL takes a session back in the context that it was made in, and in no other.
    """

    session: ssl.SSLSession
    context: ssl.SSLContext
    host: str
    given: float
    proven: float

    def is_fresh(self, now: float) -> bool:
        """Whether it is worth offering at the moment *now*: not past its server's own limit, nor a day after the proof."""
        hint = self.session.ticket_lifetime_hint
        return now - self.proven < OLDEST_PROOF_S and (not hint or now - self.given < hint)


def given(connection: ssl.SSLObject, host: str, now: float, proven: float) -> Ticket | None:
    """The ticket that came on *connection*, if one did, at the moment *now*; its chain was verified at *proven*."""
    session = connection.session
    if session is None:
        return None
    # TLS 1.2 also knows sessions without a ticket, which the server keeps itself (RFC 5246 §7.3).
    if not session.has_ticket and not (session.id and connection.version() == "TLSv1.2"):
        return None
    return Ticket(session, connection.context, host, now, proven)


def again(connection: ssl.SSLObject, ticket: Ticket, proven: float) -> Ticket | None:
    """*ticket* for one more time, after *connection* has proven its server anew; ``None`` if it belongs to another context."""
    return replace(ticket, proven=proven) if ticket.context is connection.context else None
