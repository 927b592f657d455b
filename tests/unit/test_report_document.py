"""The JSON document says what happened, in the words and keys that are promised."""

import json
from importlib.resources import files
from typing import get_args

import jsonschema
import pytest

from probe.observations import KINDS, Arm, Purpose
from probe.report.document import check_document, json_text, result_line, timestamp
from probe.verdict.model import BASES, METHODS, STATUSES, NetworkVerdict, Where
from tests.unit import pieces as made

KEYS_OF_A_RESULT = [
    "endpoint",
    "target",
    "url",
    "status",
    "method",
    "signature",
    "confidence",
    "basis",
    "where",
    "profile",
    "evidence",
    "against",
    "impairments",
    "leaning",
    "settle",
    "observations",
    "started_at",
    "duration_s",
    "bytes_sent",
    "bytes_received",
    "ruleset",
]


def schema(name):
    return json.loads(files("probe.schema").joinpath(f"{name}.json").read_text(encoding="utf-8"))


def validate(document, name="check"):
    jsonschema.validate(document, schema(name), jsonschema.Draft202012Validator)


def blocked():
    judged = made.verdict("blocked", "tls", "tls.timeout.sni", where="transit")
    results = [
        made.result(0, "https://www.facebook.com/", judged, platform="facebook", observations=(2, 3)),
        made.result(1, "tcp://149.154.167.51:443", made.verdict("inconclusive", leaning="blocked")),
    ]
    return made.pieces(*results, platforms=(made.platform("facebook", judged, 0),), observations=made.observations())


def test_a_document_follows_its_schema():
    """Results with and without a platform, with observations, are valid."""
    validate(check_document(blocked()))


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_and_method_is_in_the_schema(status):
    """Each word that the judge may say can be printed."""
    for method in METHODS[status] or {None}:
        judged = made.verdict(status, method)
        validate(check_document(made.pieces(made.result(0, "https://example.com/", judged))))


def test_a_result_has_every_key_that_was_promised():
    """Removing or renaming one would be another schema."""
    (first, _second) = check_document(blocked())["results"]

    assert [key for key in KEYS_OF_A_RESULT if key not in first] == []


def test_the_head_of_a_document_is_as_promised():
    """Schema, run, times and network are there, in RFC 3339 and UTC."""
    document = check_document(blocked())

    assert document["schema"] == "dalel.check/1"
    assert document["started_at"] == "2026-11-21T18:43:52.123456Z"
    assert document["finished_at"] == "2026-11-21T18:44:00.523456Z"
    assert tuple(document["network"][k] for k in ("status", "method", "asn", "country")) == ("ok", None, 9198, "KZ")


def test_observations_are_inside_their_result():
    """An endpoint's own observations come with it, the own side's with the network."""
    document = check_document(blocked())

    assert [o["number"] for o in document["results"][0]["observations"]] == [2, 3]
    assert [o["number"] for o in document["network"]["observations"]] == [1]
    first = document["results"][0]
    assert {o["endpoint"] for o in first["observations"]} == {first["endpoint"]}
    assert document["results"][0]["observations"][1]["failure"] == "connection_refused"


def test_results_keep_the_order_asked():
    """Exactly one entry an endpoint, as asked, urls as they were typed."""
    document = check_document(blocked())

    assert [r["url"] for r in document["results"]] == ["https://www.facebook.com/", "tcp://149.154.167.51:443"]


def test_what_was_not_measured_is_null():
    """Not zero, and not left out."""
    document = check_document(made.pieces(run=made.run(finished_us=None, asn=None, interrupted=True)))

    assert (document["finished_at"], document["network"]["asn"]) == (None, None)
    validate(document)


def test_a_line_is_the_entry_with_its_run():
    """jsonl has the document's entry, its own schema name and the run."""
    outcome = blocked()
    line = result_line(outcome.run.id, outcome.results[0], outcome.observations)

    validate(line, "result")
    entry = check_document(outcome)["results"][0]
    assert entry == {key: value for key, value in line.items() if key not in ("schema", "run")}


def test_an_unknown_key_is_not_in_the_schema():
    """The schema is strict, so a key that nobody described is caught here."""
    document = check_document(blocked())
    document["results"][0]["surprise"] = 1

    with pytest.raises(jsonschema.ValidationError):
        validate(document)


def test_the_schemas_use_the_words_of_the_code():
    """A new status, method, purpose or kind must be in the schema too."""
    found = schema("check")
    properties = found["$defs"]["result"]["properties"]
    observation = found["$defs"]["observation"]["properties"]

    assert list(STATUSES) == properties["status"]["enum"]
    assert {m for ms in METHODS.values() for m in ms} | {None} == set(properties["method"]["enum"])
    assert {*BASES, None} == set(properties["basis"]["enum"])
    assert {*get_args(Where), None} == set(properties["where"]["enum"])
    assert set(get_args(Purpose)) == set(observation["purpose"]["enum"])
    assert {*get_args(Arm), None} == set(observation["arm"]["enum"])
    assert set(KINDS) == set(observation["kind"]["enum"])


def test_the_two_schemas_say_the_same_of_a_result():
    """A line of jsonl and an entry of the document cannot drift apart."""
    line, entry = schema("result"), schema("check")["$defs"]["result"]

    assert entry["properties"] == {k: v for k, v in line["properties"].items() if k not in ("schema", "run")}
    assert line["$defs"].items() <= schema("check")["$defs"].items()


def every_property(node):
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            yield name, value
        for value in node.values():
            yield from every_property(value)
    elif isinstance(node, list):
        for value in node:
            yield from every_property(value)


@pytest.mark.parametrize("name", ["check", "result", "doctor"])
def test_every_key_of_a_schema_is_described(name):
    """A reader learns from the schema what each key means, and it is valid draft 2020-12."""
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)

    assert [key for key, value in every_property(found) if "description" not in value and "$ref" not in value] == []


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "\u202e", "\ud800", "\x7f"])
def test_json_text_is_harmless_on_a_screen(hostile):
    """Invisible characters are escaped, and nothing is lost by it."""
    document = check_document(
        made.pieces(
            made.result(0, "https://example.com/", made.verdict("accessible"), observations=(2,)),
            observations=made.observations(hostile),
        )
    )
    text = json_text(document)

    assert hostile not in text
    assert text.isprintable()
    text.encode("utf-8")
    assert document == json.loads(text)


def test_json_text_keeps_letters_of_every_script():
    """Kazakh and Russian are readable."""
    assert json_text({"a": "дәлел"}) == '{"a": "дәлел"}'


def test_times_keep_their_microseconds():
    """No rounding, and the whole second has its zeros."""
    assert timestamp(1_000_000) == "1970-01-01T00:00:01.000000Z"
    assert timestamp(made.STARTED_US) == "2026-11-21T18:43:52.123456Z"


def test_a_network_without_a_connection_has_its_method():
    """The own side's word is in the document."""
    document = check_document(made.pieces(network=NetworkVerdict(status="no_network", method="link")))

    validate(document)
    assert (document["network"]["status"], document["network"]["method"]) == ("no_network", "link")
