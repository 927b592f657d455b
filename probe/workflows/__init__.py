"""check, reclassify, export, prune: the only rooms where runner, judge and archive meet."""
