"""The findings: pure functions from a case to matches, one a row of the evidence table, one module a subject."""
