"""The wires of the lab: what the router says it does is what programs in the namespaces see. No probe is involved."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.lab import rules
from tests.lab.echo import FAR, ask, start_server
from tests.lab.namespaces import LabError
from tests.lab.net import PROBE, REPOSITORY, WORLD, Machine, Net, check_sealed
from tests.lab.packets import TCP, UDP
from tests.lab.plan import Leg


@pytest.fixture(scope="module")
def net():
    with Net((PROBE, WORLD)) as net:
        start_server(net)
        yield net


def test_path_has_the_delay_it_says(net):
    """A datagram there and back takes 80 ms, less than 5 ms more when nothing else runs; five tries, the best counts."""
    best = min(reply["seconds"] for reply in ask(net, "[ping() for _ in range(5)]"))
    assert 0.0795 <= best < 0.100


def test_tcp_goes_through_undamaged(net):
    """4 MB arrive whole over the path, the connect takes one round trip, and no checksum or oversized segment is lost."""
    net.router.clear()
    reply = ask(net, "fetch(4_000_000)")
    assert reply["got"] == 4_000_000
    assert 0.0795 <= reply["connected"] < 0.2
    counters = net.router.counters()
    assert counters["dropped"] == 0
    assert 4_000_000 < counters["remotes"][FAR]["bytes_down"] < 4_400_000


def test_ttl_runs_out_at_each_router_and_it_says_so(net):
    """A packet with TTL n gets a time-exceeded from the n-th router; with one more than there are it arrives."""
    hops = [*PROBE.leg.hops, *reversed(WORLD.leg.hops)]
    for number, hop in enumerate(hops, 1):
        reply = ask(net, f"ping(ttl={number})")
        assert reply["icmp"] == [11, 0]
        assert reply["from"] == hop
    assert "seconds" in ask(net, f"ping(ttl={len(hops) + 1})")


def test_what_a_rule_eats_reaches_no_router_behind_it(net):
    """A device behind the first router eats a packet before the second one can say that its TTL ran out."""
    try:
        net.router.set_rules(rules.Drop(when=rules.When(protocol=UDP, side="up"), place="access"))
        assert ask(net, "ping(ttl=1)")["from"] == PROBE.leg.hops[0]
        assert ask(net, "ping(ttl=2, timeout=0.4)") == {"errno": None}
    finally:
        net.router.set_rules()


def test_a_router_may_be_silent_or_have_a_twin(net):
    """A silent router says nothing of a TTL; of two that stand side by side each flow sees the same one at every look."""
    silent, shared = WORLD.leg.hops[2], WORLD.leg.hops[1]
    twin = "80.239.129.9"
    try:
        net.router.set_leg("world", silent=[silent], twins=[[shared, twin]])
        assert ask(net, "ping(ttl=3, timeout=0.4)") == {"errno": None}
        assert set(ask(net, "[ping(ttl=4)['from'] for _ in range(30)]")) == {shared, twin}
    finally:
        net.router.set_leg("world", silent=[], twins=[])


def test_every_router_takes_one_off_the_ttl(net):
    """What left the server with TTL 64 arrives with 64 less the number of routers."""
    assert ask(net, "reply_ttl()") == 64 - len(PROBE.leg.hops) - len(WORLD.leg.hops)


def test_small_mtu_is_reported_and_tcp_adapts(net):
    """A leg with a smaller MTU answers a large datagram with "fragmentation needed", and a TCP transfer still completes."""
    net.router.set_leg("world", mtu=1300)
    try:
        assert ask(net, "ping(size=1400, timeout=1)")["errno"] == 90
        assert ask(net, "fetch(100_000)")["got"] == 100_000
    finally:
        net.router.set_leg("world", mtu=1500)


def test_rate_and_queue(net):
    """At 1 Mbit/s a transfer of 100 kB takes its 0.8 s, not less."""
    net.router.set_leg("world", rate=1_000_000)
    try:
        assert 0.8 < ask(net, "fetch(100_000)")["seconds"] < 4
    finally:
        net.router.set_leg("world", rate=None)


def test_rules_drop_reset_and_refuse(net):
    """Dropped is silence, reset is ECONNRESET or refusal, unreachable is ICMP with its code; without rules all is well."""
    far = rules.When(protocol=UDP, remote=(f"{FAR}/32",), side="up")
    try:
        net.router.set_rules(rules.Drop(when=far))
        assert ask(net, "ping(timeout=0.4)") == {"errno": None}
        net.router.set_rules(rules.Unreachable(when=far, code=13, offender="92.47.144.1"))
        assert ask(net, "ping()") == {"errno": 113, "icmp": [3, 13], "from": "92.47.144.1"}
        net.router.set_rules(rules.Reset(when=rules.When(protocol=TCP, side="up")))
        with pytest.raises(LabError, match="ConnectionRefusedError"):
            ask(net, "fetch(10)")
    finally:
        net.router.set_rules()
    assert "seconds" in ask(net, "ping()")


def test_a_reset_comes_from_where_the_device_is(net):
    """A RST from the border is back in 4 ms, one from the far side takes the whole path."""
    best = {}
    for place in ("border", "far"):
        net.router.set_rules(rules.Reset(when=rules.When(protocol=TCP, side="up"), place=place))
        try:
            best[place] = min(ask(net, "[refused() for _ in range(5)]"))
        finally:
            net.router.set_rules()
    assert 0.0039 <= best["border"] < 0.02
    assert 0.0795 <= best["far"] < 0.1


def test_loss_loses_its_share(net):
    """With 30 % loss on a leg crossed twice about half of the pings come back, and with none all do."""
    net.router.set_leg("world", loss=0.3)
    try:
        back = ask(net, "burst(200)")
    finally:
        net.router.set_leg("world", loss=0.0)
    assert 60 <= back <= 136
    assert ask(net, "burst(200)") == 200


def test_router_keeps_up(net):
    """It passes more than 3,000 packets a second on this path: a whole check of the catalogue is some hundreds of flows."""
    net.router.clear()
    started = time.monotonic()
    assert ask(net, "fetch(30_000_000)")["got"] == 30_000_000
    rate = net.router.counters()["seen"] / (time.monotonic() - started)
    print(f"{rate:.0f} packets a second")
    assert rate > 3_000


def test_probe_has_no_capability_and_no_privilege_to_gain(net):
    """The probe's commands run with every capability set empty and with no-new-privs."""
    status = net["probe"].run(["cat", "/proc/self/status"], capabilities=False).ok().stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"


def test_every_namespace_is_sealed(net):
    """Nothing but loopback and the lab's own veths; an address that nobody has is silence, not this host's network."""
    for namespace in net.sandbox.namespaces.values():
        links = json.loads(namespace.run(["ip", "-j", "link"]).stdout)
        assert all(link["ifname"] == "lo" or link["ifname"][0] in "er" for link in links)
        assert namespace.run(["ls", "/run"]).stdout in ("", "mount\n")
    refused = net["probe"].run(["curl", "-sS", "-m", "1", "http://192.0.2.1/"], capabilities=False)
    assert refused.returncode == 28


def test_refuses_to_start_with_a_way_out():
    """A foreign interface, forwarding, a second default route or a veth that leads elsewhere: each is named."""
    gateways = {"probe": PROBE.gateways, "world": WORLD.gateways}
    breaches = {
        "ip link add out type bridge": "foreign interface out",
        "echo 1 > /proc/sys/net/ipv4/ip_forward": "forwards",
        "ip route add default dev eth0 metric 50": "default route",
    }
    with Net((PROBE, WORLD)) as net:
        breaches[f"ip link add out type veth peer name past netns {net['world'].pid}"] = "leads out of the lab"
        check_sealed(net.sandbox, gateways)
        for breach, words in breaches.items():
            net["probe"].run(["sh", "-c", breach]).ok()
            with pytest.raises(LabError, match=words):
                check_sealed(net.sandbox, gateways)
            undo = breach.replace("add", "del").replace("echo 1", "echo 0").partition(" type ")[0]
            net["probe"].run(["sh", "-c", undo]).ok()
        check_sealed(net.sandbox, gateways)


def test_labs_live_side_by_side_and_leave_nothing():
    """Two labs with the same addresses do not see each other; afterwards none of their processes is left."""
    with Net((PROBE, WORLD)) as one, Net((PROBE, WORLD)) as two:
        start_server(one)
        assert "seconds" in ask(one, "ping()")
        assert "seconds" not in ask(two, "ping(timeout=0.5)")
        pids = [namespace.pid for lab in (one, two) for namespace in lab.sandbox.namespaces.values()]
        pids += [one.router.pid, two.router.pid, one.sandbox.servers[0].pid]
        directory = one.directory
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not directory.exists()


def test_nothing_outlives_a_killed_owner():
    """When the process that made a lab is killed, its namespaces, servers and router go as well."""
    program = (
        "import sys, time\nfrom tests.lab.net import *\nfrom tests.lab.echo import start_server\n"
        "with Net((PROBE, WORLD)) as net:\n"
        "    start_server(net)\n"
        "    print(*[n.pid for n in net.sandbox.namespaces.values()], net.router.pid, net.sandbox.servers[0].pid, flush=True)\n"
        "    print(net.directory, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as owner:
        assert owner.stdout is not None
        pids = owner.stdout.readline().split()
        directory = Path(owner.stdout.readline().strip())
        owner.kill()
    deadline = time.monotonic() + 5
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(pids) == 5
    assert not [pid for pid in pids if _alive(pid)]
    subprocess.run(["rm", "-r", str(directory)], check=True)  # a killed process tidies no files


def _alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_ordinary_user_needs_no_root():
    """Without root the same lab is built inside a user namespace of its own."""
    program = (
        "import os\nfrom tests.lab.net import *\nfrom tests.lab.echo import ask, start_server\n"
        "assert os.geteuid() != 0\n"
        "with Net((PROBE, WORLD)) as net:\n"
        "    start_server(net)\n    print(ask(net, 'ping()'))\n"
    )
    ordinary = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as name:  # this working copy and its interpreter may be readable for root only
        copy = Path(name)
        copy.chmod(0o755)
        shutil.copytree(
            REPOSITORY / "tests" / "lab",
            copy / "tests" / "lab",
            ignore=shutil.ignore_patterns("reports", "__pycache__"),
        )
        (copy / "tests" / "__init__.py").touch()
        done = subprocess.run(
            [*ordinary, "/usr/bin/python3", "-c", program], cwd=copy, capture_output=True, text=True, timeout=60,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    assert "seconds" in done.stdout, done.stderr


def test_inside_a_user_namespace():
    """Inside ``unshare -Urnm`` (where one is root of very little) the lab is built too."""
    program = (
        "from tests.lab.net import *\nfrom tests.lab.echo import ask, start_server\n"
        "with Net((PROBE, WORLD)) as net:\n"
        "    start_server(net)\n    print(ask(net, 'ping()'))\n"
    )
    done = subprocess.run(
        ["unshare", "-Urnm", sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert "seconds" in done.stdout, done.stderr


def test_machine_without_a_gateway_has_no_route():
    """``gateway=None`` is a host without a default route."""
    alone = Machine(name="probe", address="192.168.1.10/24", gateway=None, leg=Leg())
    with Net((alone, WORLD)) as net:
        assert net["probe"].run(["ip", "route", "get", "8.8.8.8"]).returncode != 0
