"""What makes the next handshake with the same server shorter: its ticket, and how good the proof behind it still is."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

OLDEST_PROOF_S = 86_400.0
"""How long the proof behind a ticket is good for: certificates expire, and browsers check a chain again within days."""


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
