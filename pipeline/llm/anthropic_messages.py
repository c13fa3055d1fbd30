"""Models over Anthropic's messages.

Loading this module loads the SDK, which takes more than a second: `pipeline.llm.build` does it when it is needed.
"""

import logging
from typing import Any, Final

import anthropic
import httpx2
import msgspec
from anthropic import AsyncAnthropic, AsyncStream, RequestOptions

from pipeline.exchange import Prompt, Reply, Route
from pipeline.llm.anthropic_form import Event, Heard, messages_request, read_message
from pipeline.llm.attempt import Pace, SdkErrors, attempt
from pipeline.llm.connection import PLACEHOLDER, http_client, timeout_of
from pipeline.ports.generation import Tell

ERRORS: Final = SdkErrors(anthropic.APIStatusError, anthropic.APIConnectionError, anthropic.AnthropicError)
PATH: Final = "/v1/messages"
"""Asked for by its path, for the same reason as in `pipeline.llm.openai_chat`."""
STREAMED: Final = {"stream": True}
OFFICIAL: Final = "https://api.anthropic.com"

logging.getLogger("anthropic").setLevel(logging.WARNING)  # below it the SDK tells what was sent


class AnthropicMessages:
    """One model of Anthropic's, or of an endpoint that speaks like it."""

    def __init__(self, route: Route, *, api_key: str | None = None, base_url: str | None = None) -> None:
        self._route = route
        self._client = AsyncAnthropic(
            api_key=api_key or PLACEHOLDER,
            base_url=base_url or OFFICIAL,
            max_retries=0,
            open_telemetry=False,  # spans of the SDK's own could hold prompts
            http_client=http_client(("x-api-key", api_key) if api_key else None, route.concurrency),
        )

    @property
    def route(self) -> Route:
        return self._route

    async def send(self, prompt: Prompt, *, user: str, key: str, seconds: float, tell: Tell | None = None) -> Reply:
        """Ask once. See `Provider.send`."""
        body = messages_request(self._route, prompt, user=user)
        options = RequestOptions(headers={"Idempotency-Key": key}, timeout=timeout_of(seconds))
        if tell is None:
            return await attempt(lambda: self._whole(body, options), Pace(seconds), ERRORS)
        pace = Pace(seconds, self._route.first_text_seconds)
        return await attempt(lambda: self._streamed(body | STREAMED, options, tell, pace), pace, ERRORS)

    async def _whole(self, body: dict[str, Any], options: RequestOptions) -> Reply:
        response = await self._client.post(PATH, body=body, options=options, cast_to=httpx2.Response)
        return read_message(response.content, request_id=response.headers.get("request-id"))

    async def _streamed(self, body: dict[str, Any], options: RequestOptions, tell: Tell, pace: Pace) -> Reply:
        stream = await self._client.post(
            PATH, body=body, options=options, cast_to=object, stream=True, stream_cls=AsyncStream[object]
        )
        async with stream:
            heard = Heard()
            async for event in stream:
                if text := heard.hear(msgspec.convert(event, Event)):
                    pace.text_came()
                    await tell(text)
            request_id = stream.response.headers.get("request-id")
            return heard.reply(request_id=request_id, first_text_seconds=pace.first_text_seconds)

    async def close(self) -> None:
        await self._client.close()
