"""Models over chat completions: OpenAI, and every endpoint that speaks like it. Loading this loads the SDK."""

from typing import Any

from pipeline.exchange import Prompt
from pipeline.llm.openai_client import ERRORS, REQUEST_ID, OpenAIProvider
from pipeline.llm.openai_form import Chat, ChatHeard, chat_request, read_chat
from pipeline.llm.sdk import Wire


class OpenAIChat(OpenAIProvider):
    """A model over `/chat/completions`."""

    wire = Wire(
        path="/chat/completions",
        request_id_header=REQUEST_ID,
        streamed={"stream": True, "stream_options": {"include_usage": True}},
        shape=Chat,
        heard=ChatHeard,
        read=read_chat,
        errors=ERRORS,
    )

    def request(self, prompt: Prompt, user: str) -> dict[str, Any]:
        return chat_request(self._route, prompt, user=user, official=self._official)
