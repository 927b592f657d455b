"""Webhooks and ntfy: one POST each, with the probe's own instruments.

They dial, verify and bound everything already, httpx stays in its one home, and no proxy of the environment or redirect can
send a message elsewhere. The chain is always verified; a message goes out in the clear only to a URL that says ``http://``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from probe.daemon.telling.dial import dial, is_address
from probe.daemon.telling.document import event_document
from probe.daemon.telling.means import SOFTWARE, Means, Sent
from probe.daemon.telling.messages import Message
from probe.instruments import tls
from probe.instruments.tcp import TcpStream
from probe.instruments.tls import TlsStream
from probe.observations import HttpFact, Operation
from probe.settings.notify import Channel

_MOST_BODY = 4096
_MOST_HEAD = 16_384
_TIMEOUT, _TOO_MANY = 408, 429
_NTFY_TAGS: Mapping[str, str] = {
    "blocked": "no_entry",
    "denied": "no_entry_sign",
    "outage": "wrench",
    "no_network": "electric_plug",
}
_NTFY_LONGEST = 3500
"""ntfy makes a file of what is longer than 4,096 bytes."""


async def webhook(channel: Channel, message: Message, means: Means) -> Sent:
    """POST ``dalel.event/1``. ``Idempotency-Key`` is the message's id, so a repetition can be known for one."""
    body = event_document(message, probe=means.probe, software=SOFTWARE)
    return await _post(channel, channel.url or "", body, means, {"Idempotency-Key": message.id})


async def ntfy(channel: Channel, message: Message, means: Means) -> Sent:
    """Publish as JSON (headers would not take Cyrillic). ntfy 2.16 replaces what has the same ``sequence_id``."""
    parts = urlsplit(channel.url or "")
    body: dict[str, Any] = {
        "topic": parts.path.strip("/"),
        "title": message.title,
        "message": _short(message.text),
        "priority": 4 if message.urgent else 2 if message.kind == "reminder" else 3,
        "sequence_id": message.id,
        "tags": _tags(message),
    }
    return await _post(channel, parts._replace(path="/").geturl(), body, means, {})


def _tags(message: Message) -> list[str]:
    if message.kind == "closed":
        return ["white_check_mark"]
    return [_NTFY_TAGS[message.items[-1].incident.status]] if message.items else []


def _short(text: str) -> str:
    data = text.encode()
    return text if len(data) <= _NTFY_LONGEST else data[:_NTFY_LONGEST].decode(errors="ignore") + "…"


async def _post(channel: Channel, url: str, body: Mapping[str, Any], means: Means, headers: Mapping[str, str]) -> Sent:
    """One POST within the time of a message. Nothing of the network raises."""
    content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    told = {
        "User-Agent": SOFTWARE.replace(" ", "/"),
        "Content-Type": "application/json; charset=utf-8",
        **({"Authorization": f"Bearer {channel.token}"} if channel.token else {}),
        **headers,
    }
    try:
        async with asyncio.timeout(means.limits.message_s):
            stream = await _stream(channel, means)
            if isinstance(stream, Operation):
                return Sent(ok=False, reached=False, said=f"{channel.host} was not reached: {stream.failure}")
            return await _ask(stream, url, content, told, means)
    except TimeoutError:
        return Sent(ok=False, reached=False, said=f"{channel.host}: no answer within {means.limits.message_s:g} s")


async def _stream(channel: Channel, means: Means) -> TcpStream | TlsStream | Operation:
    """A connection to the channel's host, encrypted where its URL says so; else how it failed."""
    trust = means.trust() if channel.scheme == "https" else None
    stream = await dial(channel.host, channel.port, means)
    if isinstance(stream, Operation) or trust is None:
        return stream
    shaken = await tls.handshake(
        means.wire,
        stream,
        hello=tls.Hello(sni=None if is_address(channel.host) else channel.host, alpn=("http/1.1",)),
        trust=trust,
        host=channel.host,
        deadline_s=means.limits.step_s,
    )
    return shaken.operation if shaken.stream is None else shaken.stream


async def _ask(
    stream: TcpStream | TlsStream, url: str, content: bytes, headers: Mapping[str, str], means: Means
) -> Sent:
    from probe.instruments import http

    answered = await http.ask(
        means.wire,
        stream,
        method="POST",
        url=url,
        headers=headers,
        verified_chain=isinstance(stream, TlsStream),
        head_deadline_s=means.limits.step_s,
        body_deadline_s=means.limits.step_s,
        body_cap=_MOST_BODY,
        header_cap=_MOST_HEAD,
        content=content,
    )
    fact = answered.operation.fact
    assert isinstance(fact, HttpFact)
    if fact.status is None:
        return Sent(ok=False, said=f"no answer to {len(content)} bytes: {answered.operation.failure}")
    ok = 200 <= fact.status < 300
    refused = 300 <= fact.status < 500 and fact.status not in (_TIMEOUT, _TOO_MANY)
    elsewhere = " (it sends to another address: set that one)" if 300 <= fact.status < 400 else ""
    return Sent(ok=ok, refused=refused, said=f"{len(content)} bytes sent, the server answered {fact.status}{elsewhere}")
