"""The pages of the pretend web, and how a request becomes one. Pure but for the stream that it reads from."""

from __future__ import annotations

import datetime as dt
import http
from dataclasses import dataclass
from email.utils import format_datetime

from probe.demo.streams import Stream
from probe.demo.world import Page

HEAD_CAP = 65536


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP/1.1 request: method, path with query, host, body."""

    method: str
    path: str
    host: str
    body: bytes = b""


def article(title: str, text: str) -> str:
    """A small page as sites have them."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1>{'<p>' + text + '</p>'}</body></html>"
    )


WELCOME = Page(
    body=article("Welcome", "Pictures, words and people, every day. " * 20),
    headers=(("Content-Type", "text/html; charset=utf-8"),),
)


async def read_request(stream: Stream) -> Request | None:
    """The next request, or ``None`` when none comes."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = await stream.read()
        if not more or len(data) > HEAD_CAP:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    wanted = int(fields.get("content-length", "0"))
    while len(body) < wanted:
        more = await stream.read()
        if not more:
            return None
        body += more
    method, _, rest = first.partition(" ")
    return Request(method, rest.partition(" ")[0], fields.get("host", "").partition(":")[0].lower(), body)


def response(page: Page, *, method: str, now: dt.datetime, body: bytes | None = None) -> bytes:
    """The bytes of *page* as HTTP/1.1. A response to HEAD has no body; *body* takes the place of the page's own."""
    content = page.body.encode() if body is None else body
    length = len(content) if page.cut_after is None else len(content) + 1
    lines = [
        f"HTTP/1.1 {page.status} {http.HTTPStatus(page.status).phrase}",
        f"Date: {format_datetime(now, usegmt=True)}",
        *(f"{key}: {value}" for key, value in page.headers),
        "Connection: close",
    ]
    if page.status not in (http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED):
        lines.append(f"Content-Length: {length}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if method == "HEAD" else head + content[: page.cut_after]
