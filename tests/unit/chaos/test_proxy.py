"""The proxy that chaos puts in front of servers: it loses replies, never requests."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.chaos.proxy import Loss, Proxy, proxying
from tests.receiver import serving

ALL = 1.0
CHANCES = random.Random(1)  # noqa: S311 - dice that always lose


class Server:
    """Answers each line with the same, and remembers it."""

    def __init__(self) -> None:
        self.done: list[bytes] = []
        self.heard = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.done.append(line)
            self.heard.set()
            writer.write(line)
            await writer.drain()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    async with serving(server.serve) as port, proxying(f"redis://:secret@127.0.0.1:{port}/0") as proxy:
        yield proxy


@asynccontextmanager
async def asked(proxy: Proxy) -> AsyncIterator[asyncio.StreamReader]:
    """What comes back to a client that has said hello."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello\n")
    async with asyncio.timeout(5):
        yield reader
    writer.close()


async def test_without_a_fault_everything_passes(proxy: Proxy) -> None:
    async with asked(proxy) as replies:
        assert await replies.readline() == b"hello\n"


async def test_a_reply_is_cut_off_after_the_server_has_done_what_was_asked(proxy: Proxy, server: Server) -> None:
    async with proxy.lossy(ALL, Loss.CUT, CHANCES), asked(proxy) as replies:
        with pytest.raises(ConnectionResetError):
            await replies.readline()
    assert server.done == [b"hello\n"]
    assert proxy.lost == 1


async def test_silence_ends_with_the_fault_and_the_connection_with_it(proxy: Proxy, server: Server) -> None:
    async with AsyncExitStack() as fault:
        await fault.enter_async_context(proxy.lossy(ALL, Loss.SILENCE, CHANCES))
        async with asked(proxy) as replies:
            await server.heard.wait()
            reply = asyncio.ensure_future(replies.readline())
            await until(lambda: proxy.lost == 1)
            assert not reply.done()
            await fault.aclose()
            with pytest.raises(ConnectionResetError):
                await reply


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what another task does is watched; the caller has a deadline
        await asyncio.sleep(0)


def test_an_address_through_the_proxy_keeps_login_and_database() -> None:
    proxy = Proxy("127.0.0.1", 6379)
    proxy.port = 7000
    assert proxy.before("redis://:pass%40word@127.0.0.1:6379/3") == "redis://:pass%40word@127.0.0.1:7000/3"
    assert (
        proxy.before("postgresql://me:secret@db:5432/school?a=b") == "postgresql://me:secret@127.0.0.1:7000/school?a=b"
    )
