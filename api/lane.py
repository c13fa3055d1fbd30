"""The express lane for hand-ins: a POST to `/v1/submissions` goes past the framework.

Handing in is what everybody does most, and a quarter of its cost was the framework's: its router, its request and its
layers around a handler, none of which this call needs. Both ways lead to `hand_over`; any other call, and every call
where pages of other origins are let in (CORS is the framework's), goes the long way.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, cast

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import HTTPReceiveMessage, HTTPScope, Receive, Scope, Send

from api.caller import headers_of
from api.errors import refusal, surprise
from api.handing_in import PATH, hand_over
from api.metrics import Traffic
from api.plain import PlainAnswer
from pipeline.errors import GradelineError, TooLarge

METHOD: Final = "POST"


CLIENT_LEFT: Final = 499
"""Counted where nobody is left to answer; nginx's number for it."""


class HungUp(Exception):
    """The client went away before its request was whole; there is nobody to answer."""


class ExpressLane:
    """The application with a shorter way for hand-ins."""

    def __init__(
        self, app: Litestar, traffic: Traffic, *, most_bytes: int, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._app = app
        self._traffic = traffic
        self._most_bytes = most_bytes
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call (called by the server)."""
        if scope["type"] == ScopeType.HTTP and is_hand_in(scope):
            await self._hand_in(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _hand_in(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started, status = self._clock(), 500
        try:
            answer = await self._answer(scope, receive)
            status = answer.status
            await answer(scope, receive, send)
        except HungUp:
            status = CLIENT_LEFT
        finally:
            self._traffic.count(METHOD, PATH, status, self._clock() - started)

    async def _answer(self, scope: HTTPScope, receive: Receive) -> PlainAnswer:
        try:
            return await hand_over(self._app.state.parts, headers_of(scope), lambda: self._body(receive))
        except GradelineError as error:
            return refusal(error, PATH)
        except HungUp:
            raise
        except Exception as error:  # noqa: BLE001 - as the framework's handlers do: logged, and answered with 500
            return surprise(error, METHOD, PATH)

    async def _body(self, receive: Receive) -> bytes:
        """The whole body; raises `TooLarge` as soon as it is."""
        parts, size, more = list[bytes](), 0, True
        while more:
            message = cast("HTTPReceiveMessage", await receive())
            if message["type"] == "http.disconnect":
                raise HungUp
            parts.append(message["body"])
            size += len(message["body"])
            if size > self._most_bytes:
                raise TooLarge(f"The body may have at most {self._most_bytes} bytes.")
            more = message["more_body"]
        return parts[0] if len(parts) == 1 else b"".join(parts)


def is_hand_in(scope: HTTPScope) -> bool:
    return scope["path"] == PATH and scope["method"] == METHOD


def with_lane(app: Litestar, *, most_bytes: int) -> Any:
    """The application as it is served; without a lane where it answers pages of other origins."""
    if app.cors_config is not None:
        return app
    return ExpressLane(app, app.state.traffic, most_bytes=most_bytes)
