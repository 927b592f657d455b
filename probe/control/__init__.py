"""A second vantage: a small server abroad that measures the same site at the same moment, and the probe's side of it."""
