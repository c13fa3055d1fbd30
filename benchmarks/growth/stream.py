"""Many open event streams from one process, as cheap as can be: bytes are searched, never parsed."""

import asyncio
import time
from typing import Final, cast

from cli.bench.wire import Server
from pipeline.errors import Unavailable

FIRST: Final = b"event: "
LAST: Final = b"event: completed"
ENDED: Final = b"\r\n0\r\n\r\n"
KEPT: Final = 64
"""Bytes of the end of what came that are searched again, since a word may come in two pieces."""


class Stream(asyncio.Protocol):
    """One watcher: when it was told where its submission stands, and when that it is completed."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.standing: asyncio.Future[float] = loop.create_future()
        self.completed: asyncio.Future[float] = loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)  # what TCP has; uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Note when words come (called by the loop); times are of the wall clock, to compare with Postgres'."""
        seen = self._tail + data
        if FIRST in seen:
            note(self.standing)
        if LAST in seen:
            note(self.completed)
        self._tail = seen[-KEPT:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        """Fail what still waits (called by the loop)."""
        for waiting in (self.standing, self.completed):
            if not waiting.done():
                waiting.set_exception(Unavailable("a stream ended before its submission was completed"))
                waiting.exception()  # whoever waits still gets it; nobody waiting is no fault

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def ask(self, request: bytes) -> None:
        """Send the request that opens the stream."""
        if self._transport is not None:
            self._transport.write(request)


def note(waiting: "asyncio.Future[float]") -> None:
    if not waiting.done():
        waiting.set_result(time.time())


async def open_stream(server: Server, submission_id: str) -> Stream:
    """A stream of a submission's events, asked for; `standing` tells when it has begun."""
    _, stream = await asyncio.get_running_loop().create_connection(Stream, server.host, server.port)
    stream.ask(server.get(f"/v1/submissions/{submission_id}/events"))
    return stream
