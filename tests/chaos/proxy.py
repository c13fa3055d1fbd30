"""A TCP proxy in front of a server, on which replies are lost after the server has done what was asked."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from tests.receiver import serving

PIECE: Final = 65_536
# By socket(7): linger, for no time. Closing then breaks the connection instead of ending it.
AT_ONCE: Final = struct.pack("ii", 1, 0)


class Loss(StrEnum):
    """What a client gets in place of a reply."""

    CUT = "cut"
    """The connection breaks."""
    SILENCE = "silence"
    """Nothing: the connection stays, and no byte comes on it any more."""


class Proxy:
    """Passes bytes on between clients and the server at `host` and `port`.

    While it is lossy, each piece of a reply is lost with some probability, and everything behind it on the
    same connection too, as TCP has it.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self.lost = 0
        self._host = host
        self._upstream = port
        self._share = 0.0
        self._loss = Loss.CUT
        self._chances = random.Random()  # noqa: S311 - dice for a fault
        self._silent: set[asyncio.StreamWriter] = set()

    def before(self, url: str) -> str:
        """The address at which the server at `url` is reached through this proxy."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{self.port}"))

    @asynccontextmanager
    async def lossy(self, share: float, loss: Loss, chances: random.Random) -> AsyncIterator[None]:
        """Lose this share of replies inside the block; connections that went silent break at its end."""
        self._share, self._loss, self._chances = share, loss, chances
        try:
            yield
        finally:
            self._share = 0.0
            for client in self._silent:
                cut(client)

    async def serve(self, requests: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """One client's connection, until either side ends it."""
        async with AsyncExitStack() as at_end:
            try:
                replies, server = await asyncio.open_connection(self._host, self._upstream)
            except OSError:
                cut(client)
                return
            at_end.callback(server.close)
            await until_either_ends(forward(requests, server), self._answer(replies, client))

    async def _answer(self, replies: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while piece := await replies.read(PIECE):
            if self._chances.random() < self._share:
                await self._lose(replies, client)
                return
            client.write(piece)
            await client.drain()

    async def _lose(self, replies: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.lost += 1
        if self._loss is Loss.CUT:
            cut(client)
            return
        self._silent.add(client)
        try:
            while await replies.read(PIECE):  # the server goes on, and nobody hears of it
                continue
        finally:
            self._silent.discard(client)


async def forward(requests: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    while piece := await requests.read(PIECE):
        server.write(piece)
        await server.drain()


async def until_either_ends(*ways: Coroutine[Any, Any, None]) -> None:
    """Run both directions until one ends: half a connection is none."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # a broken connection is how most of them end


def cut(client: asyncio.StreamWriter) -> None:
    """Break a connection without a farewell."""
    with suppress(OSError):  # it is broken already
        client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    client.transport.abort()


@asynccontextmanager
async def proxying(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server at `url`, on a free port of 127.0.0.1."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise ValueError("a proxy needs an address with a host and a port")
    proxy = Proxy(parts.hostname, parts.port)
    async with serving(proxy.serve) as port:
        proxy.port = port
        yield proxy
