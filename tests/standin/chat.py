"""Chat completions, as OpenAI and those who follow it speak them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.standin.calls import Tokens
from tests.standin.script import Fault
from tests.standin.wire import Asked, Trouble, Written, event, text_of

CREATED: Final = 1_790_000_000
ERRORS: Final[Mapping[str, tuple[int, str, str | None]]] = {
    Fault.RATE_LIMIT: (429, "requests", "rate_limit_exceeded"),
    Fault.QUOTA: (429, "insufficient_quota", "insufficient_quota"),
    Fault.SERVER_ERROR: (500, "server_error", None),
    Fault.STREAM_ERROR: (500, "server_error", None),
    Fault.UNAVAILABLE: (503, "service_unavailable_error", None),
    Fault.OVERLOADED: (529, "overloaded_error", None),
    Fault.UNAUTHORIZED: (401, "invalid_request_error", "invalid_api_key"),
    Fault.FORBIDDEN: (403, "invalid_request_error", "unsupported_country_region_territory"),
    Fault.UNKNOWN_MODEL: (404, "invalid_request_error", "model_not_found"),
    Fault.CONTEXT_TOO_LONG: (400, "invalid_request_error", "context_length_exceeded"),
    Fault.BAD_REQUEST: (400, "invalid_request_error", "unsupported_value"),
}


class Chat:
    """The wire of `/chat/completions`."""

    name = "chat"
    key_header = "authorization"
    request_id_header = "x-request-id"

    def asked(self, body: Any) -> Asked:
        messages = body["messages"]
        system = "".join(text_of(one["content"]) for one in messages if one["role"] in ("system", "developer"))
        others = [text_of(one["content"]) for one in messages if one["role"] not in ("system", "developer")]
        return Asked(
            model=body["model"],
            system=system,
            user=others[0] if others else "",
            rest="".join(others),
            schema=body.get("response_format", {}).get("json_schema", {}).get("schema", {}),
            streamed=bool(body.get("stream")),
            with_usage=bool(body.get("stream_options", {}).get("include_usage")),
            person=body.get("safety_identifier") or body.get("user"),
        )

    def whole(self, written: Written, request_id: str) -> Any:
        return {
            **self._shared(written, request_id, "chat.completion"),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", **self._content(written, written.text)},
                    "finish_reason": self._finish(written),
                    "logprobs": None,
                }
            ],
            "usage": usage(written.tokens),
        }

    def begin(self, written: Written, request_id: str) -> Iterator[bytes]:
        yield self._chunk(written, request_id, {"role": "assistant", "content": ""})

    def piece(self, written: Written, text: str, request_id: str) -> bytes:
        return self._chunk(written, request_id, self._content(written, text))

    def end(self, written: Written, request_id: str, *, usage: bool) -> Iterator[bytes]:
        yield self._chunk(written, request_id, {}, self._finish(written))
        if usage:
            yield event(self._shared(written, request_id, "chat.completion.chunk") | counted(written.tokens))
        yield event(b"[DONE]")

    def error(self, fault: str) -> Trouble:
        status, kind, code = ERRORS[fault]
        message = f"The stand-in plays {fault}."
        return Trouble(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})

    def error_event(self) -> bytes:
        return event(self.error(Fault.STREAM_ERROR).body)

    def _content(self, written: Written, text: str) -> dict[str, Any]:
        return {"content": None, "refusal": text} if written.finish == "refusal" else {"content": text}

    def _finish(self, written: Written) -> str | None:
        return "stop" if written.finish == "refusal" else written.finish

    def _chunk(self, written: Written, request_id: str, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event(self._shared(written, request_id, "chat.completion.chunk") | {"choices": [choice], "usage": None})

    def _shared(self, written: Written, request_id: str, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{request_id}", "object": kind, "created": CREATED, "model": written.model}


def counted(tokens: Tokens) -> dict[str, Any]:
    """The last chunk's own part: no choice, but what was used."""
    return {"choices": [], "usage": usage(tokens)}


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
