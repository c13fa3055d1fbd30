"""What an error of a provider means, told by its status, its code and what it says; pure.

Providers disagree about statuses (an unknown model is 404 here, 400 there) and about codes, so a list of signs is
gone through, the telling ones first. What an error says is looked at, and never kept: it may quote the prompt.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from pipeline.exchange import Failed, Trouble

LOWEST_ERROR: Final = 400
HIGHEST_ERROR: Final = 599
SERVER_ERRORS: Final = 500
SLUG: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
"""What a provider's code may look like; anything else might be prose, and prose might quote."""

BY_STATUS: Final[Mapping[int, Trouble]] = {
    401: Trouble.UNAUTHORIZED,
    402: Trouble.QUOTA_SPENT,
    403: Trouble.UNAUTHORIZED,
    404: Trouble.UNKNOWN_MODEL,
    408: Trouble.TIMED_OUT,
    409: Trouble.SERVER_ERROR,
    413: Trouble.CONTEXT_TOO_LONG,
    425: Trouble.SERVER_ERROR,
    429: Trouble.RATE_LIMITED,
    503: Trouble.OVERLOADED,
    504: Trouble.TIMED_OUT,
    522: Trouble.TIMED_OUT,
    524: Trouble.TIMED_OUT,
    529: Trouble.OVERLOADED,
}
"""409 and 425 are passing states of the server's; all other 4xx are requests it will never do."""

TOO_LONG: Final = re.compile(
    r"prompt (is )?too long|context (length|window)|input tokens exceeded"
    r"|input token count .{0,40}exceeds|reduce the length of the (messages|prompt)"
)
NO_MODEL: Final = re.compile(
    r"\bmodel\b.{0,120}(does not exist|not found|is not a valid model)|model identifier is invalid|not a valid model id"
)
FLAGGED: Final = re.compile(r"content filter|content management policy|content moderation|flagged")


class Signs(msgspec.Struct, frozen=True):
    """What is known of an error: HTTP's status, the words of its code and type, and its message in lower case."""

    status: int | None
    words: frozenset[str]
    says: str

    def has(self, *words: str) -> bool:
        """Whether one of these is its code or type."""
        return not self.words.isdisjoint(words)


SIGNS: Final[tuple[tuple[Trouble, Callable[[Signs], bool]], ...]] = (
    (
        Trouble.QUOTA_SPENT,
        lambda e: (
            e.has("insufficient_quota", "insufficient_balance", "insufficient_credits", "access_terminated")
            or any(word.startswith("billing") for word in e.words)
            or "credit balance is too low" in e.says
        ),
    ),
    (
        Trouble.UNKNOWN_MODEL,
        lambda e: (
            e.has("model_not_found", "deploymentnotfound")
            or (e.status in {400, 403, 404, 422, None} and bool(NO_MODEL.search(e.says)))
        ),
    ),
    (
        Trouble.CONTEXT_TOO_LONG,
        lambda e: (
            e.has("context_length_exceeded", "request_too_large", "string_above_max_length")
            or (e.status in {400, 413, 422, None} and bool(TOO_LONG.search(e.says)))
        ),
    ),
    (
        Trouble.FILTERED,
        lambda e: (
            e.has("content_filter", "content_policy_violation", "invalid_prompt", "moderation_blocked")
            or (e.status in {400, 403, 422, None} and bool(FLAGGED.search(e.says)))
        ),
    ),
    (Trouble.INVALID_REPLY, lambda e: e.has("json_validate_failed", "tool_use_failed")),
    (Trouble.OVERLOADED, lambda e: e.has("overloaded_error", "server_overloaded", "engine_overloaded", "overloaded")),
    (
        Trouble.UNAUTHORIZED,
        lambda e: e.has("authentication_error", "permission_error", "invalid_api_key", "account_deactivated"),
    ),
    (Trouble.RATE_LIMITED, lambda e: e.has("rate_limit_error", "rate_limit_exceeded")),
    (Trouble.TIMED_OUT, lambda e: e.has("timeout_error")),
)
"""Words that say more than the status, in the order in which they count."""


def classify(status: int | None, body: object, headers: Mapping[str, str] | None = None) -> Failed:
    """What failed, from an error's status, its decoded body (whatever came) and its headers (names in lower case).

    `status` is None for an error inside a stream, where HTTP had already said 200.
    """
    error = error_in(body)
    status = status or status_in(error)
    words = words_of(error)
    trouble = trouble_of(Signs(status, frozenset(word.lower() for word in words), message_of(error).lower()))
    code = next(iter(words), None)
    return Failed(
        trouble,
        f"HTTP {status or 200}" + (f" {code}" if code else ""),
        status=status,
        code=code,
        retry_after_seconds=retry_after_seconds(headers or {}),
        text=generation_in(error) if trouble is Trouble.INVALID_REPLY else None,
    )


def trouble_of(signs: Signs) -> Trouble:
    """By the words where they tell, otherwise by the status."""
    for trouble, shows in SIGNS:
        if shows(signs):
            return trouble
    if signs.status is None:
        return Trouble.BAD_REQUEST if signs.has("invalid_request_error") else Trouble.SERVER_ERROR
    return BY_STATUS.get(signs.status, Trouble.SERVER_ERROR if signs.status >= SERVER_ERRORS else Trouble.BAD_REQUEST)


def error_in(body: object) -> Mapping[str, Any]:
    """The object that speaks of the error: the body, or what it holds under `error`."""
    if not isinstance(body, Mapping):
        return {"message": body if isinstance(body, str) else ""}
    inner = body.get("error", body)
    return inner if isinstance(inner, Mapping) else {"message": str(inner)}


def words_of(error: Mapping[str, Any]) -> list[str]:
    """The provider's own words for it, the most exact first."""
    found = [str(error[name]) for name in ("code", "type", "status") if isinstance(error.get(name), str | int)]
    return [word for word in dict.fromkeys(found) if SLUG.fullmatch(word)]


def message_of(error: Mapping[str, Any]) -> str:
    """What it says to people, to be looked at only."""
    said = error.get("message", error.get("detail", ""))
    return said if isinstance(said, str) else str(said)


def status_in(error: Mapping[str, Any]) -> int | None:
    """A status that the body tells, as gateways do for errors inside a stream."""
    code = error.get("code")
    return code if isinstance(code, int) and LOWEST_ERROR <= code <= HIGHEST_ERROR else None


def generation_in(error: Mapping[str, Any]) -> str | None:
    """The model's text, where the server found it wanting and gives it along."""
    text = error.get("failed_generation")
    return text if isinstance(text, str) else None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, from `retry-after-ms` or `Retry-After` (RFC 9110, 10.2.3), never negative.

    A date counts from the response's own `Date` where it has one, so that our clock doesn't matter.
    """
    if (milliseconds := number_in(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after")
    if (seconds := number_in(asked)) is not None:
        return seconds
    if (then := date_in(asked)) is None:
        return None
    now = date_in(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (then - now).total_seconds())


def number_in(text: str | None) -> float | None:
    """A finite number, at least 0."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def date_in(text: str | None) -> datetime | None:
    """An HTTP date, which is always in GMT."""
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError):
        return None
    return date if date.tzinfo else None
