"""Refusals and mishaps as small pages; what they mean is decided where all other doors decide it."""

from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException

from api.caller import AnyRequest
from api.errors import headers_of, problem_of, report_surprise
from api.pages.rendering import page
from api.pages.visitor import words_for
from pipeline.errors import GradelineError, InvalidInput

INTERNAL: Final = 500
WORTH_ANOTHER_TRY: Final = frozenset({401, 503})
ENTRANCE: Final = "/pages/enter"


def on_gradeline_error(request: Request[Any, Any, Any], error: GradelineError) -> Response[str]:
    problem = problem_of(error)
    details = [one.detail for one in error.problems] if isinstance(error, InvalidInput) else []
    return fault(request, problem.status, headers_of(error), details)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    return fault(request, error.status_code, error.headers or {}, [])


def on_surprise(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """A bug: logged as everywhere, without the query, in which a token may stand."""
    report_surprise(request.method, request.url.path, error)
    return fault(request, INTERNAL, {}, [])


def fault(request: AnyRequest, status: int, headers: dict[str, str], details: list[str]) -> Response[str]:
    """The page that says what is wrong, in the visitor's language; `details` are for whoever wrote the address.

    A browser that follows a link from another site shows its cookie only from the next click on, so that click is
    offered.
    """
    say = words_for(request)
    name = f"error_{status}"
    again = request.url.path if status in WORTH_ANOTHER_TRY and request.url.path != ENTRANCE else None
    message = say(name if name in say else f"error_{INTERNAL}")
    return page("error.html.jinja", say, status=status, headers=headers, message=message, details=details, again=again)


PAGE_ERRORS: Final[dict[Any, Any]] = {
    GradelineError: on_gradeline_error,
    HTTPException: on_http_error,
    Exception: on_surprise,
}
