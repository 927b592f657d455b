"""The platforms' own troubles below their pages: names, addresses, connections and greetings. The half that is held out.

Written without knowledge of the judge, from what has happened to sites and what stands in front of them. None of these rows
is a block. ``inconclusive`` is acceptable where one network cannot tell the site's own end from somebody between. What the
sites say in their pages is in ``scenarios_unseen_pages.py``, blocks that pass for troubles in ``scenarios_unseen_disguised.py``.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.lab import guards_sites as guards
from tests.lab import prove, rules
from tests.lab.censor import During
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import ANY_OUTAGE, FACEBOOK, OTHER, SITES, Scenario, Words
from tests.lab.world import Front, Nameserver, Says, Site, World

if TYPE_CHECKING:
    from tests.lab.lab import Lab

MANNERS = "tests.lab.manners_sites"
ACCESSIBLE = (Words("accessible"),)
UNSURE = (*ACCESSIBLE, Words("inconclusive"))
BY_CHANCE = (*ACCESSIBLE, *ANY_OUTAGE)
"""Works for one visit and not for the next."""
OWN_WORD = (Words("outage", "http"),)
_CODES = {"accessible": 0, "blocked": 1, "outage": 1, "denied": 1, "inconclusive": 3}
NOBODY = "4.36.66.178"
_STRANGER = "www.nobelprize.org"

Make = Callable[[str], dict[str, Any]]


def about(name: str, tells: str, make: Make, **values: Any) -> Scenario:
    """A row about Facebook's site, or about whichever one the seed draws: *make* gives its fields for a site."""

    def build(site: str) -> Scenario:
        fields: dict[str, Any] = {"check": (f"https://{site}/",), "sound": (OTHER,), "acceptable": ANY_OUTAGE}
        fields |= {**values, **make(site)}
        codes = tuple(sorted({_CODES[words.status] for words in fields["acceptable"]}))
        return Scenario(name=name, tells=tells, **{"exit_codes": codes, **fields})

    return dataclasses.replace(build(FACEBOOK), draw=lambda source: build(source.choice(SITES)))


def add(*sites: Site, **values: Any) -> Callable[[World], World]:
    """The world with more sites, or other values."""
    return lambda world: dataclasses.replace(world, sites={**world.sites, **{s.name: s for s in sites}}, **values)


def changed(site: str, **values: Any) -> Callable[[World], World]:
    return lambda world: world.change(site, **values)


def both(*steps: Callable[[World], World]) -> Callable[[World], World]:
    def make(world: World) -> World:
        for step in steps:
            world = step(world)
        return world

    return make


def mannered(other: str) -> Front:
    """A front end on port 443 with one of the words of ``manners_sites.py``, whatever the name."""
    return Front(other=other, by=MANNERS)


def at(site: str, *ports: int) -> Callable[[World], When]:
    """TCP packets to and from the site."""
    return lambda world: When(protocol=TCP, ports=ports, remote=(world.sites[site].address + "/32",))


def guarded(site: str, rule: type[Rule], **values: Any) -> Callable[[World], tuple[Rule, ...]]:
    """The site's own address behind such a rule, at the far end."""
    return lambda world: (rule(when=at(site)(world), place="far", **values),)


def fresh(proof: Proof) -> Proof:
    """A proof that uses up what a rule counts: afterwards the rules begin anew."""

    def proven(lab: Lab) -> None:
        proof(lab)
        lab.net.renew_rules()

    return proven


def after(seconds: float, *proofs: Proof) -> Proof:
    """The proofs, so long after the one before began to be asked."""

    def proven(lab: Lab) -> None:
        time.sleep(seconds)
        for proof in proofs:
            proof(lab)

    return proven


def greets(site: str, *options: str, words: str = "BEGIN CERTIFICATE") -> Proof:
    """openssl with these options gets this far with the site."""
    command = f"timeout 3 openssl s_client -connect {{{site}}}:443 -servername {site} {' '.join(options)} </dev/null"
    return prove.says(words, "sh", "-c", command)


def _of(site: str) -> str:
    return f"https://{site}/"


# ---------------------------------------------------------------------------------------------------------------------
# names and ways

_COMPANY = ("facebook.com", "fbcdn.net", "instagram.com", "whatsapp.com", "whatsapp.net")
_SERVICES = ("facebook", "instagram", "whatsapp")


def _withdrawn(*, remembered: bool) -> Callable[[World], World]:
    def make(world: World) -> World:
        gone = {name: "servfail" for name in world.records() if name.endswith(_COMPANY)}
        return dataclasses.replace(world, lies={} if remembered else gone, abroad=gone)

    return make


def _unrouted(_world: World) -> tuple[Rule, ...]:
    return (rules.Unreachable(when=When(remote=("157.240.0.0/16",)), place="far", code=0, offender="80.239.128.9"),)


_NO_WAY = prove.says("", "curl", "-sSk", "-m", "4", f"https://{{{FACEBOOK}}}/", code=7)
_WITHDRAWN: dict[str, Any] = {
    "check": _SERVICES,
    "sound": (OTHER,),
    "acceptable": ANY_OUTAGE,
    "exit_codes": (1, 3),
    "rules": _unrouted,
}

# Facebook, 4 October 2021: a command took the backbone down, and with it the routes to the company's name servers.
COMPANIES = (
    Scenario(name="withdrawn_from_the_internet", tells="a whole company is gone: its zones fail everywhere, and there is no route to its network",
             world=_withdrawn(remembered=False), proofs=(prove.answers(FACEBOOK, "SERVFAIL"), prove.answers("www.instagram.com", "SERVFAIL", "9.9.9.9"), _NO_WAY), **_WITHDRAWN),
    Scenario(name="withdrawn_and_remembered_here", tells="the same, and the provider's resolver still has the addresses, to which there is no route",
             world=_withdrawn(remembered=True), proofs=(prove.answers(FACEBOOK, "SERVFAIL", "8.8.8.8"), prove.fails(_of(FACEBOOK), prove.UNCONNECTED)),
             control=(prove.answers(FACEBOOK, "SERVFAIL", "8.8.8.8"),), **_WITHDRAWN),
)  # fmt: skip


def _signature_expired(site: str) -> dict[str, Any]:
    world = add(abroad={site: "servfail"})
    fails = prove.answers(site, "SERVFAIL", "8.8.8.8")
    return {"world": world, "proofs": (fails, prove.page(_of(site))), "control": (fails,)}


def _private_for_all(site: str) -> dict[str, Any]:
    said = {site: "10.12.0.7"}
    proofs = (prove.answers(site, "10.12.0.7"), prove.answers(site, "10.12.0.7", "9.9.9.9"))
    return {"world": add(lies=said, abroad=said), "proofs": proofs, "acceptable": (Words("outage", "dns"), Words("inconclusive"))}  # fmt: skip


def _flaps(site: str) -> dict[str, Any]:
    def make(world: World) -> World:
        live = world.sites[site].address
        server = Nameserver(address=RESOLVER, says={site: Says(addresses=(live, NOBODY), rotate=True)})
        return dataclasses.replace(world, resolver_runs=False, nameservers=(server,), abroad={site: f"{NOBODY},{live}"})

    return {"world": make, "proofs": (prove.rotates(site, of=2), prove.says(NOBODY, "dig", "+short", "@8.8.8.8", site))}


_SUSPENDED, _TUNNELBEAR = "138.201.77.7", "www.tunnelbear.com"


def _suspended(site: str) -> dict[str, Any]:
    said = {site: _SUSPENDED, _TUNNELBEAR: _SUSPENDED}
    stands = Site(name="suspended.registrar.example", address=_SUSPENDED, https="location / { return 200 'This domain is suspended: its owner has not confirmed who he is.'; }")  # fmt: skip
    proofs = (
        prove.answers(site, _SUSPENDED), prove.answers(_TUNNELBEAR, _SUSPENDED, "9.9.9.9"),
        prove.certificate_error(_of(site), "no alternative certificate subject name"),
    )  # fmt: skip
    return {"world": add(stands, lies=said, abroad=said), "proofs": proofs, "check": (_of(site), _of(_TUNNELBEAR))}


def _pop_503(site: str) -> dict[str, Any]:
    down = "location / { default_type text/html; return 503 '<title>503 Backend fetch failed</title>Guru Meditation: XID: 1839'; }"
    return {"world": changed(site, https=down), "elsewhere": changed(site, https=""), "proofs": (prove.page(_of(site), 503),), "acceptable": OWN_WORD}  # fmt: skip


def _pop_silent(site: str) -> dict[str, Any]:
    proofs = (prove.truth(site), prove.fails(_of(site), prove.SILENT), prove.connects(site, low=8, high=8, of=8))
    return {"world": changed(site, front=Front(other="silent", plain="silent")), "elsewhere": changed(site, front=None), "proofs": proofs, "unproven_abroad": "one lab has one machine at an address"}  # fmt: skip


def _many_503(site: str) -> dict[str, Any]:
    names = (site, _TUNNELBEAR, "meduza.io")
    down = "location / { default_type text/html; add_header X-Served-By cache-fra19171-FRA always; return 503 '<title>503 Service Unavailable</title><h1>Error 503 Service Unavailable</h1><hr><p>Varnish cache server</p>'; }"  # fmt: skip
    urls = tuple(map(_of, names))
    return {"world": lambda world: world.change(*names, https=down), "check": urls, "proofs": tuple(prove.page(url, 503) for url in urls), "acceptable": OWN_WORD}  # fmt: skip


NAMES = (
    # Resolvers abroad validate, the provider's does not: an ordinary visitor on this network notices nothing.
    about("zone_signature_expired", "the zone's signatures have run out: resolvers that look at them fail, the provider's does not look", _signature_expired, acceptable=ACCESSIBLE),
    about("zone_says_private_for_all", "the owner has put an inner address of his own into the zone, and everybody's resolver says so", _private_for_all),
    about("name_flaps_to_a_dead_address", "the zone gives the true address and one where nobody lives by turns, for no time at all", _flaps, acceptable=BY_CHANCE),
    about("registrar_suspends_two_names", "a registrar has sent two unrelated names, whose owners did not confirm who they are, to one server of its own, for everybody", _suspended),
    about("nearest_copy_says_503", "an anycast network's nearest place answers 503 over its own certificate; every other place is well", _pop_503),
    # One network sees that nobody greets, and not where.
    about("nearest_copy_takes_and_hangs", "an anycast network's nearest place takes connections and says nothing; every other place is well", _pop_silent),
    # Fastly, 8 June 2021.
    about("content_network_503_for_many", "a content network answers 503 for three unrelated sites", _many_503),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# connections


def _first_syn(*, challenge: bool) -> Make:
    def make(site: str) -> dict[str, Any]:
        # Linux says RST to the wrong acknowledgement and goes on at once; to silence only after a second.
        seen = says_reset(_of(site)) if challenge else prove.slower(_of(site), 1.0)
        return {"rules": guarded(site, guards.FirstSyn, challenge=challenge), "proofs": (prove.truth(site), prove.page(_of(site)), seen)}  # fmt: skip

    return make


def says_reset(url: str) -> Proof:
    """The page comes, and this machine's kernel has said RST on the way."""
    count = "awk '/^Tcp: [0-9]/ {print $15}' /proc/net/snmp"
    return prove.says(
        "200 said",
        "sh",
        "-c",
        f"a=$({count}); curl -sS -o /dev/null -w '%{{http_code}} ' {url}; [ $({count}) -gt $a ] && echo said",
    )


def _open_at_once(site: str) -> dict[str, Any]:
    proofs = (fresh(prove.page(_of(site))), fresh(prove.connects(site, low=1, high=2, of=8)))
    return {"rules": guarded(site, guards.OpenAtOnce, limit=2), "proofs": proofs}


def _bans(site: str) -> dict[str, Any]:
    proofs = (fresh(prove.page(_of(site))), fresh(prove.connects(site, low=0, high=4, of=8)))
    return {"rules": guarded(site, guards.BansTheEager, limit=4), "proofs": proofs}


def _ends(word: str, *codes: int) -> Make:
    def make(site: str) -> dict[str, Any]:
        proofs = (prove.truth(site), prove.fails(_of(site), *codes), prove.handshake(site, _STRANGER, works=False))
        return {"world": changed(site, front=mannered(word)), "proofs": proofs}

    return make


def _stops(rule: type[Rule]) -> Make:
    def make(site: str) -> dict[str, Any]:
        proofs = (
            prove.truth(site), fresh(prove.connects(site, low=8, high=8, of=8)), prove.fails(_of(site), prove.SILENT),
            fresh(prove.handshake(site, _STRANGER, works=False)),
        )  # fmt: skip
        return {"rules": guarded(site, rule), "proofs": proofs}

    return make


def _dies(site: str) -> dict[str, Any]:
    def make(world: World) -> tuple[Rule, ...]:
        here = at(site)(world)
        return (During(rule=rules.Drop(when=here, place="far"), since=here, start=0.5, place="far"),)

    touched = prove.connects(site, low=1, high=1, of=1)
    return {
        "rules": make,
        "proofs": (prove.truth(site), touched, fresh(after(0.6, prove.fails(_of(site), prove.SILENT)))),
    }


def _back_with_503(site: str) -> dict[str, Any]:
    def make(world: World) -> tuple[Rule, ...]:
        here = at(site)(world)
        return (During(rule=rules.Reset(when=here, place="far"), since=here, end=4.0, place="far"),)

    proofs = (prove.fails(_of(site), prove.UNCONNECTED), fresh(after(4.1, prove.page(_of(site), 503))))
    return {"world": changed(site, status=503), "rules": make, "proofs": proofs}


_HANDSHAKE_ENDS = (35, 52, 56)
CONNECTIONS = (
    about("scrubber_drops_first_syn", "a scrubber before the site believes only the second SYN of a connection", _first_syn(challenge=False), acceptable=ACCESSIBLE),
    about("scrubber_answers_first_syn_wrongly", "a scrubber before the site answers the first SYN with a wrong acknowledgement, to see a RST",
          _first_syn(challenge=True), acceptable=ACCESSIBLE),
    about("two_connections_at_a_time", "the site's firewall resets a visitor's third connection while two are open", _open_at_once, acceptable=ACCESSIBLE),
    about("bans_who_comes_too_often", "the site's firewall does not hear any more who opens five connections within ten seconds", _bans, acceptable=ACCESSIBLE),
    about("ends_before_the_greeting", "the server ends every connection as soon as it is made, as wrappers do for hosts that they do not know", _ends("shut", *_HANDSHAKE_ENDS)),
    about("resets_before_the_greeting", "the server resets every connection as soon as it is made, as with a full backlog", _ends("slam", *_HANDSHAKE_ENDS)),
    # The greeting is never acknowledged, whatever it names: only other places show that the name is not the reason.
    about("window_never_opens", "the server makes connections and never has room for a byte, so no greeting is sent", _stops(guards.ClosedWindow)),
    about("scrubber_reaches_no_server", "a scrubber makes connections in the server's place and has lost the way to it: no greeting is acknowledged", _stops(guards.AcceptsForNobody)),
    about("dies_during_the_run", "half a second after the first packet the site's machine dies for everybody", _dies, acceptable=BY_CHANCE),
    about("comes_back_with_503", "connections are refused for four seconds, then the server is there and says 503", _back_with_503),
    # Answers come behind the RST, which has another TTL: from here an injection by somebody nearer looks the same.
    about("hosting_company_resets_beside", "an intrusion detector of the hosting company's resets every greeting to the site, whatever it names; the answers follow",
          lambda site: {"rules": guarded(site, guards.ResetsBeside), "proofs": (prove.truth(site), prove.fails(_of(site), 35, 56), prove.handshake(site, _STRANGER, works=False))},
          acceptable=(*ANY_OUTAGE, Words("denied"))),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# greetings

_SMALL = ("-no_tls1_3", "-cipher", "ECDHE+AESGCM", "-curves", "P-256")
_TEXT = "location / { return 200 hello; }"


def _plaintext(site: str) -> dict[str, Any]:
    proofs = (prove.truth(site), prove.fails(_of(site), 35), prove.curl("400 Bad Request", f"http://{{{site}}}:443/"))
    return {"world": changed(site, front=mannered("plaintext")), "proofs": proofs}


def _large_hangs(site: str) -> dict[str, Any]:
    proofs = (prove.truth(site), prove.fails(_of(site), prove.SILENT), greets(site, *_SMALL))
    return {"world": changed(site, front=mannered("over:300/silent")), "proofs": proofs}


def _small_hangs(site: str) -> dict[str, Any]:
    small = f"timeout 2 openssl s_client -connect {{{site}}}:443 -servername {site} {' '.join(_SMALL)} </dev/null || echo none"
    proofs = (prove.page(_of(site)), prove.handshake(site, site, works=True), prove.says("none", "sh", "-c", small))
    return {"world": changed(site, front=mannered("under:300/silent")), "proofs": proofs}


def _half_fleet(site: str) -> dict[str, Any]:
    staging = Site(name="staging.example-company.com", address="51.91.60.60", front=Front())
    shown = prove.shown_at("51.91.60.60", staging.name)
    world = both(add(staging), changed(site, front=mannered(f"half/to:{staging.address}")))
    half = half_shows(site, staging.name)
    return {"world": world, "proofs": (prove.truth(site), shown, half), "control": (half,)}


def half_shows(site: str, other: str, of: int = 20) -> Proof:
    """Of so many greetings some meet the certificate of another name, and some do not."""
    command = f"for n in $(seq {of}); do timeout 2 openssl s_client -connect {{{site}}}:443 -servername {site} </dev/null 2>/dev/null | grep -c 'subject=CN = {other}'; done | sort | uniq -c | wc -l"
    return prove.says("2", "sh", "-c", command)


def _origin_shown(site: str) -> dict[str, Any]:
    origin = Site(name=f"origin.{site}", address="138.201.60.61", front=Front())
    proofs = (
        prove.truth(site),
        prove.certificate_error(_of(site), "no alternative certificate subject name"),
        prove.page(_of(origin.name)),
    )
    world = both(add(origin), changed(site, front=mannered(f"to:{origin.address}")))
    return {"world": world, "proofs": proofs, "acceptable": (Words("outage", "certificate"), Words("inconclusive"))}


def _wants_alpn(site: str) -> dict[str, Any]:
    proofs = (prove.page(_of(site)), greets(site, "-alpn", "http/1.1"), prove.handshake(site, site, works=False))
    return {"world": changed(site, front=mannered("noalpn/reset")), "proofs": proofs}


_OLD = "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"


def _old_cipher(site: str) -> dict[str, Any]:
    proofs = (
        prove.page(_of(site)), greets(site, "-cipher", _OLD), greets(site, "-cipher", "ECDHE+AESGCM:ECDHE+CHACHA20", words="alert number 40"),
    )  # fmt: skip
    return {"world": changed(site, protocols="TLSv1.2", https=f"ssl_ciphers {_OLD}; {_TEXT}"), "proofs": proofs}


def _second_hello(site: str) -> dict[str, Any]:
    proofs = (prove.page(_of(site)), greets(site, "-groups", "X25519:P-384", words="secp384r1"))
    return {"world": changed(site, https=f"ssl_ecdh_curve secp384r1; {_TEXT}"), "proofs": proofs}


def _warns(site: str) -> dict[str, Any]:
    proofs = (prove.page(_of(site)), greets(site, "-msg", words="warning unrecognized_name"))
    return {"world": changed(site, front=mannered("warn")), "proofs": proofs}


def _trickles(site: str) -> dict[str, Any]:
    return {
        "world": changed(site, https=_TEXT, front=mannered("drip:300:0.15")),
        "proofs": (prove.slower(_of(site), 1.5),),
    }


GREETINGS = (
    about("no_tls_on_443", "port 443 answers greetings in plain HTTP: somebody forgot the certificate in the configuration", _plaintext),
    # Old balancers hung at greetings of 256 bytes and more, which is why greetings are padded (RFC 7685).
    about("large_greetings_hang", "a balancer is silent to greetings of more than 300 bytes, which all of today's are", _large_hangs),
    about("small_greetings_hang", "a balancer is silent to greetings of less than 300 bytes, which nobody's are", _small_hangs, acceptable=ACCESSIBLE),
    about("half_the_fleet_is_staging", "half of the servers behind the balancer are of the next release and show the staging name's certificate", _half_fleet, acceptable=BY_CHANCE),
    about("certificate_of_the_origin", "the content network was taken out, and the origin shows the good certificate of its own name", _origin_shown),
    about("wants_application_protocols", "the front end resets greetings that offer no application protocols; every browser's do", _wants_alpn, acceptable=ACCESSIBLE),
    # Browsers take it, some libraries do not: what an ordinary visitor gets cannot be known from such a library's failure.
    about("one_old_cipher", "the server knows one old cipher, which browsers take and strict libraries do not", _old_cipher, acceptable=UNSURE),
    about("second_hello_wanted", "the server wants another curve than the one that is guessed: two round trips more", _second_hello, acceptable=ACCESSIBLE),
    about("warns_and_serves", "the server sends the warning that it does not know the name, and then serves it", _warns, acceptable=ACCESSIBLE),
    about("greeting_trickles", "the server's answers come in portions of 300 bytes, some seven a second", _trickles, acceptable=ACCESSIBLE),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*COMPANIES, *NAMES, *CONNECTIONS, *GREETINGS)
