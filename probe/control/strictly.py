"""A stranger's JSON, held against the types that it is to become: shape, type, length and range.

What does not fit is a :class:`ProtocolError` that says where.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from typing import Any

_LONGEST_TEXT = 4096
LONGEST_LIST = 128
_LARGEST = 2**62
"""A database's large integers, with room to add; certificates are valid until the year 9999, in microseconds."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What a database cannot keep: NUL, and halves of characters that JSON can write and UTF-8 cannot."""


class ProtocolError(ValueError):
    """What came is not of this protocol; the text says where it stops being."""


def check_fields(cls: type[Any], data: dict[str, Any], where: str) -> None:
    """Whether *data* has what a dataclass needs, each of its type; keys of a newer version are let through unread."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if field.name in data:
            check(hints[field.name], data[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ProtocolError(f"{where}.{field.name}: it is missing")


def check(hint: Any, value: Any, where: str) -> None:
    """Whether *value*, from JSON, is a *hint*. The types of the facts are few: texts, numbers, tuples, facts in facts."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is not None:
            (hint,) = [arg for arg in inner if arg is not type(None)]
            check(hint, value, where)
    elif origin is tuple:
        _check_list(inner, value, where)
    elif origin is typing.Literal:
        demand(where, holds=isinstance(value, str) and value in inner)
    elif dataclasses.is_dataclass(hint):
        demand(where, holds=isinstance(value, dict))
        check_fields(typing.cast("type[Any]", hint), value, where)
    else:
        demand(where, holds=_is_plain(hint, value))


def _check_list(inner: tuple[Any, ...], value: Any, where: str) -> None:
    demand(where, holds=isinstance(value, list) and len(value) <= LONGEST_LIST)
    several = len(inner) == 2 and inner[1] is Ellipsis
    demand(where, holds=several or len(value) == len(inner))
    for index, item in enumerate(value):
        check(inner[0] if several else inner[index], item, f"{where}[{index}]")


def _is_plain(hint: Any, value: Any) -> bool:
    if hint is bool or isinstance(value, bool):
        return hint is bool and isinstance(value, bool)
    if hint is str:
        return isinstance(value, str) and len(value) <= _LONGEST_TEXT and not _UNSTORABLE.search(value)
    if hint is int:
        return isinstance(value, int) and abs(value) <= _LARGEST
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _LARGEST


def demand(where: str, *, holds: bool) -> None:
    if not holds:
        raise ProtocolError(f"{where}: it has not the type, length or range that it must have")
