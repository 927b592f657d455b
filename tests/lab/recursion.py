"""Resolvers that find answers themselves: unbound with the lab's root, at the provider and abroad, and the zones' servers.

Only for worlds with ``World.recursion``. Both check signatures against the lab's own trust anchor; the public ones have one
cache between them.
"""

from __future__ import annotations

import json
import sys

from tests.lab.local_data import local_data
from tests.lab.namespaces import LabError, Namespace, tool
from tests.lab.net import REPOSITORY, RESOLVER, Net
from tests.lab.world import PUBLIC_RESOLVERS, World
from tests.lab.zones import ROOT_SERVERS, Recursion, tree

_CONTROL = 5354
_HINTS = "".join(
    f". 3600000 NS {letter}.root-servers.net.\n{letter}.root-servers.net. 3600000 A {address}\n"
    for letter, address in zip("ab", ROOT_SERVERS, strict=True)
)
_UNBOUND = """\
server:
  directory: "{directory}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-daemonize: no
  verbosity: 1
  num-threads: 1
  do-ip6: no
  access-control: 0.0.0.0/0 allow
  hide-identity: yes
  incoming-num-tcp: 256
  module-config: "{modules}"
  root-hints: "{directory}/root.hints"
  ede: yes
{lines}
remote-control:
  control-enable: no
"""


def start(net: Net, world: World, abroad: str) -> None:
    """The zones' servers and the resolvers; *abroad* are the lines of the public ones' interfaces."""
    assert world.recursion is not None
    _start_zones(net, world, world.recursion)
    data = _made_up(world, world.abroad)
    _start_unbound(net, net["world"], "public", (abroad, *map(_from, PUBLIC_RESOLVERS), data), validates=True)
    if world.resolver_runs or world.recursion.behind:
        where = f"  interface: {'127.0.0.1' if world.recursion.behind else RESOLVER}"
        own = (f"  {line}" for line in world.recursion.provider)
        lines = (where, _from(RESOLVER), *own, _made_up(world, world.lies))
        _start_unbound(net, net["provider"], "provider", lines, validates=world.recursion.validates)


def _start_zones(net: Net, world: World, recursion: Recursion) -> None:
    """The authoritative server, in the phase from which the provider's resolver is to remember something, if there is one."""
    phases = [zones for zones in (recursion.before, recursion.zones) if zones is not None]
    told = {"phases": [tree(world.records(), zones) for zones in phases], "control": _CONTROL}
    path = net.directory / "zones.json"
    path.write_text(json.dumps(told))
    (net.directory / "root.hints").write_text(_HINTS)
    net["world"].spawn(
        ["env", "--chdir", str(REPOSITORY), sys.executable, "-m", "tests.lab.zone_server", str(path)],
        log=str(net.directory / "zones.log"),
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )


def _from(address: str) -> str:
    return f"  outgoing-interface: {address}"


def _made_up(world: World, lies: dict[str, str]) -> str:
    """Lines for the names that a resolver does not ask anybody about."""
    records = world.records()
    return local_data({name: records.get(name, ()) for name in lies}, lies)


def _start_unbound(net: Net, machine: Namespace, label: str, lines: tuple[str, ...], *, validates: bool) -> None:
    from tests.lab.zone_server import trust_anchor

    anchor = (f'  trust-anchor: "{trust_anchor()}"',) if validates else ()
    modules = "validator iterator" if validates else "iterator"
    path = net.directory / f"unbound.{label}.conf"
    path.write_text(_UNBOUND.format(directory=net.directory, modules=modules, lines="\n".join((*anchor, *lines))))
    machine.spawn([tool("unbound"), "-d", "-p", "-c", str(path)], log=str(net.directory / f"unbound.{label}.log"))


def warm(net: Net, recursion: Recursion) -> None:
    """Let the provider's resolver learn what it is to remember; then all is as the row says."""
    where = "127.0.0.1" if recursion.behind else RESOLVER
    for name in recursion.warm:
        # unbound says nothing to whom it has kept waiting for 1.9 s (its discard-timeout): only the next one hears of it.
        net["provider"].run([tool("dig"), f"@{where}", "+tries=2", "+time=3", name, "A", name, "AAAA"], timeout=20)
    if recursion.before is not None:
        _turn(net)


def _turn(net: Net) -> None:
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)\n"
        "s.connect(('127.0.0.1', int(sys.argv[1]))); s.send(b'turn'); s.recv(16)\n"
    )
    done = net["world"].run([sys.executable, "-I", "-S", "-c", program, str(_CONTROL)])
    if done.returncode:
        raise LabError(f"the zones' server does not turn: {done.stderr[-300:]}")
