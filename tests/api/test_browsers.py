"""Pages of other origins: they may call where the operator names them, and follow events without headers."""

import msgspec
import pytest

from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.live import LiveApi, hand_in, live_api

PAGE = {"Origin": "https://school.example"}
ASKED = "authorization,content-type,idempotency-key,prefer,if-none-match,last-event-id"


@pytest.fixture
def browsed(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, cors_origins="https://school.example,http://localhost:3000")


async def learner_token(live: LiveApi, learner_id: str) -> str:
    return (await live.learner_credential(learner_id))["Authorization"].removeprefix("Bearer ")


async def test_a_named_origin_is_let_in(browsed: Settings) -> None:
    """Beforehand with every header we read; then it sees ours, of accepted calls and of refusals alike."""
    async with live_api(browsed) as live:
        asking = PAGE | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ASKED}
        asked = await live.http.options("/v1/submissions", headers=asking)
        assert asked.is_success
        assert asked.headers["access-control-allow-origin"] == PAGE["Origin"]
        assert set(ASKED.split(",")) <= set(asked.headers["access-control-allow-headers"].lower().split(", "))
        accepted = await live.post("/v1/submissions", hand_in(), Origin=PAGE["Origin"])
        assert accepted.status_code == 202
        assert accepted.headers["access-control-allow-origin"] == PAGE["Origin"]
        exposed = set(accepted.headers["access-control-expose-headers"].split(", "))
        assert {"ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy"} <= exposed
        assert "access-control-allow-credentials" not in accepted.headers
        refused = await live.http.get("/v1/submissions", headers=PAGE)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PAGE["Origin"])


async def test_another_origin_is_not(browsed: Settings) -> None:
    async with live_api(browsed) as live:
        for origin in ("https://evil.example", "https://school.example.evil.example", "null"):
            asking = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            assert "access-control-allow-origin" not in (await live.http.options("/health", headers=asking)).headers
            assert "access-control-allow-origin" not in (await live.http.get("/health", headers=asking)).headers


async def test_without_the_setting_no_origin_is(live: LiveApi) -> None:
    answer = await live.http.get("/health", headers=PAGE)
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_an_event_source_follows_with_a_learners_token(live: LiveApi) -> None:
    """The token alone, in the address; of another learner it tells nothing."""
    submission_id = await live.hand_in("u-1")
    await live.post(f"/v1/submissions/{submission_id}/cancel")
    path = f"/v1/submissions/{submission_id}/events"
    told = await live.http.get(path, params={"access_token": await learner_token(live, "u-1")})
    assert told.status_code == 200
    assert "event: cancelled" in told.text
    foreign = await live.http.get(path, params={"access_token": await learner_token(live, "u-2")})
    assert foreign.status_code == 404


async def test_no_api_key_is_taken_from_an_address(live: LiveApi) -> None:
    """Valid or not, and of whatever role: addresses are kept in histories and logs."""
    path = f"/v1/submissions/{await live.hand_in()}/events"
    for role in (Role.SUBMITTER, Role.TEACHER, Role.OPERATOR):
        refused = await live.http.get(path, params={"access_token": live.keys["school", role]})
        assert refused.status_code == 401
        assert live.keys["school", role] not in refused.text
        assert "API key" in refused.json()["detail"]
    for token in ("", "x", "a.b.c"):
        assert (await live.http.get(path, params={"access_token": token})).status_code == 401


async def test_no_other_call_takes_a_token_from_its_address(live: LiveApi) -> None:
    token = await learner_token(live, "u-1")
    path = f"/v1/submissions/{await live.hand_in('u-1')}"
    assert (await live.http.get(path, params={"access_token": token})).status_code == 401
