"""The facts: what was seen on the wire, and the words for how it failed.

An *operation* is one thing that an instrument did (one question, one connection, one handshake, one request) and what came
of it. An *observation* is an operation with its place in a run: its number, the endpoint it was made for, why it was
made, and which half of a pair it is. Facts are frozen; nothing in here says what they mean. That is the judge's business.

Units: times stored are UTC microseconds (``*_us``) unless the name says otherwise, durations come from the monotonic
clock. ``None`` means *not measured*; it is never zero and never "blocked".
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

# ---------------------------------------------------------------------------------------------------------------------
# failures: the standard strings of the OONI data format df-007

FAILURES = frozenset(
    {
        "android_dns_cache_no_data",
        "connection_aborted",
        "connection_already_closed",
        "connection_refused",
        "connection_reset",
        "dns_bogon_error",
        "dns_no_answer",
        "dns_non_recoverable_failure",
        "dns_nxdomain_error",
        "dns_refused_error",
        "dns_reply_with_wrong_query_id",
        "dns_server_misbehaving",
        "dns_servfail_error",
        "dns_temporary_failure",
        "eof_error",
        "generic_timeout_error",
        "host_unreachable",
        "http_invalid_redirect_location_host",
        "http_request_failed",
        "http_unexpected_redirect_url",
        "http_unexpected_status_code",
        "interrupted",
        "json_parse_error",
        "network_down",
        "network_reset",
        "network_unreachable",
        "quic_incompatible_version",
        "ssl_failed_handshake",
        "ssl_invalid_certificate",
        "ssl_invalid_hostname",
        "ssl_unknown_authority",
    }
)
UNKNOWN_FAILURE = "unknown_failure: "


def is_failure_name(text: str) -> bool:
    """Whether *text* is a failure string of df-007, the open-ended ``unknown_failure: …`` included."""
    return text in FAILURES or text.startswith(UNKNOWN_FAILURE)


# ---------------------------------------------------------------------------------------------------------------------
# facts, one type an instrument

Kind = Literal[
    "dns", "tcp", "tls", "http", "quic", "app", "path", "arrival", "packets", "host", "clock", "context", "bug"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelCounters:
    """Linux ``struct tcp_info`` at the end of an operation; a field this kernel does not have is ``None``.

    ``bytes_acked`` counts the SYN, so a ClientHello of *n* bytes is acknowledged when it reaches *n* + 1.
    """

    state: int | None = None
    retransmits: int | None = None
    rto_us: int | None = None
    snd_mss: int | None = None
    rcv_mss: int | None = None
    advmss: int | None = None
    unacked: int | None = None
    sacked: int | None = None
    lost: int | None = None
    rtt_us: int | None = None
    min_rtt_us: int | None = None
    pmtu: int | None = None
    total_retrans: int | None = None
    bytes_acked: int | None = None
    bytes_received: int | None = None
    segs_out: int | None = None
    segs_in: int | None = None
    rwnd_limited_us: int | None = None
    rcv_ooopack: int | None = None
    snd_wnd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One resource record of a reply's answer section: owner, type, presentation value, TTL in seconds."""

    name: str
    rtype: str
    value: str
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One row of a list that the user has imported (``dalel fingerprints``) and that this page or answer matches.

    ``scope`` as there: ``nat`` national, ``isp`` a provider's, ``prod`` a product's, ``inst`` a school's or company's, ``vbw``
    of very broad wording, ``fp`` a known false alarm … ``expected``: known as a national or a provider's one in the country
    that the settings name. ``place``: what it was found in.
    """

    name: str
    scope: str
    place: str = "body"
    expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Soa:
    """Which zone a reply is from, and who runs it (RFC 1035 §3.3.13): a denial bears it (RFC 2308), and so does the answer
    to a question for it. ``zone`` in lower case, ``ttl`` in seconds.
    """

    zone: str
    mname: str
    rname: str
    serial: int
    ttl: int


DnsTransport = Literal["udp", "tcp", "dot", "doh", "getaddrinfo"]
ResolverRole = Literal["system", "foreign", "no_resolver", "zone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFact:
    """One question and one reply to it (RFC 1035), or silence.

    ``role``: ``system`` a resolver of the platform's list, ``foreign`` a public resolver, ``no_resolver`` an address that
    runs none (whatever answers there was put in on the way), ``zone`` a server of the zone itself.
    ``reply_index``: 0 for the reply that was used; 1, 2 … for later replies to the same question that differ from it.
    ``extended_errors``: RFC 8914 info-codes. ``reply_ttl``: the IP TTL / hop limit of the reply's packet.
    ``soa``: the zone that the reply speaks for, if it says so. ``marks``: imported fingerprints that an answer matches.
    ``resends``: how often we asked again; ``query_index``: which of these queries this reply is to (0 the first; each has
    a port and an id of its own).
    """

    transport: DnsTransport
    role: ResolverRole
    qname: str
    qtype: str
    resolver_is_private: bool | None = None
    rcode: int | None = None
    answers: tuple[Answer, ...] = ()
    extended_errors: tuple[int, ...] = ()
    authenticated_data: bool | None = None
    checking_disabled: bool = False
    dnssec_ok: bool = False
    truncated: bool = False
    reply_ttl: int | None = None
    reply_index: int = 0
    reply_bytes: int | None = None
    malformed: str | None = None
    resends: int = 0
    query_index: int = 0
    soa: Soa | None = None
    marks: tuple[Mark, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The A and AAAA values of the answer section, in order."""
        return tuple(a.value for a in self.answers if a.rtype in ("A", "AAAA"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpFact:
    """One connect to one address. ``icmp_*`` come from the socket's error queue: an errno alone merges several codes.

    ``reply_ttl``: the IP TTL / hop limit that the other end's packets arrive with, where it was searched for.
    """

    rtt_us: int | None = None
    errno: str | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    icmp_from: str | None = None
    mss_cap: int | None = None
    kernel: KernelCounters | None = None
    reply_ttl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is kept of one certificate of a chain; ``der_base64`` only where verification failed."""

    sha256: str
    subject: str
    issuer: str
    not_before_us: int
    not_after_us: int
    names: tuple[str, ...] = ()
    spki_sha256: str | None = None
    self_issued: bool = False
    der_base64: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFact:
    """One handshake (RFC 8446), from the first byte of the ClientHello to Finished, alert, silence or close.

    ``sni`` is what was sent (``None``: no server_name extension). ``verified`` is ``None`` when nothing was verified
    (contrast arms stop at the first server record). ``verify_code`` is OpenSSL's X509_V_ERR number.
    ``server_hello`` says that a ServerHello record was seen: the only thing that counts as success for an arm; an alert
    does not. ``hello_acked``: whether the server's kernel acknowledged all of the ClientHello, from the kernel counters.
    ``last_operation`` is e.g. ``write_1`` (wrote, read nothing) or ``read_2``.
    ``min_ttl``: packets that arrived with a lower IP TTL were ignored; ``ignored``: how many that were, on this host.
    ``pieces``: how the ClientHello was cut, ``None`` if it was not: see :func:`probe.instruments.tls_records.cut`.
    ``resumed``: whether an earlier session was taken up again; no chain is shown then. ``ticket_age_s``: how long ago the chain
    behind the ticket that was offered had been verified, in seconds; ``None`` where none was offered.
    """

    sni: str | None
    verify: bool
    alpn_offered: tuple[str, ...] = ()
    verified: bool | None = None
    verify_code: int | None = None
    shipped_store_verifies: bool | None = None
    system_store_verifies: bool | None = None
    version: str | None = None
    cipher: str | None = None
    alpn: str | None = None
    resumed: bool | None = None
    chain: tuple[Certificate, ...] = ()
    hello_bytes: int | None = None
    hello_hash: str | None = None
    hello_acked: bool | None = None
    server_hello: bool = False
    first_byte_us: int | None = None
    alert: int | None = None
    alert_sent: int | None = None
    first_bytes: str | None = None
    last_operation: str | None = None
    errno: str | None = None
    stack: str | None = None
    rtt_us: int | None = None
    mss_cap: int | None = None
    kernel: KernelCounters | None = None
    min_ttl: int | None = None
    ignored: int | None = None
    pieces: str | None = None
    ticket_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFact:
    """One request and its response (RFC 9110). ``progress``: (microseconds since the request, bytes so far).

    ``malformed``: what of the response was no HTTP, in a few words. ``body_sketch`` and ``tags_sketch``: see
    probe/instruments/http/body.py. ``marks``: imported fingerprints that the page or its head matches.
    ``min_ttl``, ``ignored``: as in :class:`TlsFact`.
    """

    method: str
    url: str
    verified_chain: bool
    http_version: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    location: str | None = None
    title: str | None = None
    body_length: int | None = None
    body_sha256: str | None = None
    body_sketch: str | None = None
    tags_sketch: str | None = None
    body_truncated: bool = False
    body: str | None = None
    first_byte_us: int | None = None
    progress: tuple[tuple[int, int], ...] = ()
    date_offset_s: float | None = None
    malformed: str | None = None
    marks: tuple[Mark, ...] = ()
    errno: str | None = None
    kernel: KernelCounters | None = None
    min_ttl: int | None = None
    ignored: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicFact:
    """One QUIC exchange over UDP: a ``handshake`` of version 1 (RFC 9000) that carries ``sni``, nothing verified; or a
    ``ping``, a packet of a version that nobody speaks, which a server answers with those that it does (RFC 8999 §6).

    ``version``: the one that was sent; ``versions``: those that the server named, in its order; both as 8 hex digits.
    ``retry``: whether the server first had our address proven (RFC 9000 §8.1). ``completed``: the handshake came to its end,
    which is all that counts as success for an arm. ``first_reply_us``: from the first packet to the first one that is an
    answer to it, ``reply_ttl``: that one's IP TTL. ``close_code``: with which the server ended the connection (RFC 9000 §20),
    ``close_reason`` its words. ``ttl``: so many routers far the greeting was let go, and only its first datagram; ``None``: as
    ordinary ones are; ``hop_is``: as in :class:`PathFact`, of the router that said so.
    """

    exchange: Literal["handshake", "ping"]
    sni: str | None = None
    alpn_offered: tuple[str, ...] = ()
    version: str | None = None
    versions: tuple[str, ...] = ()
    retry: bool | None = None
    completed: bool | None = None
    alpn: str | None = None
    first_reply_us: int | None = None
    reply_ttl: int | None = None
    datagrams_sent: int = 0
    datagrams_received: int = 0
    close_code: int | None = None
    close_reason: str | None = None
    errno: str | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    icmp_from: str | None = None
    stack: str | None = None
    ttl: int | None = None
    hop_is: HopScope | None = None


AppTransport = Literal["tcp", "udp", "websocket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFact:
    """One exchange of an app's own protocol (``mtproto``, ``stun``, ``openvpn`` …), as far as its first answers.

    ``sent``: what the first message is (``req_pq_multi``). ``answered``: whether any bytes came. ``expected``: whether an
    answer of that protocol came that is bound to a number, key or id of ours; ``None``: nothing came that tells. ``detail``:
    what came instead, in our own few words (at most 80 characters); ``first_bytes``: the first 32 of what came, as hex.
    ``messages_sent``: with those that were sent again. ``first_reply_us``: since the first message; ``reply_ttl``: the IP TTL
    of the first answer's packet. ``kernel``: of the connection, where there is one. ``ttl``: of a packet that was let go only
    so many routers far; ``hop_is`` and ``hop_of``: as in :class:`PathFact`, of the one that said so.
    """

    protocol: str
    transport: AppTransport
    sent: str
    answered: bool | None = None
    expected: bool | None = None
    detail: str | None = None
    first_bytes: str | None = None
    first_reply_us: int | None = None
    reply_ttl: int | None = None
    messages_sent: int = 0
    messages_received: int = 0
    errno: str | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    icmp_from: str | None = None
    kernel: KernelCounters | None = None
    ttl: int | None = None
    hop_is: HopScope | None = None
    hop_of: HopOf | None = None


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
    """One SYN, or one ClientHello or plain request on an open connection, that was let go *ttl* routers far, and what came back
    first. The name of a request is the operation's.

    ``came``: ``icmp`` a router's word (usually that the TTL ran out there, RFC 792 type 11, RFC 4443 type 3), ``reset``,
    ``fin`` (an end, or bytes that are no ServerHello), ``answer`` (a SYN-ACK, a ServerHello), ``nothing``; ``None``: this
    host did not send it. ``again``: what came of the same bytes when the kernel sent them once more, after a router's word;
    ``later``: and when it sent them with the ordinary TTL; ``None``: not looked for. ``acked``, ``later_acked``: whether the
    far kernel had acknowledged all of the greeting by then.
    ``hop`` is the router's address where it may be kept: never the first router's, nor one that is not of the public
    Internet, nor one of this host's own network. ``hop_is``: this network's own ``gateway``, another ``private`` address,
    ``shared`` between a provider's customers (RFC 6598), or ``public``. Linux names the router for a SYN only.
    ``network``: whose ``hop`` was on that day, where a table of the user's tells it. ``hop_of``, on the way to a control,
    where no router's address is kept: whether it was the user's own ``provider``'s, or an ``other`` network's.
    ``source_port``: packets from one port to one place go one way, however many ways there are.
    """

    sent: Literal["syn", "hello", "request"]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFact:
    """The state of this host before anything was sent, and again at the end (no address, SSID or MAC is kept)."""

    default_route_v4: bool | None = None
    default_route_v6: bool | None = None
    nameservers: tuple[str, ...] = ()
    nameservers_private: bool | None = None
    tunnels: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    in_container: bool | None = None
    suspended_s: float | None = None
    hosts_file_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFact:
    """This host's clock against another one: ``offset_s`` is theirs minus ours, in seconds."""

    source: Literal["ntp", "date_header"]
    offset_s: float | None = None
    stratum: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFact:
    """What the judge needs to know of the run besides the wire, so that old facts can be judged again.

    ``fingerprints``: kinds and versions of the imported lists that were looked at; empty without any. ``networks``: of the
    imported tables of networks.
    """

    software: str
    catalogue: str
    trust: str
    trust_replaced: bool = False
    profile: str = "light"
    opt_ins: tuple[str, ...] = ()
    families: tuple[int, ...] = (4, 6)
    country: str | None = None
    asn: int | None = None
    deadline_scale: float = 1.0
    notes: tuple[str, ...] = ()
    fingerprints: str = ""
    networks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BugFact:
    """A bug of ours that ended an experiment: labelled as ours, and never read as anything about the network."""

    experiment: str
    error: str
    traceback: str


Fact = (
    DnsFact
    | TcpFact
    | TlsFact
    | HttpFact
    | QuicFact
    | AppFact
    | PathFact
    | ArrivalFact
    | PacketsFact
    | HostFact
    | ClockFact
    | ContextFact
    | BugFact
)

KINDS: dict[str, type[Any]] = {
    "dns": DnsFact,
    "tcp": TcpFact,
    "tls": TlsFact,
    "http": HttpFact,
    "quic": QuicFact,
    "app": AppFact,
    "path": PathFact,
    "arrival": ArrivalFact,
    "packets": PacketsFact,
    "host": HostFact,
    "clock": ClockFact,
    "context": ContextFact,
    "bug": BugFact,
}
_KIND_OF = {cls: kind for kind, cls in KINDS.items()}


# ---------------------------------------------------------------------------------------------------------------------
# operations and observations


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one instrument did once, and what came of it. ``failure`` is ``None`` for success, else a df-007 name."""

    fact: Fact
    started_us: int
    duration_us: int | None = None
    failure: str | None = None
    name: str | None = None
    address: str | None = None
    port: int | None = None
    bytes_sent: int = 0
    bytes_received: int = 0

    @property
    def kind(self) -> str:
        return _KIND_OF[type(self.fact)]

    @property
    def family(self) -> Literal[4, 6] | None:
        """4 or 6, by the address that was used."""
        if self.address is None:
            return None
        return 6 if ":" in self.address else 4


Purpose = Literal[
    "context",
    "own_side",  # the probe's own network, before and after
    "baseline",  # what an ordinary user's browser does
    "cheap",  # one question, one connection and a resumed handshake, between full baselines
    "retry",  # the same again, from a fresh port
    "dns_answers",  # who says what about the name
    "neutral_pair",  # T and I at an address that serves neither
    "neutral_chain",  # T at an address that serves it not: whose certificate comes?
    "own_pair",  # T and I at the target's own address
    "path_mtu",  # small segments and a small hello
    "siblings",  # other addresses, families and ports of the name
    "neighbours",  # other names at the same network
    "behind",  # T at its own address, with packets from farther away or nearer by ignored
    "packets",  # what the packets of T's own address look like (CAP_NET_RAW)
    "residual",  # what becomes of other exchanges after T, and for how long (deep)
    "locate",  # how far T and I get, and SYNs: where on the way the difference is made
    "split",  # T whole and in pieces, at an address that serves it not (deep)
    "control",  # how a control was asked, and why it gave no answer
    "control_pair",  # T and I at a control's own sink, and what arrived of them there
    "vendor_sign",  # what the vendor itself says of an outage, by a DNS answer
    "udp_here",  # whether datagrams pass here at all, by servers that are nobody's target
    "protocol_pair",  # a protocol's packets (T) and random ones (I) at a control's echo
    "ech",  # greetings with an encrypted one inside (T) and with padding in its place (I), at places of nobody's (deep)
    "quic",  # T, I and the question for versions over QUIC: at the own address, elsewhere, and where nobody is a target
    "throttling",  # the same bytes with T and with I, timed: at addresses that serve neither, a control's sink, its own
    "late",  # what arrived after it was no longer waited for
]
Arm = Literal["target", "innocuous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An operation with its place in a run. ``(run, number)`` is its key everywhere.

    ``endpoint``: the number of the endpoint in the run, ``None`` for the own side. ``group`` ties the operations of one
    attempt or one pair together (``"neutral/1"``); ``round`` counts alternations inside it; ``hop`` counts redirects.
    ``member`` names a canary as ``family/name``.
    """

    number: int
    operation: Operation
    purpose: Purpose
    endpoint: int | None = None
    vantage: str = "local"
    arm: Arm | None = None
    group: str | None = None
    round: int | None = None
    hop: int = 0
    member: str | None = None

    @property
    def fact(self) -> Fact:
        return self.operation.fact

    @property
    def failure(self) -> str | None:
        return self.operation.failure

    @property
    def ended_us(self) -> int:
        return self.operation.started_us + (self.operation.duration_us or 0)


# ---------------------------------------------------------------------------------------------------------------------
# to and from plain JSON values


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = ((f, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {f.name: _encode(v) for f, v in named if v != f.default}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """Plain JSON values of a fact; what equals its default is left out."""
    encoded: dict[str, Any] = _encode(fact)
    return encoded


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _decode(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        (inner,) = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return _decode(inner, value)
    if origin is tuple:
        args = typing.get_args(hint)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_decode(args[0], item) for item in value)
        return tuple(_decode(arg, item) for arg, item in zip(args, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value)
    if hint is float:
        return float(value)
    return value


def _build(cls: type[Any], data: dict[str, Any]) -> Any:
    hints = _hints(typing.cast("Any", cls))
    # A key that this version does not know was written by a newer one: what is known is still a fact.
    return cls(**{key: _decode(hints[key], value) for key, value in data.items() if key in hints})


def fact_from_json(kind: str, data: dict[str, Any]) -> Fact:
    """The fact of *kind* that :func:`fact_to_json` wrote; ``KeyError`` for a kind that this version does not know."""
    fact: Fact = _build(KINDS[kind], data)
    return fact


_OPERATION_KEYS = ("started_us", "duration_us", "failure", "name", "address", "port", "bytes_sent", "bytes_received")
_PLACE_KEYS = ("number", "purpose", "endpoint", "vantage", "arm", "group", "round", "hop", "member")


def observation_to_json(observation: Observation) -> dict[str, Any]:
    """One flat JSON object: the place in the run, the operation, its kind, and the fact under ``fact``."""
    flat = {key: getattr(observation, key) for key in _PLACE_KEYS}
    flat |= {key: getattr(observation.operation, key) for key in _OPERATION_KEYS}
    flat["kind"] = observation.operation.kind
    flat["fact"] = fact_to_json(observation.fact)
    return flat


def observation_from_json(data: dict[str, Any]) -> Observation:
    """The inverse of :func:`observation_to_json`."""
    operation = Operation(
        fact=fact_from_json(data["kind"], data["fact"]), **{k: data[k] for k in _OPERATION_KEYS if k in data}
    )
    return Observation(operation=operation, **{key: data[key] for key in _PLACE_KEYS if key in data})


# ---------------------------------------------------------------------------------------------------------------------
# numbering


@dataclass(slots=True)
class Recorder:
    """Numbers the observations of one run 1, 2, 3 … and keeps them in order. Not thread-safe; one event loop."""

    observations: list[Observation] = field(default_factory=list)

    def add(
        self,
        operation: Operation,
        *,
        purpose: Purpose,
        endpoint: int | None = None,
        arm: Arm | None = None,
        group: str | None = None,
        round: int | None = None,  # noqa: A002 - the field's name
        hop: int = 0,
        member: str | None = None,
        vantage: str = "local",
    ) -> Observation:
        """Give *operation* its number and its place."""
        observation = Observation(
            number=len(self.observations) + 1,
            operation=operation,
            purpose=purpose,
            endpoint=endpoint,
            arm=arm,
            group=group,
            round=round,
            hop=hop,
            member=member,
            vantage=vantage,
        )
        self.observations.append(observation)
        return observation
