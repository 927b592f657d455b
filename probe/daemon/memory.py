"""Memory that is not needed any more goes back to the host. A round holds some megabytes for seconds, and a day has hundreds.

glibc keeps what was freed, in a place of its own for every thread (mallopt(3), malloc_trim(3)), and Python looks for cycles
among everything that it has ever imported. Other C libraries have no such calls: nothing happens there.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
from typing import Any

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
"""malloc.h of glibc."""
_LARGE = 131_072


def _libc() -> Any:
    return ctypes.CDLL(None)


def be_frugal() -> None:
    """One place for all threads, and large pieces apart, so that they can be given back. Call it before threads begin."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = _libc().mallopt
        for what, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE)):
            mallopt(what, value)


def settle() -> None:
    """All that is held now is held to the end: it is not looked through any more when garbage is collected."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """What the last round has left. Takes milliseconds once :func:`settle` was called."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        _libc().malloc_trim(0)
