"""The platform's resolver list, and what the C library answers."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nameserver:
    """A resolver of the platform's list: its address (a zone index may follow ``%``) and port."""

    address: str
    port: int = 53

    @property
    def is_private(self) -> bool:
        """Whether it is this host's or the local network's (loopback, RFC 1918, link-local, unique local)."""
        ip = ipaddress.ip_address(self.address.partition("%")[0])
        return ip.is_private or ip.is_loopback or ip.is_link_local


def parse_resolv_conf(text: str) -> tuple[Nameserver, ...]:
    """The ``nameserver`` lines of resolv.conf(5), in order, without repeats; what is no address is left out."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[0] == "nameserver":
            try:
                ipaddress.ip_address(fields[1].partition("%")[0])
            except ValueError:
                continue
            found[fields[1]] = None
    return tuple(Nameserver(address) for address in found)


def getaddrinfo(host: str) -> tuple[str, ...] | str:
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        names = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}
        return names.get(error.errno or 0, "EAI_FAIL")
    except (OSError, UnicodeError):
        return "EAI_FAIL"
    return tuple(dict.fromkeys(str(info[4][0]) for info in infos))
