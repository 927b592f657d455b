"""Linux namespaces held open by processes of ours, and nothing that outlives us.

A ``Sandbox`` owns one PID namespace for its servers and any number of ``Namespace`` (network + mount). Each is held by a
``cat`` that reads a pipe of ours: when this process ends, however it ends, the pipe closes, the holders exit, the kernel
kills what still runs in the PID namespace and takes the interfaces away. Nothing has a global name, so any number of
sandboxes live side by side. As root no user namespace is used; an ordinary user gets one of their own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PACKAGES = {
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "nginx": "nginx-light",
    "unbound": "unbound",
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "openssl": "openssl",
}
"""Command to Debian package."""

WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs")
"""How the probe is run: as a program that may do nothing special."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(RuntimeError):
    """The test network cannot be built here, or is not sealed; the text says what to do."""


def tool(name: str) -> str:
    """The path of a command that the lab needs; ``LabError`` names the package if it is missing."""
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise LabError(f"`{name}` is missing: apt-get install {PACKAGES.get(name, name)}")
    return path


def require(*names: str) -> None:
    """Complain of every missing command at once."""
    missing = sorted({PACKAGES.get(name, name) for name in names if shutil.which(name, path=_PATH) is None})
    if missing:
        raise LabError(f"the test network needs more programs: apt-get install {' '.join(missing)}")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended. ``seconds`` is wall time from start to exit."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float

    def ok(self) -> Self:
        """Itself if the exit code is 0, else ``LabError`` with what the command said."""
        if self.returncode != 0:
            raise LabError(
                f"{' '.join(self.argv)}: exit {self.returncode}: {(self.stderr or self.stdout).strip()[:2000]}"
            )
        return self


class _Holder:
    """A process that keeps namespaces alive until its standard input closes."""

    def __init__(self, argv: Sequence[str], script: str) -> None:
        self._process = subprocess.Popen(
            [*argv, "sh", "-c", f"{script}\necho up; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": _PATH},
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        if self._process.stdout.readline() != b"up\n":
            said = self._process.stderr.read().decode(errors="replace").strip()
            self.close()
            raise LabError(f"this kernel or user may not make namespaces here: {said or 'no reason given'}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# /run is covered so that no Unix socket of this host (resolver, name service cache) is a way out, and so that servers
# have somewhere to write. Forwarding may be inherited from a host that runs containers.
_SEAL = """
set -e
mount -t tmpfs -o mode=755 lab /run
echo 0 > /proc/sys/net/ipv4/ip_forward
echo 0 > /proc/sys/net/ipv6/conf/all/forwarding
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
ip link set lo up
"""

WITH_IPV6 = """
for where in all default; do
    echo 0 > /proc/sys/net/ipv6/conf/$where/accept_ra
    echo 0 > /proc/sys/net/ipv6/conf/$where/autoconf
    echo 0 > /proc/sys/net/ipv6/conf/$where/accept_dad
    echo 0 > /proc/sys/net/ipv6/conf/$where/disable_ipv6
done
echo 1 > /proc/sys/net/ipv6/conf/default/addr_gen_mode
"""
"""Shell that switches IPv6 on in a machine: only the addresses that it is given (none is made up from a hardware address),
at once (nobody is asked whether they are taken), and nobody who offers a route is believed."""


class Namespace:
    """One network and mount namespace: a machine of the lab."""

    def __init__(self, sandbox: Sandbox, name: str, prepare: str = "") -> None:
        self.name = name
        self._sandbox = sandbox
        self._holder = _Holder([*sandbox.as_owner(), "unshare", "--net", "--mount"], _SEAL + prepare)

    @property
    def pid(self) -> int:
        """A process inside, for ``ip link set … netns PID`` and ``/proc/PID/net``."""
        return self._holder.pid

    def enter(self, argv: Sequence[str], *, as_server: bool = False) -> list[str]:
        """The command line that runs *argv* in here; a server also belongs to the sandbox's PID namespace."""
        inside = [f"--net=/proc/{self.pid}/ns/net", f"--mount=/proc/{self.pid}/ns/mnt"]
        return [*self._sandbox.as_owner(*inside, as_server=as_server), *argv]

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 20,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        capabilities: bool = True,
    ) -> Done:
        """Run a command to its end; after *timeout* seconds it is killed and ``returncode`` is 124, as timeout(1) has it."""
        command = self.enter([*(() if capabilities else WITHOUT_CAPABILITIES), *argv])
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": _PATH, "LANG": "C.UTF-8", **(env or {})},
            text=True,
            errors="replace",
        )
        with process:
            try:
                out, err = process.communicate(stdin, timeout)
                code = process.returncode
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                code = 124
        return Done(tuple(argv), code, out, err, time.monotonic() - started)

    def spawn(self, argv: Sequence[str], *, log: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a server that lives as long as the sandbox; its output goes to the file *log*."""
        with Path(log).open("ab") as output:
            process = subprocess.Popen(
                self.enter(argv, as_server=True),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": _PATH, **(env or {})},
            )
        self._sandbox.servers.append(process)
        return process

    def close(self) -> None:
        self._holder.close()


class Sandbox:
    """All namespaces and servers of one lab. A context manager: at the end nothing of it is left."""

    def __init__(self) -> None:
        require("ip", "unshare", "nsenter", "setpriv")
        self.servers: list[subprocess.Popen[bytes]] = []
        self.namespaces: dict[str, Namespace] = {}
        self._user = os.geteuid() != 0
        own = ("--user", "--map-root-user") if self._user else ()
        self._init = _Holder(["unshare", *own, "--mount", "--pid", "--fork", "--kill-child"], "")

    def as_owner(self, *inside: str, as_server: bool = False) -> list[str]:
        """``nsenter`` with what is needed to act in this sandbox; empty if nothing is."""
        options = list(inside)
        if self._user:
            options += [f"--user=/proc/{self._init.pid}/ns/user", "--preserve-credentials"]
        if as_server:
            options.append(f"--pid=/proc/{self._init.pid}/ns/pid_for_children")
        return ["nsenter", *options] if options else []

    def add(self, name: str, prepare: str = "") -> Namespace:
        """A new machine; *prepare* is shell run in it (as its root) before anything else."""
        namespace = self.namespaces[name] = Namespace(self, name, prepare)
        return namespace

    def close(self) -> None:
        """End every process and namespace. Never leaves one behind, even if one of them resists."""
        with (
            contextlib.ExitStack() as stack
        ):  # last in, first out: the servers' PID namespace ends before what it stands on
            for namespace in self.namespaces.values():
                stack.callback(namespace.close)
            for server in self.servers:
                stack.callback(_reap, server)
            stack.callback(self._init.close)
        self.servers.clear()
        self.namespaces.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
