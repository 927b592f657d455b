"""A certificate taken apart by hand: names, dates and the key's bytes (RFC 5280 §4.1, in DER, ITU-T X.690).

The library for certificates takes 8 MB for as long as a process lives, and whoever watches for months reads a certificate
at every full look; so it is not asked for what a dozen elements in a fixed order tell. Nothing is believed here: OpenSSL
verifies, and this only says what was shown. Whatever bytes come, :func:`read` gives a certificate or ``None``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from probe.instruments.der import BIT_STRING, INTEGER, OBJECT, SEQUENCE, SET, Element, elements

_VERSION = 0xA0
"""``[0] EXPLICIT Version``; version 1 leaves it out."""
_T61, _UTC_TIME, _GENERAL_TIME = 0x14, 0x17, 0x18
_CODECS = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}
"""BMPString and UniversalString; all other strings are read as UTF-8, of which ASCII is a part."""
_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
"""The short names of RFC 4514 §3; all others are written as numbers."""
_ESCAPED = str.maketrans({c: f"\\{c}" for c in '\\"+,;<>'} | {"\0": "\\00"})
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)
_MOST_PARTS = 100
"""Of a name. A stranger may send more, and gets no name."""

Name = list[list[str]]
"""Relative names in order, each its attributes as ``CN=www.example``."""


@dataclass(frozen=True, slots=True)
class X509:
    """What a certificate says of itself. Names are written as in RFC 4514, empty where they are not in order; times are UTC
    microseconds; ``tbs`` and ``key`` (SubjectPublicKeyInfo) are DER as they came.
    """

    tbs: bytes
    subject: str
    issuer: str
    self_issued: bool
    not_before_us: int
    not_after_us: int
    key: bytes


def read(encoded: bytes) -> X509 | None:
    """Take *encoded* (DER) apart; ``None`` where it is no certificate."""
    try:
        signed, _algorithm, signature = elements(_only(elements(encoded), SEQUENCE))
        inner = elements(_value(signed, SEQUENCE))
        if inner and inner[0].tag == _VERSION:
            del inner[0]
        serial, algorithm, issuer, validity, subject, key = inner[:6]
        for part, tag in ((signature, BIT_STRING), (serial, INTEGER), (algorithm, SEQUENCE), (key, SEQUENCE)):
            _value(part, tag)
        begins, ends = elements(_value(validity, SEQUENCE))
        issued_by, issued_to = _name(issuer), _name(subject)
        return X509(
            tbs=signed.whole,
            subject=_written(issued_to),
            issuer=_written(issued_by),
            self_issued=issued_to is not None and issued_by is not None and _sorted(issued_to) == _sorted(issued_by),
            not_before_us=_us(begins),
            not_after_us=_us(ends),
            key=key.whole,
        )
    except ValueError:  # too few or too many elements, another tag, a date that is none
        return None


def _value(one: Element, tag: int) -> bytes:
    if one.tag != tag:
        raise ValueError("another element")
    return one.value


def _only(found: list[Element], tag: int) -> bytes:
    (one,) = found
    return _value(one, tag)


def _us(moment: Element) -> int:
    """UTCTime or GeneralizedTime, both to the second and in UTC (RFC 5280 §4.1.2.5)."""
    digits = moment.value.decode("ascii").removesuffix("Z")
    if moment.tag == _UTC_TIME:
        digits = ("19" if digits >= "50" else "20") + digits
    elif moment.tag != _GENERAL_TIME:
        raise ValueError("no time")
    if len(digits) != 14 or not digits.isdigit():
        raise ValueError("no time")
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    then = dt.datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=dt.UTC)
    return (then - _EPOCH) // dt.timedelta(microseconds=1)


# names


def _name(whole: Element) -> Name | None:
    try:
        relatives = elements(_value(whole, SEQUENCE))
        name = [[_attribute(_value(one, SEQUENCE)) for one in elements(_value(part, SET))] for part in relatives]
    except ValueError:
        return None
    return name if sum(map(len, name)) <= _MOST_PARTS else None


def _attribute(data: bytes) -> str:
    kind, value = elements(data)
    dotted = _dotted(_value(kind, OBJECT))
    return f"{_SHORT.get(dotted, dotted)}={_text(value)}"


def _text(value: Element) -> str:
    """As RFC 4514 §2.4 has it. Bits are no text, and are written as hexadecimal."""
    if value.tag == BIT_STRING:
        return f"#{value.value.hex()}"
    text = value.value.decode(_CODECS.get(value.tag, "utf-8"), "replace")
    if value.tag == _T61 and "\ufffd" in text:  # a code of its own by the book; Latin-1 in the world
        text = value.value.decode("latin-1")
    text = text.translate(_ESCAPED)
    if text.startswith("#") or (text.startswith(" ") and len(text) > 1):
        text = f"\\{text}"
    return f"{text[:-1]}\\ " if text.endswith(" ") else text


def _dotted(data: bytes) -> str:
    """An object identifier (X.690 §8.19): groups of seven bits, the first number holds two."""
    numbers, number = [], 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if number >> 64:
            raise ValueError("no identifier")
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers or data[-1] & 0x80:
        raise ValueError("no identifier")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _written(name: Name | None) -> str:
    """The last relative name first (RFC 4514 §2.1)."""
    return ",".join("+".join(part) for part in reversed(name or ()))


def _sorted(name: Name) -> Name:
    return [sorted(part) for part in name]
