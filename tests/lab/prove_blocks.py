"""Proofs for the rows that are held out, besides those of ``prove.py``: curl, dig, openssl and the standard library."""

from __future__ import annotations

import sys

from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.prove import Proof

_GREET = (
    "import socket, ssl, struct, sys, threading, time\n"
    "def greet(address, name, wait):\n"
    "    i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
    "    t = c.wrap_bio(i, o, server_hostname=name)\n"
    "    try: t.do_handshake()\n"
    "    except ssl.SSLWantReadError: pass\n"
    "    s = socket.create_connection((address, 443), wait); s.settimeout(wait); s.send(o.read())\n"
    "    return s\n"
    "address, name, count, wait = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])\n"
)


def expect(what: str, seen: object, wanted: object) -> None:
    """``LabError`` unless they are equal."""
    if seen != wanted:
        raise LabError(f"the scenario does not do what it says: {what}: {seen!r}, not {wanted!r}")


def forget(lab: Lab) -> None:
    """What devices remember of the proofs is not part of the scenario."""
    lab.net.renew_rules()


def once_begun(*proofs: Proof, after: float = 0.0) -> Proof:
    """The proofs hold so many seconds after what a run begins with: the probe asks the time (NTP, RFC 4330)."""
    program = (
        "import socket, sys, time\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'\\x23' + bytes(47), (sys.argv[1], 123))\n"
        "time.sleep(float(sys.argv[2]))\n"
    )

    def run(lab: Lab) -> None:
        lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.clocks[0], str(after)).ok()
        for proof in proofs:
            proof(lab)

    return run


def _greeted(lab: Lab, program: str, address_of: str, name: str, count: int, wait: float) -> str:
    address = lab.world.sites[address_of].address
    words = (sys.executable, "-I", "-S", "-c", _GREET + program, address, name, str(count), str(wait))
    return lab.run(*words).ok().stdout.strip()


def first_bytes(address_of: str, name: str, wanted: str, *, of: int = 1, wait: float = 1.5) -> Proof:
    """What so many greetings in a row meet, one letter each: ``y`` a record of a handshake, ``r`` a RST, ``e`` the end,
    ``o`` other bytes, ``s`` silence, ``u`` unreachable."""
    program = (
        "said = ''\n"
        "for n in range(count):\n"
        "    try:\n"
        "        s = greet(address, name, wait); b = s.recv(5); said += 'y' if b[:1] == b'\\x16' else 'o' if b else 'e'\n"
        "    except TimeoutError: said += 's'\n"
        "    except ConnectionError: said += 'r'\n"
        "    except OSError: said += 'u'\n"
        "print(said)\n"
    )

    def run(lab: Lab) -> None:
        seen = _greeted(lab, program, address_of, name, of, wait)
        expect(f"{of} greetings for {name} at {address_of}", seen, wanted)

    return run


def sometimes(address_of: str, name: str, *, of: int = 16) -> Proof:
    """Of so many greetings at once some are answered and some are not."""
    program = (
        "good = []\n"
        "def once():\n"
        "    try:\n"
        "        if greet(address, name, wait).recv(5)[:1] == b'\\x16': good.append(1)\n"
        "    except OSError: pass\n"
        "threads = [threading.Thread(target=once) for n in range(count)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "print(0 < len(good) < count)\n"
    )

    def run(lab: Lab) -> None:
        expect(f"{name} at {address_of} now and then", _greeted(lab, program, address_of, name, of, 1.5), "True")

    return run


def acknowledged(address_of: str, name: str, *, window: int | None = None) -> Proof:
    """The greeting is acknowledged within a second, and nothing is said. *window*: what the other end then allows, in bytes."""
    program = (
        "s = greet(address, name, wait); time.sleep(1)\n"
        "# Of struct tcp_info: tcpi_bytes_acked, tcpi_bytes_received, and tcpi_snd_wnd (Linux 5.4).\n"
        "info = s.getsockopt(6, 11, 256)\n"
        "acked, received = struct.unpack_from('=QQ', info, 120); wnd, = struct.unpack_from('=I', info, 228)\n"
        "print(acked > 100, received == 0, wnd if count else '')\n"
    )

    def run(lab: Lab) -> None:
        seen = _greeted(lab, program, address_of, name, 0 if window is None else 1, 2)
        expect(
            f"{name} at {address_of}: acknowledged, silent, window",
            seen,
            f"True True {'' if window is None else window}".strip(),
        )

    return run


def signed_by(address_of: str, name: str, words: str) -> Proof:
    """openssl is shown a certificate by an issuer with these words for the name, there."""

    def run(lab: Lab) -> None:
        address = lab.world.sites[address_of].address
        command = f"timeout 3 openssl s_client -connect {address}:443 -servername {name} </dev/null"
        issuer = [
            line for line in lab.run("sh", "-c", command).stdout.splitlines() if line.startswith(("issuer", "subject"))
        ]
        expect(f"{name} at {address} shows {issuer}", any(words in line for line in issuer), wanted=True)

    return run


def answers_vary(name: str, server: str | None = None, *, of: int = 14) -> Proof:
    """So many questions to one resolver, each from a port of its own, do not all get the same answer."""

    def run(lab: Lab) -> None:
        words = ("dig", *([f"@{server}"] if server else []), "+short", "+tries=1", "+time=1", name, "A")
        seen = {lab.run(*words).stdout.strip() for _ in range(of)}
        expect(f"{name} is {sorted(seen)}", len(seen) > 1, wanted=True)

    return run


def page_takes(url: str, *, low: float, high: float) -> Proof:
    """The page comes, and takes so many seconds."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "19", "-w", "%{http_code} %{time_total}", url)
        status, took = done.stdout.split()
        expect(f"{url} took {took} s", (status, low < float(took) < high), ("200", True))

    return run


def body_length(url: str, length: int) -> Proof:
    """The page comes with 200 and a body of so many bytes."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", "5", "-w", "%{http_code} %{size_download}", url)
        expect(url, done.stdout, f"200 {length}")

    return run


def pages_vary(url: str, words: str, *, of: int = 12) -> Proof:
    """Of so many visits some meet these words, and some do not."""

    def run(lab: Lab) -> None:
        seen = [words in lab.run("curl", "-sSi", "-m", "3", url).stdout for _ in range(of)]
        expect(f"{words!r} in {url}: {seen}", 0 < sum(seen) < of, wanted=True)

    return run


def connected(*addresses: str, port: int = 443, works: bool) -> Proof:
    """Each of these addresses takes a connection, or does not."""
    program = (
        "import socket, sys\n"
        "def once(a):\n"
        "    try: socket.create_connection((a, int(sys.argv[1])), 1).close(); return True\n"
        "    except OSError: return False\n"
        "print(*{once(a) for a in sys.argv[2:]})\n"
    )

    def run(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, str(port), *addresses).ok()
        expect(f"connections to {addresses}", done.stdout.strip(), str(works))

    return run


def connected_site(site: str, *, works: bool) -> Proof:
    """The site's address takes a connection, or does not."""
    return lambda lab: connected(lab.world.sites[site].address, works=works)(lab)


def connects_within(site: str, *, seconds: float) -> Proof:
    """A connection to the site's address is made in less than this."""
    program = (
        "import socket, sys, time\n"
        "start = time.monotonic(); socket.create_connection((sys.argv[1], 443), 2); print(time.monotonic() - start)\n"
    )

    def run(lab: Lab) -> None:
        done = lab.run(sys.executable, "-I", "-S", "-c", program, lab.world.sites[site].address).ok()
        expect(f"{site} is connected in {done.stdout.strip()} s", float(done.stdout) < seconds, wanted=True)

    return run


def page_lost(url: str, seconds: int) -> Proof:
    """The page has not come whole after so many seconds."""

    def run(lab: Lab) -> None:
        done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", str(seconds), url)
        expect(f"{url}: {done.stderr.strip()}", done.returncode, 28)

    return run


def pages_fail(url: str, code: int, *, of: int = 16) -> Proof:
    """Of so many visits some end with this exit code of curl's, and some with a page."""

    def run(lab: Lab) -> None:
        codes = [lab.run("curl", "-sS", "-o", "/dev/null", "-m", "3", url).returncode for _ in range(of)]
        expect(f"{url} ends with {codes}", set(codes), {0, code})

    return run


def sometimes_later(address_of: str, name: str) -> Proof:
    """Of three greetings, two seconds apart, some are answered and some are not."""
    program = (
        "said = set()\n"
        "for n in range(count):\n"
        "    try: said.add(greet(address, name, wait).recv(5)[:1] == b'\\x16')\n"
        "    except OSError: said.add(False)\n"
        "    time.sleep(1)\n"
        "print(len(said))\n"
    )

    def run(lab: Lab) -> None:
        expect(f"{name} at {address_of} by turns", _greeted(lab, program, address_of, name, 6, 0.5), "2")

    return run


def prohibited(address_of: str, name: str) -> Proof:
    """A greeting for the name there is answered by ICMP: the socket, asked to heed it, has EHOSTUNREACH (ip(7), IP_RECVERR)."""
    program = (
        "i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
        "t = c.wrap_bio(i, o, server_hostname=name)\n"
        "try: t.do_handshake()\n"
        "except ssl.SSLWantReadError: pass\n"
        "s = socket.create_connection((address, 443), wait); s.setsockopt(0, 11, 1); s.send(o.read()); time.sleep(1)\n"
        "print(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))\n"
    )

    def run(lab: Lab) -> None:
        expect(f"ICMP about {name}", _greeted(lab, program, address_of, name, 1, 2), "113")

    return run


def page_by_https_dns(url: str) -> Proof:
    """The page comes when curl asks a public resolver over HTTPS where it is."""

    def run(lab: Lab) -> None:
        done = lab.run(
            "curl", "-sS", "-o", "/dev/null", "-m", "10", "-w", "%{http_code}", "--doh-url", "https://8.8.8.8/dns-query", url
        )  # fmt: skip
        expect(f"{url} by DNS over HTTPS: {done.stderr.strip()}", done.stdout, "200")

    return run


def never(address_of: str, name: str, *, of: int = 8) -> Proof:
    """None of so many greetings is answered."""
    return first_bytes(address_of, name, "s" * of, of=of, wait=0.6)


def behind(site: str, sni: str, status: int) -> Proof:
    """Whoever greets the site's server with another name is given this status for the site's front page."""
    program = (
        "import socket, ssl, sys\n"
        "c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE\n"
        "s = c.wrap_socket(socket.create_connection((sys.argv[1], 443), 2), server_hostname=sys.argv[2])\n"
        "s.send(f'GET / HTTP/1.1\\r\\nHost: {sys.argv[3]}\\r\\n\\r\\n'.encode()); print(s.recv(12).decode())\n"
    )

    def run(lab: Lab) -> None:
        words = (sys.executable, "-I", "-S", "-c", program, lab.world.sites[site].address, sni, site)
        expect(f"{site} greeted as {sni}", lab.run(*words).ok().stdout.strip(), f"HTTP/1.1 {status}")

    return run


def network_gone(*prefixes: str, of: int = 6) -> Proof:
    """Some of the sites whose addresses begin so take no connection."""

    def run(lab: Lab) -> None:
        there = [site.address for site in lab.world.sites.values() if site.address.startswith(prefixes)]
        expect(f"sites in {prefixes}", len(there) >= of, wanted=True)
        connected(*there[:of], works=False)(lab)

    return run


def dig_has_true(site: str) -> Proof:
    """The site's own address is among those that the provider's resolver gives."""

    def run(lab: Lab) -> None:
        seen = lab.run("dig", "+short", site, "A").stdout.split()
        expect(f"{site} is {seen}", lab.world.sites[site].address in seen, wanted=True)

    return run
