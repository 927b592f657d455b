"""``python -m probe`` is ``dalel``."""

from probe.cli import main

main()
