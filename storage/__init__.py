"""The archive: what was measured is kept, and given back as it was."""
