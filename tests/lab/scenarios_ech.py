"""Greetings with an encrypted one inside: what is done to them on the way, and what looks so and is not."""

from __future__ import annotations

import sys
from typing import Any

from tests.lab import prove, rules
from tests.lab.censor_ech import OUTER, EchDrop, EchReset
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, Scenario, Words, always

_PLACE = "www.wikipedia.org"
_PROGRAM = """\
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.check_hostname = False
tls = context.wrap_bio(ssl.MemoryBIO(), out := ssl.MemoryBIO(), server_hostname=sys.argv[2])
try: tls.do_handshake()
except ssl.SSLWantReadError: pass
hello = bytearray(out.read())
more = sys.argv[3] == 'with'
inside = b'\\0\\0\\1\\0\\1\\7' + (32).to_bytes(2) + bytes(range(32)) + (144).to_bytes(2) + bytes(144)
added = (b'\\xfe\\x0d' if more else b'\\x0a\\x0a') + len(inside).to_bytes(2) + (inside if more else bytes(len(inside)))
at = 43 + 1 + hello[43]
at += 2 + int.from_bytes(hello[at:at + 2])
at += 1 + hello[at]
def longer(where, size): hello[where:where + size] = (int.from_bytes(hello[where:where + size]) + len(added)).to_bytes(size)
longer(at, 2); longer(6, 3); longer(3, 2)
s = socket.create_connection((sys.argv[1], 443), 3); s.settimeout(2)
s.send(bytes(hello) + added)
try: answer = s.recv(6)
except OSError: answer = b''
print(answer[:1] + answer[5:6] == b'\\x16\\2')
"""
"""OpenSSL's own greeting, to which the extension (or one of its length that means nothing, RFC 8701) is added by hand."""


def greets(name: str, *, hidden: bool, works: bool, at: str = _PLACE) -> prove.Proof:
    """A greeting for *name* with an encrypted one inside, or with what means nothing, is answered there or is not."""

    def proof(lab: Lab) -> None:
        words = (lab.world.sites[at].address, name, "with" if hidden else "without")
        said = lab.run(sys.executable, "-I", "-S", "-c", _PROGRAM, *words).ok().stdout.strip()
        if said != str(works):
            raise LabError(f"the scenario does not do what it says: {name} hidden={hidden}: {said}, not {works}")

    return proof


def _row(name: str, tells: str, impaired: tuple[str, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {"arguments": ("--only", "ech"), "exit_codes": (0,), "check": (FACEBOOK_URL,), **more}
    return Scenario(
        name=name, tells=tells, acceptable=(Words("accessible"),), proofs=proofs, impaired=impaired, **fields
    )


_STOPPED = (greets(OUTER, hidden=True, works=False), greets(OUTER, hidden=False, works=True), prove.page(FACEBOOK_URL))

SCENARIOS: tuple[Scenario, ...] = (
    _row(
        "ech_passes",
        "greetings with an encrypted one inside pass as others do",
        (),
        greets(OUTER, hidden=True, works=True),
        greets(OUTER, hidden=False, works=True),
    ),
    _row(
        "ech_dropped",
        "what shows the outer name and has an encrypted greeting inside is dropped; the outer name alone passes",
        ("ech_blocked",),
        *_STOPPED,
        greets(FACEBOOK, hidden=True, works=True),
        rules=always(EchDrop()),
    ),
    _row(
        "ech_dropped_deep",
        "the same, asked with --deep: the word of the page is what it is without",
        ("ech_blocked",),
        *_STOPPED,
        rules=always(EchDrop()),
        arguments=("--deep",),
    ),
    _row(
        "ech_reset",
        "what shows the outer name and has an encrypted greeting inside is reset",
        ("ech_blocked",),
        *_STOPPED,
        rules=always(EchReset()),
    ),
    _row(
        "ech_dropped_under_any_name",
        "whatever has an encrypted greeting inside is dropped",
        ("ech_blocked",),
        *_STOPPED,
        greets(FACEBOOK, hidden=True, works=False),
        rules=always(EchDrop(names=())),
    ),
    _row(
        "ech_outer_name_dropped",
        "the outer name is dropped, with an encrypted greeting inside or without: a name, as any other",
        (),
        greets(OUTER, hidden=False, works=False),
        greets(FACEBOOK, hidden=True, works=True),
        rules=always(rules.NameDrop(names=(OUTER,))),
    ),
)
