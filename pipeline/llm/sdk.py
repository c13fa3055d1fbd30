"""What providers have in common whose wire an official SDK speaks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import httpx2
import msgspec

from pipeline.exchange import Prompt, Reply, Route
from pipeline.llm.attempt import Pace, SdkErrors, attempt
from pipeline.llm.connection import timeout_of
from pipeline.ports.generation import Tell


class Heard(Protocol):
    """What a reply has said so far."""

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
    its pieces are of `shape`.
    """

    path: str
    request_id_header: str
    streamed: Mapping[str, Any]
    shape: type[msgspec.Struct]
    heard: Callable[[], Heard]
    read: Read
    errors: SdkErrors
    stream_class: Any


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
            return await attempt(lambda: self._whole(body, options), Pace(seconds), self.wire.errors)
        pace = Pace(seconds, self._route.first_text_seconds)
        return await attempt(lambda: self._streamed(body, options, tell, pace), pace, self.wire.errors)

    async def _whole(self, body: dict[str, Any], options: dict[str, Any]) -> Reply:
        wire = self.wire
        response = await self._client.post(wire.path, body=body, options=options, cast_to=httpx2.Response)
        return wire.read(response.content, request_id=response.headers.get(wire.request_id_header))

    async def _streamed(self, body: dict[str, Any], options: dict[str, Any], tell: Tell, pace: Pace) -> Reply:
        wire, heard = self.wire, self.wire.heard()
        stream = await self._client.post(
            wire.path,
            body={**body, **wire.streamed},
            options=options,
            cast_to=object,
            stream=True,
            stream_cls=wire.stream_class,
        )
        async with stream:
            async for piece in stream:
                if text := heard.hear(msgspec.convert(piece, wire.shape)):
                    pace.text_came()
                    await tell(text)
            request_id = stream.response.headers.get(wire.request_id_header)
            return heard.reply(request_id=request_id, first_text_seconds=pace.first_text_seconds)

    async def close(self) -> None:
        """Ask nothing more."""
        await self._client.close()
