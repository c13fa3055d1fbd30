"""Liveness, readiness, details and figures, with and without servers."""

import msgspec
import pytest
from sqlalchemy.event import listen

from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.conftest import HAND_IN, Api

NOWHERE = "redis://127.0.0.1:1/0"


async def test_a_whole_installation_is_ready(api: Api) -> None:
    ready = await api.call("GET", "/health/ready", None)
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "postgres": "ok", "redis": "ok"})
    assert (await api.call("GET", "/health/live", None)).json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
async def test_probes_may_ask_for_the_head_alone(api: Api, path: str) -> None:
    asked = await api.call("HEAD", path, None)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["Content-Type"] == "application/json"


async def test_details_name_versions_and_no_secrets(api: Api, settings: Settings) -> None:
    answered = await api.call("GET", "/health", None)
    details = answered.json()
    assert details["postgres"]["schema_revision"] == details["postgres"]["schema_needed"]
    assert details["redis"]["latency_ms"] > 0
    assert str(settings.database_url) not in answered.text


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, redis_url=NOWHERE)

    async def test_it_is_ready_and_says_what_is_missing(self, api: Api) -> None:
        ready = await api.call("GET", "/health/ready", None)
        assert ready.status_code == 200
        assert ready.json() == {"status": "degraded", "postgres": "ok", "redis": "unavailable"}

    async def test_queues_are_shown_without_their_flow(self, api: Api) -> None:
        *stages, generate, deliver = (await api.call("GET", "/v1/ops/queues")).json()["items"]
        assert {(queue["in_per_minute"], queue["out_per_minute"]) for queue in stages} == {(None, None)}
        for counted_by_postgres in (generate, deliver):
            assert (counted_by_postgres["in_per_minute"], counted_by_postgres["out_per_minute"]) == (0, 0)

    async def test_a_queue_can_be_paused_and_resumed(self, api: Api) -> None:
        assert (await api.call("POST", "/v1/ops/queues/score/pause", json={"reason": "test"})).status_code == 200
        assert (await api.call("POST", "/v1/ops/queues/score/resume")).json()["paused"] is False


async def test_without_postgres_it_is_not_ready_but_lives(api: Api) -> None:
    await api.parts.servers.engine.dispose()
    listen(api.parts.servers.engine.sync_engine, "do_connect", refuse)
    ready = await api.call("GET", "/health/ready", None)
    assert (ready.status_code, ready.json()["postgres"]) == (503, "unavailable")
    assert (await api.call("GET", "/health", None)).status_code == 503
    assert (await api.call("GET", "/health/live", None)).status_code == 200


def refuse(*_: object) -> None:
    """What connecting to a server that is gone comes to."""
    raise ConnectionRefusedError


async def test_figures_count_requests_by_route_and_queues(api: Api) -> None:
    await api.save_question()
    submission_id = await api.hand_in()
    await api.call("GET", f"/v1/submissions/{submission_id}", Role.SUBMITTER)
    await api.call("POST", "/v1/submissions", Role.SUBMITTER, json={**HAND_IN, "learner_id": ""})
    lines = (await api.call("GET", "/metrics")).text.splitlines()
    counted = 'gradeline_http_requests_total{method="%s",route="%s",status="%s"} 1.0'
    assert counted % ("POST", "/v1/submissions", 202) in lines
    assert counted % ("POST", "/v1/submissions", 422) in lines
    assert counted % ("GET", "/v1/submissions/{submission_id}", 200) in lines
    assert 'gradeline_http_request_seconds_count{method="POST",route="/v1/submissions"} 2.0' in lines
    assert 'gradeline_queue_ready{queue="score"} 1.0' in lines
    assert "gradeline_workers 0.0" in lines
    assert not any(submission_id in line for line in lines)
