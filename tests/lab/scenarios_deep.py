"""Blocks that remember, and blocks that read greetings whole or in pieces, as ``--deep`` asks about them.

What is learnt so is told beside the word and never changes it: each row is checked like any other, and once more with
``--deep``, with the same words.
"""

from __future__ import annotations

import dataclasses
import sys

from tests.lab import censor, prove, rules
from tests.lab.greetings import META, NEUTRAL, SNI_SILENCE, always, by_name, forget
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.prove import Proof
from tests.lab.scenarios import FACEBOOK, OTHER, Scenario, Words

_FRESH = "www.debian.org"


def in_pieces(form: str, *, works: bool, name: str = FACEBOOK, at: str = _FRESH) -> Proof:
    """A greeting for the name, cut in its middle into two packets or two records, is answered at a site, or is not."""
    program = (
        "import socket, ssl, sys, time\n"
        "i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
        "t = c.wrap_bio(i, o, server_hostname=sys.argv[2])\n"
        "try: t.do_handshake()\n"
        "except ssl.SSLWantReadError: pass\n"
        "h = o.read(); k = h.index(sys.argv[2].encode()) + 4\n"
        "r = lambda b: h[:3] + len(b).to_bytes(2, 'big') + b\n"
        "p = [h[:k], h[k:]] if sys.argv[3] == 'segments' else [r(h[5:k]), r(h[k:])]\n"
        "p = [b''.join(p)] if sys.argv[3] == 'records' else p\n"
        "s = socket.create_connection((sys.argv[1], 443), 2); s.settimeout(1.5); s.setsockopt(6, 1, 1)\n"
        "for b in p: s.send(b); time.sleep(0.05)\n"
        "try: print(s.recv(5)[:1] == b'\\x16')\n"
        "except OSError: print(False)\n"
    )

    def run(lab: Lab) -> None:
        address = lab.world.sites[at].address
        done = lab.run(sys.executable, "-I", "-S", "-c", program, address, name, form).ok()
        if done.stdout.strip() != str(works):
            raise LabError(f"{name} in {form} is answered: {done.stdout.strip()}")

    return run


def _again(seconds: float, *, works: bool, fresh: bool) -> Proof:
    """After the name was asked, another name is answered at that place after so many seconds, or is not: from the same port, or
    from a fresh one."""
    program = (
        "import socket, ssl, struct, sys, time\n"
        "def ask(name, port=0):\n"
        "    i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
        "    t = c.wrap_bio(i, o, server_hostname=name)\n"
        "    try: t.do_handshake()\n"
        "    except ssl.SSLWantReadError: pass\n"
        "    s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(('', port)); s.settimeout(3.5)\n"
        "    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
        "    with s:\n"
        "        try: s.connect((sys.argv[1], 443)); port = s.getsockname()[1]; s.settimeout(1); s.send(o.read()); ok = s.recv(1) == b'\\x16'\n"
        "        except OSError: ok = False\n"
        "    return ok, port\n"
        "ok, port = ask(sys.argv[2]); assert not ok\n"
        "time.sleep(float(sys.argv[4])); print(ask(sys.argv[3], 0 if sys.argv[5] == 'True' else port)[0])\n"
    )

    def run(lab: Lab) -> None:
        address = lab.world.sites[_FRESH].address
        words = (address, FACEBOOK, "www.nobelprize.org", str(seconds), str(fresh))
        done = lab.run(sys.executable, "-I", "-S", "-c", program, *words).ok()
        if done.stdout.strip() != str(works):
            raise LabError(f"another name is answered {seconds} s later: {done.stdout.strip()}")

    return run


_PLAIN: tuple[Scenario, ...] = (
    Scenario(
        name="deep_memory_of_both_ports",
        tells="a flow is silenced for 25 seconds with both its ports; a fresh port is a fresh start",
        rules=always(censor.Residual(names=META, ports=4, seconds=25)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.truth(FACEBOOK),
            _again(0, works=False, fresh=False),
            _again(0, works=True, fresh=True),
            forget,
        ),
    ),
    Scenario(
        name="deep_no_memory",
        tells="the greeting is dropped, and nothing of it is remembered: the same port passes at once with another name",
        rules=always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.SILENT, also=(_again(0, works=True, fresh=False),)),
    ),
    Scenario(
        name="deep_memory_of_the_server",
        tells="for 40 seconds everything to that server's port is dropped, whatever it names, so that every innocuous greeting "
        "after the first fails too, and no flip is seen",
        rules=always(censor.Residual(names=META, ports=3, seconds=40)),
        acceptable=(*SNI_SILENCE, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), _again(0, works=False, fresh=True), forget),
    ),
    Scenario(
        name="deep_single_packets_are_read",
        tells="the device reads single packets: a name that is cut in two between packets or records passes",
        rules=always(rules.NameDrop(names=META, reassemble=False)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.SILENT, also=(in_pieces("segments", works=True), in_pieces("both", works=True))),
    ),
    Scenario(
        name="deep_packets_are_put_together",
        tells="the device puts packets together and reads the first record: only a name in two records passes",
        rules=always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(
            prove.SILENT,
            also=(
                in_pieces("segments", works=False),
                in_pieces("records", works=True),
                in_pieces("segments", works=True, name=NEUTRAL),
            ),
        ),
    ),
)

_LEARNT: dict[str, tuple[str, ...]] = {
    "deep_memory_of_both_ports": ("residual_memory",),
    "deep_memory_of_the_server": ("residual_memory",),
    "deep_single_packets_are_read": ("split_passes",),
    "deep_packets_are_put_together": ("split_passes", "split_stopped"),
}
"""Findings that ``--deep`` must have; a device that remembers nothing leaves none."""

_DEEP: tuple[Scenario, ...] = tuple(
    dataclasses.replace(
        row,
        name=f"{row.name}_asked",
        tells=f"{row.tells}; with --deep",
        arguments=("--deep",),
        finds=_LEARNT.get(row.name, ()),
        # What is seen from abroad, the row without it has proven.
        unproven_abroad="the network is that of the row without --deep",
    )
    for row in _PLAIN
)

SCENARIOS: tuple[Scenario, ...] = (*_PLAIN, *_DEEP)
