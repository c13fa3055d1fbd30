"""What providers have in common whose wire an official SDK speaks."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final, Protocol

import httpx2
import msgspec

from pipeline.exchange import Prompt, Reply, Route, named_briefly
from pipeline.llm.attempt import Pace, SdkErrors, attempt
from pipeline.llm.connection import timeout_of
from pipeline.llm.events import DONE, EventReader
from pipeline.ports.generation import Tell

READ_OUT_SECONDS: Final = 0.1
MOST_REPLY_BYTES: Final = 8 << 20
"""No reply is that long; who sends more, unpacked, would only fill our memory."""
MOST_TEXT_CHARS: Final = 1 << 18
"""Nor is any text: it grows by pieces, and each costs as much as there is already."""
TOO_LONG: Final = "longer than any reply"


class Heard(Protocol):
    """What a reply has said so far."""

    @property
    def broken(self) -> bool:
        """Whether it told of an error, after which nothing is to come."""
        ...

    def hear(self, piece: Any, /) -> str:
        """Take a piece; answers what text it adds."""
        ...

    def reply(self, *, request_id: str | None, first_text_seconds: float | None = None) -> Reply:
        """What it all comes to, now that nothing more is to come."""
        ...


class Read(Protocol):
    """Reads a reply that came whole; raises msgspec.DecodeError where it is none."""

    def __call__(self, body: bytes, *, request_id: str | None = None) -> Reply: ...


class Wire(msgspec.Struct, frozen=True):
    """How a kind of endpoint is asked, and how its replies read.

    `path` is asked for as it is: the SDKs' typed methods turn over every field of a request and of each piece of a
    reply by its type hints, which costs more than all else. `streamed` is what a request for a stream has besides;
    its events are of `shape`.
    """

    path: str
    request_id_header: str
    streamed: Mapping[str, Any]
    shape: type[msgspec.Struct]
    heard: Callable[[], Heard]
    read: Read
    errors: SdkErrors


class SdkProvider(ABC):
    """One model, asked through an SDK's client. See `Provider`."""

    wire: ClassVar[Wire]

    def __init__(self, route: Route, client: Any) -> None:
        self._route = route
        self._client = client

    @property
    def route(self) -> Route:
        return self._route

    @abstractmethod
    def request(self, prompt: Prompt, user: str) -> dict[str, Any]:
        """The body that asks for a prompt, without what concerns streaming."""

    async def send(self, prompt: Prompt, *, user: str, key: str, seconds: float, tell: Tell | None = None) -> Reply:
        """Ask once. See `Provider.send`."""
        body = self.request(prompt, user)
        options = {"headers": {"Idempotency-Key": key}, "timeout": timeout_of(seconds)}
        if tell is None:
            return named_briefly(await attempt(lambda: self._whole(body, options), Pace(seconds), self.wire.errors))
        pace = Pace(seconds, self._route.first_text_seconds)
        return named_briefly(await attempt(lambda: self._streamed(body, options, tell, pace), pace, self.wire.errors))

    async def _whole(self, body: dict[str, Any], options: dict[str, Any]) -> Reply:
        wire = self.wire
        response = await self._post(body, options)
        try:
            content = b"".join([chunk async for chunk in bounded(response.aiter_bytes())])
        finally:
            await response.aclose()
        return wire.read(content, request_id=response.headers.get(wire.request_id_header))

    async def _streamed(self, body: dict[str, Any], options: dict[str, Any], tell: Tell, pace: Pace) -> Reply:
        wire, heard = self.wire, self.wire.heard()
        response = await self._post({**body, **wire.streamed}, options)
        try:
            await self._follow(response, heard, tell, pace)
        finally:
            await response.aclose()
        request_id = response.headers.get(wire.request_id_header)
        return heard.reply(request_id=request_id, first_text_seconds=pace.first_text_seconds)

    async def _follow(self, response: httpx2.Response, heard: Heard, tell: Tell, pace: Pace) -> None:
        """Take a stream down, whatever of it arrives together at once, and tell its text."""
        reader, chunks, said = EventReader(), bounded(response.aiter_bytes()), 0
        async for chunk in chunks:
            over, text = self._taken(reader.feed(chunk), heard)
            if text:
                pace.text_came()
                await tell(text)
            if (said := said + len(text)) > MOST_TEXT_CHARS:
                raise httpx2.DecodingError(TOO_LONG)
            if over:
                return await read_out(chunks)
        self._taken(reader.end(), heard)
        return None

    def _taken(self, events: list[bytes], heard: Heard) -> tuple[bool, str]:
        """Whether nothing is to come after these events, and what text they add."""
        texts = list[str]()
        for data in events:
            if data.startswith(DONE):
                return True, "".join(texts)
            texts.append(heard.hear(msgspec.json.decode(data, type=self.wire.shape)))
            if heard.broken:
                return True, "".join(texts)
        return False, "".join(texts)

    async def _post(self, body: dict[str, Any], options: dict[str, Any]) -> httpx2.Response:
        """The answer, its body yet to be read; raises what the SDK makes of one that is an error."""
        response: httpx2.Response = await self._client.post(
            self.wire.path,
            content=msgspec.json.encode(body),
            options=options,
            cast_to=httpx2.Response,
            stream=True,
        )
        return response

    async def close(self) -> None:
        """Ask nothing more."""
        await self._client.close()


async def bounded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same chunks; raises `httpx2.DecodingError` where they are too much for a reply."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MOST_REPLY_BYTES:
            raise httpx2.DecodingError(TOO_LONG)
        yield chunk


async def read_out(chunks: AsyncIterator[bytes]) -> None:
    """Read what is left behind the last word: a connection that is not read to its end can't be used again."""
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(READ_OUT_SECONDS):
            async for _ in chunks:
                pass
