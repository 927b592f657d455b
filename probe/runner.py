"""Endpoints in, results out: passes, budgets, pacing and progress events. Hands each result to the save() it was given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from probe.observations import Observation
from probe.verdict.model import EndpointResult, NetworkVerdict, Run
from targets.model import Asked


@dataclass(frozen=True, slots=True)
class Started:
    """The run has begun; nothing has been sent yet."""

    run: Run
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class OwnSide:
    """What is known of the probe's own network so far."""

    network: NetworkVerdict


@dataclass(frozen=True, slots=True)
class Step:
    """An endpoint has come to a step: ``baseline``, or the name of a follow-up."""

    number: int
    step: str


@dataclass(frozen=True, slots=True)
class Judged:
    """An endpoint has its verdict, and it has been saved if anything is saved."""

    result: EndpointResult


Event = Started | OwnSide | Step | Judged
Listener = Callable[[Event], None]
Save = Callable[[EndpointResult, Sequence[Observation]], Awaitable[None]]
