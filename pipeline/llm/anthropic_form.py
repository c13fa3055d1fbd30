"""Anthropic's messages: what a prompt looks like on this wire, and how a reply reads; pure.

No sampling arguments: newer versions of this API refuse them.
"""

from functools import partial
from typing import Any, Final

import msgspec

from pipeline.exchange import Completion, Failed, Prompt, Reply, Route, Trouble, Usage
from pipeline.llm.schema_text import plain, with_schema
from pipeline.llm.trouble import classify

ENDED: Final = frozenset({"end_turn", "stop_sequence"})
ENDED_OTHERWISE: Final = {
    "max_tokens": Trouble.TRUNCATED,
    "model_context_window_exceeded": Trouble.TRUNCATED,
    "refusal": Trouble.REFUSED,
}


def messages_request(route: Route, prompt: Prompt, *, user: str) -> dict[str, Any]:
    """The body of a request; the static part is marked so that it is cached."""
    turns = [{"role": turn.role, "content": turn.text} for turn in prompt.turns]
    system = {"type": "text", "text": with_schema(prompt, route), "cache_control": {"type": "ephemeral"}}
    body: dict[str, Any] = {
        "model": route.model,
        "max_tokens": prompt.max_output_tokens,
        "system": [system],
        "messages": [{"role": "user", "content": prompt.user}, *turns],
        "metadata": {"user_id": user},
    }
    if route.structured == "schema":
        body["output_config"] = {"format": {"type": "json_schema", "schema": plain(prompt.schema)}}
    return body


class OutputDetails(msgspec.Struct, frozen=True):
    thinking_tokens: int | None = None


class Used(msgspec.Struct, frozen=True):
    """Tokens as this wire counts them: what was read from or written to the cache is apart. None: not said here."""

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None

    def usage(self) -> Usage:
        """In our words, in which input is all input."""
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        details = self.output_tokens_details or OutputDetails()
        return Usage(
            input_tokens=(self.input_tokens or 0) + read + written,
            cached_input_tokens=read,
            cache_write_tokens=written,
            output_tokens=self.output_tokens or 0,
            reasoning_tokens=details.thinking_tokens or 0,
        )

    def then(self, later: "Used") -> "Used":
        """With what a later event says; its counts are totals, too."""
        said = {name: value for name in self.__struct_fields__ if (value := getattr(later, name)) is not None}
        return msgspec.structs.replace(self, **said)


class Block(msgspec.Struct, frozen=True):
    type: str
    text: str | None = None


class Whole(msgspec.Struct, frozen=True):
    """A message, as a reply in one piece or as a stream begins it."""

    content: list[Block]
    model: str
    usage: Used = Used()
    stop_reason: str | None = None


class Delta(msgspec.Struct, frozen=True):
    text: str | None = None
    stop_reason: str | None = None


class Event(msgspec.Struct, frozen=True):
    """One event of a stream: the beginning, a piece, the end, or an error."""

    type: str = ""
    message: Whole | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Used | None = None
    error: Any = None


class MessageHeard:
    """What a reply has said so far, in one piece or in many."""

    def __init__(self) -> None:
        self.text = ""
        self.stop_reason: str | None = None
        self.model = ""
        self.stopped = False
        self.error: Any = None
        self._used = Used()
        self._counted = False

    @property
    def broken(self) -> bool:
        """Whether it told of an error."""
        return self.error is not None

    def hear(self, event: Event) -> str:
        """Take an event; answers what text it adds."""
        if event.message is not None:
            self._begin(event.message)
        if event.usage is not None:
            self._used, self._counted = self._used.then(event.usage), True
        self.stopped = self.stopped or event.type == "message_stop"
        self.error = event.error or self.error
        delta = event.delta or Delta()
        self.stop_reason = delta.stop_reason or self.stop_reason
        added = delta.text or (event.content_block.text if event.content_block else None) or ""
        self.text += added
        return added

    def _begin(self, message: Whole) -> None:
        self.model, self._used = message.model, message.usage

    def hear_whole(self, message: Whole) -> None:
        """Take a reply that came in one piece."""
        self._begin(message)
        self.text = "".join(block.text or "" for block in message.content if block.type == "text")
        self.stop_reason, self.stopped, self._counted = message.stop_reason, True, True

    @property
    def usage(self) -> Usage | None:
        """What was used, if the end said so: what a stream says at its beginning is not yet all."""
        return self._used.usage() if self._counted and self._used.output_tokens is not None else None

    def reply(self, *, request_id: str | None, first_text_seconds: float | None = None) -> Reply:
        """What it all comes to, now that nothing more is to come."""
        failed = partial(Failed, usage=self.usage, model=self.model or None)
        if self.error is not None:
            said = classify(None, {"error": self.error})
            return msgspec.structs.replace(said, usage=self.usage, model=self.model or None)
        if self.stop_reason is None or not self.stopped:
            return failed(Trouble.CUT_OFF, "no stop_reason" if self.stopped else "no message_stop")
        if (trouble := ENDED_OTHERWISE.get(self.stop_reason)) is not None:
            return failed(trouble, f"stop_reason {self.stop_reason}")
        if self.stop_reason in ENDED and self.text:
            return Completion(self.text, self.usage, self.model, request_id, first_text_seconds)
        return failed(
            Trouble.INVALID_REPLY, "no text" if self.stop_reason in ENDED else "no end", text=self.text or None
        )


def read_message(body: bytes, *, request_id: str | None = None) -> Reply:
    """A reply that came whole; raises msgspec.DecodeError where it is none."""
    heard = MessageHeard()
    heard.hear_whole(msgspec.json.decode(body, type=Whole))
    return heard.reply(request_id=request_id)
