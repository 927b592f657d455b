"""Between the frozen types and the tables: every field has a column, and every value comes back."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.observations import Observation, Operation
from probe.verdict.model import EndpointResult, Finding, Run, Verdict
from storage import rows, schema
from targets.model import Asked
from tests.storage_samples import sample_asked, sample_observations, sample_result, sample_run, sample_verdict

# Fields that are kept in another form: as rows of another table, or as the key.
ELSEWHERE = {
    # The catalogue may say more of an endpoint at any time: one column holds it all.
    Asked: {"endpoint": "url"} | dict.fromkeys(rows._EXPECTED, "expected"),
    Verdict: {"findings": "evidence"},
    Operation: {},
    Observation: {"operation": "fact"},
    EndpointResult: {"verdict": "number", "observations": "number"},
    Run: {},
    Finding: {},
}


@pytest.mark.parametrize(
    ("cls", "table"),
    [
        (Run, schema.runs),
        (Asked, schema.endpoints),
        (EndpointResult, schema.endpoints),
        (Observation, schema.observations),
        (Operation, schema.observations),
        (Verdict, schema.verdicts),
        (Finding, schema.findings),
    ],
)
def test_every_field_has_a_column(cls, table) -> None:
    """Who adds a field to a stored type is told here that it needs a column and a revision."""
    missing = {
        field.name for field in dataclasses.fields(cls) if ELSEWHERE[cls].get(field.name, field.name) not in table.c
    }
    assert not missing


def test_rows_name_exactly_the_columns() -> None:
    """No column of an added row is forgotten, and none is made up."""
    run, (asked, *_rest) = sample_run(), sample_asked(3)
    seen = sample_observations(1, 1, 0)
    changes = (*rows.begin(run, (asked,)), *rows.save(run.id, sample_result(asked, run, seen), seen))
    added = {c.table: set(c.rows[0]) for c in changes if isinstance(c, rows.Insert)}
    (update,) = [c for c in changes if isinstance(c, rows.Update)]
    added["endpoints"] |= set(update.values)
    assert added == {table.name: set(table.c.keys()) for table in schema.CHILDREN_FIRST}


def test_changes_survive_a_line_of_json() -> None:
    """What the spool keeps is what the database would have been given."""
    run, asked = sample_run(), sample_asked(3)
    seen = sample_observations(1, 1, 0)
    for changes in (
        rows.begin(run, asked),
        rows.save(run.id, sample_result(asked[0], run, seen), seen),
        rows.finish(run),
    ):
        assert rows.changes_from_json(json.loads(json.dumps(rows.changes_to_json(changes)))) == changes


# Half surrogate pairs too: they come from broken names on the command line.
ANY_TEXT = st.text(st.characters() | st.sampled_from("\ud800\udfff\0[ "))


@given(st.lists(ANY_TEXT, max_size=4))
def test_codes_come_back_whatever_they_are(codes: list[str]) -> None:
    """Codes are words with spaces between them; odd ones, empty ones and ones with spaces are not lost."""
    verdict = dataclasses.replace(sample_verdict(1), impairments=tuple(codes))
    row = rows.verdict_row("r", verdict, 1, 0)
    assert rows.verdict_from(row, ()).impairments == tuple(codes)
    if row["impairments"] is not None:
        row["impairments"].encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | ANY_TEXT,
        lambda v: st.lists(v) | st.dictionaries(ANY_TEXT, v),
        max_leaves=5,
    )
)
def test_parameters_come_back_whatever_they_are(value) -> None:
    """Any JSON value in a finding's parameters is stored as UTF-8 without NUL, and read as it was."""
    finding = Finding(code="c", speaks_for="blocked", weight=1.0, family="f", basis="contrast", parameters={"v": value})
    row = rows.finding_row("r", 1, 1, 1, finding, against=False)
    row["parameters"].encode()
    assert "\0" not in row["parameters"]
    assert rows.finding_from(row) == finding


def test_without_anything_to_add_there_is_no_statement() -> None:
    """An empty insert would be an error in SQL."""
    assert rows.add_observations("r", ()) == ()
    assert len(rows.begin(sample_run(), ())) == 1
    assert len(rows.add_verdict("r", sample_verdict(1, status="accessible"), 1, 0)) == 1
