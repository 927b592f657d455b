"""Troubles of the line, the household and the machine, written without knowledge of the judge: the half that is held out. See README.md."""

from __future__ import annotations

from tests.lab.scenarios import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
