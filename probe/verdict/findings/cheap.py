"""What a cheap check shows between full ones: that the site itself took up an earlier visit. It speaks for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import TlsFact
from probe.verdict.case import Case
from probe.verdict.facts import tls, verified
from probe.verdict.rows import Match, Row, row


@row(
    "ticket_accepted",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} took up the encrypted connection of an earlier visit again, as only the site itself can",
    why="only who can open the ticket ends the handshake, and its chain was verified within a day; no page is seen; the cap",
)
def ticket_accepted(case: Case) -> Iterator[Match]:
    """Every host on the way to its end, so nothing failed or was cut off; where a full check followed, that one is heard."""
    found = case.of("cheap")
    if not found or case.of("baseline"):
        return
    shaken = tuple(o for o in found if isinstance(o.fact, TlsFact))
    if {o.hop for o in shaken} == {o.hop for o in found} and all(verified(o.fact) and tls(o).resumed for o in shaken):
        yield Match(observations=shaken, parameters={"host": shaken[-1].operation.name or case.name})


ROWS: tuple[Row, ...] = (ticket_accepted,)
