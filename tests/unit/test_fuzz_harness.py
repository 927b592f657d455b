"""The fuzzer itself: each thing that no reader may do is seen, and a reader that does none of them is left in peace."""

from __future__ import annotations

import contextlib
import itertools
import random

import pytest

from tests.fuzz import harness
from tests.fuzz.harness import Subject, run
from tests.fuzz.mutate import MUTATIONS, mutated
from tests.fuzz.readers.all import SUBJECTS

SEEDS = (b"a real message", b"another one \x00\x10")
KEPT: list[bytes] = []


def subject(read, **bounds):
    return Subject(name="toy", read=read, seeds=SEEDS, **bounds)


def faults(read, inputs=60, **bounds):
    return [fault.what for fault in run(subject(read, **bounds), seed=1, inputs=inputs, seconds=20).faults]


def test_an_honest_reader_has_no_faults():
    """It is given its seeds as they are first, and then as many inputs as were asked for."""
    seen: list[bytes] = []

    def read(data):
        seen.append(data)
        return len(data) % 3

    ran = run(subject(read), seed=1, inputs=50, seconds=20)
    assert not ran.faults
    assert ran.inputs == 50
    assert seen[:4] == [*SEEDS, *SEEDS]  # once for what is made at the first use
    assert ran.words == {0, 1, 2}


def test_an_exception_that_nobody_expects_is_a_fault():
    """With its place; one that is declared is a refusal."""

    def read(data):
        raise KeyError(len(data))

    (first, *_more) = faults(read)
    assert first.startswith("KeyError: ")
    assert "test_fuzz_harness.py" in first
    ran = run(subject(read, declared=(LookupError,)), seed=1, inputs=20, seconds=20)
    assert (ran.faults, ran.refused) == ([], 20)


def test_what_is_asserted_of_an_answer_is_a_fault_too():
    """An ``AssertionError`` in a reader."""

    def read(data):
        assert data in SEEDS, "something else"

    assert any("something else" in what for what in faults(read))


def test_too_much_time_is_a_fault():
    """Processor time, of one input, each time that it is tried."""
    looked = itertools.count()

    def read(data):
        for _ in range(60_000 if data == SEEDS[0] else 1):
            next(looked)

    assert any("s, more than 0.0001" in what for what in faults(read, inputs=2, seconds=0.0001))
    assert not faults(read, inputs=2, seconds=9.0)


def test_what_never_ends_is_interrupted(monkeypatch):
    """By a signal, though the reader catches everything."""
    monkeypatch.setattr(harness, "_HANG_S", 0.05)

    def read(data):
        while True:
            with contextlib.suppress(Exception):
                len(data)

    assert any("has not ended" in what for what in faults(read, inputs=1))


def test_too_much_memory_is_a_fault():
    """At the peak, though all of it is given back."""
    assert any("bytes of memory" in what for what in faults(lambda data: len(bytes(3_000_000)), inputs=2))
    assert not faults(lambda data: len(bytes(1_000_000)), inputs=2)


def test_what_is_kept_is_a_fault():
    """A little of each input, for ever."""
    KEPT.clear()
    assert any("keeps" in what for what in faults(lambda data: KEPT.append(bytes(9_000)), inputs=60))
    KEPT.clear()


def test_what_once_broke_a_reader_is_a_seed(monkeypatch, tmp_path):
    """From a file that is named after it."""
    monkeypatch.setattr(harness, "FOUND", tmp_path)
    (tmp_path / "toy.1.bin").write_bytes(b"broke it")
    (tmp_path / "other.1.bin").write_bytes(b"broke another")
    assert subject(len).all_seeds() == (*SEEDS, b"broke it")


def test_the_same_seed_makes_the_same_inputs():
    """And another one others; none is longer than it may be."""

    def made(seed):
        rng = random.Random(seed)
        return [mutated(rng, SEEDS, 100) for _ in range(200)]

    assert made(1) == made(1) != made(2)
    assert max(map(len, made(1))) == 100
    assert len(set(made(1))) > 150


@pytest.mark.parametrize("mutation", tuple(dict.fromkeys(MUTATIONS)))
def test_every_mutation_changes_something(mutation):
    """Of a real message, and does no harm to none at all."""
    rng = random.Random(1)
    data = bytearray(SEEDS[1] * 4)
    for _ in range(5):
        mutation(rng, data, SEEDS)
    assert data != SEEDS[1] * 4
    mutation(rng, bytearray(), SEEDS)


def test_readers_have_names_and_seeds_of_their_own():
    """No two of one name; no seed that is longer than may come."""
    names = [one.name for one in SUBJECTS]
    assert len(set(names)) == len(names)
    assert all(one.seeds and max(map(len, one.seeds)) <= one.longest for one in SUBJECTS)
