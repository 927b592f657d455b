"""What ``-v`` says of a QUIC exchange: one line, in the words of the other lines."""

import pytest

from probe.observations import Observation, Operation, QuicFact
from probe.report.details import observation_lines


def line(fact: QuicFact, failure: str | None = None) -> str:
    operation = Operation(fact=fact, started_us=0, failure=failure, address="192.0.2.1", port=443)
    (told,) = observation_lines(
        [Observation(number=1, operation=operation, purpose="own_side")], None, everything=False
    )
    return told


@pytest.mark.parametrize(
    ("fact", "failure", "words"),
    [
        (QuicFact(exchange="handshake", sni="x.example", completed=True), None, "SNI x.example  192.0.2.1:443  handshake done"),
        (QuicFact(exchange="handshake"), "generic_timeout_error", "no SNI  192.0.2.1:443  generic_timeout_error"),
        (QuicFact(exchange="ping", versions=("00000001", "6b3343cf")), None, "192.0.2.1:443  00000001, 6b3343cf"),
        (QuicFact(exchange="ping"), "connection_refused", "which versions?  192.0.2.1:443  connection_refused"),
    ],
)  # fmt: skip
def test_an_exchange_is_one_line(fact, failure, words):
    """Its kind, what was sent, where to, and what came of it."""
    assert "  quic  " in line(fact, failure)
    assert words in line(fact, failure)
