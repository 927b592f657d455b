"""Where a control may be sent: the public Internet, a few ports, and nowhere else."""

import errno

import pytest

from probe.control.guard import is_public
from probe.control.wire import GuardedWire, is_own
from probe.wire import Wire
from probe.wire.resolvers import Nameserver
from probe.wire.this_host import HostState

pytestmark = pytest.mark.anyio

PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "157.240.205.35", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
    "192.167.255.255",
    "223.255.255.255",
    "2a00:1450:4010:c05::64",
    "2606:4700::6810:84e5",
    "2001:4860:4860::8888",
    "2001:200::1",
]
HIDDEN = {
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    "loopback": ["127.0.0.1", "127.8.8.8", "::1"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%1", "2a00::1%eth0"],
    "carriers": ["100.64.0.1", "100.127.255.255"],
    "metadata": ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "192.0.0.192", "168.63.129.16"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "4000::1", "100::1"],
    "unique local": ["fc00::1", "fdff::1"],
    "site-local": ["fec0::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"],
    "compatible": ["::127.0.0.1", "::8.8.8.8"],
    "translated": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "64:ff9b::808:808"],
    "6to4": ["2002:7f00:1::1", "2002:a00:1::"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "ISATAP": ["2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1"],
    "no address": ["", "localhost", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "8.8.8.8 ", "8.8.8.8/32"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address):
    """Those at the edges of private blocks too."""
    assert is_public(address)


@pytest.mark.parametrize("address", [a for found in HIDDEN.values() for a in found])
def test_everything_else_is_not(address):
    """In every way that an address can be private, or hide one that is."""
    assert not is_public(address)


def test_an_own_address_is_known_without_a_packet():
    """This host's, and nobody else's; an address without a route is nobody's here."""
    assert is_own("127.0.0.1")
    assert not is_own("192.0.2.77")
    assert not is_own("3fff::77")


class Inner(Wire):
    """A wire that goes nowhere and remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    async def connect(self, address, port, options=None, *, before_close=None):
        self.asked.append((address, port))
        raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody is here")

    def udp(self, address, port):
        self.asked.append((address, port))
        raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody is here")

    def nameservers(self):
        return (Nameserver("10.0.0.53"),)

    def hosts_file(self, host):
        return ("10.0.0.9",)

    def host(self):
        return HostState(
            default_route_v4=True, default_route_v6=False, tunnels=(), proxies=(), in_container=False, suspended_s=0.0
        )


async def went(address, port, *, own=()):
    """Whether a connection there leaves the guarded wire."""
    inner = Inner()
    wire = GuardedWire(inner, ports={443, 5222}, is_own=set(own).__contains__)
    with pytest.raises(OSError) as raised:
        await wire.connect(address, port)
    assert (raised.value.errno == errno.EACCES) == (inner.asked == [])
    return bool(inner.asked)


async def test_connections_are_looked_at_one_by_one():
    """Address, port, and whether it is the host itself."""
    assert await went("8.8.8.8", 443)
    assert await went("8.8.8.8", 5222)
    assert not await went("8.8.8.8", 22)
    assert not await went("10.0.0.1", 443)
    assert not await went("10.0.0.53", 443)
    assert not await went("8.8.8.8", 443, own=("8.8.8.8",))


async def test_datagrams_are_for_known_dns_servers_only():
    """The host's own, though they be private, and those of the list; port 53 alone."""
    inner = Inner()
    wire = GuardedWire(inner, resolvers=("9.9.9.9",))
    for address, port in (("10.0.0.53", 53), ("9.9.9.9", 53), ("10.0.0.53", 123), ("8.8.8.8", 53), ("9.9.9.9", 443)):
        with pytest.raises(OSError):
            wire.udp(address, port)
    assert inner.asked == [("10.0.0.53", 53), ("9.9.9.9", 53)]


async def test_the_hosts_own_names_are_not_told():
    """Neither its hosts file nor what the C library makes of a name."""
    wire = GuardedWire(Inner())
    assert wire.hosts_file("db.internal") == ()
    assert await wire.getaddrinfo("localhost", 1.0) is None


async def test_no_socket_can_be_made_past_it():
    """Whoever asks where an address is, to make a socket by hand, is refused."""
    wire = GuardedWire(Inner())
    with pytest.raises(PermissionError):
        wire.place("8.8.8.8", 443, "tcp")
