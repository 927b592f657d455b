"""A far server that echoes and a near client that measures, to check the wires with. Standard library only."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.lab.net import Net

FAR = "62.115.44.2"

SERVER = """
import asyncio, sys
class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, address): self.transport.sendto(data, address)
async def both(reader, writer):
    size = int((await reader.readline()) or b"0")
    writer.write(b"x" * size)
    try:
        await writer.drain()
    except ConnectionError:
        pass
    writer.close()
async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Echo, ("0.0.0.0", 7))
    await asyncio.start_server(both, "0.0.0.0", 7)
    await asyncio.Event().wait()
asyncio.run(main())
"""

CLIENT = """
import json, socket, sys, time
far = sys.argv[1]
def ping(size=32, timeout=2.0, ttl=64):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        s.setsockopt(socket.IPPROTO_IP, 11, 1)
        s.connect((far, 7))
        start = time.monotonic()
        try:
            s.send(b"p" * size); s.recv(65535)
        except OSError as error:
            try:
                _, anc, _, _ = s.recvmsg(512, 512, 0x2000)
                _, _, data = anc[0]
                return {"errno": error.errno, "icmp": [data[5], data[6]], "from": socket.inet_ntoa(data[20:24])}
            except OSError:
                return {"errno": error.errno}
        return {"seconds": time.monotonic() - start}
def burst(count, wait=0.5):
    #How many of *count* datagrams, sent at once, come back within *wait* seconds.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((far, 7))
        for _ in range(count): s.send(b"p")
        s.settimeout(wait)
        for back in range(count):
            try: s.recv(1)
            except TimeoutError: return back
    return count
def reply_ttl():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2); s.setsockopt(socket.IPPROTO_IP, 12, 1); s.connect((far, 7)); s.send(b"p")
        _, ancillary, _, _ = s.recvmsg(16, 64)
        return int.from_bytes(ancillary[0][2][:4], sys.byteorder)
def refused():
    start = time.monotonic()
    try: socket.create_connection((far, 7), 5).close()
    except ConnectionRefusedError: return time.monotonic() - start
def fetch(size, timeout=20):
    start = time.monotonic()
    with socket.create_connection((far, 7), timeout) as s:
        connected = time.monotonic() - start
        s.sendall(b"%d\\n" % size)
        got = 0
        while chunk := s.recv(65536): got += len(chunk)
    return {"got": got, "connected": connected, "seconds": time.monotonic() - start}
def outcome():
    try: return "got %d" % fetch(10)["got"]
    except OSError as error: return type(error).__name__
print(json.dumps(eval(sys.argv[2])))
"""


def start_server(net: Net) -> None:
    net["world"].spawn([sys.executable, "-I", "-S", "-c", SERVER], log=str(net.directory / "echo.log"))
    deadline = time.monotonic() + 5
    while ":0007 " not in Path(f"/proc/{net['world'].pid}/net/tcp").read_text():
        assert time.monotonic() < deadline, (net.directory / "echo.log").read_text()
        time.sleep(0.01)


def ask(net: Net, expression: str, machine: str = "probe") -> Any:
    done = net[machine].run([sys.executable, "-I", "-S", "-c", CLIENT, FAR, expression], capabilities=False).ok()
    return json.loads(done.stdout)
