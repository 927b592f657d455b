"""The program that stays: what is due when, incidents over time, telling people. Nothing here is imported by a single check."""
