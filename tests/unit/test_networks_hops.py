"""Whose the routers on the way are: noted with the fact, told beside the address, and never needed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from probe.experiments.owners import named
from probe.observations import Network, Operation, PathFact, TcpFact
from probe.observations.as_json import fact_from_json, fact_to_json
from probe.report.details import place_lines
from probe.report.document import check_document
from probe.verdict import located
from probe.verdict.findings.located import place_of
from probe.verdict.located import Hop, Located, from_parameters, where_of
from targets.networks import load, write
from targets.networks_tables import read_tsv
from tests.unit import pieces as made
from tests.unit.facts import Facts
from tests.unit.verdict_scenarios_located import HOPS, blocked_and_followed

ROWS = "92.46.0.0\t92.47.255.255\t9198\tKZ\tKAZTELECOM-AS\n213.248.64.0\t213.248.127.255\t1299\tSE\tTWELVE99\n"
KAZTELECOM = Network(asn=9198, name="KAZTELECOM-AS", country="KZ")
TWELVE99 = Network(asn=1299, name="TWELVE99", country="SE")


def spoke(hop: str | None) -> Operation:
    return Operation(fact=PathFact(sent="syn", ttl=3, came="icmp", hop=hop, hop_is="public"), started_us=1)


def followed() -> Facts:
    """A name that is stopped between the provider and those behind it, its routers named by a table."""
    facts = blocked_and_followed(device=3)
    owners = {HOPS[1]: KAZTELECOM, HOPS[2]: KAZTELECOM, HOPS[3]: TWELVE99}
    for number, o in enumerate(facts.observations):
        if isinstance(o.fact, PathFact) and o.fact.hop in owners:
            fact = dataclasses.replace(o.fact, network=owners[o.fact.hop])
            facts.observations[number] = dataclasses.replace(o, operation=dataclasses.replace(o.operation, fact=fact))
    return facts


def test_a_router_that_spoke_is_named_by_the_users_table(tmp_path: Path) -> None:
    """Where its address is kept and a table has it; everything else stays as it was."""
    write("v4", read_tsv(ROWS.encode()).stretches["v4"], tmp_path, origin="a.tsv", imported="2026-11-22")
    atlas = load(tmp_path)
    fact = named(spoke("213.248.97.5"), atlas).fact
    assert isinstance(fact, PathFact)
    assert fact.network == TWELVE99
    assert fact_from_json("path", json.loads(json.dumps(fact_to_json(fact)))) == fact
    for left in (spoke("62.115.44.1"), spoke(None), Operation(fact=TcpFact(icmp_from="213.248.97.5"), started_us=1)):
        assert named(left, atlas) is left
    assert named(spoke("213.248.97.5"), None).fact == spoke("213.248.97.5").fact


def test_a_place_tells_whose_its_routers_are() -> None:
    """In the sentence, in the document, and in what is stored of the finding."""
    result = made.result(0, "https://www.facebook.com/", followed().verdict())
    (line,) = place_lines(result, "en")
    between = f"between router 3 ({HOPS[2]}, AS9198 KAZTELECOM-AS) and router 4 ({HOPS[3]}, AS1299 TWELVE99)"
    assert between in line
    place = place_of(result.verdict.findings)
    assert place is not None
    assert (place.after_network, place.before_network) == (KAZTELECOM, TWELVE99)
    stored = json.loads(json.dumps(place.parameters()))
    assert from_parameters(stored) == dataclasses.replace(place, observations=())
    entry = check_document(made.pieces(result))["results"][0]
    assert entry["place"]["before"]["network"] == {"asn": 1299, "name": "TWELVE99", "country": "SE"}


def test_what_was_stored_before_there_were_tables_is_still_a_place() -> None:
    """Old verdicts keep their interval; nothing is known of whose it is."""
    found = Located("greeting", "dropped", "192.0.2.1", 2, 3, 6, after_hop=HOPS[1], before_hop=HOPS[2], ways=(2, 2))
    old = {key: value for key, value in found.parameters().items() if not key.endswith("_network")}
    assert from_parameters(old) == found
    assert located.words(found)[1]["after_network"] is None


def test_a_table_tells_a_provider_whose_addresses_lie_apart() -> None:
    """Two addresses that look unrelated are one provider's if the table has one number for both."""
    far = Hop("178.88.1.1", "public", KAZTELECOM)
    hops = {1: Hop(None, "gateway"), 2: Hop(HOPS[1], "public", KAZTELECOM), 3: far}
    hops[4] = Hop(HOPS[3], "public", TWELVE99)
    assert where_of(2, 3, 6, hops, acts=False) == "access"
    nameless = {ttl: dataclasses.replace(hop, network=None) for ttl, hop in hops.items()}
    assert where_of(2, 3, 6, nameless, acts=False) == "unknown"
