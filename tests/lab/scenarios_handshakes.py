"""Interference with greetings and with plain requests, what looks the same and is not, and several troubles at once.

Each kind of block has its benign twin nearby: a server, a line or a household that shows the probe the same, or nearly.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from tests.lab import censor, forgers, prove, rules
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.packets import TCP, UDP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import Front, World

META = ("facebook.com",)
NOTE = "https://www.nobelprize.org/"
"""A site of no platform; ``NEUTRAL`` is one whose address may serve as a neutral place."""
NEUTRAL = "www.wikipedia.org"
PLAIN = "www.livejournal.com"
PLAIN_URL = f"http://{PLAIN}/"

SNI_SILENCE = (Words("blocked", "tls", "tls.timeout.sni"),)
SNI_RESET = (Words("blocked", "tls", "tls.reset.sni"),)
UNKNOWABLE = (Words("inconclusive"),)
BROKEN = (Words("inconclusive"), Words("outage"))

_RUN_BEGINS = When(protocol=UDP, ports=(123,), side="up")
"""The probe asks the time at the start of a run, and no proof does."""


# ---------------------------------------------------------------------------------------------------------------------
# proofs


def _expect(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise LabError(f"the scenario does not do what it says: {what}: {seen!r}, not {wanted!r}")


def _sometimes(address_of: str, sni: str, *, of: int) -> Proof:
    """Of so many greetings for the name there, from fresh ports, some are answered and some are not."""
    program = (
        "import concurrent.futures as f, socket, ssl, sys\n"
        "def once(_):\n"
        "    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE\n"
        "    try:\n"
        "        with socket.create_connection((sys.argv[1], 443), 1.5) as s, c.wrap_socket(s, server_hostname=sys.argv[2]):\n"
        "            return True\n"
        "    except OSError: return False\n"
        "n = int(sys.argv[3])\n"
        "with f.ThreadPoolExecutor(n) as pool: print(0 < sum(pool.map(once, range(n))) < n)\n"
    )

    def run(lab: Lab) -> None:
        address = lab.world.sites[address_of].address
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address, sni, str(of)).ok()
        _expect(f"{sni} at {address} is answered now and then", done.stdout.strip(), "True")

    return run


def _slow_page(url: str, status: int, seconds: float) -> Proof:
    """This status comes, and takes longer than that."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "20", "-w", "%{http_code} %{time_total}", url)
        seen, took = done.stdout.split()
        _expect(f"{url} took {took} s", (seen, float(took) > seconds), (str(status), True))

    return run


def _forget(lab: Lab) -> None:
    """What the devices remember of the proofs is not part of the scenario."""
    lab.net.renew_rules()


def _in_force(make: Callable[[World], tuple[Rule, ...]], *proofs: Proof) -> Proof:
    """The proofs hold under these rules, which are those of the scenario at the time that matters."""

    def run(lab: Lab) -> None:
        lab.net.router.set_rules(*make(lab.world))
        try:
            for proof in proofs:
                proof(lab)
        finally:
            lab.net.renew_rules()

    return run


def _by_name(*codes: int, also: tuple[Proof, ...] = ()) -> tuple[Proof, ...]:
    """The name fails everywhere, and other names pass at its own address: no server does that."""
    return (
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, *codes),
        prove.page(OTHER),
        prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
        prove.handshake(NEUTRAL, FACEBOOK, works=False),
        *also,
        _forget,
    )


def _acknowledged(name: str, *, arrives: bool) -> Proof:
    """The kernel of the site acknowledges a greeting that names it, or never does (read with the standard library)."""
    program = (
        "import socket, ssl, struct, sys, time\n"
        "s = socket.create_connection((sys.argv[1], 443), 2)\n"
        "i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
        "t = c.wrap_bio(i, o, server_hostname=sys.argv[2])\n"
        "try: t.do_handshake()\n"
        "except ssl.SSLWantReadError: pass\n"
        "s.send(o.read()); time.sleep(1)\n"
        "print(struct.unpack_from('=Q', s.getsockopt(6, 11, 256), 120)[0] > 100)\n"
    )

    def run(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.sites[name].address, name).ok()
        _expect(f"a greeting for {name} is acknowledged", done.stdout.strip(), str(arrives))

    return run


def _signed_by(address_of: str, name: str, words: str) -> Proof:
    """openssl is shown a certificate by this issuer for the name, there."""

    def run(lab: Lab) -> None:
        address = lab.world.sites[address_of].address
        command = f"timeout 3 openssl s_client -connect {address}:443 -servername {name} </dev/null"
        issuer = [line for line in lab.run("sh", "-c", command).stdout.splitlines() if line.startswith("issuer")]
        _expect(f"{name} at {address} is signed by {issuer}", any(words in line for line in issuer), wanted=True)

    return run


def _reads(url: str, words: str) -> Proof:
    """curl gets an answer with these words in its head or body."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-i", "-m", "5", url)
        _expect(f"{url} says {words!r}: {done.stdout[:300]!r} {done.stderr}", words in done.stdout, wanted=True)

    return run


def _greeting(name: str, *, like_a_browser: bool, works: bool) -> Proof:
    """The server answers a greeting with a GREASE value first among its cipher suites, or does not without it."""
    program = (
        "import socket, ssl, sys\n"
        "i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
        "t = c.wrap_bio(i, o, server_hostname=sys.argv[2])\n"
        "try: t.do_handshake()\n"
        "except ssl.SSLWantReadError: pass\n"
        "h = bytearray(o.read())\n"
        "if sys.argv[3] == 'True':\n"
        "    at = 44 + h[43]\n"
        "    for where, size in ((3, 2), (6, 3), (at, 2)):\n"
        "        h[where:where + size] = (int.from_bytes(h[where:where + size], 'big') + 2).to_bytes(size, 'big')\n"
        "    h[at + 2:at + 2] = b'\\x0a\\x0a'\n"
        "s = socket.create_connection((sys.argv[1], 443), 2); s.send(h)\n"
        "try: print(s.recv(5)[:1] == b'\\x16')\n"
        "except OSError: print(False)\n"
    )

    def run(lab: Lab) -> None:
        address = lab.world.sites[name].address
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address, name, str(like_a_browser)).ok()
        _expect(f"{name} answers (browser: {like_a_browser})", done.stdout.strip(), str(works))

    return run


# ---------------------------------------------------------------------------------------------------------------------
# worlds and rules


def _with(world: World, **values: Any) -> World:
    return dataclasses.replace(world, **values)


def _always(*what: Rule) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: what


def _at(world: World, name: str = FACEBOOK, **more: Any) -> When:
    """Packets from and to this site's address only."""
    return When(protocol=TCP, remote=(f"{world.sites[name].address}/32",), **more)


def _front(**values: Any) -> Callable[[World], World]:
    return lambda world: world.change(FACEBOOK, front=Front(**values))


def _plain_page(world: World) -> World:
    """A site that answers over plain HTTP, as a few still do."""
    body = "<html><head><title>LiveJournal</title></head><body><h1>Journals of the day</h1></body></html>"
    return world.change(PLAIN, http=f"location / {{ return 200 '{body}'; }}")


def _forged(subject: str, *names: str, page: bytes = b"", expired: bool = False) -> Callable[[World], tuple[Rule, ...]]:
    """A box that opens these names (none: every name that there is) with certificates of its own."""

    def make(world: World) -> tuple[Rule, ...]:
        made = forgers.forge(subject, names or tuple(world.sites), expired=expired)
        return (censor.NameForge(chains=made.chains, key=made.key, page=page),)

    return make


NATIONAL = "CN=Information Security Certification Authority,O=ISCA,C=KZ"
STRANGER = "CN=Web Security Services R2,O=Web Security Services,C=US"
COMPANY = "CN=FG100FTK20012345,O=Fortinet,C=US"
ANTIVIRUS = "CN=Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab,C=RU"
_PAGE = censor.response("200 OK", "<html><head><title>Facebook</title></head><body>Log in</body></html>")
_NOTICE = censor.response(
    "403 Forbidden",
    "<html><head><title>Доступ ограничен</title></head><body><h1>Доступ к информационному ресурсу ограничен</h1>"
    "<p>Доступ к данному сайту ограничен по решению суда на основании статьи 41-1 Закона «О связи».</p></body></html>",
    Server="nginx/1.14.2",
    Cache_Control="no-cache, no-store",
)
_TO_NOTICE = censor.response("302 Found", Location="http://blockpage.telecom.example/?id=77", Server="ads")


# ---------------------------------------------------------------------------------------------------------------------
# by the name in the greeting

SNI: tuple[Scenario, ...] = (
    Scenario(
        name="sni_reply_drop",
        tells="a greeting with the name arrives and is acknowledged; what the server says to it is dropped",
        rules=_always(censor.NameReplyDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.SILENT, also=(_acknowledged(FACEBOOK, arrives=True),)),
    ),
    Scenario(
        name="sni_cut_after_bytes",
        tells="after 3,000 bytes of the answer nothing of a flow that carried the name is delivered",
        rules=_always(censor.NameCut(names=META, after=3000)),
        acceptable=(Words("blocked", "tls"), Words("blocked", "throttling")),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(OTHER)),
    ),
    Scenario(
        name="sni_cut_after_packets",
        tells="the greeting and one packet more of the client are delivered, then nothing of that flow",
        rules=_always(censor.NameCutPackets(names=META, after=2)),
        acceptable=(Words("blocked", "tls"), Words("blocked", "throttling")),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(OTHER)),
    ),
    Scenario(
        name="sni_reset_client_only",
        tells="the greeting is swallowed and only the client gets a RST; the server waits for ever",
        rules=_always(rules.NameReset(names=META, both=False)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_beside_own_look",
        tells="a device beside the path races the server with a RST of its own TTL, IP-ID and window",
        rules=_always(censor.NameResetBeside(names=META, both=True, ttl=253, identification=0x4A11, window=8192)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_mirrored",
        tells="a RST that carries the TTL and the next IP-ID of the server's own packets: nothing in it tells who sent it",
        rules=_always(censor.NameResetBeside(names=META, mirrored=True)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_in_place_of_reply",
        tells="the greeting is delivered; in place of the answer both ends get a RST, a full round trip after it",
        rules=_always(censor.NameResetReply(names=META)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_far_away",
        tells="the RST comes from a device behind the last router: no earlier than the server itself could be",
        rules=_always(rules.NameReset(names=META, place="far")),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_first_router",
        tells="the first router resets what carries the name",
        rules=_always(rules.NameReset(names=META, place="access")),
        acceptable=(*SNI_RESET, Words("no_network", "filter"), Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_end",
        tells="the greeting is swallowed, and the client gets an orderly end in the server's name",
        rules=_always(censor.NameEnd(names=META)),
        acceptable=(Words("blocked", "tls", "tls.eof.sni"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE, prove.RESET),
        in_slice=True,
    ),
    Scenario(
        name="sni_alert",
        tells="the greeting is swallowed, and the client gets a fatal TLS alert (handshake failure) in the server's name",
        rules=_always(censor.NameEnd(names=META, says=censor.alert(40))),
        acceptable=(Words("blocked", "tls", "tls.alert.sni"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.HANDSHAKE),
    ),
    Scenario(
        name="sni_drop_no_reassembly",
        tells="a device that reads single packets only, and finds the name in ours: the greeting fits one packet",
        rules=_always(rules.NameDrop(names=META, reassemble=False)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.SILENT),
    ),
    Scenario(
        name="sni_exact_name_only",
        tells="the list has one name alone, and neither its neighbours nor what is under it",
        rules=_always(censor.ExactNameDrop(names=(FACEBOOK,))),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=("https://m.facebook.com/",),
        proofs=(
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.handshake(NEUTRAL, f"a.{FACEBOOK}", works=True),
            prove.page("https://m.facebook.com/"),
        ),
    ),
    Scenario(
        name="sni_pattern_hits_a_stranger",
        tells="the list is of words and not of names: whatever has “journal” in it is dropped, whoever it is",
        check=(OTHER,),
        rules=_always(censor.WordDrop(names=("journal",))),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(
            prove.fails(OTHER, prove.SILENT),
            prove.handshake(NEUTRAL, PLAIN, works=False),
            prove.page(FACEBOOK_URL),
        ),
    ),
    Scenario(
        name="sni_drop_on_half_the_paths",
        tells="one of two parallel paths has the device: what a run meets is chance, and one success withdraws a flip",
        rules=_always(rules.NameDrop(names=META, when=When(protocol=TCP, fraction=0.5))),
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("accessible")),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), _sometimes(NEUTRAL, FACEBOOK, of=16), prove.page(OTHER)),
    ),
    Scenario(
        name="any_greeting_lost_on_half_the_paths",
        tells="one of two parallel paths loses every greeting, whatever it names",
        rules=_always(rules.Drop(when=When(protocol=TCP, side="up", larger_than=400, fraction=0.5))),
        acceptable=(Words("accessible"), Words("inconclusive"), Words("outage"), Words("no_network")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(0, 1, 3),
        proofs=(_sometimes(NEUTRAL, NEUTRAL, of=16), _sometimes(FACEBOOK, FACEBOOK, of=16)),
        in_slice=True,
    ),
    Scenario(
        name="sni_memory_of_both_ports",
        tells="as Kazakhstan's: a flow is silenced for two minutes with both its ports; a fresh port is a fresh start",
        rules=_always(censor.Residual(names=META, ports=4, seconds=120)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=_by_name(prove.SILENT),
    ),
    Scenario(
        name="sni_memory_of_the_server",
        tells="as China's: for three minutes everything to that server's port is dropped, whatever it names: a neutral place "
        "is spent by the first forbidden name",
        rules=_always(censor.Residual(names=META, ports=3, seconds=180)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.truth(FACEBOOK),
            prove.handshake("www.debian.org", "www.nobelprize.org", works=True),
            prove.handshake("www.debian.org", FACEBOOK, works=False),
            prove.handshake("www.debian.org", "www.nobelprize.org", works=False),
            _forget,
        ),
        needs=("many_neutrals",),
    ),
    Scenario(
        name="name_and_address_drop",
        tells="the greeting is dropped only on its way to the site's own address; elsewhere the name passes. A scrubber in front of "
        "the site that drops by name shows the same, so from one place it need not be known",
        rules=lambda world: (rules.NameDrop(names=META, when=_at(world)),),
        acceptable=(*SNI_SILENCE, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
            _acknowledged(FACEBOOK, arrives=False),
        ),
    ),
    Scenario(
        name="name_and_address_reset",
        tells="a RST only for the name and only at its own address: a server that refuses that name shows the same, so from "
        "one place it cannot be known",
        rules=lambda world: (rules.NameReset(names=META, when=_at(world)),),
        acceptable=(*SNI_RESET, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="only_listed_names",
        tells="greetings are delivered only for the country's sites and for some museums and universities: half of the neutral "
        "places answer nobody. A tariff's free names look the same, so from one place it need not be known",
        rules=lambda world: (censor.OnlyListed(names=_passes(world)),),
        acceptable=(
            Words("blocked", "tls"),
            Words("no_network", "whitelist"),
            Words("no_network", "international"),
            Words("inconclusive"),
        ),
        network=(
            Words("ok"),
            Words("no_network", "whitelist"),
            Words("no_network", "international"),
            Words("inconclusive"),
        ),
        exit_codes=(1, 3),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.page("https://egov.kz/"),
            prove.fails("https://www.kernel.org/", prove.SILENT),
            prove.page(NOTE),
        ),
        needs=("shutdown",),
    ),
)


def _passes(world: World) -> tuple[str, ...]:
    listed = ("kz", "nobelprize.org")
    return (*listed, *sorted(name for name in world.sites if name.endswith((".org", ".uk", ".edu")) and len(name) % 2))


# ---------------------------------------------------------------------------------------------------------------------
# the same to look at, and nobody's doing on the way

TWINS: tuple[Scenario, ...] = (
    Scenario(
        name="server_resets_foreign_names",
        tells="every web server resets greetings that name another site, and this one is silent: no neutral place is left",
        world=lambda world: _strict(world).change(FACEBOOK, front=Front(other="silent")),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake("www.nobelprize.org", FACEBOOK, works=False),
            prove.handshake("www.nobelprize.org", "www.gnu.org", works=False),
            prove.page(NOTE),
        ),
    ),
    Scenario(
        name="server_resets_its_own_name",
        tells="the guard of this one site resets every visitor; other names get the default certificate",
        world=_front(ways=((FACEBOOK, "reset"),)),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
        in_slice=True,
    ),
    Scenario(
        name="server_dislikes_our_greeting",
        tells="the site's guard resets greetings of libraries and takes those of browsers",
        rules=lambda world: (censor.NotABrowser(names=META, when=_at(world)),),
        acceptable=(*BROKEN, Words("denied")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            _greeting(FACEBOOK, like_a_browser=True, works=True),
            _greeting(FACEBOOK, like_a_browser=False, works=False),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="server_resets_this_country",
        tells="the site resets every greeting from this country, whatever it names: from inside, a dead service",
        world=_front(other="reset", abroad="serve"),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=False),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
        control=(prove.page(FACEBOOK_URL),),
    ),
    Scenario(
        name="server_silent_to_everybody",
        tells="the server takes connections and reads greetings, and its program hangs",
        world=_front(other="silent"),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=False),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="server_alerts_its_own_name",
        tells="the site's key is gone: an internal error for its name, an answer for every other",
        world=_front(ways=((FACEBOOK, "alert:80"),)),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="scrubber_drops_its_own_name",
        tells="a scrubber in front of the site, under attack, drops greetings with its name before any server sees them",
        rules=lambda world: (rules.NameDrop(names=META, when=_at(world), place="far"),),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
            _acknowledged(FACEBOOK, arrives=False),
        ),
    ),
    Scenario(
        name="first_connection_reset",
        tells="a scrubber in front of the site resets the first connection of every new visitor, then lets him be",
        rules=lambda world: (censor.FirstFlows(when=_at(world), flows=1, place="far"),),
        acceptable=(Words("accessible"), Words("inconclusive")),
        exit_codes=(0, 3),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET), prove.page(FACEBOOK_URL), _forget),
        control=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET), prove.page(FACEBOOK_URL)),
    ),
    Scenario(
        name="server_restarts",
        tells="the site's server is restarted as the run begins: connections are refused for four seconds",
        rules=lambda world: (_restart(world, 0, 4),),
        acceptable=(Words("accessible"), *BROKEN),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            _in_force(
                lambda world: (rules.Reset(when=_at(world, side="up"), place="far"),),
                prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
            ),
        ),
    ),
    Scenario(
        name="server_hangs_for_a_while",
        tells="for five seconds from the start the site's program reads greetings and says nothing, then all is well",
        rules=lambda world: (
            censor.During(
                rule=censor.NameReplyDrop(names=META, when=_at(world)), since=_RUN_BEGINS, end=5, place="far"
            ),
        ),
        acceptable=(Words("accessible"), *BROKEN),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            _in_force(
                lambda world: (censor.NameReplyDrop(names=META, when=_at(world), place="far"),),
                prove.fails(FACEBOOK_URL, prove.SILENT),
            ),
        ),
    ),
    Scenario(
        name="tls10_only_server",
        tells="an old server speaks TLS 1.0 and nothing newer, which no browser of today takes",
        world=lambda world: world.change(
            FACEBOOK,
            protocols="TLSv1",
            http2=False,
            https="ssl_ciphers ALL:@SECLEVEL=0; location / { return 200 'old'; }",
        ),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="client_certificate_page",
        tells="the site wants a certificate of its visitors and says so on a page",
        world=lambda world: world.change(
            FACEBOOK,
            https="ssl_verify_client on; ssl_client_certificate root.pem; location / { return 200 'members'; }",
        ),
        acceptable=(Words("accessible"), Words("denied"), Words("inconclusive")),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(prove.page(FACEBOOK_URL, 400),),
        control=(prove.page(FACEBOOK_URL, 400),),
    ),
    Scenario(
        name="client_certificate_alert",
        tells="the site ends the greeting of visitors without a certificate with an alert, whatever they name",
        world=_front(other="alert:116"),
        acceptable=(*BROKEN, Words("denied")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE, 98), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="slow_greeting",
        tells="the site's server takes six seconds to answer a greeting, whoever asks",
        world=_front(other="late:6/serve"),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.SILENT), prove.slower(FACEBOOK_URL, 6)),
    ),
    Scenario(
        name="slow_greeting_for_its_name",
        tells="the site's own back end takes six seconds; other names at the same address are answered at once",
        world=_front(ways=((FACEBOOK, "late:6/serve"),)),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(OTHER,),
        proofs=(prove.slower(FACEBOOK_URL, 6), prove.handshake(FACEBOOK, "www.nobelprize.org", works=True)),
    ),
    Scenario(
        name="hole_on_the_whole_path",
        tells="full segments vanish on the provider's own tunnel, for every site abroad, and no ICMP says so",
        rules=_always(rules.Drop(when=When(protocol=TCP, side="down", larger_than=1400))),
        acceptable=(Words("inconclusive"), Words("no_network"), Words("outage")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(1, 3),
        proofs=(prove.large_packets_vanish(FACEBOOK), prove.large_packets_vanish(NEUTRAL)),
    ),
)


def _strict(world: World) -> World:
    """All innocuous and foreign sites take only greetings that name them."""
    for name in sorted(world.sites):
        world = world.change(name, front=Front(ways=((name, "serve"),), other="reset"))
    return world


def _restart(world: World, start: float, end: float) -> Rule:
    return censor.During(
        rule=rules.Reset(when=_at(world, side="up"), place="far"),
        since=_RUN_BEGINS,
        start=start,
        end=end,
        place="far",
    )


# ---------------------------------------------------------------------------------------------------------------------
# plain requests


def _http_block(*codes: int) -> tuple[Proof, ...]:
    return (
        prove.fails(PLAIN_URL, *codes),
        prove.page("http://www.nobelprize.org/", 301),
        _at_neutral(PLAIN, fails=True),
        _at_neutral("www.gnu.org", fails=False),
    )


def _at_neutral(host: str, *, fails: bool) -> Proof:
    """A request for this Host at an unrelated address fails, or gets an answer."""

    def run(lab: Lab) -> None:
        address = lab.world.sites[NEUTRAL].address
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "1.5", "-H", f"Host: {host}", f"http://{address}/")
        _expect(f"{host} at {address} ({done.stderr.strip()})", done.returncode != 0, fails)

    return run


HTTP: tuple[Scenario, ...] = (
    Scenario(
        name="http_host_reset",
        tells="a request with the name is swallowed, and both ends get a RST",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=_always(rules.NameReset(names=(PLAIN,), http=True)),
        acceptable=(Words("blocked", "http", "http.reset.host"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=_http_block(prove.RESET),
        in_slice=True,
    ),
    Scenario(
        name="http_host_drop",
        tells="a request with the name is never delivered",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=_always(rules.NameDrop(names=(PLAIN,), http=True)),
        acceptable=(Words("blocked", "http", "http.timeout.host"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=_http_block(prove.SILENT),
    ),
    Scenario(
        name="http_host_end",
        tells="a request with the name gets an orderly end and nothing else",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=_always(censor.NamePage(names=(PLAIN,))),
        acceptable=(Words("blocked", "http", "http.eof.host"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=_http_block(52),
    ),
    Scenario(
        name="http_block_page",
        tells="the request is swallowed, and a notice of a court's decision comes back (403, Content-Length, nginx)",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=_always(censor.NamePage(names=(PLAIN,), response=_NOTICE)),
        acceptable=(Words("blocked", "http", "http.block_page"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "по решению суда"), _reads("http://www.nobelprize.org/", "301")),
    ),
    Scenario(
        name="http_block_page_races_the_true_one",
        tells="a device beside the path answers first with a notice; the site's own page arrives late and is ignored",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=_always(censor.NamePage(names=(PLAIN,), response=_NOTICE, pass_on=True)),
        acceptable=(Words("blocked", "http", "http.block_page"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "по решению суда"), _reads("http://www.nobelprize.org/", "301")),
    ),
    Scenario(
        name="http_block_page_nobody_knows",
        tells="a notice with status 200 in words that no list has: only another place could tell it from the site's page",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=_always(
            censor.NamePage(
                names=(PLAIN,), response=censor.response("200 OK", "<html><title>Sorry</title>Sorry.</html>")
            )
        ),
        acceptable=(Words("blocked", "http"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "Sorry."), _reads("http://www.nobelprize.org/", "301")),
        needs=("control",),
    ),
    Scenario(
        name="http_refusal_nobody_knows",
        tells="403 in the site's name with a few words that no list has; at unrelated addresses that name gets it too",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=_always(
            censor.NamePage(names=(PLAIN,), response=censor.response("403 Forbidden", "<html>Sorry.</html>"))
        ),
        acceptable=(Words("blocked", "http"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "Sorry."), _reads("http://www.nobelprize.org/", "301")),
        needs=("page_contrast",),
    ),
    Scenario(
        name="http_redirect_to_block_page",
        tells="a request with the name is answered with a redirect to the provider's notice, which is there",
        check=(PLAIN_URL,),
        world=lambda world: _notice_site(_plain_page(world)),
        rules=_always(censor.NamePage(names=(PLAIN,), response=_TO_NOTICE)),
        acceptable=(Words("blocked", "http", "http.redirect"), Words("blocked", "http", "http.block_page")),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(
            _reads(PLAIN_URL, "Location: http://blockpage.telecom.example/"),
            _reads("http://blockpage.telecom.example/", "по решению"),
        ),
    ),
    Scenario(
        name="http_by_url",
        tells="one page of the site is reset by its path, and the rest of it is not",
        check=(f"{PLAIN_URL}banned/2026",),
        world=_plain_page,
        rules=_always(censor.UrlReset(names=(PLAIN,), path="/banned")),
        acceptable=(Words("blocked", "http", "http.reset"),),
        exit_codes=(1,),
        sound=(PLAIN_URL,),
        proofs=(prove.fails(f"{PLAIN_URL}banned/2026", prove.RESET), prove.page(PLAIN_URL)),
    ),
    Scenario(
        name="http_and_tls_by_name",
        tells="port 80 sends to https, both by the same list: the plain request is reset before any redirect",
        check=("http://www.facebook.com/",),
        rules=_always(rules.NameReset(names=META, http=True), rules.NameReset(names=META)),
        acceptable=(Words("blocked", "http", "http.reset.host"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.fails("http://www.facebook.com/", prove.RESET),
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.page(OTHER),
        ),
    ),
    Scenario(
        name="redirect_into_a_block",
        tells="the first site is fine and sends on to a second one, whose greeting is dropped",
        check=(OTHER,),
        world=lambda world: world.change(PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}"),
        rules=_always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(NOTE,),
        proofs=(
            prove.page(OTHER, 302),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
        ),
    ),
    Scenario(
        name="slow_redirect_into_a_block",
        tells="the first site takes three seconds and sends on to a second one, whose greeting is dropped",
        check=(OTHER,),
        world=lambda world: world.change(
            PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}", front=Front(other="late:3/serve")
        ),
        rules=_always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(NOTE,),
        proofs=(_slow_page(OTHER, 302, 3), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="redirect_into_an_outage",
        tells="the first site is fine and sends on to a second one, which is silent to everybody",
        check=(OTHER,),
        world=lambda world: world.change(PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}").change(
            FACEBOOK, front=Front(other="silent")
        ),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(NOTE,),
        proofs=(
            prove.page(OTHER, 302),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="http_server_resets_one_host",
        tells="the server behind one plain site breaks off requests for it, and answers for every other name",
        check=(PLAIN_URL,),
        world=_plain_page,
        rules=lambda world: (rules.NameReset(names=(PLAIN,), http=True, when=_at(world, PLAIN), place="far"),),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(FACEBOOK_URL,),
        proofs=(prove.fails(PLAIN_URL, prove.RESET), _at_neutral(PLAIN, fails=False)),
    ),
    Scenario(
        name="http_newspaper_on_blocking",
        tells="a plain site's own page reports on blocking, in the words of a notice, at length",
        check=(PLAIN_URL,),
        world=lambda world: world.change(PLAIN, http=_article()),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "по решению суда"), _reads(PLAIN_URL, "LiveJournal")),
    ),
    Scenario(
        name="http_hosting_suspended",
        tells="the hosting company has switched a plain site off and says so in its place",
        check=(PLAIN_URL,),
        world=lambda world: world.change(
            PLAIN,
            http="location / { return 403 '<html><title>Account suspended</title>This account has been suspended. "
            "Access to this site is blocked.</html>'; }",
        ),
        acceptable=(Words("denied"), Words("outage"), Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "has been suspended"), _at_neutral(PLAIN, fails=False)),
    ),
    Scenario(
        name="http_site_moved_away",
        tells="a plain site has moved to another domain and redirects there",
        check=(PLAIN_URL,),
        world=lambda world: world.change(PLAIN, http=f"location / {{ return 301 {NOTE}; }}"),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(FACEBOOK_URL,),
        proofs=(prove.page(PLAIN_URL, 301), prove.page(NOTE)),
    ),
    Scenario(
        name="http_site_bans_visitors_itself",
        tells="a plain site sends visitors whom it dislikes to its own page /blocked",
        check=(PLAIN_URL,),
        world=lambda world: world.change(
            PLAIN,
            http=f"location = /blocked {{ return 403 'Your address is blocked.'; }} location / {{ return 302 {PLAIN_URL}blocked; }}",
        ),
        acceptable=(Words("denied"), Words("inconclusive"), Words("outage")),
        exit_codes=(1, 3),
        sound=(FACEBOOK_URL,),
        proofs=(prove.page(PLAIN_URL, 302), _reads(f"{PLAIN_URL}blocked", "Your address is blocked")),
    ),
)


def _article() -> str:
    """Some 18 KB in nginx's words: no parameter of its may be longer than 4 KB."""
    more = "Мы рассказываем, почему так вышло и что об этом думают юристы. " * 20
    text = "Доступ к сайту ограничен по решению суда, пишут читатели. " + "$t" * 8
    page = f"<html><head><title>LiveJournal</title></head><body><p>{text}</p></body></html>"
    return f"set $t '{more}'; location / {{ return 200 '{page}'; }}"


def _notice_site(world: World) -> World:
    body = "<html><title>Доступ ограничен</title>Доступ к ресурсу ограничен по решению уполномоченного органа.</html>"
    site = dataclasses.replace(
        world.sites[PLAIN],
        name="blockpage.telecom.example",
        address="92.47.160.7",
        http=f"location / {{ return 200 '{body}'; }}",
    )
    return _with(world, sites={**world.sites, site.name: site})


# ---------------------------------------------------------------------------------------------------------------------
# certificates made on the way


def _opened(name: str, words: str, *others: str) -> tuple[Proof, ...]:
    """The name shows this issuer at its own address and at one that is not its."""
    return (_signed_by(name, name, words), _signed_by(NEUTRAL, name, words), *(_signed_by(o, o, words) for o in others))


CERTIFICATES: tuple[Scenario, ...] = (
    Scenario(
        name="national_ca_some_names",
        tells="a state's box opens connections for one platform with its known authority",
        rules=_forged(NATIONAL, "facebook.com", FACEBOOK),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.certificate_error(FACEBOOK_URL, "certificate"),
            *_opened(FACEBOOK, "ISCA"),
            prove.page(OTHER),
        ),
        in_slice=True,
    ),
    Scenario(
        name="national_ca_all_names",
        tells="a state's box opens every connection with its known authority",
        check=(FACEBOOK_URL, OTHER),
        rules=_forged(NATIONAL),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        network=(Words("ok"), Words("inconclusive")),
        exit_codes=(1,),
        proofs=_opened(FACEBOOK, "ISCA", PLAIN, "www.kernel.org"),
    ),
    Scenario(
        name="national_ca_expired",
        tells="the state's box goes on with certificates that have run out",
        rules=_forged(NATIONAL, "facebook.com", FACEBOOK, expired=True),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "ISCA"), prove.page(OTHER)),
    ),
    Scenario(
        name="national_ca_trusted_here",
        tells="a citizen has put the state's root into his store as he was told: pages come, and somebody reads along",
        world=lambda world: _with(world, trusted=forgers.root(NATIONAL)),
        rules=_forged(NATIONAL, "facebook.com", FACEBOOK, page=_PAGE),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "ISCA"), prove.page(FACEBOOK_URL), prove.page(OTHER)),
    ),
    Scenario(
        name="stranger_ca_some_names",
        tells="somebody on the way opens one platform with an authority that nobody knows, wherever it is asked for",
        rules=_forged(STRANGER, "facebook.com", FACEBOOK),
        acceptable=(Words("blocked", "mitm", "tls.mitm.unknown_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.certificate_error(FACEBOOK_URL, "certificate"),
            *_opened(FACEBOOK, "Web Security Services"),
            prove.page(OTHER),
        ),
    ),
    Scenario(
        name="stranger_ca_all_names",
        tells="everything is opened by an authority that nobody knows: a company whose root is not installed here, or a state",
        check=(FACEBOOK_URL, OTHER),
        rules=_forged(STRANGER),
        acceptable=(Words("inconclusive"), Words("no_network", "filter")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network", "filter")),
        exit_codes=(3,),
        proofs=_opened(FACEBOOK, "Web Security Services", PLAIN, "www.kernel.org"),
    ),
    Scenario(
        name="company_gateway_not_installed",
        tells="a company's gateway opens every connection, and its root is not in this computer's store",
        check=(FACEBOOK_URL, OTHER),
        rules=_forged(COMPANY),
        acceptable=(Words("inconclusive"), Words("no_network", "filter")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network", "filter")),
        exit_codes=(3,),
        proofs=_opened(FACEBOOK, "Fortinet", PLAIN, "www.kernel.org"),
    ),
    Scenario(
        name="company_gateway_social_only",
        tells="a company's gateway opens social networks only, and its root is not in this computer's store",
        rules=_forged(COMPANY, FACEBOOK),
        acceptable=(Words("inconclusive"), Words("no_network", "filter")),
        exit_codes=(3,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "Fortinet"), prove.page(OTHER)),
        in_slice=True,
    ),
    Scenario(
        name="antivirus_opens_everything",
        tells="an antivirus opens every connection, and its root is in this computer's store: pages come",
        check=(FACEBOOK_URL, OTHER),
        world=lambda world: _with(world, trusted=forgers.root(ANTIVIRUS)),
        rules=_forged(ANTIVIRUS, page=_PAGE),
        acceptable=(Words("no_network", "filter"), Words("inconclusive"), Words("accessible")),
        network=(Words("no_network", "filter"), Words("ok")),
        exit_codes=(0, 3),
        proofs=(*_opened(FACEBOOK, "Kaspersky", PLAIN, "www.kernel.org"), prove.page(FACEBOOK_URL)),
    ),
    Scenario(
        name="trusted_stranger_some_names",
        tells="a root that this computer was told to trust opens one platform and not others, without a product's name",
        world=lambda world: _with(world, trusted=forgers.root(STRANGER)),
        rules=_forged(STRANGER, FACEBOOK, page=_PAGE),
        acceptable=(Words("no_network", "filter"), Words("inconclusive")),
        exit_codes=(3,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "Web Security Services"), prove.page(FACEBOOK_URL), prove.page(OTHER)),
    ),
    Scenario(
        name="forged_at_own_address_only",
        tells="a certificate by an authority that nobody knows, at the site's own address only: the site's new private issuer "
        "would look the same",
        rules=lambda world: tuple(
            dataclasses.replace(rule, when=_at(world)) for rule in _forged(STRANGER, FACEBOOK)(world)
        ),
        acceptable=(Words("blocked", "mitm"), *BROKEN),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            _signed_by(FACEBOOK, FACEBOOK, "Web Security Services"),
            _signed_by(NEUTRAL, FACEBOOK, "Lab Trust Services"),
        ),
    ),
)


# ---------------------------------------------------------------------------------------------------------------------
# several at once

_BLOCKED_SUFFIXES = ("facebook.com", "fbcdn.net", "instagram.com", "x.com", "twitter.com", "twimg.com", "youtube.com",
                     "ytimg.com", "googlevideo.com", "livejournal.com", "torproject.org")  # fmt: skip


def _outside(url: str) -> bool:
    host = url.partition("//")[2].partition("/")[0]
    return not any(host == name or host.endswith("." + name) for name in _BLOCKED_SUFFIXES)


def _half_strict(world: World) -> World:
    for name in sorted(world.sites):
        if len(name) % 2 and name not in (FACEBOOK, PLAIN):
            world = world.change(name, front=Front(ways=((name, "serve"),), other="reset"))
    return world


MIXED: tuple[Scenario, ...] = (
    Scenario(
        name="sni_drop_and_dead_server",
        tells="the name is dropped on the way, and the site's address is dead besides",
        world=lambda world: world.change(FACEBOOK, present=False),
        rules=_always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.truth(FACEBOOK),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.page(OTHER),
        ),
        control=(prove.fails(FACEBOOK_URL, prove.SILENT), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="sni_reset_and_refusing_server",
        tells="the name is reset on the way, and the site's server does not run besides",
        world=lambda world: world.change(FACEBOOK, listening=False),
        rules=_always(rules.NameReset(names=META)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.page(OTHER),
        ),
        control=(prove.fails(FACEBOOK_URL, prove.UNCONNECTED), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="sni_drop_and_dead_canary",
        tells="the name is dropped, and one of the well-known sites that the probe asks about its own side is down",
        world=lambda world: world.change("www.kernel.org", "www.debian.org", present=False),
        rules=_always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(*_by_name(prove.SILENT), prove.fails("https://www.kernel.org/", prove.SILENT)),
    ),
    Scenario(
        name="sni_drop_on_a_lossy_line",
        tells="the name is dropped, and a tenth of all packets is lost",
        rules=_always(rules.NameDrop(names=META)),
        leg={"loss": 0.05},
        acceptable=SNI_SILENCE,
        network=(Words("ok"), Words("inconclusive")),
        exit_codes=(1,),
        proofs=(prove.lossy("8.8.8.8", at_least=1, of=60), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="sni_drop_on_a_bad_line",
        tells="the name is dropped, and a fifth of all packets is lost: so few arms get through that it may not be shown",
        rules=_always(rules.NameDrop(names=META)),
        leg={"loss": 0.1},
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("no_network")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(1, 3),
        proofs=(prove.lossy("8.8.8.8", at_least=3, of=60), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="sni_drop_on_a_narrow_line",
        tells="the name is dropped, and the line carries 128 kbit/s",
        rules=_always(rules.NameDrop(names=META)),
        leg={"rate": 128_000, "queue": 16_000},
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        proofs=(prove.slower(OTHER, 1.7), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="sni_reset_far_away_line",
        tells="the name is reset, and every round trip takes 600 ms",
        rules=_always(rules.NameReset(names=META)),
        leg={"delay": 0.298},
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.slower("https://8.8.8.8/", 1.7), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
    ),
    Scenario(
        name="many_platforms_blocked",
        tells="six platforms are on the list at once; a run must end in bounded time all the same",
        check=("facebook", "instagram", "twitter", "youtube", "livejournal", "torproject"),
        rules=_always(rules.NameDrop(names=_BLOCKED_SUFFIXES)),
        acceptable=SNI_SILENCE,
        spares=_outside,
        exit_codes=(1,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, "www.youtube.com", works=False),
            prove.page(NOTE),
        ),
    ),
    Scenario(
        name="dns_lie_and_sni_drop",
        tells="the provider's resolver lies about the name, and its greeting is dropped as well",
        world=lambda world: _with(world, lies={FACEBOOK: "10.10.34.35"}),
        rules=_always(rules.NameDrop(names=META)),
        acceptable=(Words("blocked", "dns"), Words("blocked", "tls")),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.answers(FACEBOOK, "10.10.34.35"),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.handshake(FACEBOOK, FACEBOOK, works=False),
        ),
    ),
    Scenario(
        name="sni_drop_behind_strict_neutrals",
        tells="the name is dropped, and half of the web's servers reset greetings that name another site",
        world=_half_strict,
        rules=_always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.SILENT), prove.handshake(FACEBOOK, "www.nobelprize.org", works=True)),
    ),
    Scenario(
        name="block_ends_during_the_run",
        tells="the name is dropped for the first four seconds of the run; from then on everything passes. A trouble that has "
        "passed may have been any, so nobody has to call it a block",
        rules=_always(censor.During(rule=rules.NameDrop(names=META), since=_RUN_BEGINS, end=4)),
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("accessible")),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            _in_force(_always(rules.NameDrop(names=META)), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
        ),
    ),
    Scenario(
        name="block_begins_during_the_run",
        tells="the first site takes 0.8 s and sends on to a second, whose name is dropped from half a second on; checked by "
        "itself the second one had been reached before that",
        check=(OTHER,),
        world=lambda world: world.change(
            PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}", front=Front(other="late:0.8/serve")
        ),
        rules=_always(censor.During(rule=rules.NameDrop(names=META), since=_RUN_BEGINS, start=0.5)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(NOTE,),
        proofs=(
            prove.page(OTHER, 302),
            prove.page(FACEBOOK_URL),
            _in_force(_always(rules.NameDrop(names=META)), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
        ),
    ),
    Scenario(
        name="block_begins_after_an_outage",
        tells="the server restarts as the run begins; while it is away, its name begins to be dropped",
        rules=lambda world: (
            _restart(world, 0, 3),
            censor.During(rule=rules.NameDrop(names=META), since=_RUN_BEGINS, start=2),
        ),
        acceptable=(*SNI_SILENCE, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            _in_force(_always(rules.NameDrop(names=META)), prove.handshake(NEUTRAL, FACEBOOK, works=False)),
        ),
    ),
    Scenario(
        name="sni_drop_and_hole",
        tells="the name is dropped, and full segments from everywhere vanish: the silence has two causes",
        rules=_always(rules.NameDrop(names=META), rules.Drop(when=When(protocol=TCP, side="down", larger_than=1400))),
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("no_network")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(1, 3),
        proofs=(prove.large_packets_vanish(NEUTRAL), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
)


SCENARIOS: tuple[Scenario, ...] = (*SNI, *TWINS, *HTTP, *CERTIFICATES, *MIXED)
