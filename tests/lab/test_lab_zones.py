"""The lab's tree of zones: what each server says, and that the proofs about it can fail."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.net import RESOLVER
from tests.lab.prove_dns import denied_by, dig, sets_differ
from tests.lab.world import whole_world
from tests.lab.zone_server import Server, Tree, dnskey
from tests.lab.zones import ROOT_SERVERS, Recursion, Zone, tree, zone_of

NAME, ADDRESS = "www.example.com", "192.0.2.80"
NS1, NS2 = "192.0.2.1", "192.0.2.2"
TLD = "192.5.6.30"


def planted(**values: object) -> Tree:
    """A tree in which example.com is as *values* say."""
    return Tree(tree({NAME: (ADDRESS,)}, (Zone(name="example.com", servers=(NS1, NS2), **values),)))  # type: ignore[arg-type]


def ask(
    told: Tree, server: str, name: str = NAME, kind: str = "A", *, asker: str = RESOLVER
) -> dns.message.Message | None:
    query = dns.message.make_query(name, kind, want_dnssec=True)
    reply = told.answer(query.to_wire(), server, asker)
    return None if reply is None else dns.message.from_wire(reply)


def kinds(section: list[dns.rrset.RRset]) -> list[str]:
    return [dns.rdatatype.to_text(rrset.rdtype) for rrset in section]


def signed_rightly(reply: dns.message.Message, zone: str) -> None:
    """Every signature of the answer holds under the zone's key now; an exception otherwise."""
    keys: dict[dns.name.Name, Any] = {
        dns.name.from_text(zone or "."): dns.rrset.from_rdata(dns.name.from_text(zone or "."), 1, dnskey(zone))
    }
    rrsets = [rrset for rrset in reply.answer if rrset.rdtype != dns.rdatatype.RRSIG]
    signatures = [rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.RRSIG]
    for rrset, signature in zip(rrsets, signatures, strict=True):
        dns.dnssec.validate(rrset, signature, keys)


def test_names_belong_to_what_their_owner_registered():
    """Two labels, three below a country's usual second level."""
    assert [zone_of(name) for name in ("www.facebook.com", "www.ox.ac.uk", "t.me", "a.b.vk.com")] == [
        "facebook.com", "ox.ac.uk", "t.me", "vk.com",
    ]  # fmt: skip


def test_root_and_registry_refer_downwards():
    """No answer and no AA, but the next zone's servers with their addresses; an unsigned one is proven to be that."""
    for server, zone, near in ((ROOT_SERVERS[0], "com.", TLD), (TLD, "example.com.", NS1)):
        reply = ask(planted(), server)
        assert reply is not None
        assert not reply.answer
        assert not reply.flags & dns.flags.AA
        assert reply.authority[0].name.to_text() == zone
        assert near in {rdata.to_text() for rrset in reply.additional for rdata in rrset}
        last = kinds(reply.authority)
    assert last == ["NS", "NSEC", "RRSIG"]


def test_a_signed_zone_answers_with_signatures_that_hold():
    """Under its key, which its parent vouches for; expired ones do not hold, and another key's DS is not the key's."""
    reply, parent = ask(planted(signed=True), NS1), ask(planted(signed=True), TLD, "example.com", "DS")
    assert reply is not None
    assert parent is not None
    signed_rightly(reply, "example.com")
    signed_rightly(parent, "com")
    expired, bogus = (
        ask(planted(signed=True, fault="expired"), NS1),
        ask(planted(signed=True, fault="bogus_ds"), TLD, "example.com", "DS"),
    )
    assert expired is not None
    assert bogus is not None
    with pytest.raises(dns.exception.DNSException, match="no RRSIGs validated"):
        signed_rightly(expired, "example.com")
    assert bogus.answer[0] != parent.answer[0]


def test_a_denial_bears_its_zone():
    """RFC 2308: the registry's SOA for a domain that is not there, the zone's for a name that is not."""
    gone, missing = ask(planted(absent=True), TLD), ask(planted(), NS1, "no.example.com")
    for reply, zone in ((gone, "com."), (missing, "example.com.")):
        assert reply is not None
        assert (reply.rcode(), reply.authority[0].name.to_text()) == (dns.rcode.NXDOMAIN, zone)
        assert kinds(reply.authority)[0] == "SOA"


def test_servers_in_trouble():
    """Dead: silence. Lame: REFUSED. Deaf to one asker: silence to that one."""
    assert ask(planted(dead=(NS1,)), NS1) is None
    assert ask(planted(dead=(NS1,)), NS2) is not None
    lame = ask(planted(fault="lame"), NS1)
    assert lame is not None
    assert lame.rcode() == dns.rcode.REFUSED
    assert ask(planted(deaf_to=(RESOLVER,)), NS1) is None
    assert ask(planted(deaf_to=(RESOLVER,)), NS1, asker="8.8.8.8") is not None


def test_zones_with_manners():
    """A wildcard, an address by asker, a denial by asker, one address at a time."""
    records = (("*.example.com", "A", 60, (ADDRESS,)),)
    some = planted(records=records, tailored={NAME: {RESOLVER: (), "8.8.8.8": ("192.0.2.9",)}})
    said = [ask(some, NS1, "x.example.com"), ask(some, NS1, asker="8.8.8.8"), ask(some, NS1)]
    assert [[r.to_text() for rrset in reply.answer for r in rrset] for reply in said if reply] == [
        [ADDRESS],
        ["192.0.2.9"],
        [],
    ]
    many = planted(rotate=True, records=((NAME, "A", 60, ("192.0.2.7", "192.0.2.8")),))
    assert len({ask(many, NS1).answer[0].to_text() for _ in range(2)}) == 2  # type: ignore[union-attr]


def test_chains_go_on_within_a_zone_only():
    """The target in the same zone comes with the alias; one in another zone has to be asked for there."""
    records = (("a.example.com", "CNAME", 60, (NAME,)), ("b.example.com", "CNAME", 60, ("x.example.net",)))
    here, there = (ask(planted(records=records), NS1, name) for name in ("a.example.com", "b.example.com"))
    assert here is not None
    assert there is not None
    assert (kinds(here.answer), kinds(there.answer)) == (["CNAME", "A"], ["CNAME"])


def test_phases_follow_each_other():
    """What was true while the provider's resolver learnt is not any more; the last phase stays."""
    phases = [
        tree({NAME: (ADDRESS,)}, (Zone(name="example.com", servers=(NS1, NS2), absent=gone),)) for gone in (True, False)
    ]
    server = Server({"phases": phases, "control": 0})
    assert ask(server.tree, TLD).rcode() == dns.rcode.NXDOMAIN  # type: ignore[union-attr]
    server.turn()
    server.turn()
    assert ask(server.tree, TLD).rcode() == dns.rcode.NOERROR  # type: ignore[union-attr]


def test_garbage_is_not_answered():
    """Bytes that are no question."""
    assert planted().answer(b"\0" * 11, NS1, RESOLVER) is None
    assert planted().answer(b"\0" * 12, NS1, RESOLVER) is None


def test_proofs_can_fail():
    """In a healthy tree a name is not denied, an answer is not signed when the zone is not, and sets do not rotate."""
    zone = Zone(name="facebook.com", servers=("129.134.30.12", "185.89.218.12"))
    with Lab(dataclasses.replace(whole_world(), recursion=Recursion(zones=(zone,)))) as lab:
        started = time.monotonic()
        dig("www.facebook.com", None, has=("flags: qr rd ra;",), lacks=(" aa",))(lab)
        for proof in (
            denied_by("com", "www.facebook.com"),
            dig("www.facebook.com", None, has=(" ad;",)),
            dig("www.facebook.com", "8.8.8.8", lacks=("NOERROR",)),
            sets_differ("www.facebook.com", of=2),
        ):
            with pytest.raises(LabError, match="does not do what it says"):
                proof(lab)
        assert time.monotonic() - started < 30
