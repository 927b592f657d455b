"""Whose the routers on the way are, by the user's own table, noted where they spoke: a fact of the run, for the judge to read.

Addresses change hands, so the table of that day is the right one, and old facts can be judged again when it has gone. The
run's context keeps the version. Nobody else is ever asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from probe.observations import Network, Operation, PathFact

if TYPE_CHECKING:
    from targets.networks import Atlas


def named(operation: Operation, atlas: Atlas | None) -> Operation:
    """*operation* with the network of the router that spoke; as it is where there is no table, or no address that is kept."""
    fact = operation.fact
    if atlas is None or not isinstance(fact, PathFact) or fact.hop is None:
        return operation
    owner = atlas.owner_of(fact.hop)
    if owner is None:
        return operation
    network = Network(asn=owner.asn, name=owner.name, country=owner.country)
    return replace(operation, fact=replace(fact, network=network))
