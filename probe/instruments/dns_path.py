"""One DNS question that is let go only so many routers far: who answers it, or which router says that it ended there.

A question that ends at the household's own router cannot have been answered by anybody outside; and a router outside that says
that one ended there had it, whatever becomes of others. Over UDP, from a fresh port, as programs ask. No privilege is needed
(see :mod:`probe.instruments.path`).
"""

from __future__ import annotations

import asyncio

from probe.instruments import dns_message, failures, path
from probe.instruments.dns_message import Question
from probe.observations import Came, Operation, PathFact
from probe.wire import Wire
from probe.wire.datagrams import UdpSocket

PORT = 53
_FAILURES: dict[Came | None, str | None] = {"answer": None, "nothing": failures.TIMEOUT}


async def let_go(wire: Wire, address: str, question: Question, *, ttl: int, deadline_s: float) -> Operation:
    """Ask the resolver at *address* so that the question may pass *ttl* - 1 routers, and wait for whoever speaks first."""
    begun, begun_us = wire.monotonic(), wire.now_us()
    came: Came | None = None
    error: OSError | None = None
    own: str | None = None
    sent = 0
    try:
        query_id = wire.random.getrandbits(16)
        data = dns_message.build(question, query_id)
        with wire.udp(address, PORT) as sock:
            sock.connect()
            own = sock.own_address()
            if sock.set_ttl(ttl):
                sock.send(data)
                sent = len(data)
                came = await _heard(sock, question, query_id, deadline_s)
    except ValueError:
        came = None  # no question can be made of that name
    except OSError as raised:
        error, came = raised, path.came_of(raised)
    took_us = round((wire.monotonic() - begun) * 1e6)
    fact = PathFact(
        sent="question",
        ttl=ttl,
        came=came,
        after_us=took_us if came not in (None, "nothing") else None,
        errno=failures.errno_name(error) if error else None,
        **path.router_of(error, ttl, own, wire.gateway(), wire.translator),
    )
    return Operation(
        fact=fact,
        started_us=begun_us,
        duration_us=took_us,
        failure=failures.from_os_error(error) if error else _FAILURES.get(came, "dns_non_recoverable_failure"),
        name=question.qname,
        address=address,
        port=PORT,
        bytes_sent=sent,
    )


async def _heard(sock: UdpSocket, question: Question, query_id: int, deadline_s: float) -> Came:
    """A reply to the question, or nothing; a router's word is raised. What is no reply to it is passed over."""
    try:
        async with asyncio.timeout(deadline_s):
            while True:
                datagram = await sock.receive()
                if dns_message.read(datagram.data, question, query_id).usable:
                    return "answer"
    except TimeoutError as error:
        if error.errno is not None:
            raise  # ETIMEDOUT of the socket
        return "nothing"
