"""The lab notices a judge that is broken, wherever that is."""

from __future__ import annotations

import pytest

from tests.lab.broken import BREAKS, Break, goes_red


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.name)
def test_a_broken_judge_makes_the_lab_red(change: Break):
    """One line of the judge changed: exactly the rows that it is for go red, and the report names them."""
    assert not goes_red(change)
