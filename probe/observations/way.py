"""What was seen of the way itself: routers, whose they are, packets as they came in, and what arrived at a control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalFact:
    """What a control says arrived of one arm at its sink. ``arrived`` is False where not even the connection came.

    ``name``: the SNI or Host, if it is one that the probe asked with; ``named``: whether there was any. ``bytes``: of the
    greeting, or of the request's head; ``whole``: whether it came to its end; ``hello_hash`` as in :class:`TlsFact`.
    ``answered``: whether an answer was handed to the control's kernel; ``acknowledged``: whether all of it was acknowledged
    from this side. ``end``: how the connection was ended from this side, as it was seen there.
    ``returned``: of QUIC, whether the probe's side came back with the token of the first answer (RFC 9000 §8.1.2).
    ``bulk``: that a stream of bytes was asked for, ``down`` to the probe or ``up`` from it, of ``bulk_bytes``; ``progress``:
    (microseconds since that was asked for, bytes so far), those that the probe's kernel had acknowledged or that were read.
    """

    sink: Literal["tls", "http", "quic"]
    arrived: bool = True
    name: str | None = None
    named: bool | None = None
    bytes: int | None = None
    whole: bool | None = None
    hello_hash: str | None = None
    answered: bool | None = None
    acknowledged: bool | None = None
    end: Literal["fin", "reset"] | None = None
    returned: bool | None = None
    bulk: Literal["down", "up"] | None = None
    bulk_bytes: int | None = None
    progress: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Whose an address was by the table that the user has imported (``dalel networks``): the network's number (RFC 6793), its
    name, and a country's two letters where the table tells one.
    """

    asn: int
    name: str
    country: str | None = None


Came = Literal["icmp", "reset", "fin", "answer", "nothing"]
HopScope = Literal["gateway", "private", "shared", "public"]
HopOf = Literal["provider", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFact:
    """One SYN, one DNS question over UDP, or one ClientHello or plain request on an open connection, that was let go *ttl*
    routers far, and what came back first. The name of a request or question is the operation's.

    ``came``: ``icmp`` a router's word (usually that the TTL ran out there, RFC 792 type 11, RFC 4443 type 3), ``reset``,
    ``fin`` (an end, or bytes that are no ServerHello), ``answer`` (a SYN-ACK, a ServerHello, a reply), ``nothing``;
    ``None``: this host did not send it. ``again``: what came of the same bytes when the kernel sent them once more, after a
    router's word;
    ``later``: and when it sent them with the ordinary TTL; ``None``: not looked for. ``acked``, ``later_acked``: whether the
    far kernel had acknowledged all of the greeting by then.
    ``hop`` is the router's address where it may be kept: never the first router's, nor one that is not of the public
    Internet, nor one of this host's own network. ``hop_is``: this network's own ``gateway``, another ``private`` address
    (or a public one that may be this house's or organisation's own), ``shared`` between a provider's customers (RFC 6598), or
    ``public``. Linux names the router for a SYN only.
    ``network``: whose ``hop`` was on that day, where a table of the user's tells it. ``hop_of``, on the way to a control,
    where no router's address is kept: whether it was the user's own ``provider``'s, or an ``other`` network's.
    ``source_port``: packets from one port to one place go one way, however many ways there are.
    """

    sent: Literal["syn", "hello", "request", "question"]
    ttl: int
    sni: str | None = None
    source_port: int | None = None
    came: Came | None = None
    hop: str | None = None
    network: Network | None = None
    hop_is: HopScope | None = None
    hop_of: HopOf | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    after_us: int | None = None
    acked: bool | None = None
    again: Came | None = None
    later: Came | None = None
    later_acked: bool | None = None
    errno: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One TCP packet that came in, as its headers have it. ``after_us``: since the first one of its flow that was heard;
    ``flags`` in letters (``SA``, ``R``); ``identification`` is IPv4's; ``size`` of its payload.
    """

    after_us: int
    flags: str
    ttl: int
    window: int
    identification: int | None = None
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketsFact:
    """What came back on one connection of this run, heard by a process with CAP_NET_RAW (``probe.raw``): its first packets
    and its last ones, and how many in between are left out. Without that privilege there are no such facts.
    """

    own_port: int
    packets: tuple[Arrived, ...] = ()
    left_out: int = 0
