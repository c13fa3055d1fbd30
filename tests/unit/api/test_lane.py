"""The express lane: which calls take it, and what it does with requests that are not whole or too much."""

from collections import deque
from typing import Any, cast

import msgspec
import pytest
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.types import HTTPScope, Receive, Scope, Send

from api.app import cors_of
from api.lane import ExpressLane, with_lane
from api.metrics import Traffic

MOST_BYTES = 8


class Line:
    """A connection: what the client sends, piece by piece, and what it was sent."""

    def __init__(self, *pieces: bytes, hangs_up: bool = False) -> None:
        self.incoming = deque[Any](
            {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1 or hangs_up}
            for place, piece in enumerate(pieces)
        )
        self.incoming.append({"type": "http.disconnect"})
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        return self.incoming.popleft()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def document(self) -> dict[str, Any]:
        return cast("dict[str, Any]", msgspec.json.decode(self.sent[1]["body"]))


class Recalling:
    """Parts that know every caller, and fall over afterwards."""

    def __init__(self) -> None:
        self.access = self
        self.intake_limits = None

    def recall(self, _: str | None) -> "Recalling":
        return self

    def require(self, _: object) -> None:
        return None


class LongWay:
    """An application that remembers which calls reached it."""

    def __init__(self) -> None:
        self.state = State({"parts": Recalling()})
        self.calls: list[str] = []

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        self.calls.append(str(scope["path"]))


def scope(path: str = "/v1/submissions", method: str = "POST") -> HTTPScope:
    return cast("HTTPScope", {"type": "http", "path": path, "method": method, "headers": []})


def lane(app: LongWay, traffic: Traffic | None = None) -> ExpressLane:
    return ExpressLane(cast("Litestar", app), traffic or Traffic(), most_bytes=MOST_BYTES)


@pytest.mark.parametrize(
    ("path", "method"),
    [("/v1/submissions", "GET"), ("/v1/submissions/", "POST"), ("/v1/submissions/batch", "POST"), ("/", "POST")],
)
async def test_only_a_hand_in_takes_the_lane(path: str, method: str) -> None:
    app, line = LongWay(), Line(b"")
    await lane(app)(scope(path, method), cast("Receive", line.receive), cast("Send", line.send))
    assert (app.calls, line.sent) == ([path], [])


async def test_a_body_that_is_too_large_is_refused_before_it_is_whole() -> None:
    line = Line(b"12345", b"6789", b"never read")
    await lane(LongWay())(scope(), cast("Receive", line.receive), cast("Send", line.send))
    assert (line.status, line.document["detail"]) == (413, "The body may have at most 8 bytes.")
    assert len(line.incoming) == 2


async def test_who_hangs_up_while_sending_is_counted_and_not_answered() -> None:
    line, traffic = Line(b"123", hangs_up=True), Traffic()
    await lane(LongWay(), traffic)(scope(), cast("Receive", line.receive), cast("Send", line.send))
    counted = [sample.labels for family in traffic.families() for sample in family.samples if "status" in sample.labels]
    assert (line.sent, [labels["status"] for labels in counted]) == ([], ["499"])


async def test_a_surprise_is_answered_without_a_word_of_our_insides() -> None:
    line, app = Line(b"{}"), LongWay()
    del app.state.parts
    await lane(app)(scope(), cast("Receive", line.receive), cast("Send", line.send))
    assert (line.status, line.document["title"]) == (500, "Something went wrong on our side")


def test_pages_of_other_origins_go_the_long_way() -> None:
    """What browsers are told about origins is the framework's."""

    @get("/")
    async def nothing() -> None: ...

    app = Litestar([nothing], cors_config=cors_of(("https://school.example",)))
    assert with_lane(app, most_bytes=MOST_BYTES) is app
