"""The one table from our errors to problem documents (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from types import MappingProxyType
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from api.plain import PlainAnswer
from pipeline import telemetry
from pipeline.errors import (
    Conflict,
    FieldProblem,
    Forbidden,
    GradelineError,
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from pipeline.execution import place_of

log = structlog.get_logger()

PROBLEM_JSON: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document: what went wrong, for a person and for a program."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: tuple[FieldProblem, ...] = ()


# What each error is called and answered with; anything else is a 500 that says nothing of our insides.
PROBLEMS: Final[Mapping[type[GradelineError], tuple[int, str, str]]] = MappingProxyType(
    {
        InvalidInput: (422, "invalid-input", "The request has invalid fields"),
        Unauthenticated: (401, "unauthenticated", "A valid credential is needed"),
        Forbidden: (403, "forbidden", "The role does not include this"),
        NotFound: (404, "not-found", "There is no such thing"),
        Conflict: (409, "conflict", "The state forbids this"),
        IdempotencyMismatch: (422, "idempotency-mismatch", "The Idempotency-Key was used before"),
        TooLarge: (413, "too-large", "The request is too large"),
        UnsupportedMediaType: (415, "unsupported-media-type", "The media type is not supported"),
        RateLimited: (429, "rate-limited", "A limit is used up"),
        Unavailable: (503, "unavailable", "A server is not available"),
    }
)

HTTP_TITLES: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        400: ("bad-request", "The request is malformed"),
        401: ("unauthenticated", "A valid credential is needed"),
        404: ("not-found", "There is no such thing"),
        405: ("method-not-allowed", "The method is not allowed here"),
        413: ("too-large", "The request is too large"),
        415: ("unsupported-media-type", "The media type is not supported"),
    }
)


def type_uri(name: str) -> str:
    return f"https://gradeline.dev/problems/{name}"


def problem_of(error: GradelineError, instance: str | None = None) -> Problem:
    """The problem document of one of our errors."""
    status, name, title = PROBLEMS.get(type(error), (500, "internal", "Something went wrong on our side"))
    problems = error.problems if isinstance(error, InvalidInput) else ()
    return Problem(type_uri(name), title, status, str(error), instance, problems)


def example_problem(status: int) -> Problem:
    """What a problem document with this status looks like."""
    named = {code: (name, title) for code, name, title in reversed(list(PROBLEMS.values()))}
    name, title = named[status] if status in named else HTTP_TITLES[status]
    errors = (
        (FieldProblem("/answers/0/confidence", "The number must be at most 5."),)
        if status == HTTPStatus.UNPROCESSABLE_ENTITY
        else ()
    )
    return Problem(type_uri(name), title, status, None, None, errors)


def headers_of(error: GradelineError) -> dict[str, str]:
    """The headers that belong to an error."""
    if isinstance(error, RateLimited):
        seconds = error.retry_after_seconds
        policy = f'"{error.policy}";q={error.limit};w={error.window_seconds}'
        return {
            "Retry-After": str(seconds),
            "RateLimit-Policy": policy,
            "RateLimit": f'"{error.policy}";r=0;t={seconds}',
        }
    if isinstance(error, Unavailable):
        return {"Retry-After": str(ceil(error.retry_after_seconds))}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[Problem]:
    return Response(problem, status_code=problem.status, media_type=PROBLEM_JSON, headers=dict(headers or {}))


def on_gradeline_error(request: Request[Any, Any, Any], error: GradelineError) -> Response[Problem]:
    return answer(problem_of(error, request.url.path), headers_of(error))


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    name, title = HTTP_TITLES.get(error.status_code, ("http-error", "The request cannot be answered"))
    headers = error.headers or {}
    detail = http_detail(request.method, error)
    return answer(Problem(type_uri(name), title, error.status_code, detail, request.url.path), headers)


def http_detail(method: str, error: HTTPException) -> str | None:
    """What the framework's refusal means, and where to look."""
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return "There is no such path; /schema shows all that there are."
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = {name.lower(): value for name, value in (error.headers or {}).items()}.get("allow", "")
            return f"{method} is not allowed here; these methods are: {allowed}."
    return error.detail or None


def on_surprise(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A bug: logged by type and place, answered without a word of our insides."""
    report_surprise(request.method, request.url.path, error)
    return answer(internal(request.url.path))


def internal(path: str) -> Problem:
    return Problem(type_uri("internal"), "Something went wrong on our side", 500, None, path)


def refusal(error: GradelineError, path: str) -> PlainAnswer:
    """One of our errors, as it is answered without the framework."""
    return plain_problem(problem_of(error, path), headers_of(error))


def surprise(error: Exception, method: str, path: str) -> PlainAnswer:
    """A bug, logged and answered as `on_surprise` does it, without the framework."""
    report_surprise(method, path, error)
    return plain_problem(internal(path), {})


def plain_problem(problem: Problem, headers: Mapping[str, str]) -> PlainAnswer:
    small = {name.lower(): value for name, value in headers.items()}
    return PlainAnswer(problem.status, {"content-type": PROBLEM_JSON, **small}, msgspec.json.encode(problem))


def report_surprise(method: str, path: str, error: Exception) -> None:
    log.error(  # only type and place: the text might quote an answer
        telemetry.REQUEST_FAILED,
        path=path,
        method=method,
        error=type(error).__name__,
        place=place_of(error),
    )


EXCEPTION_HANDLERS: Final[dict[Any, Any]] = {
    GradelineError: on_gradeline_error,
    HTTPException: on_http_error,
    Exception: on_surprise,
}
