"""Models over chat completions: OpenAI, and every endpoint that speaks like it.

Loading this module loads the SDK, which takes half a second: `pipeline.llm.build` does it when it is needed.
"""

import logging
from typing import Any, Final

import httpx2
import msgspec
import openai
from openai import AsyncOpenAI, AsyncStream, RequestOptions

from pipeline.exchange import Prompt, Reply, Route
from pipeline.llm.attempt import Pace, SdkErrors, attempt
from pipeline.llm.connection import PLACEHOLDER, http_client, timeout_of
from pipeline.llm.openai_form import Chat, Heard, chat_request, is_official, read_chat
from pipeline.ports.generation import Tell

ERRORS: Final = SdkErrors(openai.APIStatusError, openai.APIConnectionError, openai.OpenAIError)
PATH: Final = "/chat/completions"
"""Asked for by its path: the SDK's typed method would turn over every field of a request and of each piece of a reply
by its type hints, which costs more than all else."""
OFFICIAL: Final = "https://api.openai.com/v1"
STREAMED: Final = {"stream": True, "stream_options": {"include_usage": True}}

logging.getLogger("openai").setLevel(logging.WARNING)  # below it the SDK may tell what was sent


class OpenAIChat:
    """One model of one endpoint."""

    def __init__(
        self, route: Route, *, api_key: str | None = None, base_url: str | None = None, official: bool | None = None
    ) -> None:
        self._route = route
        self._official = is_official(base_url) if official is None else official
        self._client = AsyncOpenAI(
            api_key=api_key or PLACEHOLDER,
            base_url=base_url or OFFICIAL,
            max_retries=0,
            http_client=http_client(("authorization", f"Bearer {api_key}") if api_key else None, route.concurrency),
        )

    @property
    def route(self) -> Route:
        return self._route

    async def send(self, prompt: Prompt, *, user: str, key: str, seconds: float, tell: Tell | None = None) -> Reply:
        """Ask once. See `Provider.send`."""
        body = chat_request(self._route, prompt, user=user, official=self._official)
        options = RequestOptions(headers={"Idempotency-Key": key}, timeout=timeout_of(seconds))
        if tell is None:
            return await attempt(lambda: self._whole(body, options), Pace(seconds), ERRORS)
        pace = Pace(seconds, self._route.first_text_seconds)
        return await attempt(lambda: self._streamed(body | STREAMED, options, tell, pace), pace, ERRORS)

    async def _whole(self, body: dict[str, Any], options: RequestOptions) -> Reply:
        response = await self._client.post(PATH, body=body, options=options, cast_to=httpx2.Response)
        return read_chat(response.content, request_id=response.headers.get("x-request-id"))

    async def _streamed(self, body: dict[str, Any], options: RequestOptions, tell: Tell, pace: Pace) -> Reply:
        stream = await self._client.post(
            PATH, body=body, options=options, cast_to=object, stream=True, stream_cls=AsyncStream[object]
        )
        async with stream:
            heard = Heard()
            async for chunk in stream:
                if text := heard.hear(msgspec.convert(chunk, Chat)):
                    pace.text_came()
                    await tell(text)
            request_id = stream.response.headers.get("x-request-id")
            return heard.reply(request_id=request_id, first_text_seconds=pace.first_text_seconds)

    async def close(self) -> None:
        await self._client.close()
