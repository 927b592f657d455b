"""Machines in sealed namespaces around one user-space router: the wires of the lab, without the servers on them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import select
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.lab.namespaces import WITH_IPV6, LabError, Namespace, Sandbox
from tests.lab.packets6 import Translator
from tests.lab.plan import Leg, Plan, PortPlan
from tests.lab.rules import Rule

REPOSITORY = Path(__file__).resolve().parents[2]
RESOLVER = "92.47.151.210"
_Gateways = set[tuple[str, str, str]]
"""Default routes: family as ip(8) has it, router, interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One namespace on a veth pair.

    ``address`` with its prefix length; ``gateway`` its default route, ``None`` for none at all. ``own`` are further
    addresses that are its own; ``networks`` is what the router sends to it (its own addresses if empty).

    With ``address6`` it has IPv6 as well, with the default route ``gateway6``; ``only6``: it has no IPv4 but its loopback,
    and ``address`` is what a translator shows of it. Without, its kernel has IPv6 switched off.
    """

    name: str
    address: str
    gateway: str | None
    leg: Leg
    own: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    hosts: str = "127.0.0.1 localhost\n"
    tunnels: tuple[str, ...] = ()
    """Names of tunnel interfaces that are up and lead nowhere; ``wg0=157.240.0.0/16,…`` has these routes."""
    files: tuple[tuple[str, bytes], ...] = ()
    """Files of this host that the machine sees otherwise: path and contents."""
    address6: str = ""
    gateway6: str | None = None
    only6: bool = False
    beside: str = ""
    """No machine of its own but a second way out of the one that is named here: an interface ``wwan0``, for flows that leave from
    its address. The system prefers the other one."""

    @property
    def interface(self) -> str:
        return "wwan0" if self.beside else "eth0"

    @property
    def gateways(self) -> _Gateways:
        """The default routes that it should have: family, router and interface."""
        four = None if self.only6 else self.gateway
        return {
            (family, gateway, self.interface) for family, gateway in (("-4", four), ("-6", self.gateway6)) if gateway
        }


# 2 + 38 ms one way: the path from the probe to the world has a round trip of 80 ms, to the provider's resolver 10 ms.
PROBE = Machine(
    name="probe",
    address="192.168.1.10/24",
    gateway="192.168.1.1",
    leg=Leg(delay=0.002, hops=("192.168.1.1", "92.47.144.1")),
    resolvers=(RESOLVER,),
)
PROVIDER = Machine(
    name="provider",
    address=f"{RESOLVER}/24",
    gateway="92.47.151.1",
    leg=Leg(delay=0.003, hops=("92.47.151.1",)),
    own=("92.47.151.80",),
    networks=("92.47.151.0/24",),
)
WORLD = Machine(
    name="world",
    address="62.115.44.2/30",
    gateway="62.115.44.1",
    leg=Leg(delay=0.038, hops=("62.115.44.1", "80.239.128.9", "213.248.97.5")),
    networks=("0.0.0.0/0",),
)
# Somebody's rented machine in Germany, at an address that no site of the world ever gets: 10 ms from every server.
CONTROL = Machine(
    name="control",
    address="116.202.118.47/24",
    gateway="116.202.118.1",
    leg=Leg(delay=0.005, hops=("116.202.118.1", "213.239.224.9")),
    resolvers=("8.8.8.8", "1.1.1.1"),
)
# A phone's line in the same country: a way of its own to everybody, of which the rules on the probe's line know nothing.
MOBILE = Machine(
    name="mobile",
    address="10.131.7.24/24",
    gateway="10.131.7.1",
    leg=Leg(delay=0.045, hops=("10.131.7.1", "178.88.0.1")),
    beside="probe",
)
# Behind the household's own router, so that it is a private address and no interface of the probe's.
HOUSEHOLD = Machine(
    name="household", address="192.168.0.2/24", gateway="192.168.0.1", leg=Leg(delay=0.0002, hops=("192.168.0.1",))
)


class Net:
    """Build, seal, use, remove. ``with Net((PROBE, WORLD), rules=…) as net: net["probe"].run(["ping", …])``.

    The first machine is where the probe is. ``rules`` are for its packets, ``abroad`` for those of the machine ``control``, if
    there is one. Raises ``LabError`` if this host cannot or if the result is not sealed.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        *,
        rules: Sequence[Rule] = (),
        abroad: Sequence[Rule] = (),
        translator: Translator | None = None,
        seed: int = 1,
    ) -> None:
        self._machines = tuple(machines)
        self._plan_rules, self._abroad = tuple(rules), tuple(abroad)
        self._translator = translator
        self._seed = seed
        self._stack = contextlib.ExitStack()
        self._router: _RouterProcess | None = None
        self.sandbox: Sandbox
        self.directory: Path

    def __getitem__(self, name: str) -> Namespace:
        return self.sandbox.namespaces[name]

    @property
    def router(self) -> _RouterProcess:
        assert self._router is not None
        return self._router

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dalel-lab-")))
            self.directory.chmod(0o755)
            self.sandbox = stack.enter_context(Sandbox())
            self._build()
            check_sealed(self.sandbox, self._gateways())
            self._router = stack.enter_context(_RouterProcess(self.sandbox.namespaces["router"], self._plan()))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()
        self._router = None

    # building

    def _build(self) -> None:
        router = self.sandbox.add("router")
        for machine in self._machines:
            if machine.beside:
                continue
            self.sandbox.add(machine.name, self._name_files(machine))
        pairs = [(f"r{number}", f"e{number}") for number in range(len(self._machines))]
        _batch(
            router,
            [
                f"link add {near} address {_mac(n, 1)} type veth peer name {far} address {_mac(n, 2)}"
                for n, (near, far) in enumerate(pairs)
            ],
        )
        names = [name for pair in pairs for name in pair]
        router.run([sys.executable, "-I", "-S", str(Path(__file__).with_name("offload.py")), *names]).ok()
        orders = []
        for machine, (near, far) in zip(self._machines, pairs, strict=True):
            orders += [f"link set {far} netns {self[machine.beside or machine.name].pid}", f"link set {near} up"]
        _batch(router, orders)
        for number, machine in enumerate(self._machines):
            configure = _second_way if machine.beside else _configuration
            _batch(self[machine.beside or machine.name], configure(machine, f"e{number}", _mac(number, 3)))

    def _gateways(self) -> dict[str, _Gateways]:
        found: dict[str, _Gateways] = {}
        for machine in self._machines:
            found.setdefault(machine.beside or machine.name, set()).update(machine.gateways)
        return found

    def _name_files(self, machine: Machine) -> str:
        """Shell that gives a machine its own resolv.conf and hosts, seen by nobody else."""
        script = WITH_IPV6 if machine.address6 else ""
        lines = "".join(f"nameserver {address}\n" for address in machine.resolvers)
        for name, text in (("resolv.conf", lines), ("hosts", machine.hosts)):
            path = self.directory / f"{machine.name}.{name}"
            path.write_text(text)
            script += f"mount --bind '{path}' '{os.path.realpath(f'/etc/{name}')}'\n"
        for number, (seen, data) in enumerate(machine.files):
            path = self.directory / f"{machine.name}.{number}"
            path.write_bytes(data)
            script += f"mount --bind '{path}' '{os.path.realpath(seen)}'\n"
        return script

    def renew_rules(self) -> None:
        """The plan's rules anew: what they have seen so far is forgotten."""
        self.router.set_rules(*self._plan_rules)

    def renew_abroad(self) -> None:
        """The same for what the control meets."""
        self.set_abroad(*self._abroad)

    def set_abroad(self, *its_rules: Rule) -> None:
        """New rules for the control, or for the second way out."""
        self.router.order(do="abroad", rules=base64.b64encode(pickle.dumps(its_rules)).decode())

    def _plan(self) -> Plan:
        return Plan(
            ports=tuple(
                PortPlan(
                    name=machine.name,
                    interface=f"r{number}",
                    machine_mac=_mac(number, 2),
                    gateway_mac=_mac(number, 3),
                    networks=machine.networks or _own_networks(machine),
                    leg=machine.leg,
                )
                for number, machine in enumerate(self._machines)
            ),
            probe=self._machines[0].name,
            rules=self._plan_rules,
            control=next((one.name for one in self._machines if one.name in (CONTROL.name, MOBILE.name)), None),
            abroad=self._abroad,
            ipv6=any(machine.address6 for machine in self._machines),
            translator=self._translator,
            gateway6=self._machines[0].gateway6,
            seed=self._seed,
        )


def _mac(number: int, end: int) -> str:
    """End 1 is the router's interface, 2 the machine's. 3 is the gateway that the machine thinks it talks to: nobody's, so
    that the router's own kernel takes no packet for itself."""
    return f"02:da:1e:1a:{number:02x}:{end:02x}"


def _own_networks(machine: Machine) -> tuple[str, ...]:
    addresses = (machine.address.partition("/")[0], *machine.own, machine.address6.partition("/")[0])
    return tuple(_alone(address) for address in addresses if address)


def _alone(address: str) -> str:
    """The network of one address."""
    return f"{address}/128" if ":" in address else f"{address}/32"


def _configuration(machine: Machine, interface: str, gateway_mac: str) -> list[str]:
    orders = [f"link set {interface} name eth0"]
    orders += [] if machine.only6 else [f"addr add {machine.address} dev eth0"]
    orders += [f"addr add {machine.address6} dev eth0 nodad"] if machine.address6 else []
    orders.append("link set eth0 up")
    if machine.gateway is not None and not machine.only6:
        orders += [
            f"neigh replace {machine.gateway} lladdr {gateway_mac} dev eth0 nud permanent",
            f"route add default via {machine.gateway} dev eth0 onlink",
        ]
    if machine.gateway6 is not None:
        # The neighbour is told, so that nobody has to be asked for it: the router knows no neighbour discovery.
        orders += [
            f"neigh replace {machine.gateway6} lladdr {gateway_mac} dev eth0 nud permanent",
            f"route add ::/0 via {machine.gateway6} dev eth0 onlink",
        ]
    for name, _, networks in (tunnel.partition("=") for tunnel in machine.tunnels):
        # Some kernels have no dummy interface: a pair of which both ends are here leads nowhere either.
        orders += [f"link add {name} type veth peer name {name}-end", f"link set {name} arp off up"]
        orders += [f"link set {name}-end up", *(f"route add {n} dev {name}" for n in networks.split(",") if n)]
    return orders + [
        # A route is enough for a server to listen on an IPv4 address; for IPv6 it has to be one of the machine's own.
        f"addr add {address}/128 dev lo nodad" if ":" in address else f"route add local {address}/32 dev lo"
        for address in machine.own
    ]


def _second_way(machine: Machine, interface: str, gateway_mac: str) -> list[str]:
    """A second interface of a machine that has one: by the preferred route goes what does not leave from its address."""
    name, address = machine.interface, machine.address.partition("/")[0]
    return [
        f"link set {interface} name {name}",
        f"addr add {machine.address} dev {name}",
        f"link set {name} up",
        f"neigh replace {machine.gateway} lladdr {gateway_mac} dev {name} nud permanent",
        f"route add default via {machine.gateway} dev {name} onlink metric 700",
        f"route add default via {machine.gateway} dev {name} onlink table 100",
        f"rule add from {address} lookup 100",
    ]


def _batch(namespace: Namespace, orders: Sequence[str]) -> None:
    namespace.run(["ip", "-batch", "-"], stdin="\n".join(orders) + "\n").ok()


# ---------------------------------------------------------------------------------------------------------------------


def check_sealed(sandbox: Sandbox, gateways: dict[str, _Gateways]) -> None:
    """``LabError`` unless every namespace has only loopback and veths whose other end is in this sandbox, forwards nothing,
    and has no default routes but those into the router that *gateways* names."""
    problems: list[str] = []
    ends: dict[tuple[str, int], int] = {}
    for name, namespace in sandbox.namespaces.items():
        problems += _interface_problems(name, _json(namespace, "-d", "link", "show"), ends)
        problems += _route_problems(name, namespace, gateways.get(name, set()))
        problems += _link_local_problems(name, namespace)
        switches = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"]
        if namespace.run(["cat", *switches]).ok().stdout.split() != ["0", "0"]:
            problems.append(f"{name} forwards packets")
    problems += _unpaired(ends)
    if problems:
        raise LabError("the test network is not sealed: " + "; ".join(problems))


def _interface_problems(name: str, links: list[dict[str, Any]], ends: dict[tuple[str, int], int]) -> list[str]:
    problems = []
    for link in links:
        kind = link.get("linkinfo", {}).get("info_kind")
        if link["ifname"] == "lo":
            continue
        # Tunnel devices that the kernel puts into every new namespace are down and lead nowhere.
        if kind in ("sit", "ipip", "gre", "gretap", "erspan", "ip6tnl", "ip6gre", "ip_vti", "vti", "ip6_vti", "vti6"):
            if "UP" in link["flags"]:
                problems.append(f"{name} has the tunnel {link['ifname']} up")
        elif kind == "veth" and "link" in link:
            continue  # its other end is in this namespace
        elif kind != "veth" or "link_index" not in link:
            problems.append(f"{name} has the foreign interface {link['ifname']} ({kind or 'a real one'})")
        else:
            ends[name, link["ifindex"]] = link["link_index"]
    return problems


def _unpaired(ends: dict[tuple[str, int], int]) -> list[str]:
    """Veths whose other end is not in this sandbox: every machine's must be one of the router's, and point back."""
    router = {index: peer for (name, index), peer in ends.items() if name == "router"}
    machines = {(index, peer): name for (name, index), peer in ends.items() if name != "router"}
    lost = [
        f"{name}'s interface leads out of the lab"
        for (index, peer), name in machines.items()
        if router.get(peer) != index
    ]
    expected = {peer for _, peer in machines}
    return lost + ["an interface of the router leads out of the lab" for index in router if index not in expected]


def _route_problems(name: str, namespace: Namespace, gateways: _Gateways) -> list[str]:
    problems = []
    for family in ("-4", "-6"):
        for route in _json(namespace, family, "route", "show", "table", "all"):
            if route.get("dst") != "default" or route.get("type") in ("unreachable", "blackhole", "prohibit"):
                continue
            if (family, route.get("gateway"), route.get("dev")) not in gateways:
                problems.append(f"{name} has a default route by {route.get('gateway')} on {route.get('dev')}")
    return problems


def _link_local_problems(name: str, namespace: Namespace) -> list[str]:
    """A link-local address anywhere but on the veth to the router, which alone is a link of the lab."""
    found = _json(namespace, "-6", "addr", "show", "scope", "link")
    return [f"{name} has a link-local address on {link['ifname']}" for link in found if link["ifname"] != "eth0"]


def _json(namespace: Namespace, *arguments: str) -> list[dict[str, Any]]:
    text = namespace.run(["ip", "-j", *arguments]).ok().stdout
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return [row for row in found if row]


# ---------------------------------------------------------------------------------------------------------------------


@dataclass
class _RouterProcess:
    """The router and the pipe to it."""

    namespace: Namespace
    plan: Plan
    _process: subprocess.Popen[bytes] = field(init=False)
    _rest: bytes = b""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self.namespace.enter(["env", "--chdir", str(REPOSITORY), sys.executable, "-S", "-m", "tests.lab.router"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1"},
            bufsize=0,
        )
        assert self._process.stdin is not None
        try:
            data = pickle.dumps(self.plan)
            self._process.stdin.write(struct.pack("!I", len(data)) + data)
            self._answer(10)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pipe and wait; the router ends by itself."""
        process = self._process
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def order(self, **order: Any) -> dict[str, Any]:
        """Send one command and wait for its answer (5 s at most)."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
        except BrokenPipeError:
            raise LabError(f"the router has died: {self._said()}") from None
        return self._answer(5)

    def counters(self) -> dict[str, Any]:
        """Packets seen, sent and dropped, and per remote address what passed at the probe (IP bytes)."""
        return self.order(do="counters")

    def clear(self) -> None:
        self.order(do="clear")

    def set_rules(self, *rules: Rule) -> None:
        """Replace all rules, from now on."""
        self.order(do="rules", rules=base64.b64encode(pickle.dumps(rules)).decode())

    def set_leg(self, machine: str, **values: Any) -> None:
        """Change fields of a machine's leg, from now on."""
        self.order(do="leg", port=machine, set=values)

    def _answer(self, timeout: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            chunk = os.read(self._process.stdout.fileno(), 1 << 20) if ready else b""
            if not chunk:
                raise LabError(f"the router does not answer: {self._said()}")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _said(self) -> str:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        return self._process.stderr.read().decode(errors="replace")[-2000:] or "it said nothing"
