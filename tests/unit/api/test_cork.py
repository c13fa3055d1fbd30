"""What is written in one turn of the loop goes out in one piece, in order, and nothing is left behind."""

import asyncio
from typing import Any, cast

from api.cork import CorkedTransport


class Wire:
    """A transport that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return self.closing

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def corked(wire: Wire) -> Any:
    return CorkedTransport(cast("asyncio.Transport", wire), asyncio.get_running_loop())


async def test_head_and_body_of_an_answer_are_one_write() -> None:
    wire = Wire()
    transport = corked(wire)
    transport.write(b"head ")
    transport.write(b"body")
    assert wire.told == []
    await asyncio.sleep(0)
    assert wire.told == [b"head body"]


async def test_each_turn_sends_what_it_wrote() -> None:
    wire = Wire()
    transport = corked(wire)
    transport.write(b"first")
    await asyncio.sleep(0)
    transport.write(b"second")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.told == [b"first", b"second"]


async def test_closing_sends_what_is_left_first() -> None:
    wire = Wire()
    transport = corked(wire)
    transport.write(b"last words")
    transport.close()
    await asyncio.sleep(0)
    assert wire.told == [b"last words", "closed"]


async def test_nothing_is_written_to_a_client_that_hung_up_in_between() -> None:
    wire = Wire()
    corked(wire).write(b"too late")
    wire.closing = True
    await asyncio.sleep(0)
    assert wire.told == []


async def test_everything_else_is_the_transports_own() -> None:
    assert corked(Wire()).get_extra_info("peername") == "the peername"
