"""Models over Anthropic's messages.

Loading this module loads the SDK, which takes more than a second: `pipeline.llm.build` does it when it is needed.
"""

import logging
from typing import Any, Final

import anthropic
from anthropic import AsyncAnthropic

from pipeline.exchange import Prompt, Route
from pipeline.llm.anthropic_form import Event, MessageHeard, messages_request, read_message
from pipeline.llm.attempt import SdkErrors
from pipeline.llm.connection import PLACEHOLDER, http_client
from pipeline.llm.sdk import SdkProvider, Wire

OFFICIAL: Final = "https://api.anthropic.com"

logging.getLogger("anthropic").setLevel(logging.WARNING)  # below it the SDK tells what was sent


class AnthropicMessages(SdkProvider):
    """One model of Anthropic's, or of an endpoint that speaks like it."""

    wire = Wire(
        path="/v1/messages",
        request_id_header="request-id",
        streamed={"stream": True},
        shape=Event,
        heard=MessageHeard,
        read=read_message,
        errors=SdkErrors(anthropic.APIStatusError, anthropic.APIConnectionError, anthropic.AnthropicError),
    )

    def __init__(self, route: Route, *, api_key: str | None = None, base_url: str | None = None) -> None:
        super().__init__(route, client(api_key, base_url))

    def request(self, prompt: Prompt, user: str) -> dict[str, Any]:
        return messages_request(self._route, prompt, user=user)


def client(api_key: str | None, base_url: str | None) -> Any:
    """The SDK's client, without retries and without spans of its own, which could hold prompts."""
    return AsyncAnthropic(
        api_key=api_key or PLACEHOLDER,
        base_url=base_url or OFFICIAL,
        max_retries=0,
        open_telemetry=False,
        http_client=http_client(("x-api-key", api_key) if api_key else None),
    )
