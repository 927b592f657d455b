"""Servers that are there to be measured: any name at them gets the same answer, so what differs was done on the way.

Each comes up by itself where it may listen, and what came up is announced to probes. Connections, bytes and seconds are
bounded; nothing is logged of who came, or what for.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO, cast

from probe.control.ledger import ArmKind, Ledger, plain
from probe.control.protocol import SINK_KINDS, Sink, SinkKind
from probe.control.sinks import echo, places, silent, tls, web
from probe.control.sinks.limits import Gate, SinkLimits
from probe.control.sinks.places import Bound
from probe.control.sinks.streams import Peer, Serve, attend

if TYPE_CHECKING:
    from aioquic.quic.configuration import QuicConfiguration

    from probe.control.sinks.quic import Server

_ARMS: dict[SinkKind, ArmKind] = {"tls": "tls", "http": "http"}
_CLOSING_S = 1.0


def for_quic(pem: tuple[bytes, bytes]) -> QuicConfiguration | None:
    """What the QUIC sink shows: the chain and key in *pem*; ``None`` without aioquic, or if it cannot use them."""
    try:
        from probe.control.sinks import quic
    except ImportError:  # not installed, or not for this machine
        return None
    return quic.configuration(pem)


def bind_all(host: str, kinds: Iterable[SinkKind] | None = None) -> tuple[Bound, ...]:
    """Sockets for all sinks (or those *kinds*) that may listen on *host*, an address."""
    found = (places.bind(host, kind) for kind in (places.kinds() if kinds is None else kinds))
    return tuple(bound for bound in found if bound is not None)


@dataclass(slots=True, kw_only=True)
class Sinks:
    """The sinks at *bound*. ``context`` is what the TLS sink shows, ``for_quic`` what the QUIC sink does, which there is none
    without; ``log`` gets one JSON object a line.
    """

    bound: Sequence[Bound]
    context: ssl.SSLContext
    ledger: Ledger
    for_quic: QuicConfiguration | None = None
    limits: SinkLimits = field(default_factory=SinkLimits)
    log: TextIO = field(default_factory=lambda: sys.stderr)
    _gate: Gate = field(init=False)
    _busy: set[asyncio.Task[Any]] = field(default_factory=set)
    _served: Counter[str] = field(default_factory=Counter)
    _quic: Server | None = None

    def __post_init__(self) -> None:
        self._gate = Gate(self.limits)
        if self.for_quic is None:
            for bound in self.bound:
                if bound.sink.kind == "quic":
                    bound.sock.close()
            self.bound = tuple(bound for bound in self.bound if bound.sink.kind != "quic")

    @property
    def announced(self) -> tuple[Sink, ...]:
        """What came up. Bulk is the TLS sink's."""
        up = tuple(bound.sink for bound in self.bound)
        return (*up, *(Sink("bulk", sink.port) for sink in up if sink.kind == "tls"))

    @property
    def absent(self) -> tuple[SinkKind, ...]:
        """What did not."""
        up = {sink.kind for sink in self.announced}
        return tuple(kind for kind in SINK_KINDS if kind not in up)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serve until the block is left; then what was begun has a moment to end."""
        try:
            with contextlib.ExitStack() as stack:
                for bound in self.bound:
                    if bound.sink.kind != "quic":  # which says goodbye first
                        stack.callback(bound.sock.close)
                for bound in self.bound:
                    stack.callback(await self._open(bound))
                self._say("sinks", up={sink.kind: sink.port for sink in self.announced}, absent=list(self.absent))
                yield
        finally:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._drain())
                group.create_task(self._drain_quic())
            self._say("sinks_stopped", served=dict(self._served))

    async def _open(self, bound: Bound) -> Callable[[], None]:
        """Serve *bound*; what stops it."""
        kind = bound.sink.kind
        if places.is_datagrams(kind):
            loop = asyncio.get_running_loop()
            transport, made = await loop.create_datagram_endpoint(lambda: self._datagrams(kind), sock=bound.sock)
            if kind != "quic":
                return transport.close
            self._quic = cast("Server", made)
            return lambda: None
        listener = await asyncio.start_server(
            functools.partial(self._connection, kind),
            sock=bound.sock,
            limit=self.limits.read_bytes,
            backlog=places.BACKLOG,
        )
        return listener.close

    def _datagrams(self, kind: SinkKind) -> asyncio.DatagramProtocol:
        if kind == "quic":
            from probe.control.sinks.quic import Server

            assert self.for_quic is not None
            return Server(
                self.for_quic, self.ledger, self.limits, self._gate, lambda name: self._say("bug", error=name)
            )
        return echo.Datagrams(self.ledger, self.limits) if kind == "echo_udp" else silent.Silence()

    async def _connection(self, kind: SinkKind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        address = plain((writer.get_extra_info("peername") or ("",))[0])
        try:
            with self._gate.turn(address) as may_enter:
                if may_enter:
                    self._served[kind] += 1
                    await self._attend(kind, address, reader, writer)
        finally:
            self._busy.discard(task)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CLOSING_S):
                    await writer.wait_closed()

    async def _attend(
        self, kind: SinkKind, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        arm = _ARMS.get(kind)
        arrival = self.ledger.begin(address, arm) if arm is not None else None
        most = self.limits.echo_bytes if kind == "echo_tcp" else self.limits.read_bytes
        peer = Peer(reader, writer, most, arrival)
        try:
            await attend(peer, self._serve(kind, address), self.limits.connection_s)
        except Exception as error:  # ours: one connection's bug must not print its caller's address
            self._say("bug", error=type(error).__name__)

    def _serve(self, kind: SinkKind, address: str) -> Serve:
        match kind:
            case "tls":
                return functools.partial(
                    tls.serve, context=self.context, limits=self.limits, address=address, ledger=self.ledger
                )
            case "http":
                return functools.partial(web.serve, limits=self.limits)
            case "echo_tcp":
                return functools.partial(echo.serve, address=address, ledger=self.ledger)
            case _:
                return silent.close

    async def _drain(self) -> None:
        """Let what is open come to its end, for a moment: an arm's end is worth nothing to whom this side is leaving."""
        if self._busy:
            _done, left = await asyncio.wait(self._busy, timeout=self.limits.drain_s)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)

    async def _drain_quic(self) -> None:
        """The same for QUIC, whose connections are all at one socket."""
        if self._quic is not None:
            await self._quic.drain()
            self._served.update({"quic": self._quic.served} if self._quic.served else {})
        for bound in self.bound:
            bound.sock.close()

    def _say(self, event: str, **more: Any) -> None:
        with contextlib.suppress(OSError, ValueError):  # a log that is gone is no reason to stop
            print(json.dumps({"event": event, **more}), file=self.log, flush=True)
