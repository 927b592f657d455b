"""What is kept of a body: its length, hash, title and a sketch to compare it by. Pure, and bounded whatever the bytes are."""

from __future__ import annotations

import hashlib
import itertools
import re
import zlib
from collections.abc import Iterator

MAX_TITLE = 300
MAX_KEPT = 65_536
MAX_POINTS = 64
_SHINGLE = 3

# Only these: Python's codec names include ones that are slow, stateful or not text at all.
_CHARSETS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "iso-8859-2", "iso-8859-5", "iso-8859-9"}
    | {
        "iso-8859-15",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "windows-1254",
        "cp1251",
        "cp866",
        "koi8-r",
        "koi8-u",
    }
    | {"gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "utf-16"}
)
_META_CHARSET = re.compile(rb"charset=[\"']?([A-Za-z0-9_-]{3,20})")


class Unpacker:
    """Undoes gzip or deflate piece by piece and never gives more than it is asked for: a bomb costs what a page costs.

    Encodings that cannot be capped while decoding (br, zstd) are not asked for, and are kept packed if they come anyway.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        self._inflate = self._inflator() if self._encoding in ("gzip", "x-gzip", "deflate") else None
        self.broken = False

    def _inflator(self) -> zlib._Decompress:
        # 47: gzip or zlib by the header (zlib manual, inflateInit2).
        return zlib.decompressobj(47)

    def feed(self, data: bytes, room: int) -> bytes:
        """At most *room* unpacked bytes of *data*; what did not fit is dropped, so stop when the room is used up."""
        if self._inflate is None or self.broken:
            return data[:room]
        if room <= 0:
            return b""
        try:
            return self._inflate.decompress(data, room)
        except zlib.error:
            if self._encoding == "deflate" and data[:1] != b"\x1f":
                return self._feed_raw(data, room)
            self.broken = True
            return b""

    def _feed_raw(self, data: bytes, room: int) -> bytes:
        # Some servers mean raw deflate (RFC 9110 §8.4.1.2 knows of them).
        self._encoding = "raw"
        self._inflate = zlib.decompressobj(-15)
        return self.feed(data, room)


class Progress:
    """The curve of bytes over time, thinned to at most ``MAX_POINTS``; the first and the last point are always there."""

    def __init__(self) -> None:
        self._points: list[tuple[int, int]] = []
        self._last: tuple[int, int] | None = None
        self._stride = 1
        self._seen = 0

    def add(self, at_us: int, total: int) -> None:
        """*total* bytes had come by *at_us*."""
        if self._seen % self._stride == 0:
            self._points.append((at_us, total))
        self._seen += 1
        self._last = (at_us, total)
        if len(self._points) >= MAX_POINTS:
            self._points = self._points[::2]
            self._stride *= 2

    @property
    def points(self) -> tuple[tuple[int, int], ...]:
        if self._last is None or self._points[-1] == self._last:
            return tuple(self._points)
        return (*self._points, self._last)


def to_text(body: bytes, content_type: str) -> str:
    """The body as text, by the charset that it names if that is a usual one, else UTF-8; never with a NUL in it.

    PostgreSQL stores no NUL, so it becomes U+FFFD like everything else that is no text.
    """
    _, _, named = content_type.lower().partition("charset=")
    charset = named.strip("\"' ;").split(";")[0]
    if not charset and (match := _META_CHARSET.search(body[:1024])):
        charset = match.group(1).decode().lower()
    return body.decode(charset if charset in _CHARSETS else "utf-8", errors="replace").replace("\x00", "�")


OWN_ADDRESS = "own-address"


def scrub(text: str, own: str) -> str:
    """*text* without *own*, this host's address: block pages and headers like to tell visitors theirs.

    Behind NAT the address that a server sees is another one, which nobody here knows.
    """
    if own not in text:
        return text
    return re.sub(rf"(?<![\w.:]){re.escape(own)}(?![\w:]|\.\d)", OWN_ADDRESS, text)


def title(text: str) -> str | None:
    """What stands in the first <title>, capped, white space folded; raw otherwise. Linear in the length of *text*."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = text  # a few letters change their length in lower case; then only an exact tag is found
    opening = lower.find("<title")
    begin = lower.find(">", opening)
    if opening < 0 or begin < 0:
        return None
    end = lower.find("</title", begin)
    inside = text[begin + 1 : end if end >= 0 else begin + 1 + MAX_TITLE]
    return " ".join(inside[: 4 * MAX_TITLE].split())[:MAX_TITLE]


_TAG = re.compile(r"<[^<>]*>")
_TAG_NAME = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]{0,15})\b")
_WORD = re.compile(r"\w+")
_MAX_WORDS = 4000
# Each bit of a byte in a lane of its own, wide enough to count _MAX_WORDS: eight votes are one addition.
_LANE = 16
_LANES = tuple(sum((byte >> bit & 1) << (_LANE * bit) for bit in range(8)) for byte in range(256))


def sketch(text: str) -> str | None:
    """A 64-bit simhash of the words between the tags, as 16 hex digits; ``None`` for no words.

    Charikar 2002: each run of three words is hashed (BLAKE2b, 64 bits), each bit of the sketch is the majority of that bit
    over all runs. Pages of the same template differ in few bits, unrelated ones in about 32: compare by counting the bits
    of the exclusive or.
    """
    return _simhash(_WORD.findall(_TAG.sub(" ", text).lower())[:_MAX_WORDS])


def tags_sketch(text: str) -> str | None:
    """The same of the names of the tags in their order: how a page is built, whatever is written on it. ``None`` for none."""
    return _simhash([found.lower() for found in itertools.islice(_named_tags(text), _MAX_WORDS)])


def _named_tags(text: str) -> Iterator[str]:
    return (found[1] for found in _TAG_NAME.finditer(text))


def _simhash(words: list[str]) -> str | None:
    if not words:
        return None
    runs = {" ".join(words[at : at + _SHINGLE]) for at in range(max(len(words) - _SHINGLE + 1, 1))}
    votes = [0] * 8
    for run in runs:
        for place, byte in enumerate(hashlib.blake2b(run.encode(errors="replace"), digest_size=8).digest()):
            votes[place] += _LANES[byte]
    return bytes(_majority(vote, len(runs)) for vote in votes).hex()


def _majority(votes: int, of: int) -> int:
    return sum(1 << bit for bit in range(8) if 2 * (votes >> (_LANE * bit) & ((1 << _LANE) - 1)) > of)
