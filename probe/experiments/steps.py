"""Steps that several experiments take: a paced connection, an arm of a pair, a verified handshake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from probe.experiments.places import sni_of
from probe.instruments import tcp, tls
from probe.observations import Arm, Operation, Purpose
from probe.wire.sockets import TcpOptions

if TYPE_CHECKING:
    from probe.experiments.session import Session
    from probe.experiments.site import Site
    from probe.instruments.tcp import TcpStream
    from probe.instruments.tls import TlsStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an observation belongs: the fields of :meth:`probe.observations.Recorder.add`."""

    purpose: Purpose
    endpoint: int | None = None
    group: str | None = None
    arm: Arm | None = None
    round: int | None = None
    hop: int = 0
    member: str | None = None

    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


async def connect(
    session: Session,
    place: Place,
    address: str,
    port: int,
    *,
    name: str | None = None,
    deadline_s: float | None = None,
    options: TcpOptions | None = None,
) -> TcpStream | None:
    """A paced connection, recorded; ``None`` where it failed."""
    await session.pacer.flow()
    with session.waits.one(place.endpoint, place.purpose) as begins:
        connected = await tcp.connect(
            session.wire,
            address,
            port,
            deadline_s=deadline_s or session.settings.deadlines.connect,
            options=options,
            name=name,
            begins=begins,
        )
    session.record(connected.operation, **place.fields())
    return connected.stream


@dataclass(frozen=True, slots=True)
class ArmResult:
    """How one arm went: ``passed`` only for a ServerHello; ``elapsed_s`` from SYN to the end."""

    passed: bool
    connected: bool
    elapsed_s: float
    operation: Operation | None


async def arm(
    session: Session,
    place: Place,
    address: str,
    port: int,
    *,
    sni: str,
    deadline_s: float,
    connect_s: float | None = None,
    small: bool = False,
    mss: int | None = None,
    sips: bool = False,
) -> ArmResult:
    """Connect, send a ClientHello for *sni*, stop at the server's first record. Both operations are recorded.

    *sips*: the rest of the answer is not wanted. It is kept from being sent by a window that it does not fit into, and the
    connection is broken off. Not where the question is whether large packets arrive.
    """
    begun = session.wire.monotonic()
    options = TcpOptions(mss=mss, sips=sips) if mss is not None or sips else None
    stream = await connect(session, place, address, port, name=sni, deadline_s=connect_s, options=options)
    if stream is None:
        return ArmResult(passed=False, connected=False, elapsed_s=session.wire.monotonic() - begun, operation=None)
    if sips:
        stream.forget_when_closed()
    hello = tls.Hello(sni=sni, small=small)
    operation = await tls.first_record(session.wire, stream, hello=hello, deadline_s=deadline_s)
    session.record(operation, **place.fields())
    return ArmResult(
        passed=operation.failure is None,
        connected=True,
        elapsed_s=session.wire.monotonic() - begun,
        operation=operation,
    )


async def shake_hands(
    site: Site, place: Place, address: str, port: int, *, deadline_s: float, name: str | None = None
) -> TlsStream | None:
    """Connect and shake hands for the name in question (or *name*), verifying the chain; both recorded. The stream is the
    caller's.
    """
    host = name or site.host
    stream = await connect(site.session, place, address, port, name=host)
    if stream is None:
        return None
    shaken = await tls.handshake(
        site.wire,
        stream,
        hello=tls.Hello(sni=sni_of(host)),
        trust=site.session.trust,
        host=host,
        deadline_s=deadline_s,
    )
    site.session.record(shaken.operation, **place.fields())
    return shaken.stream


async def verified(
    site: Site, place: Place, address: str, port: int, *, deadline_s: float, name: str | None = None
) -> bool:
    """Whether a handshake at *address* verifies for the name in question (or *name*)."""
    secure = await shake_hands(site, place, address, port, deadline_s=deadline_s, name=name)
    if secure is not None:
        secure.close()
    return secure is not None


async def fetch(
    site: Site,
    place: Place,
    stream: TcpStream | TlsStream,
    *,
    verified_chain: bool,
    url: str | None = None,
    as_baseline: bool = False,
) -> bool:
    """Ask for the page in question (or *url*) once, body kept; recorded. Whether any response came. Closes the stream.

    *as_baseline*: read as much of the page as the baseline does.
    """
    from probe.instruments import http

    budgets, patience_s = site.settings.budgets, site.settings.deadlines.tls_soft
    whole = as_baseline and site.settings.profile == "full"
    operation = await http.request(
        site.wire,
        stream,
        method="GET",
        url=url or (site.focus.url if site.focus else site.asked.endpoint.url),
        user_agent=site.settings.user_agent,
        verified_chain=verified_chain,
        head_deadline_s=patience_s,
        body_deadline_s=patience_s,
        body_cap=budgets.body_full if whole else budgets.body_light,
        header_cap=budgets.headers,
        keep_body=True,
    )
    site.session.record(operation, **place.fields())
    return operation.failure is None
