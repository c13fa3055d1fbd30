"""The cheapest HTTP/1.1 client that can measure: one kept connection, one request at a time, no headers kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

from pipeline.errors import Unavailable

END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"\r\ncontent-length:"


class Reply(NamedTuple):
    """A status and a body."""

    status: int
    body: bytes


class Wire(asyncio.Protocol):
    """A connection; `ask` sends bytes that are a whole request and answers with its reply."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._waiting: asyncio.Future[Reply] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)  # what TCP has; uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Add to the reply and hand it over when it is whole (called by the loop)."""
        self._received += data
        reply = whole_reply(self._received)
        if reply is not None and self._waiting is not None and not self._waiting.done():
            self._received = b""
            self._waiting.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        """Fail what waits (called by the loop)."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Unavailable("the server closed a connection while it was measured"))

    async def ask(self, request: bytes) -> Reply:
        """Send a request and wait for its reply; raises `Unavailable` if the connection breaks."""
        if self._transport is None or self._transport.is_closing():
            raise Unavailable("the server closed a connection while it was measured")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()


def whole_reply(received: bytes) -> Reply | None:
    """The reply in what was received; None while some of it is missing. Its length must be announced."""
    end = received.find(END_OF_HEAD)
    if end < 0:
        return None
    head = received[:end].lower()
    at = head.find(LENGTH)
    length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    body = received[end + len(END_OF_HEAD) :]
    return Reply(int(head[9:12]), body) if len(body) >= length else None


class Server(NamedTuple):
    """Where to, and the head of every request to there."""

    host: str
    port: int
    head: bytes

    def get(self, path: str, *headers: str) -> bytes:
        """A whole GET request."""
        return self.request("GET", path, b"", headers)

    def post(self, path: str, body: bytes, *headers: str) -> bytes:
        """A whole POST request of JSON."""
        return self.request("POST", path, body, headers)

    def request(self, method: str, path: str, body: bytes, headers: tuple[str, ...] = ()) -> bytes:
        """A whole request; bodies are JSON."""
        more = "".join(f"{line}\r\n" for line in headers)
        start = f"{method} {path} HTTP/1.1\r\n{more}Content-Length: {len(body)}\r\n".encode()
        return start + self.head + body


def server_at(url: str, key: str) -> Server:
    """The server at an address, asked with this key."""
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or 80
    head = f"Host: {host}:{port}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\r\n"
    return Server(host, port, head.encode())


@asynccontextmanager
async def wires(server: Server, count: int) -> AsyncIterator[list[Wire]]:
    """So many connections, open at once; raises `Unavailable` where they cannot be opened."""
    loop = asyncio.get_running_loop()
    opened: list[Wire] = []
    try:
        try:
            for _ in range(count):
                _, wire = await loop.create_connection(Wire, server.host, server.port)
                opened.append(wire)
        except OSError as error:
            raise Unavailable(f"cannot connect to {server.host}:{server.port}: {error.strerror}") from None
        yield opened
    finally:
        for wire in opened:
            wire.close()
