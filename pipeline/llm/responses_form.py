"""OpenAI's Responses: what a prompt looks like on this wire, and how a reply reads; pure."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from pipeline.exchange import Completion, Failed, Prompt, Reply, Route, Trouble, Usage
from pipeline.llm.schema_text import plain, with_schema
from pipeline.llm.trouble import classify

ENDED: Final = frozenset({"completed", "complete"})
ENDED_OTHERWISE: Final[Mapping[str | None, Trouble]] = {
    "max_output_tokens": Trouble.TRUNCATED,
    "content_filter": Trouble.FILTERED,
}
LAST_EVENTS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})


def responses_request(route: Route, prompt: Prompt, *, user: str, official: bool) -> dict[str, Any]:
    """The body of a request; the static part comes first, so that it is cached, and nothing is to be kept there."""
    turns = [{"role": turn.role, "content": turn.text} for turn in prompt.turns]
    body: dict[str, Any] = {
        "model": route.model,
        "instructions": with_schema(prompt, route),
        "input": [{"role": "user", "content": prompt.user}, *turns],
        "max_output_tokens": prompt.max_output_tokens,
        "store": False,
    }
    known = {"safety_identifier": user, "prompt_cache_key": prompt.reference} if official else {"user": user}
    return body | known | text_format(route, prompt)


def text_format(route: Route, prompt: Prompt) -> dict[str, Any]:
    """How far the endpoint is asked to hold the model to a form."""
    match route.structured:
        case "schema":
            form = {"type": "json_schema", "name": prompt.schema_name, "schema": plain(prompt.schema), "strict": True}
            return {"text": {"format": form}}
        case "object":
            return {"text": {"format": {"type": "json_object"}}}
        case "none":
            return {}


class InputDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int | None = None


class ResponseUsage(msgspec.Struct, frozen=True):
    input_tokens: int
    output_tokens: int
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None

    def usage(self) -> Usage:
        """In our words, which count as this wire does."""
        read, written = self.input_tokens_details or InputDetails(), self.output_tokens_details or OutputDetails()
        return Usage(
            input_tokens=self.input_tokens,
            cached_input_tokens=read.cached_tokens or 0,
            cache_write_tokens=read.cache_write_tokens or 0,
            output_tokens=self.output_tokens,
            reasoning_tokens=written.reasoning_tokens or 0,
        )


class Part(msgspec.Struct, frozen=True):
    type: str
    text: str | None = None
    refusal: str | None = None


class Item(msgspec.Struct, frozen=True):
    type: str
    content: list[Part] | None = None


class Incomplete(msgspec.Struct, frozen=True):
    reason: str | None = None


class Error(msgspec.Struct, frozen=True):
    code: str | int | None = None
    type: str | None = None
    message: str | None = None


class Response(msgspec.Struct, frozen=True):
    """A reply, as far as it got."""

    status: str | None = None
    output: list[Item] = []
    usage: ResponseUsage | None = None
    model: str | None = None
    error: Error | None = None
    incomplete_details: Incomplete | None = None

    def said(self, kind: str) -> str:
        """What the model's messages say: `output_text`, or `refusal`."""
        parts = [part for item in self.output if item.type == "message" for part in item.content or []]
        return "".join((part.refusal if kind == "refusal" else part.text) or "" for part in parts if part.type == kind)


class Event(msgspec.Struct, frozen=True):
    """One event of a stream; an `error` says what it is in itself, or in a part of that name."""

    type: str
    delta: Any = None
    response: Response | None = None
    code: str | int | None = None
    message: str | None = None
    error: Error | None = None


class ResponseHeard:
    """What a reply has said so far, in one piece or in many."""

    def __init__(self) -> None:
        self.text = ""
        self.refusal = ""
        self.last = Response()

    @property
    def broken(self) -> bool:
        """Whether it told of an error."""
        return self.last.error is not None

    def hear(self, event: Event) -> str:
        """Take an event; answers what text it adds."""
        if event.type == "error":
            error = event.error or Error(code=event.code, message=event.message)
            self.last = Response(status="failed", error=error)
        if event.type in LAST_EVENTS and event.response is not None:
            return self.hear_whole(event.response)
        if event.type == "response.refusal.delta":
            self.refusal += str(event.delta or "")
        if event.type != "response.output_text.delta":
            return ""
        added = str(event.delta or "")
        self.text += added
        return added

    def hear_whole(self, response: Response) -> str:
        """Take the last word, or the only one; its text counts where none came before."""
        self.last = response
        self.refusal = self.refusal or response.said("refusal")
        added = "" if self.text else response.said("output_text")
        self.text += added
        return added

    def reply(self, *, request_id: str | None, first_text_seconds: float | None = None) -> Reply:
        """What it all comes to, now that nothing more is to come."""
        last = self.last
        usage = last.usage.usage() if last.usage else None
        failed = partial(Failed, usage=usage, model=last.model)
        if last.error is not None:
            said = classify(None, msgspec.to_builtins(last.error))
            return msgspec.structs.replace(said, usage=usage, model=last.model)
        if last.status == "incomplete":
            reason = (last.incomplete_details or Incomplete()).reason
            return failed(ENDED_OTHERWISE.get(reason, Trouble.TRUNCATED), "incomplete")
        if last.status not in ENDED:
            return failed(Trouble.CUT_OFF, "not completed")
        if self.refusal:
            return failed(Trouble.REFUSED, "refusal")
        if not self.text:
            return failed(Trouble.INVALID_REPLY, "no text")
        return Completion(self.text, usage, last.model or "", request_id, first_text_seconds)


def read_response(body: bytes, *, request_id: str | None = None) -> Reply:
    """A reply that came whole; raises msgspec.DecodeError where it is none."""
    heard = ResponseHeard()
    heard.hear_whole(msgspec.json.decode(body, type=Response))
    return heard.reply(request_id=request_id)
