"""Feedback by a model from end to end: a stand-in writes, workers tell, clients read along and later read it all."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from pipeline.bootstrap import build_worker, open_servers
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.store.engine import transaction
from tests.api.live import LiveApi, live_api, workers
from tests.api.test_feedback_stream import following
from tests.standin.http import Request, Response, listening
from tests.standin.script import Fault, Rule
from tests.standin.server import StandIn

GOOD = {
    "right": "You saw that it repeats.",
    "quotation": "it repeats",
    "misconception": "It ends when the list ends, not before.",
    "next_step": "Write one loop over a list of three numbers.",
    "summary": "Look at where a loop ends.",
}
OTHER = GOOD | {"right": "You saw the repetition.", "next_step": "Draw the loop as a circle."}
LONG_AGO = "now() - interval '1 second'"


class PatientStandIn(StandIn):
    """A stand-in that answers a second request only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        if self.calls:
            await self.go_on.wait()
        return await super().answer(request)


@pytest.fixture
async def model() -> AsyncIterator[PatientStandIn]:
    stand_in = PatientStandIn()
    async with listening(stand_in.answer) as stand_in.port:
        yield stand_in


@pytest.fixture
def with_model(settings: Settings, model: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an installation in which the stand-in writes feedback."""
    monkeypatch.setenv("STAND_IN_KEY", "k")
    declared = tmp_path / "ai.toml"
    declared.write_text(
        f"""
        [[providers]]
        name = "standin"
        kind = "openai"
        model = "model-1"
        base_url = "{model.url}/v1"
        api_key_env = "STAND_IN_KEY"
        place = "local"
        price = {{ input_per_million = 1.0, output_per_million = 1.0 }}
        """,
        encoding="utf-8",
    )
    return msgspec.structs.replace(settings, ai_config=str(declared))


@asynccontextmanager
async def handed_in(settings: Settings, **fields: Any) -> AsyncIterator[tuple[LiveApi, str]]:
    """An API, and a wrong answer in words that no worker has looked at yet."""
    async with live_api(settings) as live:
        principal = await live.parts.access.authenticate(live.credential(Role.TEACHER)["Authorization"])
        question = {"type": "short_text", "prompt": "What does a loop do?", "answer": {"accepted": ["it iterates"]}}
        await live.parts.bank.save(principal.tenant_id, [parse_question(question, question_id="loops")])
        answers = [{"question_id": "loops", "response": "it repeats until I stop it"}]
        accepted = await live.post("/v1/submissions", {"learner_id": "u-1", "answers": answers, **fields})
        assert accepted.status_code == 202, accepted.text
        yield live, str(accepted.json()["id"])


async def document(live: LiveApi, submission_id: str) -> Any:
    return (await live.get(f"/v1/submissions/{submission_id}")).json()


async def test_what_is_read_along_is_what_is_stored(with_model: Settings, model: PatientStandIn) -> None:
    """By one who follows from the beginning, and by one who comes after the end."""
    model.play(Rule(text=json.dumps(GOOD)))
    async with handed_in(with_model) as (live, submission_id), following(live, submission_id) as client:
        await client.next()
        async with workers(with_model):
            await client.rest()
        stored = await document(live, submission_id)
        async with following(live, submission_id) as late:
            await late.rest()
    answer = stored["feedback"]["answers"][0]
    assert (answer["source"], answer["provider"]) == ("ai", "standin")
    assert GOOD["right"] in answer["text"]
    assert client.texts == late.texts == {"loops": answer["text"]}
    assert client.names[-1] == "completed"


async def test_a_reply_that_breaks_off_after_its_first_text_is_taken_back(
    with_model: Settings, model: PatientStandIn
) -> None:
    """The second reply says something else: the reader is told to forget the first, and ends with what is stored."""
    model.play(Rule(text=json.dumps(GOOD), fault=Fault.CUT, times=1), Rule(text=json.dumps(OTHER)))
    async with handed_in(with_model) as (live, submission_id), following(live, submission_id) as client:
        async with workers(with_model):
            first = await client.until("feedback.delta")
            assert GOOD["right"] in first.data["text"]
            model.go_on.set()
            await client.rest()
        stored = await document(live, submission_id)
    assert client.names.count("feedback.restart") == 1
    assert client.texts == {"loops": stored["feedback"]["answers"][0]["text"]}
    assert OTHER["right"] in client.texts["loops"]


async def test_a_reply_that_breaks_off_before_its_first_text_restarts_nothing(
    with_model: Settings, model: PatientStandIn
) -> None:
    model.play(Rule(fault=Fault.DISCONNECT, times=1), Rule(text=json.dumps(GOOD)))
    model.go_on.set()
    async with (
        handed_in(with_model) as (live, submission_id),
        following(live, submission_id) as client,
        workers(with_model),
    ):
        await client.rest()
    assert "feedback.restart" not in client.names
    assert GOOD["right"] in client.texts["loops"]


async def test_a_model_that_could_not_write_does_so_later(with_model: Settings, model: PatientStandIn) -> None:
    """The template's words and why; then, asked for, the model's in a new version."""
    model.play(Rule(fault=Fault.CONTEXT_TOO_LONG))
    model.go_on.set()
    async with handed_in(with_model, retry_feedback=True) as (live, submission_id):
        async with following(live, submission_id) as client, workers(with_model):
            await client.rest()
        lesser = await document(live, submission_id)
        assert (lesser["stages"]["feedback"]["state"], lesser["feedback"]["source"]) == ("degraded", "template")
        model.play(Rule(text=json.dumps(GOOD)))
        await improve(with_model)
        better = await document(live, submission_id)
        assert (better["status"], better["version"]) == ("completed", lesser["version"] + 1)
        assert GOOD["right"] in better["feedback"]["answers"][0]["text"]
        async with following(live, submission_id, str(lesser["version"])) as again:
            await again.rest()
    assert again.names[-1] == "completed"
    assert again.texts == {"loops": better["feedback"]["answers"][0]["text"]}


async def improve(settings: Settings) -> None:
    """Its time has come, and a worker looks."""
    async with open_servers(settings, pool_size=4, pool_wait_seconds=5) as servers:
        async with transaction(servers.engine) as connection:
            await connection.execute(text(f"UPDATE feedback_improvements SET available_at = {LONG_AGO}"))
            await connection.execute(text(f"UPDATE llm_replies SET quiet_until = {LONG_AGO}"))
        parts = build_worker(settings, servers)
        try:
            await parts.improver.tick()
        finally:
            assert parts.writers is not None
            await parts.writers.close()
