"""OpenAI's batches of chat completions: a file of requests goes in, files of replies come out within a day.

Loading this module loads the SDK. A batch carries our id in its metadata, by which it is found after a crash; and if
that is lost on the way, it tells the file it was made of.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2
import msgspec

from pipeline.errors import NotFound
from pipeline.exchange import Failed, Reply, Route, Trouble, named_briefly
from pipeline.llm.attempt import GARBLED
from pipeline.llm.batch_arrival import SEND_SECONDS, answered, arrival, named, refusal
from pipeline.llm.batch_lines import lines_in
from pipeline.llm.openai_client import ERRORS, client
from pipeline.llm.openai_form import chat_request, read_chat
from pipeline.llm.trouble import classify
from pipeline.ports.batch import Batch, BatchRequest, Line, Refused, Unsure

MARK: Final = "gradeline_batch"
ENDPOINT: Final = "/v1/chat/completions"
ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
EXPIRED: Final = "batch_expired"
OK: Final = 200
PAGE: Final = 100
CLOCKS_APART: Final = timedelta(days=1)
"""So far the provider's clock and ours may be apart at most. A batch that was passed over for that is paid twice."""
FAILURES: Final = (ERRORS.any, httpx2.HTTPError, OSError, *GARBLED)


class Response(msgspec.Struct, frozen=True):
    status_code: int
    body: msgspec.Raw
    request_id: str | None = None


class ErrorIn(msgspec.Struct, frozen=True):
    code: str | None = None


class LineIn(msgspec.Struct, frozen=True):
    """One line of a file of replies."""

    custom_id: str
    response: Response | None = None
    error: ErrorIn | None = None


class OpenAIBatches:
    """The port `pipeline.ports.batch.Remote` over one route to OpenAI."""

    def __init__(self, route: Route, *, api_key: str | None, base_url: str | None = None) -> None:
        self._route = route
        self._client: Any = client(api_key, base_url)

    @property
    def route(self) -> Route:
        return self._route

    async def find(
        self, batch: Batch, requests: Sequence[BatchRequest], others: Collection[str]
    ) -> str | Unsure | None:
        """The newest batches are looked through, back to when this one was made."""
        del requests
        async with answered(ERRORS):
            async for found in self._client.batches.list(limit=PAGE):
                if found.id not in others and self._is_of(found, batch):
                    return str(found.id)
                if datetime.fromtimestamp(found.created_at, UTC) < batch.created_at - CLOCKS_APART:
                    return None
        return None

    def _is_of(self, found: Any, batch: Batch) -> bool:
        marked = (found.metadata or {}).get(MARK) == batch.id
        return marked or (batch.file_id is not None and found.input_file_id == batch.file_id)

    async def prepare(self, batch: Batch, requests: Sequence[BatchRequest]) -> str | Refused:
        """Hand in the file; without a batch it costs nothing. One of before goes: no batch can be made of it then."""
        if batch.file_id is not None:
            with suppress(NotFound):
                async with answered(ERRORS):
                    await self._client.files.delete(batch.file_id)
        content = b"\n".join(self._line(request) for request in requests)
        try:
            return str((await self._client.files.create(file=(f"{batch.id}.jsonl", content), purpose="batch")).id)
        except FAILURES as error:
            return refusal(error)

    async def send(self, batch: Batch, requests: Sequence[BatchRequest], file_id: str | None) -> str | Unsure | Refused:
        """Make the batch of its file."""
        del requests
        try:
            async with asyncio.timeout(SEND_SECONDS):
                made = await self._client.batches.create(
                    input_file_id=file_id,
                    endpoint=ENDPOINT,
                    completion_window="24h",
                    metadata={MARK: batch.id},
                )
        except FAILURES as error:
            return arrival(error)
        return named(made)

    async def ended(self, remote_id: str) -> bool:
        """Whether nothing more will come of it."""
        async with answered(ERRORS):
            return (await self._client.batches.retrieve(remote_id)).status in ENDED

    async def lines(self, remote_id: str) -> AsyncIterator[Line]:
        """The lines of both files, those that went well and those that did not."""
        async with answered(ERRORS):
            batch = await self._client.batches.retrieve(remote_id)
        for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
            async for line in self._lines_of_file(file_id):
                yield line

    async def _lines_of_file(self, file_id: str) -> AsyncIterator[Line]:
        """Line by line as they come: a file of thousands of replies need not be held."""
        async with answered(ERRORS), self._client.files.with_streaming_response.content(file_id) as response:
            async for line in lines_in(response.iter_bytes()):
                if (found := line_of(line)) is not None:
                    yield found

    async def close(self) -> None:
        await self._client.close()

    def _line(self, request: BatchRequest) -> bytes:
        body = chat_request(self._route, request.prompt, user=request.user, official=True)
        whole = {"custom_id": request.custom_id, "method": "POST", "url": ENDPOINT, "body": body}
        return msgspec.json.encode(whole, enc_hook=dict)


def line_of(line: bytes) -> Line | None:
    """What a line says became of its request; None where it does not say whose it is."""
    try:
        found = msgspec.json.decode(line, type=LineIn)
    except msgspec.DecodeError:
        return None
    if found.response is None:
        expired = found.error is not None and found.error.code == EXPIRED
        return Line(found.custom_id, None if expired else classify(None, {"error": {"code": code_of(found)}}))
    return Line(found.custom_id, named_briefly(reply_of(found.response)))


def code_of(line: LineIn) -> str | None:
    return line.error.code if line.error is not None else None


def reply_of(response: Response) -> Reply:
    body = bytes(response.body)
    try:
        if response.status_code != OK:
            return classify(response.status_code, msgspec.json.decode(body))
        return read_chat(body, request_id=response.request_id)
    except msgspec.DecodeError as error:
        return Failed(Trouble.UNREADABLE, type(error).__name__)
