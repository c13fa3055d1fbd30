"""What pages say when something is wrong, and what they keep to themselves."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import pytest
import structlog
from litestar import Litestar, Router, get
from litestar.datastructures import State

from api.pages.entering import enter_page
from api.pages.faults import PAGE_ERRORS
from pipeline.errors import FieldProblem, InvalidInput, NotFound, Unavailable

TOKEN = "eyJhbGciOiJIUzI1NiJ9.secret.c2ln"


class BrokenAccess:
    """Breaks with whatever it is asked in its message."""

    async def authenticate_browser(self, token: str) -> None:
        raise RuntimeError(token)


class Parts(msgspec.Struct):
    """As much of the parts as entering asks for."""

    access: BrokenAccess


def app_with(*handlers: Any) -> Litestar:
    return Litestar(
        route_handlers=[Router("/pages", route_handlers=list(handlers), exception_handlers=PAGE_ERRORS)],
        state=State({"parts": Parts(BrokenAccess())}),
        openapi_config=None,
        logging_config=None,
    )


async def answered(app: Litestar, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # ASGI, typed apart
    async with httpx.AsyncClient(transport=transport, base_url="http://gradeline") as client:
        return await client.get(path, headers=dict(headers or {}))


async def test_a_token_reaches_no_log_and_no_page_even_where_something_breaks() -> None:
    with structlog.testing.capture_logs() as logged:
        answer = await answered(app_with(enter_page), f"/pages/enter?token={TOKEN}")
    assert answer.status_code == 500
    assert TOKEN not in answer.text + str(answer.headers)
    assert [(line["event"], line["path"]) for line in logged] == [("api.request_failed", "/pages/enter")]
    assert TOKEN not in str(logged)


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (NotFound("There is no such learner."), 404, "nothing to show here yet"),
        (Unavailable("Postgres is not available: secret host", retry_after_seconds=3), 503, "try again shortly"),
        (InvalidInput([FieldProblem("/week", "<b>Odd</b>.")]), 422, "&lt;b&gt;Odd&lt;/b&gt;."),
    ],
)
async def test_a_refusal_says_what_helps_and_nothing_of_our_insides(error: Exception, status: int, text: str) -> None:
    @get("/refused", sync_to_thread=False)
    def refuse() -> None:
        raise error

    answer = await answered(app_with(refuse), "/pages/refused")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (status, "text/html")
    assert text in answer.text
    assert "secret host" not in answer.text
    assert "<b>" not in answer.text
    assert answer.headers.get("Retry-After") == ("3" if status == 503 else None)


async def test_another_try_is_offered_where_it_may_help() -> None:
    @get("/busy", sync_to_thread=False)
    def busy() -> None:
        raise Unavailable("later")

    answer = await answered(app_with(busy), "/pages/busy?week=2026-W01", {"Accept-Language": "ja"})
    assert '<a href="/pages/busy">もう一度試す</a>' in answer.text
