"""The client of OpenAI's SDK, for all that speaks like OpenAI.

Loading this module loads the SDK, which takes half a second: `pipeline.llm.build` does it when it is needed.
"""

import logging
from typing import Any, Final

import openai
from openai import AsyncOpenAI

from pipeline.exchange import Route
from pipeline.llm.attempt import SdkErrors
from pipeline.llm.connection import PLACEHOLDER, http_client
from pipeline.llm.openai_form import is_official
from pipeline.llm.sdk import SdkProvider

OFFICIAL: Final = "https://api.openai.com/v1"
REQUEST_ID: Final = "x-request-id"
ERRORS: Final = SdkErrors(openai.APIStatusError, openai.APIConnectionError, openai.OpenAIError)

logging.getLogger("openai").setLevel(logging.WARNING)  # below it the SDK may tell what was sent


class OpenAIProvider(SdkProvider):
    """One model of one endpoint; `official` tells whether it gets what only OpenAI knows, by default by its address."""

    def __init__(
        self, route: Route, *, api_key: str | None = None, base_url: str | None = None, official: bool | None = None
    ) -> None:
        super().__init__(route, client(api_key, base_url))
        self._official = is_official(base_url) if official is None else official


def client(api_key: str | None, base_url: str | None) -> Any:
    """The SDK's client, without retries."""
    credential = ("authorization", f"Bearer {api_key}") if api_key else None
    return AsyncOpenAI(
        api_key=api_key or PLACEHOLDER,
        base_url=base_url or OFFICIAL,
        max_retries=0,
        http_client=http_client(credential),
    )
