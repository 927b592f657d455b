"""A short slice of ``make fuzz``: every reader of bytes from the network, under our mutations and under hypothesis."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.harness import Subject, run
from tests.fuzz.readers.all import SUBJECTS

each = pytest.mark.parametrize("subject", SUBJECTS, ids=[subject.name for subject in SUBJECTS])
SLICE_S = 0.15
short = settings(
    max_examples=10,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@each
def test_wrong_messages_do_no_harm(subject: Subject):
    """Declared exceptions only, within its bounds of time and memory; what once broke it comes first, whatever the time."""
    ran = run(subject, seed=1, inputs=500, seconds=SLICE_S)
    assert [fault.what for fault in ran.faults] == []
    assert ran.inputs >= len(subject.all_seeds())


@each
@short
@given(noise=st.binary(max_size=300), at=st.integers(0, 2**16), way=st.sampled_from(["instead", "over", "behind"]))
def test_any_bytes_do_no_harm(subject: Subject, noise: bytes, at: int, way: str):
    """Noise by itself, in a real message, and behind one."""
    seed = subject.seeds[at % len(subject.seeds)]
    place = at % (len(seed) + 1)
    data = {"instead": noise, "over": seed[:place] + noise + seed[place + len(noise) :], "behind": seed + noise}[way]
    with contextlib.suppress(*subject.declared):
        subject.read(data[: subject.longest])
