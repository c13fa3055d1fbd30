"""What leaves for models, from hand-in to feedback, as seen by whoever is asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.app import create_app
from pipeline.bootstrap import ApiParts, WorkerParts, build_worker, open_servers
from pipeline.lifecycle import Stage
from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.running import running
from tests.standin.server import StandIn, standing_in

PRIVATE = ("ada@example.org", "+49 170 1234567", "4111 1111 1111 1111", "Lovelace")
ANSWER = f"Ada Lovelace here: {PRIVATE[0]}, {PRIVATE[1]}, {PRIVATE[2]}. It halves what is left each time."
QUESTION = {
    "id": "search",
    "type": "short_text",
    "prompt": "Why is a binary search quick?",
    "answer": {"accepted": ["because it halves the range at every step"], "match": "similar"},
    "topics": ["searching"],
}


class School:
    """An API, a worker, and two models: one in a cloud, one in the house."""

    def __init__(self, api: httpx.AsyncClient, worker: WorkerParts, keys: dict[Role, str]) -> None:
        self._api = api
        self._worker = worker
        self._keys = keys

    async def call(self, method: str, path: str, role: Role, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._keys[role]}"}
        answered = await self._api.request(method, path, json=body, headers=headers)
        assert answered.is_success, answered.text
        return answered.json()

    async def feedback(self) -> dict[str, Any]:
        """Hand in, let every stage run, and read the feedback."""
        hand_in = {
            "learner_id": "u-1",
            "metadata": {"display_name": "Ada Lovelace"},
            "answers": [{"question_id": "search", "response": ANSWER}],
        }
        submission_id = (await self.call("POST", "/v1/submissions", Role.SUBMITTER, hand_in))["id"]
        for stage in Stage:
            await self._worker.runners[stage].ring([submission_id])
            await self._worker.runners[stage].drain()
        found = await self.call("GET", f"/v1/submissions/{submission_id}", Role.SUBMITTER)
        assert found["status"] == "completed"
        return {**found["feedback"], "state": found["stages"]["feedback"]["state"]}


@pytest.fixture
async def cloud() -> AsyncIterator[StandIn]:
    async with standing_in() as stand_in:
        yield stand_in


@pytest.fixture
async def house() -> AsyncIterator[StandIn]:
    async with standing_in() as stand_in:
        yield stand_in


@pytest.fixture
async def school(
    settings: Settings, tmp_path: Path, cloud: StandIn, house: StandIn, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[School]:
    file = tmp_path / "ai.toml"
    file.write_text(
        f"""
        providers = [
            {{ name = "cloud", kind = "openai", model = "m", base_url = "{cloud.url}/v1", api_key_env = "CLOUD_KEY",
              weight = 1000, price = {{ input_per_million = 1, output_per_million = 1 }} }},
            {{ name = "house", kind = "anthropic", model = "n", base_url = "{house.url}", place = "local" }},
        ]
        """.replace("\n              ", " "),
        encoding="utf-8",
    )
    monkeypatch.setenv("CLOUD_KEY", "a-key")
    settings = msgspec.structs.replace(settings, ai_config=str(file), rate_limits="off")
    app = create_app(settings)
    async with running(app), open_servers(settings, pool_size=4, pool_wait_seconds=5) as servers:
        parts: ApiParts = app.state.parts
        keys = {
            role: (await parts.access.create_key("school", role, role)).secret
            for role in (Role.SUBMITTER, Role.TEACHER, Role.OPERATOR)
        }
        worker = build_worker(settings, servers)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type] # its own ASGI types
        async with httpx.AsyncClient(transport=transport, base_url="http://gradeline") as api:
            made = School(api, worker, keys)
            await made.call("PUT", "/v1/questions/search", Role.TEACHER, QUESTION)
            yield made
        assert worker.writers is not None
        await worker.writers.close()


def bodies(*stand_ins: StandIn) -> str:
    return msgspec.json.encode([[call.body, call.headers] for one in stand_ins for call in one.calls]).decode()


async def test_nothing_private_reaches_a_model_and_all_of_it_comes_back(
    school: School, cloud: StandIn, house: StandIn
) -> None:
    feedback = await school.feedback()
    assert feedback["source"] == "ai"
    assert len(cloud.calls) + len(house.calls) == 1
    sent = bodies(cloud, house)
    assert [private for private in (*PRIVATE, "Ada", "u-1") if private in sent] == []
    assert "[email-1], [phone-1], [card-1]. It halves" in sent
    assert "Ada Lovelace here: ada@example.org" in feedback["answers"][0]["text"], "the model quotes it, restored"


async def test_a_tenant_that_allows_local_models_only_is_never_seen_by_a_cloud(
    school: School, cloud: StandIn, house: StandIn
) -> None:
    await school.call("PUT", "/v1/ops/llm/policy", Role.OPERATOR, {"mode": "local"})
    feedback = await school.feedback()
    assert (feedback["source"], feedback["answers"][0]["provider"]) == ("ai", "house")
    assert (len(cloud.calls), len(house.calls)) == (0, 1)


async def test_a_tenant_that_wants_no_models_has_its_feedback_from_templates(
    school: School, cloud: StandIn, house: StandIn
) -> None:
    await school.call("PUT", "/v1/ops/llm/policy", Role.OPERATOR, {"mode": "off"})
    feedback = await school.feedback()
    assert (feedback["source"], feedback["state"]) == ("template", "done")
    assert cloud.calls == house.calls == []


async def test_a_budget_of_nothing_lets_no_priced_model_be_asked(school: School, cloud: StandIn) -> None:
    await school.call("PUT", "/v1/ops/llm/policy", Role.OPERATOR, {"mode": "cloud", "tenant_daily_usd": 0})
    assert (await school.feedback())["answers"][0]["provider"] == "house"
    assert cloud.calls == []
