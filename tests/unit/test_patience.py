"""How long an answer is waited for: by the server's silence, not by how busy this machine is."""

import asyncio
import socket

import pytest

from pipeline.patience import LOOKS, answered_within
from tests.clock import LoopClock

SECONDS = 0.05


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> LoopClock:
    return LoopClock(monkeypatch)


async def test_a_silent_server_is_waited_for_so_long() -> None:
    with pytest.raises(TimeoutError):
        async with answered_within(SECONDS):
            await asyncio.Event().wait()


async def test_an_answer_that_came_while_this_process_stood_still_is_taken(clock: LoopClock) -> None:
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    async with answered_within(SECONDS):
        reading = asyncio.create_task(reader.readexactly(6))
        await asyncio.sleep(0)
        there.sendall(b"answer")
        clock.pass_by(1000 * SECONDS)
        assert await reading == b"answer"
    writer.close()
    await writer.wait_closed()
    there.close()


async def test_it_may_stand_still_again_and_again_while_it_reads(clock: LoopClock) -> None:
    async with answered_within(SECONDS):
        for _ in range(LOOKS - 1):
            clock.pass_by(1000 * SECONDS)
            await asyncio.sleep(0)


async def test_what_ended_in_time_is_not_broken_off_later(clock: LoopClock) -> None:
    async with answered_within(SECONDS):
        pass
    clock.pass_by(1000 * SECONDS)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_other_failures_pass_through() -> None:
    with pytest.raises(ValueError, match="broken"):
        async with answered_within(SECONDS):
            raise ValueError("broken")
