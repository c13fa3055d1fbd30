"""Anthropic's batches of messages. Loading this module loads the SDK.

These batches can't be marked as ours. After a crash one is told by what it answers, so while one of the same size and
time is still under way nothing is sent in its place.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import httpx2
import msgspec

from pipeline.exchange import Failed, Reply, Route, Trouble, named_briefly
from pipeline.llm.anthropic_form import messages_request, read_message
from pipeline.llm.anthropic_messages import AnthropicMessages, client
from pipeline.llm.attempt import GARBLED
from pipeline.llm.batch_arrival import SEND_SECONDS, answered, arrival, named
from pipeline.llm.batch_lines import lines_in
from pipeline.llm.trouble import classify
from pipeline.ports.batch import Batch, BatchRequest, Line, Refused, Unsure

PAGE: Final = 100
CLOCKS_APART: Final = timedelta(days=1)
"""So far the provider's clock and ours may be apart at most. A batch that was passed over for that is paid twice."""
ERRORS: Final = AnthropicMessages.wire.errors
FAILURES: Final = (ERRORS.any, httpx2.HTTPError, OSError, *GARBLED)


class Result(msgspec.Struct, frozen=True):
    type: str
    message: msgspec.Raw = msgspec.Raw()
    error: Any = None


class LineIn(msgspec.Struct, frozen=True):
    """One line of a file of results."""

    custom_id: str
    result: Result


class AnthropicBatches:
    """The port `pipeline.ports.batch.Remote` over one route to Anthropic."""

    def __init__(self, route: Route, *, api_key: str | None, base_url: str | None = None) -> None:
        self._route = route
        self._client: Any = client(api_key, base_url)

    @property
    def route(self) -> Route:
        return self._route

    async def find(
        self, batch: Batch, requests: Sequence[BatchRequest], others: Collection[str]
    ) -> str | Unsure | None:
        """By the names in its results; `Unsure` while a batch that might be it has none."""
        ours, unsure = {request.custom_id for request in requests}, False
        async with answered(ERRORS):
            async for found in self._client.messages.batches.list(limit=PAGE):
                if found.created_at < batch.created_at - CLOCKS_APART:
                    break
                if found.id in others or sum(found.request_counts.model_dump().values()) != (batch.size or len(ours)):
                    continue
                if found.processing_status != "ended":
                    unsure = True
                elif await self._answers(found.id, ours):
                    return str(found.id)
        return Unsure() if unsure else None

    async def _answers(self, remote_id: str, ours: set[str]) -> bool:
        """Whether any of its results has one of these names; those of learners who were erased have none any more."""
        async with aclosing(self.lines(remote_id)) as lines:
            async for line in lines:
                if line.custom_id in ours:
                    return True
        return False

    async def prepare(self, batch: Batch, requests: Sequence[BatchRequest]) -> None:
        """Nothing: a batch is handed in whole."""

    async def send(self, batch: Batch, requests: Sequence[BatchRequest], file_id: str | None) -> str | Unsure | Refused:
        """Hand it in, in one request."""
        del batch, file_id
        sent = [
            {
                "custom_id": request.custom_id,
                "params": messages_request(self._route, request.prompt, user=request.user),
            }
            for request in requests
        ]
        try:
            async with asyncio.timeout(SEND_SECONDS):
                made = await self._client.messages.batches.create(requests=sent)
        except FAILURES as error:
            return arrival(error)
        return named(made)

    async def ended(self, remote_id: str) -> bool:
        """Whether nothing more will come of it."""
        async with answered(ERRORS):
            return bool((await self._client.messages.batches.retrieve(remote_id)).processing_status == "ended")

    async def lines(self, remote_id: str) -> AsyncGenerator[Line, None]:
        """The lines of its results."""
        async with answered(ERRORS):
            response = await self._results(remote_id)
            try:
                async for line in lines_in(response.aiter_bytes()):
                    if (found := line_of(line)) is not None:
                        yield found
            finally:
                await response.aclose()

    async def _results(self, remote_id: str) -> httpx2.Response:
        """The file, its body yet to be read. It is where all are: an address in a reply could be anybody's."""
        path = f"/v1/messages/batches/{quote(remote_id, safe='')}/results"
        response: httpx2.Response = await self._client.get(path, cast_to=httpx2.Response, stream=True)
        return response

    async def close(self) -> None:
        await self._client.close()


def line_of(line: bytes) -> Line | None:
    """What a line says became of its request; None where it does not say whose it is."""
    try:
        found = msgspec.json.decode(line, type=LineIn)
    except msgspec.DecodeError:
        return None
    match found.result.type:
        case "succeeded":
            return Line(found.custom_id, reply_of(bytes(found.result.message)))
        case "errored":
            return Line(found.custom_id, classify(None, found.result.error))
        case _:
            return Line(found.custom_id, None)


def reply_of(message: bytes) -> Reply:
    try:
        return named_briefly(read_message(message))
    except msgspec.DecodeError as error:
        return Failed(Trouble.UNREADABLE, type(error).__name__)
