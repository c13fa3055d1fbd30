"""Just enough HTTP/1.1 for a server that may answer wrongly on purpose: kept connections, chunks, cuts."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from itertools import count
from typing import Any, Final, SupportsIndex

import msgspec

REASONS: Final = {200: "OK"}
NUMBERS: Final = count(1)


class Line(asyncio.StreamReader):
    """What a client sends, and a word at once when it hangs up."""

    def __init__(self) -> None:
        super().__init__()
        self.number = next(NUMBERS)
        self.gone = asyncio.Event()
        self.when_gone: Callable[[], None] = lambda: None
        self._began: float | None = None

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        if self._began is None:
            self._began = time.monotonic()
        super().feed_data(data)

    def take_beginning(self) -> float:
        """When the first of what was sent since this was asked last came in."""
        began, self._began = self._began, None
        return time.monotonic() if began is None else began

    def feed_eof(self) -> None:
        super().feed_eof()
        self._hung_up()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self._hung_up()

    def _hung_up(self) -> None:
        self.gone.set()
        self.when_gone()


class Request(msgspec.Struct, frozen=True):
    """What came in, and when; header names are in lower case. `line` tells when nobody waits for an answer any more."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    line: Line
    came_at: float

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Cut(Exception):
    """The connection ends here, in the middle of whatever it was."""


class Response(msgspec.Struct, frozen=True):
    """What goes out: `body` whole, or `chunks` one by one. Chunks may raise `Cut`."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    chunks: AsyncIterator[bytes] | None = None


Answer = Callable[[Request], Awaitable[Response]]


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, {"content-type": "application/json"} | dict(headers or {}), msgspec.json.encode(value))


@asynccontextmanager
async def listening(answer: Answer, port: int = 0) -> AsyncIterator[int]:
    """A server on 127.0.0.1 whose port this gives; connections end with it."""
    connections: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, Line)
        connection = asyncio.create_task(serve(answer, reader, writer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    def protocol() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(Line(), begin)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def serve(answer: Answer, line: Line, writer: asyncio.StreamWriter) -> None:
    """Answer one request after the other until the other side hangs up or a cut is played."""
    try:
        while (request := await read_request(line)) is not None:
            await respond(answer, request, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        return  # the other side hung up
    except Cut:
        writer.transport.abort()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def respond(answer: Answer, request: Request, writer: asyncio.StreamWriter) -> None:
    """Write the answer, unless the other side hangs up before it is there: then nobody waits for it."""
    writing = asyncio.create_task(write_answer(answer, request, writer))
    watching = asyncio.create_task(request.line.gone.wait())
    try:
        await asyncio.wait({writing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not writing.done():
            raise ConnectionResetError
        await writing
    finally:
        writing.cancel()
        watching.cancel()
        await asyncio.gather(writing, watching, return_exceptions=True)


async def write_answer(answer: Answer, request: Request, writer: asyncio.StreamWriter) -> None:
    response = await answer(request)
    writer.write(head(response))
    if response.chunks is None:
        writer.write(response.body)
    else:
        await write_chunks(response.chunks, writer)
    await writer.drain()


async def write_chunks(chunks: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
    async for chunk in chunks:
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


def head(response: Response) -> bytes:
    framing = {"transfer-encoding": "chunked"} if response.chunks else {"content-length": str(len(response.body))}
    lines = {"date": formatdate(time.time(), usegmt=True)} | dict(response.headers) | framing
    rest = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Whatever')}\r\n{rest}\r\n".encode()


async def read_request(line: Line) -> Request | None:
    try:
        first, *lines = (await line.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (entry.split(": ", 1) for entry in lines)}
    body = await line.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, line, line.take_beginning())
