"""What scenarios about greetings, plain requests and certificates share: names, words, proofs, and rules made from them."""

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
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Words
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

RUN_BEGINS = When(protocol=UDP, ports=(123,), side="up")
"""The probe asks the time at the start of a run, and no proof does."""


# ---------------------------------------------------------------------------------------------------------------------
# proofs


def expect(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise LabError(f"the scenario does not do what it says: {what}: {seen!r}, not {wanted!r}")


def sometimes(address_of: str, sni: str, *, of: int) -> Proof:
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
        expect(f"{sni} at {address} is answered now and then", done.stdout.strip(), "True")

    return run


def slow_page(url: str, status: int, seconds: float) -> Proof:
    """This status comes, and takes longer than that."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "20", "-w", "%{http_code} %{time_total}", url)
        seen, took = done.stdout.split()
        expect(f"{url} took {took} s", (seen, float(took) > seconds), (str(status), True))

    return run


def forget(lab: Lab) -> None:
    """What the devices remember of the proofs is not part of the scenario."""
    lab.net.renew_rules()


def in_force(make: Callable[[World], tuple[Rule, ...]], *proofs: Proof) -> Proof:
    """The proofs hold under these rules, which are those of the scenario at the time that matters."""

    def run(lab: Lab) -> None:
        lab.net.router.set_rules(*make(lab.world))
        try:
            for proof in proofs:
                proof(lab)
        finally:
            lab.net.renew_rules()

    return run


def by_name(*codes: int, also: tuple[Proof, ...] = ()) -> tuple[Proof, ...]:
    """The name fails everywhere, and other names pass at its own address: no server does that."""
    return (
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, *codes),
        prove.page(OTHER),
        prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
        prove.handshake(NEUTRAL, FACEBOOK, works=False),
        *also,
        forget,
    )


def acknowledged(name: str, *, arrives: bool) -> Proof:
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
        expect(f"a greeting for {name} is acknowledged", done.stdout.strip(), str(arrives))

    return run


def signed_by(address_of: str, name: str, words: str) -> Proof:
    """openssl is shown a certificate by this issuer for the name, there."""

    def run(lab: Lab) -> None:
        address = lab.world.sites[address_of].address
        command = f"timeout 3 openssl s_client -connect {address}:443 -servername {name} </dev/null"
        issuer = [line for line in lab.run("sh", "-c", command).stdout.splitlines() if line.startswith("issuer")]
        expect(f"{name} at {address} is signed by {issuer}", any(words in line for line in issuer), wanted=True)

    return run


def reads(url: str, words: str) -> Proof:
    """curl gets an answer with these words in its head or body."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-i", "-m", "5", url)
        expect(f"{url} says {words!r}: {done.stdout[:300]!r} {done.stderr}", words in done.stdout, wanted=True)

    return run


def greeting(name: str, *, like_a_browser: bool, works: bool) -> Proof:
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
        expect(f"{name} answers (browser: {like_a_browser})", done.stdout.strip(), str(works))

    return run


# ---------------------------------------------------------------------------------------------------------------------
# worlds and rules


def world_with(world: World, **values: Any) -> World:
    return dataclasses.replace(world, **values)


def always(*what: Rule) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: what


def at(world: World, name: str = FACEBOOK, **more: Any) -> When:
    """Packets from and to this site's address only."""
    return When(protocol=TCP, remote=(f"{world.sites[name].address}/32",), **more)


def with_front(**values: Any) -> Callable[[World], World]:
    return lambda world: world.change(FACEBOOK, front=Front(**values))


def plain_page(world: World) -> World:
    """A site that answers over plain HTTP, as a few still do."""
    body = "<html><head><title>LiveJournal</title></head><body><h1>Journals of the day</h1></body></html>"
    return world.change(PLAIN, http=f"location / {{ return 200 '{body}'; }}")


def forged(subject: str, *names: str, page: bytes = b"", expired: bool = False) -> Callable[[World], tuple[Rule, ...]]:
    """A box that opens these names (none: every name that there is) with certificates of its own."""

    def make(world: World) -> tuple[Rule, ...]:
        made = forgers.forge(subject, names or tuple(world.sites), expired=expired)
        return (censor.NameForge(chains=made.chains, key=made.key, page=page),)

    return make


NATIONAL = "CN=Information Security Certification Authority,O=ISCA,C=KZ"
STRANGER = "CN=Web Security Services R2,O=Web Security Services,C=US"
COMPANY = "CN=FG100FTK20012345,O=Fortinet,C=US"
ANTIVIRUS = "CN=Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab,C=RU"
LOGIN_PAGE = censor.response("200 OK", "<html><head><title>Facebook</title></head><body>Log in</body></html>")


def strict(world: World) -> World:
    """All innocuous and foreign sites take only greetings that name them."""
    for name in sorted(world.sites):
        world = world.change(name, front=Front(ways=((name, "serve"),), other="reset"))
    return world


def restart(world: World, start: float, end: float) -> Rule:
    return censor.During(
        rule=rules.Reset(when=at(world, side="up"), place="far"),
        since=RUN_BEGINS,
        start=start,
        end=end,
        place="far",
    )


def at_neutral(host: str, *, fails: bool) -> Proof:
    """A request for this Host at an unrelated address fails, or gets an answer."""

    def run(lab: Lab) -> None:
        address = lab.world.sites[NEUTRAL].address
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "1.5", "-H", f"Host: {host}", f"http://{address}/")
        expect(f"{host} at {address} ({done.stderr.strip()})", done.returncode != 0, fails)

    return run
