"""Both ways of handing in answer alike, to the letter."""

from typing import Any

import httpx
import msgspec
import pytest

from api.app import create_app
from api.lane import with_lane
from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.conftest import HAND_IN, Api
from tests.api.running import running

JSON = {"Content-Type": "application/json"}
KEYS = (Role.SUBMITTER, Role.TEACHER, Role.OPERATOR)
MOST_BYTES = 2_000


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"json": HAND_IN}, 202),
        ({"json": HAND_IN, "headers": {"Idempotency-Key": "same"}}, 202),
        ({"json": HAND_IN, "headers": {"Idempotency-Key": "\t"}}, 422),
        ({"json": {"learner_id": "", "answers": []}}, 422),
        ({"content": b"{", "headers": JSON}, 422),
        ({"content": b"", "headers": JSON}, 422),
        ({"content": b"a=b", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"content": b" " * 3_000, "headers": JSON}, 413),
        ({"json": HAND_IN, "role": None}, 401),
        ({"json": HAND_IN, "key": "gl_nobody"}, 401),
    ],
)
async def test_the_lane_and_the_long_way_answer_alike(settings: Settings, more: dict[str, Any], status: int) -> None:
    app = create_app(msgspec.structs.replace(settings, max_body_bytes=MOST_BYTES))
    async with running(app):
        parts = app.state.parts
        keys = {role: (await parts.access.create_key("school", role, role)).secret for role in Role if role in KEYS}
        answers = []
        ways: list[Any] = [app, with_lane(app, most_bytes=MOST_BYTES)]
        for way in ways:
            transport = httpx.ASGITransport(app=way, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://gradeline") as http:
                api = Api(http, parts, keys, keys[Role.OPERATOR])
                await api.save_question()
                answers.append(await api.call("POST", "/v1/submissions", **{"role": Role.SUBMITTER, **more}))
    long_way, lane = answers
    assert (long_way.status_code, lane.status_code) == (status, status)
    assert names_of(long_way) == names_of(lane)
    assert without_ids(long_way) == without_ids(lane)


def names_of(answer: httpx.Response) -> set[str]:
    """The names of its headers, without what only a repeated request has."""
    return {name.lower() for name in answer.headers} - {"idempotency-replayed"}


def without_ids(answer: httpx.Response) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()
    return {name: value for name, value in document.items() if name not in {"id", "created_at", "updated_at", "stages"}}
