"""Proofs about the two versions of IP, each by itself: curl -4 and -6, dig AAAA, openssl and the standard library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.lab import dual, prove
from tests.lab.namespaces import LabError
from tests.lab.prove import Proof

if TYPE_CHECKING:
    from tests.lab.lab import Lab


def _expect(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise LabError(f"the scenario does not do what it says: {what}: {seen!r}, not {wanted!r}")


def page(url: str, version: int, *, wait: str = "8") -> Proof:
    """curl gets the page (200) over this version alone."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", f"-{version}", "-sS", "-o", "/dev/null", "-m", wait, "-w", "%{http_code}", url)
        _expect(f"{url} over IPv{version} ({done.stderr.strip()})", done.stdout, "200")

    return run


def fails(url: str, version: int, *codes: int) -> Proof:
    """curl over this version alone ends with one of these exit codes."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", f"-{version}", "-sS", "-o", "/dev/null", "-m", "1.5", url)
        _expect(f"{url} fails over IPv{version} ({done.stderr.strip()})", done.returncode in codes, True)

    return run


def answers(name: str, wanted: str, *options: str) -> Proof:
    """dig gets this AAAA (of several the first), this status (``NXDOMAIN``), ``""`` for an empty answer or for silence.

    ``{name}`` stands for the true address.
    """

    def run(lab: Lab) -> None:
        done = lab.run("dig", "+tries=1", "+time=1", *options, name, "AAAA")
        lines = [line.split() for line in done.stdout.splitlines()]
        found = [line[4] for line in lines if len(line) == 5 and line[3] == "AAAA"]
        status = next((line[5].strip(",") for line in lines if line[:2] == [";;", "->>HEADER<<-"]), "")
        wish = dual.six(lab.world, name) if wanted == "{name}" else wanted
        _expect(f"AAAA of {name}", found[0] if found else status.replace("NOERROR", ""), wish)

    return run


def silence(name: str) -> Proof:
    """The AAAA question is not answered at all, and the A question is."""

    def run(lab: Lab) -> None:
        done = lab.run("dig", "+tries=1", "+time=1", name, "AAAA")
        _expect(f"silence about the AAAA of {name}", "timed out" in done.stdout, True)
        prove.answers(name, lab.world.addresses()[name])(lab)

    return run


def handshake(address_of: str, sni: str, *, works: bool) -> Proof:
    """openssl, sent to the IPv6 address of one site with the name of another, sees a server's hello or does not."""

    def run(lab: Lab) -> None:
        address = dual.six(lab.world, address_of)
        command = f"timeout 1.5 openssl s_client -connect [{address}]:443 -servername {sni} </dev/null"
        _expect(f"{sni} at {address}", "BEGIN CERTIFICATE" in lab.run("sh", "-c", command).stdout, works)

    return run


def behind_translator(address_of: str, sni: str, *, works: bool) -> Proof:
    """The same, at the translator's address for the IPv4 address of a site."""

    def run(lab: Lab) -> None:
        address = f"{lab.world.prefix64}{lab.world.sites[address_of].address}"
        command = f"timeout 1.5 openssl s_client -connect [{address}]:443 -servername {sni} </dev/null"
        _expect(f"{sni} at {address}", "BEGIN CERTIFICATE" in lab.run("sh", "-c", command).stdout, works)

    return run


def translated(name: str) -> Proof:
    """The AAAA of a name without IPv6 is the translator's prefix with the A in it; ipv4only.arpa gives the prefix away."""

    def run(lab: Lab) -> None:
        for about, inside in ((name, lab.world.addresses()[name]), (dual.ARPA, "192.0.0.170")):
            done = lab.run("getent", "ahostsv6", f"{lab.world.prefix64}{inside}")
            answers(about, done.stdout.split()[0])(lab)

    return run


def routes(*, four: bool, six: bool) -> Proof:
    """Which default routes the kernel has."""

    def run(lab: Lab) -> None:
        for address, wanted in (("8.8.8.8", four), ("2001:4860:4860::8888", six)):
            known = lab.run("ip", "route", "get", address).returncode == 0
            _expect(f"a route to {address}", known, wanted)

    return run


def large_packets_vanish(name: str) -> Proof:
    """Over IPv6 a handshake with small segments (MSS 1200) ends, with full ones it does not, and no error arrives."""
    program = (
        "import socket, ssl, sys\n"
        "s = socket.socket(socket.AF_INET6); s.settimeout(1.5)\n"
        "if sys.argv[3] != '0': s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, int(sys.argv[3]))\n"
        "s.connect((sys.argv[1], 443))\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE\n"
        "try: context.wrap_socket(s, server_hostname=sys.argv[2]); print('yes')\n"
        "except TimeoutError: print('no')\n"
    )

    def run(lab: Lab) -> None:
        for mss, wanted in (("1200", "yes"), ("0", "no")):
            address = dual.six(lab.world, name)
            done = lab.run(sys.executable, "-I", "-S", "-c", program, address, name, mss).ok()
            _expect(f"{name} with MSS {mss}", done.stdout.strip(), wanted)

    return run
