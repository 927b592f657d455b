"""Proofs about lines and boxes: how many packets come, when, in which order, and what of TCP survives. See prove.py."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.lab.lab import Lab
from tests.lab.prove import Proof, _expect
from tests.lab.rules import Rule
from tests.lab.world import World

QUESTION = "b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1x\\3com\\0\\0\\1\\0\\1'"
"""Without its number; as a word of a program."""


def _python(lab: Lab, program: str, *arguments: str) -> str:
    return lab.run(sys.executable, "-I", "-S", "-c", program, *arguments).ok().stdout.strip()


def forget(lab: Lab) -> None:
    """What boxes remember of the proofs is not part of the scenario: the rules begin anew."""
    lab.net.renew_rules()


def from_start(*proofs: Proof) -> Proof:
    """These proofs, under rules that have seen nothing yet."""

    def prove(lab: Lab) -> None:
        forget(lab)
        for proof in proofs:
            proof(lab)
        forget(lab)

    return prove


def without_rules(*proofs: Proof) -> Proof:
    """These proofs, while nothing is in the way."""
    return under(lambda _world: (), *proofs)


def under(make: Callable[[World], tuple[Rule, ...]], *proofs: Proof) -> Proof:
    """These proofs, under other rules."""

    def prove(lab: Lab) -> None:
        lab.net.router.set_rules(*make(lab.world))
        try:
            for proof in proofs:
                proof(lab)
        finally:
            forget(lab)

    return prove


def answered(server: str, *, low: int, high: int, of: int, pause: float = 0.02) -> Proof:
    """Of so many questions, one every *pause* seconds, between *low* and *high* are answered; twice counts twice."""
    program = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.setblocking(False)\n"
        "found = 0\n"
        "def read():\n"
        "    global found\n"
        "    try:\n"
        "        while True: s.recv(512); found += 1\n"
        "    except OSError: pass\n"
        f"for n in range(int(sys.argv[2])): s.send(bytes([1, n % 256]) + {QUESTION}); time.sleep(float(sys.argv[3])); read()\n"
        "time.sleep(0.7); read(); print(found)\n"
    )

    def prove(lab: Lab) -> None:
        found = int(_python(lab, program, server, str(of), str(pause)))
        _expect(f"{found} answers to {of} questions", low <= found <= high, True)

    return prove


def out_of_order(server: str, *, at_least: int, of: int) -> Proof:
    """Of so many answers to as many questions, at least this many come behind the answer to a later one."""
    program = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.settimeout(0.7)\n"
        f"for n in range(int(sys.argv[2])): s.send(bytes([1, n]) + {QUESTION}); time.sleep(0.002)\n"
        "order = []\n"
        "try:\n"
        "    while len(order) < int(sys.argv[2]): order.append(s.recv(512)[1])\n"
        "except TimeoutError: pass\n"
        "print(sum(number < max(order[:at + 1]) for at, number in enumerate(order)))\n"
    )

    def prove(lab: Lab) -> None:
        found = int(_python(lab, program, server, str(of)))
        _expect(f"{found} of {of} answers come behind a later one", found >= at_least, True)

    return prove


def dead_between(server: str, start: float, end: float, *, until: float) -> Proof:
    """From the first question on: all are answered before *start* and after *end*, and none in between (± 0.3 s)."""
    program = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.setblocking(False)\n"
        "begun, sent, found = time.monotonic(), {}, set()\n"
        "for n in range(250):\n"
        "    if (now := time.monotonic() - begun) > float(sys.argv[4]) + 0.7: break\n"
        f"    if now < float(sys.argv[4]): sent[n] = now; s.send(bytes([1, n]) + {QUESTION})\n"
        "    time.sleep(0.05)\n"
        "    try:\n"
        "        while True: found.add(s.recv(512)[1])\n"
        "    except OSError: pass\n"
        "start, end = float(sys.argv[2]), float(sys.argv[3])\n"
        "dead = {n for n, at in sent.items() if start + 0.3 < at < end - 0.3}\n"
        "live = {n for n, at in sent.items() if at < start - 0.3 or at > end + 0.3}\n"
        "print(len(dead & found), len(live - found), len(dead) > 3, len(live) > 3)\n"
    )

    def prove(lab: Lab) -> None:
        said = _python(lab, program, server, str(start), str(end), str(until))
        _expect(f"dead from {start} to {end} s", said, "0 0 True True")

    return from_start(prove)


def longest(server: str, *, over: float, of: int, pause: float = 0.1) -> Proof:
    """Every one of so many questions is answered, and the slowest answer takes longer than *over* seconds."""
    program = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.setblocking(False)\n"
        "sent, took, left = {}, {}, int(sys.argv[2])\n"
        "end = time.monotonic() + left * float(sys.argv[3]) + 3\n"
        "due = time.monotonic()\n"
        "while time.monotonic() < end and len(took) < int(sys.argv[2]):\n"
        "    if left and time.monotonic() >= due:\n"
        "        left -= 1; due += float(sys.argv[3])\n"
        f"        sent[left] = time.monotonic(); s.send(bytes([1, left]) + {QUESTION})\n"
        "    try:\n"
        "        n = s.recv(512)[1]; took.setdefault(n, time.monotonic() - sent[n])\n"
        "    except OSError: time.sleep(0.002)\n"
        "print(len(sent) - len(took), max(took.values()))\n"
    )

    def prove(lab: Lab) -> None:
        lost, took = _python(lab, program, server, str(of), str(pause)).split()
        _expect(f"{lost} of {of} lost, the slowest took {took} s", (lost, float(took) > over), ("0", True))

    return prove


def one_by_one(address_of: str, *, made: int, of: int, port: int = 443) -> Proof:
    """Of so many connections, one after the other and held open, exactly the first *made* are established within 0.4 s."""
    program = (
        "import socket, sys\n"
        "kept, word = [], ''\n"
        "for n in range(int(sys.argv[3])):\n"
        "    try: kept.append(socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.4)); word += 'y'\n"
        "    except OSError: word += 'n'\n"
        "print(word)\n"
    )

    def prove(lab: Lab) -> None:
        said = _python(lab, program, lab.world.addresses()[address_of], str(port), str(of))
        _expect(f"of {of} connections to {address_of}", said, "y" * made + "n" * (of - made))

    return from_start(prove)


def after_a_pause(name: str, seconds: float, wanted: str) -> Proof:
    """A connection to port 80 is left alone so long, and then asked for a page: ``yes``, ``reset`` or ``silence``."""
    program = (
        "import socket, sys, time\n"
        "s = socket.create_connection((sys.argv[1], 80), 1); time.sleep(float(sys.argv[2])); s.settimeout(1)\n"
        "try:\n"
        "    s.send(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print('yes' if s.recv(99) else 'end')\n"
        "except TimeoutError: print('silence')\n"
        "except ConnectionError: print('reset')\n"
    )

    def prove(lab: Lab) -> None:
        said = _python(lab, program, lab.world.addresses()[name], str(seconds))
        _expect(f"{name} after {seconds} s of quiet", said, wanted)

    return prove


def connected(address: str, port: int, wanted: str) -> Proof:
    """Within a second a connection is made (``yes``), ended from the other side at once (``reset``), refused or not made
    (``silence``). ``{name}`` is the address of that site."""
    program = (
        "import socket, sys\n"
        "try:\n"
        "    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 1); s.settimeout(0.5)\n"
        "    try: s.recv(1); print('end')\n"
        "    except TimeoutError: print('yes')\n"
        "    except ConnectionError: print('reset')\n"
        "except TimeoutError: print('silence')\n"
        "except ConnectionRefusedError: print('refused')\n"
        "except OSError: print('prohibited')\n"
    )

    def prove(lab: Lab) -> None:
        where = lab.world.addresses()[address[1:-1]] if address[0] == "{" else address
        _expect(f"{address}:{port}", _python(lab, program, where, str(port)), wanted)

    return prove


def options(name: str, *, has: int, lacks: int) -> Proof:
    """What TCP agreed on with a site: bits of ``tcpi_options`` (1 times, 2 SACK, 4 window scale)."""
    program = (
        "import socket, sys\n"
        "s = socket.create_connection((sys.argv[1], 443), 2)\n"
        "print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5])\n"
    )

    def prove(lab: Lab) -> None:
        found = int(_python(lab, program, lab.world.addresses()[name]))
        _expect(f"options {found} with {name}", (found & has, found & lacks), (has, 0))

    return prove


def upload_takes(name: str, port: int, size: int, *, over: float) -> Proof:
    """A bare service takes so many bytes, and the last of its echoes comes only after *over* seconds, if at all."""
    program = (
        "import socket, sys, time\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2); begun = time.monotonic(); s.settimeout(5)\n"
        "try:\n"
        "    s.sendall(bytes(int(sys.argv[3]))); s.shutdown(1)\n"
        "    while time.monotonic() - begun < 5 and s.recv(65536): pass\n"
        "except TimeoutError: pass\n"
        "print(time.monotonic() - begun)\n"
    )

    def prove(lab: Lab) -> None:
        took = float(_python(lab, program, lab.world.addresses()[name], str(port), str(size)))
        _expect(f"{size} bytes to {name} took {took} s", took > over, True)

    return prove


def pages_until_cut(url: str, *, tries: int) -> Proof:
    """The first visits bring the page, the last of so many does not."""

    def prove(lab: Lab) -> None:
        codes = [lab.run("curl", "-sS", "-o", "/dev/null", "-m", "2", url).returncode for _ in range(tries)]
        _expect(f"{url} again and again: {codes}", (codes[0], codes[-1] != 0), (0, True))

    return from_start(prove)


def mixed_codes(name: str, code: str, *, low: int, of: int) -> Proof:
    """Of so many questions for a name, at least *low* get this status and at least as many the truth."""
    program = (
        "import socket, sys\n"
        "q = b''.join(bytes([len(x)]) + x.encode() for x in sys.argv[1].split('.')) + b'\\0\\0\\1\\0\\1'\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)\n"
        "server = [l.split()[1] for l in open('/etc/resolv.conf') if l.startswith('nameserver')][0]\n"
        "s.connect((server, 53)); codes = []\n"
        "for n in range(int(sys.argv[2])):\n"
        "    s.send(bytes([1, n]) + b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + q); codes.append(str(s.recv(512)[3] & 15))\n"
        "print(' '.join(codes))\n"
    )

    def prove(lab: Lab) -> None:
        codes = _python(lab, program, name, str(of)).split()
        _expect(f"{name}: {codes}", (codes.count(code) >= low, codes.count("0") >= low), (True, True))

    return prove


def signed_by(url: str, issuer: str) -> Proof:
    """curl sees a certificate of this issuer."""

    def prove(lab: Lab) -> None:
        done = lab.run("curl", "-sSvk", "-o", "/dev/null", "-m", "5", url)
        _expect(
            f"{url} by {done.stderr[-200:]}",
            any("issuer:" in line and issuer in line for line in done.stderr.splitlines()),
            True,
        )

    return prove


def oldest_dead(name: str, *, others: int) -> Proof:
    """A flow to port 80 gets no answer any more after so many others have begun, and the newest of those does."""
    program = (
        "import socket, sys\n"
        "flows = [socket.create_connection((sys.argv[1], 80), 1) for n in range(int(sys.argv[2]) + 1)]\n"
        "def ask(s):\n"
        "    s.settimeout(1)\n"
        "    try: s.send(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); return 'yes' if s.recv(99) else 'end'\n"
        "    except OSError: return 'no'\n"
        "print(ask(flows[-1]), ask(flows[0]))\n"
    )

    def prove(lab: Lab) -> None:
        said = _python(lab, program, lab.world.addresses()[name], str(others))
        _expect(f"the newest and the oldest of {others + 1} flows", said, "yes no")

    return from_start(prove)


def wrong_sums(url: str, *, visits: int) -> Proof:
    """In so many visits this machine drops segments for their checksum (``InCsumErrors`` of /proc/net/snmp)."""

    def prove(lab: Lab) -> None:
        for _ in range(visits):
            lab.run("curl", "-sS", "-o", "/dev/null", "-m", "10", url)
        names, values = (line.split() for line in lab.run("grep", "^Tcp:", "/proc/net/snmp").ok().stdout.splitlines())
        dropped = int(dict(zip(names, values, strict=True))["InCsumErrors"])
        _expect(f"{dropped} segments with wrong sums", dropped > 0, True)

    return prove


def closed_datagram_port(address: str, wanted: str) -> Proof:
    """A datagram to a port where nobody listens: ``refused``, which ICMP says, or ``silence``."""
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 9999)); s.settimeout(1); s.send(b'x')\n"
        "try: s.recv(9)\n"
        "except TimeoutError: print('silence')\n"
        "except ConnectionRefusedError: print('refused')\n"
    )

    def prove(lab: Lab) -> None:
        _expect(f"{address}:9999", _python(lab, program, address), wanted)

    return prove
