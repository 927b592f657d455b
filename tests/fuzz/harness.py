"""One reader under many wrong inputs: declared exceptions only, bounded time, bounded memory, nothing kept.

Time is the processor's, so that a busy machine changes nothing. An input that is too slow or too large once is looked at twice
more: only what is so each time is a fault of the reader. What makes a reader say something new joins the seeds.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import random
import signal
import time
import traceback
import tracemalloc
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.mutate import mutated

FOUND = Path(__file__).parent / "found"
"""Inputs that once broke something, as ``SUBJECT.WHAT.bin``: seeds from then on."""
_HANG_S = 5.0
_MOST_SEEDS = 400
_LOOKS = 3
_TIDY_EVERY = 500
_MOST_FAULTS = 5


class HangError(BaseException):
    """So long an input has been read that it may never end. Not an ``Exception``: no reader may catch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One reader. ``read`` asserts what must hold of its answer, and gives a short word on it.

    ``longest``: bytes that can ever come at once. ``declared``: exceptions that its callers expect. ``seconds`` of processor
    time and ``memory`` (bytes at the peak) are what one input may cost, ``kept`` what all of them may leave behind.
    """

    name: str
    read: Callable[[bytes], Hashable]
    seeds: tuple[bytes, ...]
    longest: int = 65_535
    declared: tuple[type[Exception], ...] = ()
    seconds: float = 0.25
    memory: int = 2_000_000
    kept: int = 300_000

    def all_seeds(self) -> tuple[bytes, ...]:
        """Its own, and what once broke it."""
        return (*self.seeds, *(path.read_bytes() for path in sorted(FOUND.glob(f"{self.name}.*.bin"))))


@dataclass(frozen=True, slots=True)
class Fault:
    """What an input did that none may do."""

    subject: str
    what: str
    data: bytes

    @property
    def file(self) -> str:
        return f"{self.subject}.{hashlib.sha256(self.data).hexdigest()[:12]}.bin"


@dataclass(slots=True)
class Ran:
    """What came of one reader. ``slowest_s`` and ``peak`` are of one input, ``kept`` is what was left after all of them."""

    subject: str
    inputs: int = 0
    refused: int = 0
    words: set[Hashable] = field(default_factory=set)
    slowest_s: float = 0.0
    slowest_bytes: int = 0
    peak: int = 0
    kept: int = 0
    took_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Once:
    """One input, read once."""

    word: Hashable
    refused: bool
    broke: str | None
    took_s: float
    peak: int


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Memory is traced, garbage is collected between inputs only, and what hangs is interrupted."""
    before = signal.signal(signal.SIGVTALRM, _interrupt)
    tracing, collecting = tracemalloc.is_tracing(), gc.isenabled()
    tracemalloc.start()
    gc.disable()
    gc.freeze()  # what was there before is nobody's garbage here, and is not looked through
    try:
        yield
    finally:
        gc.unfreeze()
        signal.signal(signal.SIGVTALRM, before)
        if collecting:
            gc.enable()
        if not tracing:
            tracemalloc.stop()


def _interrupt(_number: int, _frame: object) -> None:
    raise HangError


def once(subject: Subject, data: bytes) -> _Once:
    """Read *data* once. Only inside of :func:`watched`."""
    word: Hashable = None
    refused, broke = False, None
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    begun = time.thread_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, _HANG_S)
    try:
        word = subject.read(data)
    except HangError:
        broke = f"has not ended after {_HANG_S} s"
    except subject.declared as error:
        refused, word = True, type(error).__name__
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        broke = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    took_s = time.thread_time() - begun
    return _Once(word, refused, broke, took_s, tracemalloc.get_traced_memory()[1] - before)


def _least(subject: Subject, data: bytes, first: _Once) -> _Once:
    """*first*, or where it was too much the least of some looks: of time and of memory."""
    looks = [first]
    while len(looks) < _LOOKS and (looks[-1].took_s > subject.seconds or looks[-1].peak > subject.memory):
        gc.collect()
        looks.append(once(subject, data))
    least = min(looks, key=lambda look: look.took_s)
    return _Once(least.word, least.refused, least.broke, least.took_s, min(look.peak for look in looks))


def _faults(subject: Subject, data: bytes, look: _Once) -> Iterator[Fault]:
    if look.broke is not None:
        yield Fault(subject.name, look.broke, data)
    elif look.took_s > subject.seconds:
        yield Fault(subject.name, f"took {look.took_s:.2f} s, more than {subject.seconds}", data)
    if look.peak > subject.memory:
        yield Fault(subject.name, f"took {look.peak} bytes of memory, more than {subject.memory}", data)


def run(subject: Subject, *, seed: int, inputs: int, seconds: float) -> Ran:
    """Read the seeds, and then mutations of them: *inputs* in all, for at most *seconds* (real ones) once
    the seeds are read. Deterministic by *seed*.
    """
    ran, rng = Ran(subject.name), random.Random(f"{seed}/{subject.name}")
    seeds = list(subject.all_seeds())
    own, begun = len(seeds), time.monotonic()
    with watched():
        for data in seeds[:own]:  # what is imported or made at the first use is nobody's cost
            once(subject, data)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        held = 0
        while ran.inputs < inputs and len(ran.faults) < _MOST_FAULTS:
            if ran.inputs >= own and time.monotonic() - begun > seconds:
                break
            data = seeds[ran.inputs] if ran.inputs < own else mutated(rng, seeds, subject.longest)
            look = _least(subject, data, once(subject, data))
            ran.faults += _faults(subject, data, look)
            held += _note(ran, look, data, seeds)
            if ran.inputs % _TIDY_EVERY == 0:
                gc.collect()
        gc.collect()
        ran.kept = max(tracemalloc.get_traced_memory()[0] - before - held, 0)
    if ran.kept > subject.kept:
        ran.faults.append(Fault(subject.name, f"keeps {ran.kept} bytes, more than {subject.kept}", b""))
    ran.took_s = time.monotonic() - begun
    return ran


def _note(ran: Ran, look: _Once, data: bytes, seeds: list[bytes]) -> int:
    """Count *look*. How many bytes are held for it from now on, by the fuzzer and not by the reader."""
    ran.inputs += 1
    ran.refused += look.refused
    ran.peak = max(ran.peak, look.peak)
    if look.took_s > ran.slowest_s:
        ran.slowest_s, ran.slowest_bytes = look.took_s, len(data)
    if look.word in ran.words or len(seeds) >= _MOST_SEEDS:
        return 0
    ran.words.add(look.word)
    seeds.append(data)
    return len(data) + 500
