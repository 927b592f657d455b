"""Rows as they come: csv and jsonl."""

import csv
import io
import json

from probe.report.rows import csv_rows, json_lines
from tests.unit import pieces as made


def rows_of(*results):
    file = io.StringIO(newline="")
    write = csv_rows(file, lambda: "run-1")
    for one in results:
        write(one, ())
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline=""))), file.getvalue()


def test_a_row_has_the_words_of_the_result():
    """Each column is one word or number; what was not measured is empty."""
    (row,), _text = rows_of(made.result(0, "https://example.com/", made.verdict("blocked", "tls", "tls.reset.sni")))

    assert (row["run"], row["started_at"]) == ("run-1", "2026-11-21T18:43:52.123456Z")
    assert tuple(row[k] for k in ("status", "method", "signature", "confidence")) == (
        "blocked",
        "tls",
        "tls.reset.sni",
        "0.9340",
    )
    assert (row["leaning"], row["duration_us"], row["bytes_sent"]) == ("", "1200000", "2000")


def test_an_inconclusive_row_has_no_confidence():
    """Nothing is not zero."""
    (row,), _text = rows_of(made.result(0, "https://example.com/", made.verdict("inconclusive", leaning="blocked")))

    assert (row["confidence"], row["leaning"]) == ("", "blocked")


def test_csv_is_rfc_4180():
    """Lines end in CRLF and the header is first, with or without rows."""
    _rows, text = rows_of()

    assert text.startswith("run,endpoint,started_at,target,")
    assert text.endswith("\r\n")


def test_cells_are_harmless():
    """No formula is run, no escape is sent, no cell breaks its line."""
    (row,), text = rows_of(made.result(0, '=HYPERLINK("x")\x1b[2J\nA1', made.verdict("accessible")))

    assert row["url"] == '\'=HYPERLINK("x")\ufffd[2J A1'
    assert text.count("\r\n") == 2


def test_each_line_is_one_json_object():
    """jsonl is written at once, with the run and the observations."""
    file = io.StringIO()
    write = json_lines(file, lambda: "a" * 32)
    write(made.result(0, "https://example.com/", made.verdict("accessible"), observations=(2,)), made.observations())

    (line,) = file.getvalue().splitlines()
    assert (
        json.loads(line)["schema"],
        json.loads(line)["run"],
        [o["number"] for o in json.loads(line)["observations"]],
    ) == ("dalel.result/1", "a" * 32, [2])
