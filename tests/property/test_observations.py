"""Facts survive JSON, whatever they hold."""

import json
import typing

from hypothesis import given, settings
from hypothesis import strategies as st

from probe import observations as o
from probe.observations import as_json
from probe.observations.failures import FAILURES

TEXT = st.text(max_size=12)
st.register_type_strategy(str, TEXT)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))

FACTS = st.one_of(*(st.builds(kind) for kind in o.KINDS.values()))
OPERATIONS = st.builds(
    o.Operation,
    fact=FACTS,
    started_us=st.integers(0, 2**62),
    duration_us=st.none() | st.integers(0, 2**40),
    failure=st.none() | st.sampled_from(sorted(FAILURES)),
    name=st.none() | TEXT,
    address=st.none() | st.ip_addresses().map(str),
    port=st.none() | st.integers(1, 65535),
    bytes_sent=st.integers(0, 2**40),
    bytes_received=st.integers(0, 2**40),
)
OBSERVATIONS = st.builds(
    o.Observation,
    number=st.integers(1, 10**6),
    operation=OPERATIONS,
    purpose=st.sampled_from(typing.get_args(o.Purpose)),
    endpoint=st.none() | st.integers(0, 500),
    vantage=TEXT,
    arm=st.none() | st.sampled_from(typing.get_args(o.Arm)),
    group=st.none() | TEXT,
    round=st.none() | st.integers(0, 9),
    hop=st.integers(0, 10),
    member=st.none() | TEXT,
)


@settings(max_examples=300, deadline=None)
@given(OBSERVATIONS)
def test_an_observation_survives_json(observation: o.Observation):
    """What is read back equals what was written, through real JSON text."""
    assert (
        as_json.observation_from_json(json.loads(json.dumps(as_json.observation_to_json(observation)))) == observation
    )


@settings(max_examples=100, deadline=None)
@given(OBSERVATIONS)
def test_keys_of_a_newer_version_are_passed_over(observation: o.Observation):
    """A fact written by a newer version is still a fact here."""
    data = as_json.observation_to_json(observation)
    data["fact"]["a_key_of_the_future"] = {"x": 1}
    data["another_one"] = 2
    assert as_json.observation_from_json(data) == observation
