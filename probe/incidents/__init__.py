"""Verdicts over time become incidents: when something began, whom it took, when it ended. Pure: no socket, no clock."""
