"""An act of the pretend Internet whose servers send what no browser should have to read."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from probe.demo.pages import article
from probe.demo.scene import Accepted, Act, Scene
from probe.demo.world import Page, Reply, Rule, Script, Server

HEADER = "https://header.example/"
BOMB = "https://bomb.example/"
CIRCLE = "https://circle.example/"
DRIP = "https://drip.example/"
SLOW_PAGE = "https://slow-page.example/"
LOOP = "https://loop.example/"
MANY_NAMES = "https://many-names.example/"
TOO_MANY_NAMES = "https://too-many-names.example/"
TITLE = "http://title.example/"
GARBAGE = "https://garbage.example/"
IDN, IDN_IN_ASCII = "https://пример.example/", "https://xn--e1afmkfd.example/"

_PIECE = 65536
_MINUTE_S = 60.0
_HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31mRED\x9b31m\x00\u202egnp\x08\x7f"
"""Clears a screen, renames its window, paints, rewrites: a title that a terminal would act on."""
ESCAPES_IN_ASCII = "".join(char for char in ESCAPES if char.isascii() and char != "\x00")
NOTICE = article(
    f"Access restricted{ESCAPES}",
    "Access to this site is restricted by the provider by decision of an authorised body. "
    "Доступ к ресурсу ограничен по решению уполномоченного органа.",
)
"""A page whose title the verdict quotes."""


async def _ten_megabytes_of_header(_path: str) -> AsyncIterator[bytes]:
    yield _HTML + b"X-Long: "
    for _ in range(10_000_000 // _PIECE):
        yield b"x" * _PIECE
    yield b"\r\n\r\n<html>"


def _packed() -> bytes:
    """A hundred megabytes in a hundred kilobytes, made without ever holding the hundred megabytes."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    million = bytes(1_000_000)
    return b"".join([*(pack.compress(million) for _ in range(100)), pack.flush()])


async def _bomb(_path: str) -> AsyncIterator[bytes]:
    packed = await asyncio.to_thread(_packed)
    yield _HTML + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    yield packed


async def _in_a_circle(path: str) -> AsyncIterator[bytes]:
    step = int(path.strip("/") or "0") + 1
    yield b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % step


async def _a_byte_a_minute(_path: str) -> AsyncIterator[bytes]:
    for byte in _HTML:
        yield bytes((byte,))
        await asyncio.sleep(_MINUTE_S)


async def _a_byte_of_page_a_minute(_path: str) -> AsyncIterator[bytes]:
    yield _HTML + b"Content-Length: 5000\r\n\r\n"
    for byte in b"<html>" * 100:
        yield bytes((byte,))
        await asyncio.sleep(_MINUTE_S)


async def _garbage(_path: str) -> AsyncIterator[bytes]:
    yield bytes(range(256)) * 4


def _with(script: Script) -> Server:
    return Server(address="", names=(), script=script)


def _names(host: str, count: int) -> tuple[str, ...]:
    return (host, *(f"www{number}.{host}" for number in range(count)))


ANY = (Accepted("inconclusive"),)
"""Nobody plays these scenes: the tests say themselves what is right."""

ACT = Act(
    name="bad servers",
    title="Servers that send what no browser should have to read",
    servers=(
        Server(address="24.1.0.10", names=_names("many-names.example", 2000)),
        # OpenSSL reads a hundred kilobytes of certificates and no more.
        Server(address="24.2.0.10", names=_names("too-many-names.example", 8000)),
    ),
    scenes=(
        Scene(url=HEADER, done="", accepted=ANY, server=_with(_ten_megabytes_of_header)),
        Scene(url=BOMB, done="", accepted=ANY, server=_with(_bomb)),
        Scene(url=CIRCLE, done="", accepted=ANY, server=_with(_in_a_circle)),
        Scene(url=DRIP, done="", accepted=ANY, server=_with(_a_byte_a_minute)),
        Scene(url=SLOW_PAGE, done="", accepted=ANY, server=_with(_a_byte_of_page_a_minute)),
        Scene(url=LOOP, done="", accepted=ANY, lie=Reply(rcode="loop")),
        Scene(
            url=TITLE,
            done="",
            accepted=ANY,
            rule=Rule(name="", page=Page(headers=(("X-Note", ESCAPES_IN_ASCII),), body=NOTICE)),
        ),
        Scene(url=GARBAGE, done="", accepted=ANY, server=_with(_garbage)),
        Scene(url=IDN_IN_ASCII, done="", accepted=ANY),
    ),
)
