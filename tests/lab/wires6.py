"""A client that measures the lab's wires over IPv6, beside ``echo.py``'s server. Standard library only."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.lab import dual, packets6
from tests.lab.echo import SERVER
from tests.lab.net import PROBE, WORLD, Net

FAR = packets6.twin("62.115.44.2")
MACHINES = (dual.machine(PROBE), dual.machine(WORLD))
HOPS = [packets6.twin(hop) for hop in (*PROBE.leg.hops, *reversed(WORLD.leg.hops))]

CLIENT = """
import json, socket, sys, time
far = sys.argv[1]
def ping(size=32, timeout=2.0, limit=64):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, limit)
        s.setsockopt(socket.IPPROTO_IPV6, 25, 1); s.setsockopt(socket.IPPROTO_IPV6, 23, 2)
        s.connect((far, 7)); start = time.monotonic()
        try:
            s.send(b"p" * size); s.recv(65535)
        except OSError as error:
            try:
                _, anc, _, _ = s.recvmsg(512, 512, 0x2000)
                data = anc[0][2]
                return {"errno": error.errno, "icmp": [data[5], data[6]], "from": socket.inet_ntop(10, data[24:40])}
            except OSError: return {"errno": error.errno}
        return {"seconds": time.monotonic() - start}
def fetch(size):
    with socket.create_connection((far, 7), 5) as s:
        s.sendall(b"%d\\n" % size); got = 0
        while chunk := s.recv(65536): got += len(chunk)
    return got
def outcome():
    try: return fetch(10)
    except OSError as error: return type(error).__name__
print(json.dumps(eval(sys.argv[2])))
"""


def ask(net: Net, expression: str, far: str = FAR) -> Any:
    argv = [sys.executable, "-I", "-S", "-c", CLIENT, far, expression]
    return json.loads(net["probe"].run(argv, capabilities=False).ok().stdout)


def start_server(net: Net) -> None:
    program = SERVER.replace("0.0.0.0", "::") + "\n"
    net["world"].spawn([sys.executable, "-I", "-S", "-c", program], log=str(net.directory / "echo.log"))
    for _ in range(500):
        if ":0007 " in Path(f"/proc/{net['world'].pid}/net/tcp6").read_text():
            return
        net["world"].run(["sleep", "0.01"])
    raise AssertionError((net.directory / "echo.log").read_text())
