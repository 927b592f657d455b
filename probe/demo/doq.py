"""Resolvers of the pretend Internet that are asked over QUIC (DoQ, RFC 9250). QUIC itself is aioquic's.

It is loaded when a world with such a resolver opens; where aioquic is not installed nothing answers there.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import socket
from collections.abc import Callable
from typing import Any

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.quic.events import QuicEvent, StreamDataReceived

from probe.control.sinks import for_quic
from probe.demo import answers
from probe.demo.authority import Identity
from probe.demo.boxed import Boxed
from probe.demo.web import Realm
from probe.demo.world import Resolver, says
from probe.instruments import doq

_LONGEST = 2 + 65_535
"""A question with its length before it (§4.2)."""


class _Connection(QuicConnectionProtocol):
    """One caller: a question a stream, and its answer on the same one. *says*: the answer to a question, both in bytes."""

    def __init__(self, *arguments: Any, says: Callable[[bytes], bytes | None], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._says = says
        self._heard: dict[int, bytes] = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        if not isinstance(event, StreamDataReceived):
            return
        heard = self._heard[event.stream_id] = (self._heard.get(event.stream_id, b"") + event.data)[:_LONGEST]
        if not event.end_stream:
            return
        said = self._says(heard[2:])
        if said is not None:
            self._quic.send_stream_data(event.stream_id, len(said).to_bytes(2) + said, end_stream=True)
            self.transmit()


async def serve(realm: Realm, resolver: Resolver, sock: socket.socket, stack: contextlib.AsyncExitStack) -> None:
    """Answer on *sock* as *resolver* does over its other ways, until *stack* is left."""
    shown = for_quic(realm.public.pem(Identity((*resolver.names, resolver.address))))
    if shown is None:
        return
    shown = dataclasses.replace(shown, alpn_protocols=list(doq.ALPN))

    def answer(question: bytes) -> bytes | None:
        query = answers.parse(question)
        return None if query is None else answers.reply(query, says(realm.world, resolver, answers.asked_name(query)))

    server = QuicServer(configuration=shown, create_protocol=functools.partial(_Connection, says=answer))
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Boxed(realm.world, server), sock=sock)
    stack.callback(server.close)
