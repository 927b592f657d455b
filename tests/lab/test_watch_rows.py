"""A few rows of scenarios_watch, as ``python -m tests.lab.watch_rows`` tries all of them."""

from __future__ import annotations

import pytest

from tests.lab.scenarios_watch import BETWEEN, CLOSED, Between, Closed
from tests.lab.watch_rows import complaint

ROWS = (*BETWEEN, *CLOSED)
SLICE = ("ticket_refused", "name_dropped_since", "shut_but_for_named_holes", "office_with_a_proxy")


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in SLICE], ids=lambda row: row.name)
def test_what_is_said_later_is_true_then(row: Between | Closed) -> None:
    """After something has changed between two rounds, or a line was shut, the word and the holes are right."""
    assert complaint(row) is None


def test_rows_have_names_of_their_own_and_no_block_where_none_is() -> None:
    """``blocked`` is acceptable where it is the truth, and then it comes first."""
    names = [row.name for row in ROWS]
    assert sorted(set(names)) == sorted(names)
    assert set(SLICE) <= set(names)
    for row in ROWS:
        words = row.acceptable if isinstance(row, Between) else row.words
        assert row.proofs
        if any(one.status == "blocked" for one in words):
            assert isinstance(row, Between)
            assert words[0].status == "blocked"
