"""`dalel export --redact` against both kinds of database."""

import io
import json
from dataclasses import replace

import pytest

from probe.observations import DnsFact, Observation, Operation
from probe.workflows.export import ExportRequest, export
from storage.archive import Archive
from storage.export.columns import choose
from storage.export.query import Selection
from storage.location import parse
from tests.storage_samples import save_sample_run

pytest_plugins = ("tests.postgresql",)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request, tmp_path):
    if request.param == "sqlite":
        return parse(str(tmp_path / "dalel.db"))
    return parse(request.getfixturevalue("postgresql_url"), data_dir=tmp_path)


def redacted(location, what, form):
    out = io.BytesIO()
    columns = choose(what, ("all",))
    request = ExportRequest(
        location=location, selection=Selection(what=what), columns=columns, format=form, redact=True
    )
    whole = io.BytesIO()
    assert export(request, out) == export(replace(request, redact=False), whole)
    assert out.getvalue() != whole.getvalue()
    return out.getvalue().decode()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("what", ["verdicts", "observations"])
def test_as_many_rows_and_nothing_that_tells_whose_they_are(location, what, form):
    """No address, no clock, no name of a control; every row is there, its times by the hour."""
    with Archive.open(location) as archive:
        save_sample_run(archive, 1)
        asked = Operation(
            fact=DnsFact(transport="udp", role="system", qname="x.example", qtype="A"),
            started_us=1_800_000_000_123_456,
            duration_us=1,
            name="Helsinki",
            address="203.0.113.77",
        )
        seen = Observation(number=9001, operation=asked, purpose="control", member="control:Helsinki")
        archive.save_observations(archive.runs()[0].id, [seen]).result()
    text = redacted(location, what, form)

    assert "203.0.113.77" not in text
    assert "Helsinki" not in text
    if form == "jsonl":
        times = [value for line in text.splitlines() for key, value in json.loads(line).items() if key.endswith("_at")]
        assert times
        assert all(value is None or value.endswith(":00:00.000Z") for value in times)
