"""Settings read by a process of their own, for one that lives for months: pydantic checks the file, and would stay in
memory (8 MB) until the next reload.

What goes between the two is pickled, through pipes, and nobody else has a hand in them.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping

from probe.settings.file import Loaded, SettingsError, find, load
from probe.settings.keys import Value

_LONGEST_S = 60.0


def load_apart(
    environ: Mapping[str, str], *, config: str | None = None, flags: Mapping[str, tuple[str, Value]] | None = None
) -> Loaded:
    """As :func:`probe.settings.file.load`. Raises :class:`SettingsError`."""
    if find(environ, config) is None:
        return load(environ, config=config, flags=flags)
    words = pickle.dumps((dict(environ), config, dict(flags or {})))
    command = [sys.executable, "-P", "-m", "probe.settings.apart"]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, input=words, capture_output=True, timeout=_LONGEST_S, check=True
        )
        said = pickle.loads(done.stdout)  # noqa: S301 - from ourselves
    except (subprocess.SubprocessError, OSError, pickle.UnpicklingError, EOFError):
        # A machine without memory for a second process: then in this one.
        return load(environ, config=config, flags=flags)
    if isinstance(said, Loaded):
        return said
    raise SettingsError(tuple(said))


def _main() -> None:
    environ, config, flags = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from ourselves
    said: Loaded | tuple[str, ...]
    try:
        said = load(environ, config=config, flags=flags)
    except SettingsError as error:
        said = error.problems
    sys.stdout.buffer.write(pickle.dumps(said))


if __name__ == "__main__":
    _main()
