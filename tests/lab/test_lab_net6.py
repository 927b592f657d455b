"""IPv6 on the wires of the lab: what the router says it does is what programs in the namespaces see."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.lab import dual, echo, packets6, rules
from tests.lab.namespaces import LabError
from tests.lab.net import PROBE, REPOSITORY, WORLD, Machine, Net, check_sealed
from tests.lab.packets import TCP, UDP
from tests.lab.wires6 import FAR, HOPS, MACHINES, ask, start_server


@pytest.fixture(scope="module")
def net():
    with Net(MACHINES) as net:
        start_server(net)
        yield net


def test_path_has_the_same_delay_as_ipv4(net):
    """A datagram there and back takes 80 ms, and TCP carries a megabyte whole: one leg for both versions."""
    assert 0.0795 <= min(ask(net, "ping()")["seconds"] for _ in range(3)) < 0.1
    assert ask(net, "fetch(1_000_000)") == 1_000_000


def test_hop_limit_runs_out_at_each_router_and_it_says_so(net):
    """A packet with hop limit n gets a time-exceeded from the n-th router; with one more than there are it arrives."""
    for number, hop in enumerate(HOPS, 1):
        reply = ask(net, f"ping(limit={number})")
        assert reply["icmp"] == [3, 0]
        assert reply["from"] == hop
    assert "seconds" in ask(net, f"ping(limit={len(HOPS) + 1})")


def test_small_mtu_is_reported_and_tcp_adapts(net):
    """A leg with a smaller MTU answers a large datagram with "packet too big", and a TCP transfer still completes."""
    net.router.set_leg("world", mtu=1300)
    try:
        ask(net, "ping(size=1400, timeout=0.5)")
        assert ask(net, "ping(size=1400, timeout=0.5)")["errno"] == 90
        assert ask(net, "fetch(100_000)") == 100_000
    finally:
        net.router.set_leg("world", mtu=1500)


def test_rules_drop_reset_and_refuse(net):
    """Rules act on IPv6 as on IPv4, or on one version only."""
    far = rules.When(protocol=UDP, remote=(f"{FAR}/128",), side="up")
    try:
        net.router.set_rules(rules.Drop(when=far))
        assert ask(net, "ping(timeout=0.4)") == {"errno": None}
        net.router.set_rules(rules.Drop(when=rules.When(version=4)))
        assert "seconds" in ask(net, "ping()")
        net.router.set_rules(rules.Unreachable(when=far, code=13, offender="92.47.144.1"))
        assert ask(net, "ping()") == {"errno": 13, "icmp": [1, 1], "from": packets6.twin("92.47.144.1")}
        net.router.set_rules(rules.Reset(when=rules.When(protocol=TCP, version=6, side="up")))
        assert ask(net, "outcome()") == "ConnectionRefusedError"
    finally:
        net.router.set_rules()


def test_refuses_to_start_with_a_way_out():
    """IPv6 forwarding, a second default route, an address that nobody gave: each is named."""
    gateways = {machine.name: machine.gateways for machine in MACHINES}
    switch = "/proc/sys/net/ipv6/conf/all/forwarding"
    breaches = (
        (f"echo 1 > {switch}", f"echo 0 > {switch}", "forwards"),
        ("ip -6 route add ::/0 dev eth0 metric 50", "ip -6 route del ::/0 dev eth0 metric 50", "default route"),
        ("ip -6 addr add fe80::99/64 dev lo", "ip -6 addr del fe80::99/64 dev lo", "link-local"),
    )
    with Net(MACHINES) as net:
        check_sealed(net.sandbox, gateways)
        for breach, undo, words in breaches:
            net["probe"].run(["sh", "-c", breach]).ok()
            with pytest.raises(LabError, match=words):
                check_sealed(net.sandbox, gateways)
            net["probe"].run(["sh", "-c", undo]).ok()
        check_sealed(net.sandbox, gateways)
        with pytest.raises(LabError, match="default route"):
            check_sealed(net.sandbox, {machine.name: {("-4", str(machine.gateway), "eth0")} for machine in MACHINES})


def test_without_it_there_is_no_ipv6():
    """A machine that is not given IPv6 has none, not even on its loopback."""
    with Net((PROBE, WORLD)) as net:
        assert net["probe"].run(["ip", "-6", "addr"]).stdout == ""


def test_machine_behind_a_translator():
    """A machine without IPv4 reaches an IPv4 server at 64:ff9b::/96, TCP and UDP, and hears of a hop limit run out."""
    alone: tuple[Machine, ...] = (dual.machine(PROBE, only6=True), dual.machine(WORLD))
    nat64 = packets6.Translator(inside=dual.PROBE6, outside="192.168.1.10")
    with Net(alone, translator=nat64) as net:
        echo.start_server(net)
        assert net["probe"].run(["ip", "route", "get", "8.8.8.8"]).returncode != 0
        far = "64:ff9b::62.115.44.2"
        assert ask(net, "fetch(300_000)", far) == 300_000
        assert "seconds" in ask(net, "ping()", far)
        assert ask(net, "ping(limit=2)", far)["icmp"] == [3, 0]
        # Native IPv6 gets there too: nobody listens, and says so.
        assert ask(net, "outcome()") == "ConnectionRefusedError"


def test_ordinary_user_needs_no_root():
    """Without root the same is built inside a user namespace."""
    program = (
        "import os\nfrom tests.lab.wires6 import *\n"
        "assert os.geteuid() != 0\n"
        "with Net(MACHINES) as net:\n    start_server(net)\n    print(ask(net, 'ping()'))\n"
    )
    ordinary = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as name:  # this working copy and its interpreter may be readable for root only
        copy = Path(name)
        copy.chmod(0o755)
        ignore = shutil.ignore_patterns("reports", "__pycache__")
        shutil.copytree(REPOSITORY / "tests" / "lab", copy / "tests" / "lab", ignore=ignore)
        (copy / "tests" / "__init__.py").touch()
        done = subprocess.run(
            [*ordinary, "/usr/bin/python3", "-c", program], cwd=copy, capture_output=True, text=True, timeout=60,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    assert "seconds" in done.stdout, done.stderr
