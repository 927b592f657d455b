"""Scenarios of one kind; see scenarios.py for what a row is."""

from __future__ import annotations

from tests.lab.scenarios import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
