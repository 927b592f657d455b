"""What a round has held goes back to the host."""

import ctypes
import gc
import subprocess
import sys
from pathlib import Path

import pytest

from probe.daemon import memory

GLIBC = hasattr(ctypes.CDLL(None), "malloc_trim") and Path("/proc/self/statm").exists()
HOLDS = """
import threading
from pathlib import Path
from probe.daemon import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def hold():  # pieces of a kilobyte, and every thousandth of them stays
    held.append([b"x" * 1000 + bytes([n % 256]) for n in range(20_000)][::1000])

memory.be_frugal()
memory.settle()
held, before = [], resident()
threads = [threading.Thread(target=hold) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
memory.give_back()
print(resident() - before)
"""


@pytest.mark.skipif(not GLIBC, reason="only glibc gives memory back by order")
def test_what_threads_have_freed_is_given_back():
    """Of eighty megabytes in four threads next to nothing stays resident, though some pieces of each are kept."""
    done = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, timeout=60, check=True)
    assert float(done.stdout) < 8


def test_what_was_held_at_the_start_is_not_looked_through_again():
    """Collecting garbage costs what a round made, not what the program imported."""
    memory.settle()
    try:
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects()) < 10_000
    finally:
        gc.unfreeze()


def test_without_such_calls_nothing_happens(monkeypatch):
    """Another C library."""
    monkeypatch.setattr(memory, "_libc", object)
    memory.be_frugal()
    memory.give_back()
