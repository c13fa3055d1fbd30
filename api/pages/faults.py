"""Refusals and mishaps as small pages; what they mean is decided where all other doors decide it."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException, NotFoundException

import api.errors
from api.caller import AnyRequest
from api.errors import headers_of, problem_of, report_surprise
from api.pages.rendering import page
from api.pages.visitor import PAGES, words_for
from pipeline.errors import FieldProblem, GradelineError, InvalidInput

INTERNAL: Final = 500
WORTH_ANOTHER_TRY: Final = frozenset({401, 503})
ENTRANCE: Final = "/pages/enter"


def on_gradeline_error(request: Request[Any, Any, Any], error: GradelineError) -> Response[str]:
    problem = problem_of(error)
    details = error.problems if isinstance(error, InvalidInput) else ()
    return fault(request, problem.status, headers_of(error), details)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    return fault(request, error.status_code, error.headers or {})


def on_no_such_path(request: Request[Any, Any, Any], error: NotFoundException) -> Response[Any]:
    """A path that there is not: a page where pages are, a problem document elsewhere."""
    answers = on_http_error if request.url.path.startswith(f"{PAGES}/") else api.errors.on_http_error
    return answers(request, error)


def on_surprise(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """A bug: logged as everywhere, without the query, in which a token may stand."""
    report_surprise(request.method, request.url.path, error)
    return fault(request, INTERNAL, {})


def fault(
    request: AnyRequest, status: int, headers: dict[str, str], details: Sequence[FieldProblem] = ()
) -> Response[str]:
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
