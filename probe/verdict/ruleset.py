"""The version of the rules. It changes with every change of a finding, a weight, a gate or a table of the verdict room.

A verdict row carries it, so that old facts judged by new rules stand beside what was said at the time.
"""

RULESET = "2026.11.22"
