"""One DNS question over QUIC (DoQ, RFC 9250), to a server whose certificate verifies for its name. QUIC itself is aioquic's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.instruments import dns_message, quic
from probe.observations import Operation

if TYPE_CHECKING:
    from probe.instruments.dns_message import Question, Reply
    from probe.instruments.trust import Trust
    from probe.wire import Wire

PORT = 853
ALPN = ("doq",)
_ID = 0
"""RFC 9250 §4.2.1: always, for the stream tells which question an answer belongs to."""
_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """The handshake with all that was said in it, and the answer, if a whole one came."""

    operation: Operation
    reply: Reply | None


class _Asking:
    """A question on a stream of its own, with its length before it (§4.2)."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._query = dns_message.build(question, _ID)
        self._kept = bytearray()
        self.reply: Reply | None = None

    def first(self) -> bytes:
        return len(self._query).to_bytes(_LENGTH_BYTES) + self._query

    def heard(self, data: bytes, *, ended: bool) -> bool:
        self._kept += data[: _LENGTH_BYTES + 65_535 - len(self._kept)]
        size = int.from_bytes(self._kept[:_LENGTH_BYTES])
        if len(self._kept) >= _LENGTH_BYTES + size and len(self._kept) >= _LENGTH_BYTES:
            message = bytes(self._kept[_LENGTH_BYTES : _LENGTH_BYTES + size])
            self.reply = dns_message.read(message, self._question, _ID)
        return self.reply is not None or ended


async def ask(
    wire: Wire,
    address: str,
    question: Question,
    *,
    host: str,
    sni: str | None,
    trust: Trust,
    deadline_s: float,
    port: int = PORT,
    rtt_us: int | None = None,
) -> Asked | None:
    """Ask the resolver *host* at *address*; ``None`` where aioquic is not installed. ``ValueError`` for a name that cannot be
    asked.

    A stream that ended without a whole answer is a success of the handshake, and no reply.
    """
    asking = _Asking(question)
    operation = await quic.handshake(
        wire,
        address,
        port=port,
        sni=sni,
        name=host,
        alpn=ALPN,
        deadline_s=deadline_s,
        rtt_us=rtt_us,
        talk=asking,
        roots=trust.pem(),
    )
    return None if operation is None else Asked(operation, asking.reply)
