"""Each scenario proves itself before the probe runs: what the network really does, seen with curl, dig and openssl.

A proof is a function of the lab that raises ``LabError`` when the network does not do what the scenario says. Nothing of
``probe`` is used, so that a mistake of ours cannot agree with itself.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.lab.namespaces import LabError

if TYPE_CHECKING:
    from tests.lab.lab import Lab

Proof = Callable[["Lab"], None]

# curl(1), "EXIT CODES".
UNRESOLVED, UNCONNECTED, SILENT, HANDSHAKE, RESET, UNTRUSTED = 6, 7, 28, 35, 56, 60
_WAIT_S = "1.5"


def _expect(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise LabError(f"the scenario does not do what it says: {what}: {seen!r}, not {wanted!r}")


def page(url: str, status: int = 200) -> Proof:
    """curl gets this status over a chain that it trusts."""

    def prove(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "10", "-w", "%{http_code}", url)
        _expect(f"{url} ({done.stderr.strip()})", done.stdout, str(status))

    return prove


def fails(url: str, *codes: int, says: str = "") -> Proof:
    """curl fails with one of these exit codes, and says so."""

    def prove(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", _WAIT_S, url)
        _expect(
            f"{url} fails as it should ({done.stderr.strip()})", done.returncode in codes and says in done.stderr, True
        )

    return prove


def answers(name: str, wanted: str, server: str | None = None, *options: str) -> Proof:
    """dig gets this address, or this status (``NXDOMAIN``), or silence (``""``). *options* are dig's (``+tcp``, ``+cd``)."""

    def prove(lab: Lab) -> None:
        at = [f"@{server}"] if server else []
        done = lab.run("dig", *at, "+tries=1", "+time=1", *options, name, "A")
        lines = [line.split() for line in done.stdout.splitlines()]
        found = [line[4] for line in lines if len(line) == 5 and line[3] == "A"]
        status = next((line[5].strip(",") for line in lines if line[:2] == [";;", "->>HEADER<<-"]), "")
        _expect(f"{name} at {server or 'the provider'}", found[0] if found else status.replace("NOERROR", ""), wanted)

    return prove


def truth(name: str) -> Proof:
    """A public resolver gives the address that the site really has."""

    def prove(lab: Lab) -> None:
        answers(name, lab.world.addresses().get(name, "an address"), "8.8.8.8")(lab)

    return prove


def handshake(address_of: str, sni: str, *, works: bool) -> Proof:
    """openssl, sent to the address of one site with the name of another, sees a server's hello or does not."""

    def prove(lab: Lab) -> None:
        address = lab.world.sites[address_of].address
        command = f"timeout {_WAIT_S} openssl s_client -connect {address}:443 -servername {sni} </dev/null"
        done = lab.run("sh", "-c", command)
        _expect(f"{sni} at {address}", "BEGIN CERTIFICATE" in done.stdout, works)

    return prove


def says(words: str, *argv: str, code: int | None = None) -> Proof:
    """A command says these words (on either stream), and ends with this exit code if one is given. ``{name}`` in an
    argument is the address of that site."""

    def prove(lab: Lab) -> None:
        sites = {f"{{{name}}}": site.address for name, site in lab.world.sites.items()}
        command = [functools.reduce(lambda text, key: text.replace(key, sites[key]), sites, part) for part in argv]
        done = lab.run(*command)
        said = done.stdout + done.stderr
        _expect(
            f"{' '.join(command)}: {said.strip()[-300:]}",
            (words in said, done.returncode),
            (True, code if code is not None else done.returncode),
        )

    return prove


def curl(words: str, url: str, *options: str, code: int = 0) -> Proof:
    """curl gets these words in the head or the body of the answer, or says them, and ends with this exit code."""
    return says(words, "curl", "-sSi", "-m", "8", *options, url, code=code)


def half_fails(name: str, of: int = 24) -> Proof:
    """Of so many greetings from as many ports some work and some do not."""
    program = (
        "import socket, ssl, sys\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE\n"
        "good = 0\n"
        "for n in range(int(sys.argv[3])):\n"
        "    try:\n"
        "        with socket.create_connection((sys.argv[1], 443), 0.6) as s:\n"
        "            with context.wrap_socket(s, server_hostname=sys.argv[2]): good += 1\n"
        "    except OSError: pass\n"
        "print(good)\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.sites[name].address, name, str(of)).ok()
        _expect(f"{done.stdout.strip()} of {of} greetings work", 2 < int(done.stdout) < of - 2, True)

    return prove


def certificate_error(url: str, words: str) -> Proof:
    """curl refuses the chain, for this reason."""
    return fails(url, UNTRUSTED, says=words)


def no_route(address: str) -> Proof:
    """The kernel itself knows no way."""

    def prove(lab: Lab) -> None:
        done = lab.run("ip", "route", "get", address)
        _expect(f"no route to {address}", "unreachable" in done.stderr.lower(), True)

    return prove


def clock_ahead(address: str, days: int) -> Proof:
    """An NTP server is this many days ahead of this host (read with the standard library, RFC 4330)."""
    program = (
        "import socket, struct, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2); s.connect((sys.argv[1], 123))\n"
        "s.send(b'\\x23' + bytes(47)); seconds, = struct.unpack_from('!I', s.recv(512), 40)\n"
        "print(round((seconds - 2208988800 - time.time()) / 86400))\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address).ok()
        _expect(f"{address} is ahead by days", int(done.stdout), days)

    return prove


def page_date_ahead(url: str, days: int) -> Proof:
    """The Date header of a page is this many days ahead of this host."""

    def prove(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "10", "-w", "%header{date}", url)
        date = email.utils.parsedate_to_datetime(done.stdout)
        _expect(f"{url} is ahead by days", round((date - dt.datetime.now(dt.UTC)) / dt.timedelta(days=1)), days)

    return prove


def slower(url: str, seconds: float) -> Proof:
    """The page comes, and takes longer than this."""

    def prove(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "20", "-w", "%{http_code} %{time_total}", url)
        status, took = done.stdout.split()
        _expect(f"{url} took {took} s", (status, float(took) > seconds), ("200", True))

    return prove


def lossy(resolver: str, *, at_least: int, of: int) -> Proof:
    """That many of so many questions, sent at once, are not answered."""
    program = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.settimeout(0.7)\n"
        "for n in range(int(sys.argv[2])): s.send(bytes([1, n]) + b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1x\\3com\\0\\0\\1\\0\\1')\n"
        "back = set()\n"
        "try:\n"
        "    while len(back) < int(sys.argv[2]): back.add(s.recv(512)[1])\n"
        "except TimeoutError: pass\n"
        "print(int(sys.argv[2]) - len(back))\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, resolver, str(of)).ok()
        _expect(f"of {of} questions {done.stdout.strip()} were lost", int(done.stdout) >= at_least, True)

    return prove


def large_packets_vanish(name: str) -> Proof:
    """The same page comes with small segments (MSS 1200) and not with full ones."""
    program = (
        "import socket, ssl, sys\n"
        "s = socket.socket(); s.settimeout(1.5)\n"
        "if sys.argv[3] != '0': s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, int(sys.argv[3]))\n"
        "s.connect((sys.argv[1], 443))\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE\n"
        "try: context.wrap_socket(s, server_hostname=sys.argv[2]); print('yes')\n"
        "except OSError: print('no')\n"
    )

    def prove(lab: Lab) -> None:
        for mss, wanted in (("1200", "yes"), ("0", "no")):
            done = lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.sites[name].address, name, mss).ok()
            _expect(f"{name} with MSS {mss}", done.stdout.strip(), wanted)

    return prove


def library(name: str, wanted: str) -> Proof:
    """The C library sends the name to this address."""

    def prove(lab: Lab) -> None:
        done = lab.run("getent", "ahostsv4", name)
        _expect(f"{name} by getent", done.stdout.split()[:1], [wanted])

    return prove


def connects(address_of: str, *, low: int, high: int, of: int = 40) -> Proof:
    """Of so many connections at once, from as many ports, between *low* and *high* are established within a second."""
    program = (
        "import select, socket, sys, time\n"
        "count, waiting = int(sys.argv[2]), []\n"
        "for n in range(count):\n"
        "    s = socket.socket(); s.setblocking(False); s.connect_ex((sys.argv[1], 443)); waiting.append(s)\n"
        "made, end = 0, time.monotonic() + 0.9\n"
        "while waiting and (left := end - time.monotonic()) > 0:\n"
        "    for s in select.select([], waiting, [], left)[1]:\n"
        "        waiting.remove(s); made += not s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)\n"
        "print(made)\n"
    )

    def prove(lab: Lab) -> None:
        address = lab.world.addresses()[address_of]
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address, str(of)).ok()
        _expect(f"of {of} connections {done.stdout.strip()} were made", low <= int(done.stdout) <= high, True)

    return prove


def unsteady(resolver: str, *, spread_s: float) -> Proof:
    """The slowest of twenty answers takes this much longer than the quickest."""
    program = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.settimeout(2)\n"
        "took = []\n"
        "for n in range(20):\n"
        "    start = time.monotonic(); s.send(bytes([1, n]) + b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1x\\3com\\0\\0\\1\\0\\1')\n"
        "    s.recv(512); took.append(time.monotonic() - start)\n"
        "print(max(took) - min(took))\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, resolver).ok()
        _expect(f"the spread is {done.stdout.strip()} s", float(done.stdout) > spread_s, True)

    return prove


def interface_up(name: str) -> Proof:
    """The machine has this interface, and it is up."""

    def prove(lab: Lab) -> None:
        done = lab.run("ip", "-br", "link", "show", "up")
        _expect(f"{name} is up", any(line.split()[0].split("@")[0] == name for line in done.stdout.splitlines()), True)

    return prove


def shown_at(address: str, sni: str) -> Proof:
    """Whoever answers at *address*, where nobody lives, shows the certificate of *sni*."""

    def prove(lab: Lab) -> None:
        command = f"timeout {_WAIT_S} openssl s_client -connect {address}:443 -servername {sni} </dev/null"
        done = lab.run("sh", "-c", command)
        _expect(f"{sni} at {address}", f"CN = {sni}" in done.stdout, True)

    return prove


def some_places_dead(*, low: int, high: int, of: int) -> Proof:
    """Between *low* and *high* of so many sites, each at another address, take no connection within a second."""
    program = (
        "import select, socket, sys, time\n"
        "waiting = []\n"
        "for address in sys.argv[1:]:\n"
        "    s = socket.socket(); s.setblocking(False); s.connect_ex((address, 443)); waiting.append(s)\n"
        "end = time.monotonic() + 0.9\n"
        "while waiting and (left := end - time.monotonic()) > 0:\n"
        "    for s in select.select([], waiting, [], left)[1]: waiting.remove(s)\n"
        "print(len(waiting))\n"
    )

    def prove(lab: Lab) -> None:
        places = [site.address for site in lab.world.sites.values()][:of]
        done = lab.run(sys.executable, "-I", "-S", "-c", program, *places).ok()
        _expect(f"of {of} places {done.stdout.strip()} are dead", low <= int(done.stdout) <= high, True)

    return prove


def some_greetings_die(name: str, *, low: int, high: int, of: int) -> Proof:
    """Of so many handshakes at once, between *low* and *high* end within 1.5 s."""
    program = (
        "import socket, ssl, sys, threading\n"
        "good = []\n"
        "def greet():\n"
        "    try:\n"
        "        s = socket.create_connection((sys.argv[1], 443), 1.5); s.settimeout(1.5)\n"
        "        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE\n"
        "        c.wrap_socket(s, server_hostname=sys.argv[2]); good.append(1)\n"
        "    except OSError: pass\n"
        "threads = [threading.Thread(target=greet) for n in range(int(sys.argv[3]))]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "print(len(good))\n"
    )

    def prove(lab: Lab) -> None:
        address = lab.world.addresses()[name]
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address, name, str(of)).ok()
        _expect(f"of {of} handshakes {done.stdout.strip()} were made", low <= int(done.stdout) <= high, True)

    return prove


def too_big(address: str) -> Proof:
    """A datagram of 1,400 bytes that may not be cut up is too big for the way, and ICMP says so."""
    program = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(0, 10, 2); s.connect((sys.argv[1], 53))\n"
        "s.send(bytes(1400)); time.sleep(0.5)\n"
        "try: s.send(bytes(1400)); s.send(bytes(1400)); print('no')\n"
        "except OSError as error: print('yes' if error.errno == 90 else error)\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address).ok()
        _expect(f"1,400 bytes are too big for {address}", done.stdout.strip(), "yes")

    return prove


def rotates(name: str, *, of: int) -> Proof:
    """So many questions get so many different addresses."""

    def prove(lab: Lab) -> None:
        found = {lab.run("dig", "+short", name, "A").stdout.strip() for _ in range(of)}
        _expect(f"answers for {name}: {sorted(found)}", len(found), of)

    return prove


def burst_refused(resolver: str, *, low: int, of: int) -> Proof:
    """Of so many questions at once, at least *low* are refused (code 5), and not all."""
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.settimeout(0.7)\n"
        "for n in range(int(sys.argv[2])): s.send(bytes([1, n]) + b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1x\\3com\\0\\0\\1\\0\\1')\n"
        "codes = []\n"
        "try:\n"
        "    while len(codes) < int(sys.argv[2]): codes.append(s.recv(512)[3] & 15)\n"
        "except TimeoutError: pass\n"
        "print(codes.count(5))\n"
    )

    def prove(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, resolver, str(of)).ok()
        _expect(f"of {of} questions {done.stdout.strip()} were refused", low <= int(done.stdout) < of, True)

    return prove


def asks(*resolvers: str) -> Proof:
    """The machine's list of resolvers is this."""

    def prove(lab: Lab) -> None:
        lines = lab.run("cat", "/etc/resolv.conf").ok().stdout.splitlines()
        _expect("the resolvers", [line.split()[1] for line in lines if line.startswith("nameserver")], list(resolvers))

    return prove
