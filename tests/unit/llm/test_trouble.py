"""Errors of providers, told apart by status, code and body."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange import Failed, Remedy, Trouble
from pipeline.llm.trouble import classify, retry_after_seconds

BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "type", "message", "status"]), inner)
    ),
    max_leaves=8,
)


def openai_error(code: str | None = None, kind: str = "invalid_request_error", message: str = "") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic_error(kind: str, message: str = "") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


CASES: list[tuple[Trouble, int | None, object]] = [
    (Trouble.RATE_LIMITED, 429, openai_error("rate_limit_exceeded", "tokens")),
    (Trouble.RATE_LIMITED, 429, anthropic_error("rate_limit_error")),
    (Trouble.RATE_LIMITED, 429, ""),
    (Trouble.RATE_LIMITED, 429, {"error": {"code": 429, "message": "Provider returned error"}}),
    (Trouble.QUOTA_SPENT, 429, openai_error("insufficient_quota", "insufficient_quota")),
    (Trouble.QUOTA_SPENT, 429, openai_error("billing_hard_limit_reached")),
    (Trouble.QUOTA_SPENT, 403, openai_error("billing_not_active")),
    (Trouble.QUOTA_SPENT, 402, anthropic_error("billing_error")),
    (Trouble.QUOTA_SPENT, 402, {"error": {"code": 402, "message": "Insufficient credits."}}),
    (
        Trouble.QUOTA_SPENT,
        400,
        anthropic_error("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    ),
    (Trouble.UNAUTHORIZED, 401, openai_error("invalid_api_key")),
    (Trouble.UNAUTHORIZED, 401, {"detail": "Invalid API Key"}),
    (Trouble.UNAUTHORIZED, 403, anthropic_error("permission_error")),
    (Trouble.UNAUTHORIZED, 403, "Forbidden"),
    (Trouble.UNKNOWN_MODEL, 404, openai_error("model_not_found")),
    (Trouble.UNKNOWN_MODEL, 403, openai_error("model_not_found", message="Project has no access to model `gpt-6`")),
    (Trouble.UNKNOWN_MODEL, 404, anthropic_error("not_found_error", "model: claude-none")),
    (Trouble.UNKNOWN_MODEL, 404, {"error": "model 'llama3' not found, try pulling it first"}),
    (Trouble.UNKNOWN_MODEL, 400, {"error": {"code": 400, "message": "gpt-99 is not a valid model ID"}}),
    (Trouble.UNKNOWN_MODEL, 404, "Not Found"),
    (Trouble.CONTEXT_TOO_LONG, 400, openai_error("context_length_exceeded")),
    (Trouble.CONTEXT_TOO_LONG, 400, anthropic_error("invalid_request_error", "prompt is too long: 9 > 8")),
    (Trouble.CONTEXT_TOO_LONG, 400, openai_error(message="This model's maximum context length is 8192 tokens.")),
    (Trouble.CONTEXT_TOO_LONG, 413, anthropic_error("request_too_large")),
    (Trouble.FILTERED, 400, openai_error("content_filter")),
    (Trouble.FILTERED, 400, openai_error("invalid_prompt")),
    (Trouble.FILTERED, 400, anthropic_error("invalid_request_error", "Output blocked by content filtering policy")),
    (Trouble.FILTERED, 403, {"error": {"code": 403, "message": "Your input was flagged", "metadata": {}}}),
    (Trouble.OVERLOADED, 529, anthropic_error("overloaded_error")),
    (Trouble.OVERLOADED, 503, openai_error(None, "server_error")),
    (Trouble.OVERLOADED, None, anthropic_error("overloaded_error")),
    (Trouble.SERVER_ERROR, 500, openai_error(None, "server_error")),
    (Trouble.SERVER_ERROR, 500, "<html>Internal Server Error</html>"),
    (Trouble.SERVER_ERROR, 502, None),
    (Trouble.SERVER_ERROR, 520, "unknown"),
    (Trouble.SERVER_ERROR, 409, None),
    (Trouble.SERVER_ERROR, None, anthropic_error("api_error")),
    (Trouble.SERVER_ERROR, None, {"error": {"code": 502, "message": "Provider disconnected"}}),
    (Trouble.RATE_LIMITED, None, {"error": {"code": 429, "message": "Slow down"}}),
    (Trouble.TIMED_OUT, 504, None),
    (Trouble.TIMED_OUT, 408, None),
    (Trouble.TIMED_OUT, 504, anthropic_error("timeout_error")),
    (Trouble.BAD_REQUEST, 400, openai_error("unsupported_value")),
    (Trouble.BAD_REQUEST, 422, {"detail": [{"loc": ["body", "store"], "msg": "Extra inputs are not permitted"}]}),
    (Trouble.BAD_REQUEST, None, anthropic_error("invalid_request_error")),
    (Trouble.INVALID_REPLY, 400, {"error": {"code": "json_validate_failed", "failed_generation": "{"}}),
]


@pytest.mark.parametrize(("trouble", "status", "body"), CASES)
def test_an_error_is_told_by_status_code_and_body(trouble: Trouble, status: int | None, body: object) -> None:
    assert classify(status, body).trouble is trouble


def test_a_spent_quota_is_not_waited_for_and_a_rate_limit_is() -> None:
    assert classify(429, openai_error("insufficient_quota")).remedy is Remedy.NEXT
    assert classify(429, openai_error("rate_limit_exceeded")).remedy is Remedy.RETRY


def test_a_rate_limit_that_speaks_of_a_model_is_no_unknown_model() -> None:
    body = openai_error("rate_limit_exceeded", message="The model has too many requests; the page was not found.")
    assert classify(429, body).trouble is Trouble.RATE_LIMITED


def test_what_an_error_says_is_never_kept() -> None:
    body = {"error": {"message": "cannot do: my answer is 42", "type": "my answer is 42", "code": "my answer is 42"}}
    failed = classify(400, body)
    assert failed.code is None
    assert "42" not in str(failed)


def test_a_text_that_the_server_refused_goes_into_asking_again() -> None:
    failed = classify(400, {"error": {"code": "tool_use_failed", "failed_generation": '{"right": 1}'}})
    assert (failed.text, failed.remedy) == ('{"right": 1}', Remedy.ASK_AGAIN)


@given(st.none() | st.integers(300, 599), BODIES)
def test_whatever_comes_is_classified(status: int | None, body: object) -> None:
    assert isinstance(classify(status, body), Failed)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "1"}, 1.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:00 GMT", "date": "Sat, 21 Nov 2026 12:00:30 GMT"}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 99:99:99 GMT", "date": "Sat, 21 Nov 2026 12:00:30 GMT"}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_date_long_past_asks_for_no_wait_whatever_our_clock_says() -> None:
    assert retry_after_seconds({"retry-after": "Thu, 01 Jan 2015 00:00:00 GMT"}) == 0.0


@given(st.text())
def test_no_retry_after_breaks_us(text: str) -> None:
    seconds = retry_after_seconds({"retry-after": text})
    assert seconds is None or 0 <= seconds < float("inf")
