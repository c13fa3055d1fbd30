"""Anthropic's messages."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.standin.calls import Tokens
from tests.standin.script import Fault
from tests.standin.wire import Asked, Trouble, Written, event, text_of

ERRORS: Final[Mapping[str, tuple[int, str, str]]] = {
    Fault.RATE_LIMIT: (429, "rate_limit_error", "Number of requests has exceeded your rate limit."),
    Fault.QUOTA: (400, "invalid_request_error", "Your credit balance is too low to access the API."),
    Fault.SERVER_ERROR: (500, "api_error", "Internal server error"),
    Fault.STREAM_ERROR: (529, "overloaded_error", "Overloaded"),
    Fault.UNAVAILABLE: (503, "api_error", "Service unavailable"),
    Fault.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    Fault.UNAUTHORIZED: (401, "authentication_error", "invalid x-api-key"),
    Fault.FORBIDDEN: (403, "permission_error", "Your key may not use this resource."),
    Fault.UNKNOWN_MODEL: (404, "not_found_error", "model: unknown"),
    Fault.CONTEXT_TOO_LONG: (400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"),
    Fault.BAD_REQUEST: (400, "invalid_request_error", "temperature: Extra inputs are not permitted"),
}
STOP_REASONS: Final[Mapping[str | None, str | None]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "refusal",
    "refusal": "refusal",
    None: None,
}


class Messages:
    """The wire of `/messages`."""

    name = "messages"
    key_header = "x-api-key"
    request_id_header = "request-id"

    def asked(self, body: Any) -> Asked:
        texts = [text_of(one["content"]) for one in body["messages"]]
        return Asked(
            model=body["model"],
            system=text_of(body.get("system")),
            user=texts[0] if texts else "",
            rest="".join(texts),
            schema=((body.get("output_config") or {}).get("format") or {}).get("schema", {}),
            streamed=bool(body.get("stream")),
            with_usage=True,
            person=(body.get("metadata") or {}).get("user_id"),
        )

    def whole(self, written: Written, request_id: str) -> Any:
        return {
            **message(written, request_id),
            "content": [{"type": "text", "text": written.text}],
            "stop_reason": STOP_REASONS[written.finish],
            "usage": usage(written.tokens),
        }

    def begin(self, written: Written, request_id: str) -> Iterator[bytes]:
        first = {**message(written, request_id), "content": [], "usage": usage(written.tokens) | {"output_tokens": 1}}
        yield event({"type": "message_start", "message": first}, "message_start")
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield event(block, "content_block_start")
        yield event({"type": "ping"}, "ping")

    def piece(self, written: Written, text: str, request_id: str) -> bytes:  # noqa: ARG002 - others name both
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        return event(delta, "content_block_delta")

    def end(self, written: Written, request_id: str, *, usage: bool) -> Iterator[bytes]:  # noqa: ARG002 - always told
        yield event({"type": "content_block_stop", "index": 0}, "content_block_stop")
        stop = {"stop_reason": STOP_REASONS[written.finish], "stop_sequence": None}
        used = {"output_tokens": written.tokens.output}
        yield event({"type": "message_delta", "delta": stop, "usage": used}, "message_delta")
        yield event({"type": "message_stop"}, "message_stop")

    def error(self, fault: str) -> Trouble:
        status, kind, says = ERRORS[fault]
        return Trouble(status, {"type": "error", "error": {"type": kind, "message": says}})

    def error_event(self) -> bytes:
        return event(self.error(Fault.STREAM_ERROR).body, "error")


def message(written: Written, request_id: str) -> dict[str, Any]:
    return {
        "id": f"msg_{request_id}",
        "type": "message",
        "role": "assistant",
        "model": written.model,
        "stop_reason": None,
        "stop_sequence": None,
    }


def usage(tokens: Tokens) -> dict[str, Any]:
    """As Anthropic counts: what was read from or written to the cache is not among the input tokens."""
    return {
        "input_tokens": tokens.input - tokens.cached - tokens.cache_write,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": tokens.cache_write,
        "output_tokens": tokens.output,
        "service_tier": "standard",
    }
