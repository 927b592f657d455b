"""What a small look that finds the own side broken is answered with: the last whole look, unless that was about something else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from probe.verdict.model import NetworkVerdict
from probe.workflows.kit import Kit
from probe.workflows.watching import WHOLE_EVERY_S, _known_trouble


def answered(small: str, whole: str, after_s: float = 60.0) -> str | None:
    """The method that is known without another whole look."""
    kit = SimpleNamespace(
        trouble=(0.0, NetworkVerdict(status="no_network", method=whole)),
        clock=SimpleNamespace(timeline=lambda: after_s),
    )
    known = _known_trouble(cast(Kit, kit), NetworkVerdict(status="no_network", method=small))
    return None if known is None else known.method


@pytest.mark.parametrize(
    ("small", "whole", "known"),
    [
        ("upstream", "shutdown", "shutdown"),
        ("link", "link", "link"),
        ("link", "shutdown", None),
        ("upstream", "filter", None),
        ("resolver", "filter", None),
    ],
)
def test_the_last_whole_look_answers_for_the_line_only(small: str, whole: str, known: str | None) -> None:
    """A plug that was pulled, or a line that was cut under an antivirus, is something new."""
    assert answered(small, whole) == known


def test_after_a_while_it_is_looked_at_wholly() -> None:
    assert answered("upstream", "shutdown", WHOLE_EVERY_S) is None
