"""A real HTTP receiver of webhooks on this machine, which answers as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec


class Received(msgspec.Struct, frozen=True):
    """One request as it came in; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


Answer = Callable[[Received], bytes | None]


def status(code: int, *headers: str) -> Answer:
    """Answers with this status, whatever comes."""
    head = "".join(f"{header}\r\n" for header in headers)
    return lambda _: f"HTTP/1.1 {code} Whatever\r\n{head}Content-Length: 0\r\n\r\n".encode()


def silence(_: Received) -> None:
    """Takes the request and never answers."""


class Receiver:
    """What came in, and where to send more."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self.port = 0
        self._arrived = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def until(self, count: int) -> list[Received]:
        """Wait until so many requests came in."""
        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = await read_request(reader)
        async with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()
        answer = self.answer(received)
        if answer is None:
            await reader.read()  # until the sender hangs up
        else:
            writer.write(answer)
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body.decode())


@asynccontextmanager
async def receiving(answer: Answer | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a free port of 127.0.0.1; without `answer` it takes everything with 204."""
    receiver = Receiver(answer or status(204))
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0)  # noqa: SLF001 - the function beside it
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
