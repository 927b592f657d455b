"""Answers that a list of the user's (``dalel fingerprints``) knows as blocking ones. Pages are read in ``fingerprints``."""

from __future__ import annotations

from collections.abc import Iterator

from probe.verdict import answers
from probe.verdict.case import Case
from probe.verdict.facts import dns
from probe.verdict.rows import Match, Row, row

_OF_A_NETWORK = frozenset({"nat", "isp"})
"""National and provider's ones. Those of products, schools and companies may be this household's own filter."""


@row(
    "dns_listed_address",
    speaks_for="blocked",
    weight=0.7,
    family="dns_listed",
    basis="artefact",
    sentence="DNS gave {host} an answer ({addresses}) that an imported list knows as a blocking one (“{listed}”)",
    why="somebody else's list, of another time and place, and addresses change hands; a leaning, whatever the list says",
    signatures=("dns.injection.other",),
)
def dns_listed_address(case: Case) -> Iterator[Match]:
    for o in answers.main_replies(case):
        fact = dns(o)
        found = [mark for mark in fact.marks if mark.scope in _OF_A_NETWORK]
        known_false = any(mark.scope == "fp" for mark in fact.marks)
        if found and not known_false and not any(case.right(address) for address in fact.addresses):
            yield Match(
                observations=(o,),
                parameters={
                    "host": case.name,
                    "addresses": ", ".join(answer.value for answer in fact.answers),
                    "listed": found[0].name,
                },
                method="dns",
                signature="dns.injection.other",
                where="unknown",
            )


ROWS: tuple[Row, ...] = (dns_listed_address,)
