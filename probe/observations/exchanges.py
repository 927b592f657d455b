"""What one exchange with the other end came to: a question, a connection, a handshake, a request, an app's first words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from probe.observations.way import HopOf, HopScope


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
