"""The whole lab: a world of real servers behind the router, and the installed command in front of it."""

from __future__ import annotations

import contextlib
import copy
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import certifi

from tests.lab import control_serve, dual, servers
from tests.lab.authority import authority
from tests.lab.control_serve import Serves
from tests.lab.namespaces import Done, Namespace, require
from tests.lab.net import CONTROL, HOUSEHOLD, MOBILE, PROBE, PROVIDER, WORLD, Net
from tests.lab.rules import Rule
from tests.lab.world import World

_STORE = "/etc/ssl/certs/ca-certificates.crt"
DALEL = Path(sys.executable).with_name("dalel")
"""The command as it is installed beside this interpreter."""

_LAUNCHER = """
import json, os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"cpu_s": usage.ru_utime + usage.ru_stime, "max_rss_kb": usage.ru_maxrss}, file)
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A command that ended, the CPU seconds of all its processes, and the most memory that one of them held."""

    done: Done
    cpu_s: float
    resident_mb: float


class Lab:
    """``with Lab(world, rules=…) as lab: lab.dalel("check", "facebook")``. Starts in a second or two, leaves nothing.

    ``link``: the probe's machine has a default route. ``leg``: values for the world's leg (delay, loss, rate, mtu …),
    ``near`` the same for the probe's. ``abroad``: the rules that the control's packets meet. ``serves``: ``dalel control serve``
    runs abroad, and ``control_words`` is what the probe is told of it. ``mobile``: the probe's machine has a second way out, in the
    place of the machine abroad, whose rules are ``abroad``'s.
    """

    def __init__(
        self,
        world: World,
        *,
        rules: Sequence[Rule] = (),
        abroad: Sequence[Rule] = (),
        leg: dict[str, Any] | None = None,
        near: dict[str, Any] | None = None,
        link: bool = True,
        hosts: str = "",
        seed: int = 1,
        serves: Serves | None = None,
        mobile: bool = False,
    ) -> None:
        require("ip", "unshare", "nsenter", "setpriv", "nginx", "unbound", "curl", "dig", "openssl")
        self.world = world
        probe = replace(
            PROBE,
            leg=replace(PROBE.leg, **(near or {})),
            gateway=PROBE.gateway if link else None,
            hosts=PROBE.hosts + hosts + world.hosts,
            resolvers=world.resolvers or PROBE.resolvers,
            tunnels=world.tunnels,
            files=_stores(world),
        )
        far = replace(WORLD, own=world.present(), leg=replace(WORLD.leg, **(leg or {})))
        at_home = tuple(server.address for server in world.nameservers if server.is_household)
        household = (replace(HOUSEHOLD, own=at_home),) if at_home else ()
        machines = dual.machines((probe, PROVIDER, far, MOBILE if mobile else CONTROL, *household), world)
        self.net = Net(machines, rules=rules, abroad=abroad, translator=dual.translator(world), seed=seed)
        self._machine = probe.name
        self._stack = contextlib.ExitStack()
        self.sources: Path | None = None
        """A folder with the program's packages, to be run in place of the installed ones."""
        self.launcher: tuple[str, ...] = ()
        """What starts the installed command, if it is not started by itself."""
        self._serves = serves
        self.control_words: tuple[str, ...] = ()
        """How ``dalel check`` is told of the control; nothing, if none serves."""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.net)
            servers.start(self.net, self.world)
            for machine in ("", CONTROL.name):
                (self.net.directory / f"home{machine}").mkdir()
            if self._serves is not None:
                environment = self.from_control().environment()
                self.control_words = control_serve.start(self.net, self._serves, environment)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    @property
    def probe(self) -> Namespace:
        return self.net["probe"]

    @property
    def roots(self) -> Path:
        """The file that holds the lab's root certificate: what ``SSL_CERT_FILE`` names."""
        return self.net.directory / "root.pem"

    def from_control(self) -> Lab:
        """The same lab, already entered, whose commands run on the machine abroad."""
        return self._from(CONTROL.name)

    def from_probe(self) -> Lab:
        """The same, on the probe's machine."""
        return self._from(PROBE.name)

    def _from(self, machine: str) -> Lab:
        seen = copy.copy(self)
        seen._machine = machine
        return seen

    def environment(self) -> dict[str, str]:
        """Of the probe: an empty home, and the lab's root, unless its stores have it. Nothing else is set."""
        home = {"HOME": str(self.net.directory / ("home" if self._machine == "probe" else "homecontrol"))}
        if self.sources is not None:
            home["PYTHONPATH"] = str(self.sources)
        if self._serves is not None and self._machine == "probe":
            home |= self._serves.environment()
        return home if self.world.trusted and self._machine == "probe" else home | {"SSL_CERT_FILE": str(self.roots)}

    def run(self, *argv: str, timeout: float = 20) -> Done:
        """A command on the probe's machine, as the probe is run: without any capability."""
        return self.net[self._machine].run(argv, timeout=timeout, env=self.environment(), capabilities=False)

    def dalel(self, *arguments: str, timeout: float = 90) -> Done:
        """The installed command."""
        return self.run(*self.launcher, str(DALEL), *arguments, timeout=timeout)

    def measured(self, *argv: str, timeout: float = 90) -> Measured:
        """A command with what it took. It is started by a small process: a child counts its parent's memory as its own
        until it has called exec."""
        path = self.net.directory / "usage.json"
        done = self.run(sys.executable, "-I", "-S", "-c", _LAUNCHER, str(path), *argv, timeout=timeout)
        usage = json.loads(path.read_text())
        path.unlink()
        return Measured(done=done, cpu_s=usage["cpu_s"], resident_mb=usage["max_rss_kb"] / 1024)


def _stores(world: World) -> tuple[tuple[str, bytes], ...]:
    """The shipped set of roots and the system's, where they are to differ."""
    if not world.trusted:
        return ()
    root = authority(world.shift_days).root_pem
    return ((certifi.where(), root), (_STORE, root + world.trusted))
