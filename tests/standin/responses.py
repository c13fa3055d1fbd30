"""OpenAI's Responses."""

from collections.abc import Iterator
from typing import Any, Final

from tests.standin.calls import Tokens
from tests.standin.chat import Chat
from tests.standin.script import Fault
from tests.standin.wire import Asked, Trouble, Written, event, text_of

INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Responses:
    """The wire of `/responses`; its errors before a stream are those of chat completions."""

    name = "responses"
    key_header = "authorization"
    request_id_header = "x-request-id"

    def asked(self, body: Any) -> Asked:
        given = body["input"]
        texts = [given] if isinstance(given, str) else [text_of(one["content"]) for one in given]
        return Asked(
            model=body["model"],
            system=body.get("instructions") or "",
            user=texts[0] if texts else "",
            rest="".join(texts),
            schema=body.get("text", {}).get("format", {}).get("schema", {}),
            streamed=bool(body.get("stream")),
            with_usage=True,
            person=body.get("safety_identifier") or body.get("user"),
        )

    def whole(self, written: Written, request_id: str) -> Any:
        kind = "refusal" if written.finish == "refusal" else "output_text"
        part = {"type": kind, "refusal" if kind == "refusal" else "text": written.text}
        incomplete = INCOMPLETE.get(written.finish or "")
        done = {"refusal": "completed", "stop": "completed", None: "in_progress"}
        return {
            **response(written, request_id, done.get(written.finish, "incomplete")),
            "incomplete_details": {"reason": incomplete} if incomplete else None,
            "output": [{"type": "message", "id": f"msg_{request_id}", "role": "assistant", "content": [part]}],
            "usage": usage(written.tokens),
        }

    def begin(self, written: Written, request_id: str) -> Iterator[bytes]:
        created = {"type": "response.created", "response": response(written, request_id, "in_progress")}
        yield event(created, "response.created")

    def piece(self, written: Written, text: str, request_id: str) -> bytes:
        kind = "response.refusal.delta" if written.finish == "refusal" else "response.output_text.delta"
        return event({"type": kind, "item_id": f"msg_{request_id}", "output_index": 0, "delta": text}, kind)

    def end(self, written: Written, request_id: str, *, usage: bool) -> Iterator[bytes]:  # noqa: ARG002 - always told
        kind = "response.incomplete" if written.finish in INCOMPLETE else "response.completed"
        yield event({"type": kind, "response": self.whole(written, request_id)}, kind)

    def error(self, fault: str) -> Trouble:
        return Chat().error(fault)

    def error_event(self) -> bytes:
        said = self.error(Fault.STREAM_ERROR).body["error"]
        return event({"type": "error", "code": "server_error", "message": said["message"], "param": None}, "error")


def response(written: Written, request_id: str, status: str) -> dict[str, Any]:
    return {
        "id": f"resp_{request_id}",
        "object": "response",
        "created_at": 1_790_000_000,
        "model": written.model,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
    }


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens.input + tokens.output,
    }
