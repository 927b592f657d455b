"""The demo's clock: it runs while the loop waits, and stands still while the computer is busy."""

import asyncio
import time

import pytest

from probe.demo import patience


def test_time_passes_while_it_waits() -> None:
    """Sleeping takes as long as it should, on the loop's clock and on the wall."""

    async def sleeper() -> float:
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        return asyncio.get_running_loop().time() - begun

    begun = time.monotonic()
    assert patience.run(sleeper()) == pytest.approx(0.05, abs=0.02)
    assert 0.05 <= time.monotonic() - begun < 5


def test_a_busy_computer_breaks_no_deadline() -> None:
    """A deadline of 50 ms outlives 200 ms in which nothing could be done, and still ends a real silence."""

    async def answered_late() -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        loop.call_later(0.01, answer.set_result, "here")
        async with asyncio.timeout(0.05):
            time.sleep(0.2)
            return await answer

    async def never_answered() -> None:
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()

    assert patience.run(answered_late()) == "here"
    with pytest.raises(TimeoutError):
        patience.run(never_answered())
