"""Facts and observations to and from plain JSON values: what the archive, the second vantage and ``--json`` have of them."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any

from probe.observations import KINDS, Fact, Observation, Operation


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = ((f, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {f.name: _encode(v) for f, v in named if v != f.default}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """Plain JSON values of a fact; what equals its default is left out."""
    encoded: dict[str, Any] = _encode(fact)
    return encoded


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _decode(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        (inner,) = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return _decode(inner, value)
    if origin is tuple:
        args = typing.get_args(hint)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_decode(args[0], item) for item in value)
        return tuple(_decode(arg, item) for arg, item in zip(args, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value)
    if hint is float:
        return float(value)
    return value


def _build(cls: type[Any], data: dict[str, Any]) -> Any:
    hints = _hints(typing.cast("Any", cls))
    # A key that this version does not know was written by a newer one: what is known is still a fact.
    return cls(**{key: _decode(hints[key], value) for key, value in data.items() if key in hints})


def fact_from_json(kind: str, data: dict[str, Any]) -> Fact:
    """The fact of *kind* that :func:`fact_to_json` wrote; ``KeyError`` for a kind that this version does not know."""
    fact: Fact = _build(KINDS[kind], data)
    return fact


_OPERATION_KEYS = ("started_us", "duration_us", "failure", "name", "address", "port", "bytes_sent", "bytes_received")
_PLACE_KEYS = ("number", "purpose", "endpoint", "vantage", "arm", "group", "round", "hop", "member")


def observation_to_json(observation: Observation) -> dict[str, Any]:
    """One flat JSON object: the place in the run, the operation, its kind, and the fact under ``fact``."""
    flat = {key: getattr(observation, key) for key in _PLACE_KEYS}
    flat |= {key: getattr(observation.operation, key) for key in _OPERATION_KEYS}
    flat["kind"] = observation.operation.kind
    flat["fact"] = fact_to_json(observation.fact)
    return flat


def observation_from_json(data: dict[str, Any]) -> Observation:
    """The inverse of :func:`observation_to_json`."""
    operation = Operation(
        fact=fact_from_json(data["kind"], data["fact"]), **{k: data[k] for k in _OPERATION_KEYS if k in data}
    )
    return Observation(operation=operation, **{key: data[key] for key in _PLACE_KEYS if key in data})
