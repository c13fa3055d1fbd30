"""Models over OpenAI's Responses, which some of its models speak only. Loading this loads the SDK."""

from typing import Any

from pipeline.exchange import Prompt
from pipeline.llm.openai_client import ERRORS, REQUEST_ID, OpenAIProvider
from pipeline.llm.responses_form import Event, ResponseHeard, read_response, responses_request
from pipeline.llm.sdk import Wire


class OpenAIResponses(OpenAIProvider):
    """A model over `/responses`."""

    wire = Wire(
        path="/responses",
        request_id_header=REQUEST_ID,
        streamed={"stream": True},
        shape=Event,
        heard=ResponseHeard,
        read=read_response,
        errors=ERRORS,
    )

    def request(self, prompt: Prompt, user: str) -> dict[str, Any]:
        return responses_request(self._route, prompt, user=user, official=self._official)
