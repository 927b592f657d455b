"""JSON Schemas of what is printed, as files (draft 2020-12)."""
