"""An answer that is sent as it is."""

from typing import Any, cast

from litestar.types import Receive, Scope

from api.plain import PlainAnswer


async def test_an_answer_says_what_it_is_and_how_long() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    answer = PlainAnswer(202, {"location": "/v1/submissions/s-1"}, b'{"id":"s-1"}')
    await answer(cast("Scope", {}), cast("Receive", None), send)
    start, body = sent
    assert (start["status"], body["body"], body["more_body"]) == (202, b'{"id":"s-1"}', False)
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": b"12",
        b"location": b"/v1/submissions/s-1",
    }
