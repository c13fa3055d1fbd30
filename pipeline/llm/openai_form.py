"""Chat completions: what a prompt looks like on this wire, and how a reply reads; pure.

The wire is OpenAI's, and that of everybody who speaks like it. OpenAI's own endpoint gets what only it knows (limits
that count reasoning, an identifier against abuse, a key that keeps equal prompts on one cache); the others
the fields that have been there from the beginning.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from pipeline.exchange import Completion, Failed, Prompt, Reply, Route, Trouble, Usage
from pipeline.llm.schema_text import plain, with_schema
from pipeline.llm.trouble import classify

ENDED: Final = frozenset({"stop", "eos"})
"""How a complete reply ends; `eos` where an endpoint passes on what the model's tokenizer says."""
ENDED_OTHERWISE: Final[Mapping[str, Trouble]] = {
    "length": Trouble.TRUNCATED,
    "content_filter": Trouble.FILTERED,
    "error": Trouble.SERVER_ERROR,
}


def is_official(base_url: str | None) -> bool:
    """Whether this is OpenAI's own endpoint, or Microsoft's of the same."""
    host = urlsplit(base_url).hostname or "" if base_url else "api.openai.com"
    return host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))


def chat_request(route: Route, prompt: Prompt, *, user: str, official: bool) -> dict[str, Any]:
    """The body of a request, without what concerns streaming; the static part comes first, so that it is cached."""
    turns = [{"role": turn.role, "content": turn.text} for turn in prompt.turns]
    body: dict[str, Any] = {
        "model": route.model,
        "messages": [
            {"role": "system", "content": with_schema(prompt, route)},
            {"role": "user", "content": prompt.user},
            *turns,
        ],
        "store": False,
    }
    if official:
        body |= {
            "max_completion_tokens": prompt.max_output_tokens,
            "safety_identifier": user,
            "prompt_cache_key": prompt.reference,
        }
    else:
        body |= {"max_tokens": prompt.max_output_tokens, "user": user}
    return body | response_format(route, prompt)


def response_format(route: Route, prompt: Prompt) -> dict[str, Any]:
    """How far the endpoint is asked to hold the model to a form."""
    match route.structured:
        case "schema":
            form = {"name": prompt.schema_name, "schema": plain(prompt.schema), "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": form}}
        case "object":
            return {"response_format": {"type": "json_object"}}
        case "none":
            return {}


class Details(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class ChatUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None

    def usage(self) -> Usage:
        """In our words, which count as this wire does."""
        read, written = self.prompt_tokens_details or Details(), self.completion_tokens_details or Details()
        return Usage(
            input_tokens=self.prompt_tokens,
            cached_input_tokens=read.cached_tokens or 0,
            cache_write_tokens=read.cache_write_tokens or 0,
            output_tokens=self.completion_tokens,
            reasoning_tokens=written.reasoning_tokens or 0,
        )


class Message(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct, frozen=True):
    message: Message | None = None
    delta: Message | None = None
    finish_reason: str | None = None
    error: Any = None


class Chat(msgspec.Struct, frozen=True):
    """A reply, or one piece of it."""

    choices: list[Choice] | None = None
    usage: ChatUsage | None = None
    model: str | None = None
    error: Any = None


class ChatHeard:
    """What a reply has said so far, in one piece or in many."""

    def __init__(self) -> None:
        self.text = ""
        self.refusal = ""
        self.finish: str | None = None
        self.usage: Usage | None = None
        self.model: str | None = None
        self.error: Any = None

    @property
    def broken(self) -> bool:
        """Whether it told of an error."""
        return self.error is not None

    def hear(self, chat: Chat) -> str:
        """Take a piece; answers what text it adds."""
        self.model = chat.model or self.model
        self.usage = chat.usage.usage() if chat.usage else self.usage
        choice = chat.choices[0] if chat.choices else Choice(error=chat.error)
        said = choice.message or choice.delta or Message()
        self.error = choice.error or chat.error or self.error
        self.finish = choice.finish_reason or self.finish
        self.text += said.content or ""
        self.refusal += said.refusal or ""
        return said.content or ""

    def reply(self, *, request_id: str | None, first_text_seconds: float | None = None) -> Reply:
        """What it all comes to, now that nothing more is to come."""
        failed = partial(Failed, usage=self.usage, model=self.model)
        if self.error is not None:
            return msgspec.structs.replace(classify(None, {"error": self.error}), usage=self.usage, model=self.model)
        if self.finish is None:
            return failed(Trouble.CUT_OFF, "no finish_reason")
        if self.refusal:
            return failed(Trouble.REFUSED, "refusal")
        if self.finish in ENDED and self.text:
            return Completion(self.text, self.usage, self.model or "", request_id, first_text_seconds)
        return self._ended_otherwise(self.finish, failed)

    def _ended_otherwise(self, finish: str, failed: Callable[..., Failed]) -> Failed:
        if (trouble := ENDED_OTHERWISE.get(finish)) is not None:
            return failed(trouble, f"finish_reason {finish}")
        return failed(Trouble.INVALID_REPLY, "no text" if finish in ENDED else "no end", text=self.text or None)


def read_chat(body: bytes, *, request_id: str | None = None) -> Reply:
    """A reply that came whole; raises msgspec.DecodeError where it is none."""
    heard = ChatHeard()
    chat = msgspec.json.decode(body, type=Chat)
    heard.hear(chat)
    if not chat.choices and heard.error is None:
        return Failed(Trouble.UNREADABLE, "no choices", usage=heard.usage, model=heard.model)
    return heard.reply(request_id=request_id)
