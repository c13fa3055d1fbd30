"""Answers in one piece: uvicorn writes head and body apart, and each write to a socket is a system call."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CorkedTransport:
    """A transport that sends what is written in one turn of the event loop as one packet; else it is the one given.

    It has no backlog of its own: the turn after a write, everything is with the real transport, whose flow control
    holds as ever.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send these bytes with whatever else this turn writes."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Send what is left, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():  # uvloop's raises where the client has hung up meanwhile
            self._transport.write(b"".join(parts))


class CorkedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, its answers in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Put the cork on (called by the loop)."""
        corked = CorkedTransport(cast("asyncio.Transport", transport), self.loop)
        super().connection_made(cast("asyncio.Transport", corked))
