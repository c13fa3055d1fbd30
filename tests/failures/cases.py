"""The failures, and what each is promised to come to. One list: the tests hold it, and the page is measured by it."""

from typing import Final

import msgspec

from tests.standin.script import Fault, Rule

WIRES: Final = ("chat", "responses", "messages")
AGAIN: Final = 0.75
"""Rests after a first and a second failed request, with all dice at their mean: 0.25 s and 0.5 s."""
ONE_REST: Final = 0.25


class Expected(msgspec.Struct, frozen=True):
    """Requests to the first and to the second provider, seconds of rest, who wrote it, what failed requests booked."""

    requests: tuple[int, int]
    rest_seconds: float
    source: str
    booked: str


class Failure(msgspec.Struct, frozen=True):
    """What a provider does by its rule, on every wire alike; `alone` is expected where all providers fail so.

    `first_text_seconds` is the route's.
    """

    name: str
    title: str
    rule: Rule
    expected: Expected
    alone: Expected
    first_text_seconds: float = 10.0


NOTHING: Final = "nothing"
REPORTED: Final = "as reported"
ESTIMATE: Final = "the estimate"


def retried(name: str, title: str, fault: Fault, booked: str, *, first_text_seconds: float = 10.0) -> Failure:
    """A failure that passes: three requests, then the next provider."""
    return Failure(
        name,
        title,
        Rule(fault=fault),
        Expected((3, 1), AGAIN, "second", booked),
        Expected((3, 3), 2 * AGAIN, "template", booked),
        first_text_seconds,
    )


def passed_on(name: str, title: str, fault: Fault, booked: str) -> Failure:
    """A failure that no second request helps against: the next provider at once."""
    return Failure(
        name,
        title,
        Rule(fault=fault),
        Expected((1, 1), 0.0, "second", booked),
        Expected((1, 1), 0.0, "template", booked),
    )


def limited(name: str, title: str, retry_after: str | None, expected: Expected, alone: Expected) -> Failure:
    return Failure(name, title, Rule(fault=Fault.RATE_LIMIT, retry_after=retry_after), expected, alone)


FAILURES: Final = (
    limited(
        "rate limit",
        "429, rate limit, no `Retry-After`",
        None,
        Expected((1, 1), ONE_REST, "second", NOTHING),
        Expected((1, 3), 4.75, "template", NOTHING),
    ),
    limited(
        "rate limit with a time",
        "429, `Retry-After: 2`",
        "2",
        Expected((3, 1), 4.0, "second", NOTHING),
        Expected((3, 3), 8.0, "template", NOTHING),
    ),
    limited(
        "rate limit for long",
        "429, `Retry-After: 600`",
        "600",
        Expected((1, 1), 0.0, "second", NOTHING),
        Expected((1, 1), 0.0, "template", NOTHING),
    ),
    passed_on("quota", "429, quota spent", Fault.QUOTA, NOTHING),
    passed_on("key", "401, bad key", Fault.UNAUTHORIZED, NOTHING),
    passed_on("forbidden", "403, not allowed", Fault.FORBIDDEN, NOTHING),
    passed_on("model", "404, unknown model", Fault.UNKNOWN_MODEL, NOTHING),
    passed_on("context", "400, prompt too long", Fault.CONTEXT_TOO_LONG, NOTHING),
    passed_on("bad request", "400, any other", Fault.BAD_REQUEST, NOTHING),
    retried("server error", "500", Fault.SERVER_ERROR, NOTHING),
    retried("unavailable", "503", Fault.UNAVAILABLE, NOTHING),
    retried("overloaded", "529, overloaded", Fault.OVERLOADED, NOTHING),
    retried("disconnect", "connection closed without an answer", Fault.DISCONNECT, ESTIMATE),
    retried("cut", "stream cut off in the middle", Fault.CUT, ESTIMATE),
    retried("clean cut", "stream ends in order, without its end mark", Fault.CLEAN_CUT, ESTIMATE),
    retried("bad JSON", "stream that can't be read", Fault.BAD_JSON, ESTIMATE),
    retried("stream error", "error inside the stream", Fault.STREAM_ERROR, ESTIMATE),
    retried("silent", "no text in time", Fault.SILENT, ESTIMATE, first_text_seconds=0.1),
    passed_on("truncated", "reply at its limit of tokens", Fault.TRUNCATED, REPORTED),
    passed_on("refusal", "the model refuses", Fault.REFUSAL, REPORTED),
    passed_on("content filter", "content filter", Fault.CONTENT_FILTER, REPORTED),
    Failure(
        "off schema once",
        "one reply that is not after the schema",
        Rule(fault=Fault.OFF_SCHEMA, times=1),
        Expected((2, 0), 0.0, "first", REPORTED),
        Expected((2, 0), 0.0, "first", REPORTED),
    ),
    Failure(
        "off schema",
        "replies that are never after the schema",
        Rule(fault=Fault.OFF_SCHEMA),
        Expected((2, 1), 0.0, "second", REPORTED),
        Expected((2, 2), 0.0, "template", REPORTED),
    ),
)
