"""Proofs about HTTP/3, speed, holes and short segments. As in prove.py, nothing of ``probe`` is used."""

from __future__ import annotations

import sys

from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.net import REPOSITORY
from tests.lab.prove import Proof
from tests.lab.rules import Rule


def _expect(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise LabError(f"the scenario does not do what it says: {what}: {seen!r}, not {wanted!r}")


def in_force(rule: Rule, *proofs: Proof) -> Proof:
    """The proofs hold while this rule is in force, which in the row it is later, or now and then."""

    def prove(lab: Lab) -> None:
        lab.net.router.set_rules(rule)
        try:
            for proof in proofs:
                proof(lab)
        finally:
            lab.net.renew_rules()

    return prove


def http3(name: str, *, works: bool, at: str | None = None, padding: int = 0) -> Proof:
    """aioquic's client gets the page over HTTP/3, or nothing within three seconds. ``at``: sent to that site's address, so
    nothing is verified; ``padding``: bytes that make the greeting take two datagrams."""

    def prove(lab: Lab) -> None:
        address = lab.world.sites[at or name].address
        words = ["get", address, name, "-" if at else str(lab.roots), str(padding)]
        command = ["env", f"--chdir={REPOSITORY}", sys.executable, "-S", "-m", "tests.lab.quic", *words]
        done = lab.run(*command)
        _expect(f"{name} by HTTP/3 ({done.stderr.strip()[-200:]})", done.stdout.startswith("200 "), works)

    return prove


def announced(name: str) -> Proof:
    """The page over TCP says that there is HTTP/3 (RFC 7838)."""

    def prove(lab: Lab) -> None:
        done = lab.run("curl", "-sSI", "-m", "8", f"https://{name}/")
        _expect(f"{name} says that it has HTTP/3", 'alt-svc: h3=":443"' in done.stdout, wanted=True)

    return prove


def negotiates(name: str, *, works: bool) -> Proof:
    """A QUIC greeting of a version that nobody has is answered with those that the site has (RFC 9000 §6), or not."""
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 443)); s.settimeout(1)\n"
        "s.send(b'\\xc0\\x1a\\x2a\\x3a\\x4a\\x08' + bytes(8) + b'\\x08' + bytes(8) + bytes(1180))\n"
        "try: print(s.recv(1500)[1:5] == bytes(4))\n"
        "except OSError: print(False)\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.sites[name].address).ok()
        _expect(f"{name} negotiates", done.stdout.strip(), str(works))

    return prove


def datagrams_lost(name: str, *, at_least: int, of: int) -> Proof:
    """That many of so many QUIC greetings of a version that nobody has, sent at once, are not answered."""
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 443)); s.settimeout(1)\n"
        "for n in range(int(sys.argv[2])):\n"
        "    s.send(b'\\xc0\\x1a\\x2a\\x3a\\x4a\\x08' + bytes(8) + b'\\x08' + bytes(7) + bytes([n]) + bytes(1180))\n"
        "back = 0\n"
        "try:\n"
        "    while s.recv(1500): back += 1\n"
        "except OSError: pass\n"
        "print(int(sys.argv[2]) - back)\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.sites[name].address, str(of)).ok()
        _expect(f"of {of} greetings {done.stdout.strip()} were lost", int(done.stdout) >= at_least, wanted=True)

    return prove


def takes(at: str, name: str, *, more_than: float = 0.0, less_than: float = 60.0, port: int = 443) -> Proof:
    """The page that the site at one address gives to somebody who names *name* takes so many seconds."""
    scheme = {443: "https", 80: "http"}[port]

    def prove(lab: Lab) -> None:
        there = f"{name}:{port}:{lab.world.sites[at].address}"
        head = ["curl", "-sSk", "-o", "/dev/null", "-m", "40", "--resolve", there]
        done = lab.run(*head, "-w", "%{http_code} %{time_total}", f"{scheme}://{name}/", timeout=50)
        status, took = done.stdout.split()
        _expect(f"{name} at {at} took {took} s", (status, more_than < float(took) < less_than), ("200", True))

    return prove


def differs(at: str, name: str, *, slower_than: float, times: int = 10) -> Proof:
    """Of so many pages under one name some take longer than so many seconds, and some do not."""

    def prove(lab: Lab) -> None:
        there = f"{name}:443:{lab.world.sites[at].address}"
        head = ["curl", "-sSk", "-o", "/dev/null", "-m", "20", "--resolve", there, "-w", "%{time_total}"]
        took = [float(lab.run(*head, f"https://{name}/").stdout) for _ in range(times)]
        _expect(f"{name} at {at} took {took} s", {one > slower_than for one in took}, {True, False})

    return prove


def freezes(at: str, name: str, *, least: int, most: int) -> Proof:
    """A page is asked for, and after *least* to *most* bytes of it nothing more comes for two seconds (of a record of TLS that
    is not complete curl shows nothing)."""

    def prove(lab: Lab) -> None:
        there = f"{name}:443:{lab.world.sites[at].address}"
        head = ["curl", "-sSk", "-o", "/dev/null", "--speed-limit", "1", "--speed-time", "2", "--resolve", there]
        done = lab.run(*head, "-w", "%{size_download}", f"https://{name}/")
        size = int(done.stdout or 0)
        _expect(f"{name} at {at} stopped after {size}", (done.returncode, least <= size <= most), (28, True))

    return prove


def open_port(address: str, port: int, *, works: bool) -> Proof:
    """A TCP connection is made, or is not within a second and a half."""
    program = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.5); print(True)\n"
        "except OSError: print(False)\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address, str(port)).ok()
        _expect(f"{address} port {port}", done.stdout.strip(), str(works))

    return prove


def greets_in_pieces(name: str) -> Proof:
    """What this machine's OpenSSL greets with takes more than one segment on the way there."""
    program = (
        "import socket, ssl, sys\n"
        "s = socket.create_connection((sys.argv[1], 443), 3)\n"
        "c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False\n"
        "t = c.wrap_bio(ssl.MemoryBIO(), o := ssl.MemoryBIO(), server_hostname=sys.argv[2])\n"
        "try: t.do_handshake()\n"
        "except ssl.SSLWantReadError: pass\n"
        "print(len(o.read()) > s.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.sites[name].address, name).ok()
        _expect(f"a greeting for {name} takes two segments", done.stdout.strip(), "True")

    return prove


def routed(address_of: str, interface: str) -> Proof:
    """The machine sends what is for this site into that interface."""

    def prove(lab: Lab) -> None:
        done = lab.run("ip", "route", "get", lab.world.sites[address_of].address)
        _expect(f"the way to {address_of}: {done.stdout.strip()}", f"dev {interface}" in done.stdout, wanted=True)

    return prove
