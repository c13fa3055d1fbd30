"""What a prompt looks like on each wire, and how odd replies read."""

import json
from typing import Any

import pytest

from pipeline.exchange import Completion, Failed, Prompt, Reply, Route, Trouble, Usage
from pipeline.llm.anthropic_form import messages_request, read_message
from pipeline.llm.openai_form import chat_request, is_official, read_chat
from pipeline.llm.responses_form import read_response, responses_request

PROMPT = Prompt("feedback/personalized/en@1", "static", "facts", "reply", {"type": "object"}, 300)
OPENAI = Route("p", "openai", "model-1", "a")


@pytest.mark.parametrize(
    ("base_url", "official"),
    [
        (None, True),
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://team.openai.azure.com/openai/v1", True),
        ("https://api.together.xyz/v1", False),
        ("https://openrouter.ai/api/v1", False),
        ("http://127.0.0.1:11434/v1", False),
        ("https://api.openai.com.example/v1", False),
        ("https://evilapi.openai.com.example/v1", False),
    ],
)
def test_openai_is_known_by_its_address(base_url: str | None, *, official: bool) -> None:
    assert is_official(base_url) is official


def test_openai_gets_what_only_it_knows_and_others_what_everybody_knows() -> None:
    own = chat_request(OPENAI, PROMPT, user="3f7a", official=True)
    others = chat_request(OPENAI, PROMPT, user="3f7a", official=False)
    assert own["max_completion_tokens"] == others["max_tokens"] == 300
    assert own["safety_identifier"] == others["user"] == "3f7a"
    assert own["prompt_cache_key"] == PROMPT.reference
    assert not {"user", "max_tokens"} & own.keys()
    assert not {"safety_identifier", "prompt_cache_key", "max_completion_tokens"} & others.keys()


@pytest.mark.parametrize("official", [True, False])
def test_nothing_is_to_be_kept_at_the_provider(*, official: bool) -> None:
    assert chat_request(OPENAI, PROMPT, user="u", official=official)["store"] is False
    assert responses_request(OPENAI, PROMPT, user="u", official=official)["store"] is False


def test_a_schema_is_to_be_kept_to_strictly() -> None:
    chat = chat_request(OPENAI, PROMPT, user="u", official=True)["response_format"]
    response = responses_request(OPENAI, PROMPT, user="u", official=True)["text"]["format"]
    message = messages_request(Route("p", "anthropic", "m", "a"), PROMPT, user="u")["output_config"]["format"]
    assert chat == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": {"type": "object"}, "strict": True},
    }
    assert response == {"type": "json_schema", "name": "reply", "schema": {"type": "object"}, "strict": True}
    assert message == {"type": "json_schema", "schema": {"type": "object"}}


def test_the_static_part_is_marked_for_anthropics_cache_and_no_sampling_is_asked_for() -> None:
    body = messages_request(Route("p", "anthropic", "m", "a"), PROMPT, user="3f7a")
    assert body["system"] == [{"type": "text", "text": "static", "cache_control": {"type": "ephemeral"}}]
    assert body["metadata"] == {"user_id": "3f7a"}
    assert not {"temperature", "top_p", "top_k"} & body.keys()


def chat(finish: str | None = "stop", content: str | None = "text", **others: Any) -> Reply:
    choice = {"message": {"content": content, **others.pop("message", {})}, "finish_reason": finish, **others}
    usage = {"prompt_tokens": 7, "completion_tokens": 2}
    return read_chat(json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode())


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (chat(None), Trouble.CUT_OFF),
        (chat("length"), Trouble.TRUNCATED),
        (chat("content_filter", None), Trouble.FILTERED),
        (chat("stop", None, message={"refusal": "No."}), Trouble.REFUSED),
        (chat("stop", None), Trouble.INVALID_REPLY),
        (chat("stop", ""), Trouble.INVALID_REPLY),
        (chat("tool_calls", "text"), Trouble.INVALID_REPLY),
        (chat("error"), Trouble.SERVER_ERROR),
        (chat("error", error={"code": 429, "message": "later"}), Trouble.RATE_LIMITED),
        (read_chat(b'{"choices": []}'), Trouble.UNREADABLE),
        (read_chat(b'{"error": {"code": 502, "message": "gone"}}'), Trouble.SERVER_ERROR),
        (read_response(b'{"status": "failed", "error": {"code": "rate_limit_exceeded"}}'), Trouble.RATE_LIMITED),
        (read_response(b'{"status": "incomplete", "incomplete_details": null}'), Trouble.TRUNCATED),
        (read_response(b'{"status": "completed", "output": []}'), Trouble.INVALID_REPLY),
        (read_response(b'{"status": "cancelled"}'), Trouble.CUT_OFF),
        (read_message(b'{"model": "m", "content": [], "stop_reason": "end_turn"}'), Trouble.INVALID_REPLY),
        (read_message(b'{"model": "m", "content": [], "stop_reason": "pause_turn"}'), Trouble.INVALID_REPLY),
        (read_message(b'{"model": "m", "content": [], "stop_reason": null}'), Trouble.CUT_OFF),
        (
            read_message(b'{"model": "m", "content": [], "stop_reason": "model_context_window_exceeded"}'),
            Trouble.TRUNCATED,
        ),
    ],
)
def test_a_reply_that_will_not_do_is_named_for_what_is_wrong_with_it(reply: Reply, trouble: Trouble) -> None:
    assert isinstance(reply, Failed)
    assert reply.trouble is trouble


def test_a_text_that_ended_wrongly_can_be_asked_for_again() -> None:
    reply = chat("tool_calls", "half a text")
    assert isinstance(reply, Failed)
    assert (reply.text, reply.usage) == ("half a text", Usage(input_tokens=7, output_tokens=2))


def test_reasoning_and_tools_are_not_taken_for_the_text() -> None:
    content = [
        {"type": "thinking", "thinking": "hm", "text": "secret"},
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]
    body = {"model": "m", "content": content, "stop_reason": "end_turn"}
    reply = read_message(json.dumps(body).encode())
    assert isinstance(reply, Completion)
    assert reply.text == "ab"


def test_usage_that_was_not_told_is_not_taken_for_none_used() -> None:
    message = read_message(b'{"model": "m", "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn"}')
    whole = read_chat(b'{"model": "m", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}')
    for reply in (message, whole):
        assert isinstance(reply, Completion)
        assert reply.usage is None
