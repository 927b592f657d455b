"""The lab's authority is one for all labs that run side by side."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.lab import authority as authorities


def test_labs_that_begin_at_once_trust_whom_the_others_are_signed_by():
    """Eight threads that ask in one moment get the same authority."""
    together = threading.Barrier(8)

    def ask(_number: int) -> authorities.Authority:
        together.wait(30)
        return authorities.authority(-4321)

    with ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(ask, range(8))}) == 1
