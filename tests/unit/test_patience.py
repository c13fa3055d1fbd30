"""How long an answer is waited for: by the server's silence, not by how busy this machine is."""

import asyncio
import socket

import pytest

from pipeline.patience import LOOKS, answered_within

SECONDS = 0.05


@pytest.fixture
def stands_still(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    """The event loop's clock, which jumps as it does for a process that gets no CPU."""
    return Clock(monkeypatch)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        self._monkeypatch = monkeypatch

    def __call__(self, seconds: float) -> None:
        """Let so much time go by at once."""
        if not self._ahead:
            loop = asyncio.get_running_loop()
            time = loop.time
            self._monkeypatch.setattr(loop, "time", lambda: time() + self._ahead)
        self._ahead += seconds


async def test_a_silent_server_is_waited_for_so_long() -> None:
    with pytest.raises(TimeoutError):
        async with answered_within(SECONDS):
            await asyncio.Event().wait()


async def test_an_answer_that_came_while_this_process_stood_still_is_taken(stands_still: Clock) -> None:
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    async with answered_within(SECONDS):
        reading = asyncio.create_task(reader.readexactly(6))
        await asyncio.sleep(0)
        there.sendall(b"answer")
        stands_still(1000 * SECONDS)
        assert await reading == b"answer"
    writer.close()
    await writer.wait_closed()
    there.close()


async def test_it_may_stand_still_again_and_again_while_it_reads(stands_still: Clock) -> None:
    async with answered_within(SECONDS):
        for _ in range(LOOKS - 1):
            stands_still(1000 * SECONDS)
            await asyncio.sleep(0)


async def test_what_ended_in_time_is_not_broken_off_later(stands_still: Clock) -> None:
    async with answered_within(SECONDS):
        pass
    stands_still(1000 * SECONDS)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_other_failures_pass_through() -> None:
    with pytest.raises(ValueError, match="broken"):
        async with answered_within(SECONDS):
            raise ValueError("broken")
