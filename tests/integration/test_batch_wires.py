"""The batches of OpenAI and Anthropic by their SDKs, over HTTP, against a stand-in of both."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import text

from pipeline.bootstrap import build_worker
from pipeline.errors import Unavailable
from pipeline.exchange import Completion, Failed, Prompt, Route, Trouble
from pipeline.lifecycle import Stage
from pipeline.llm.anthropic_batch import AnthropicBatches
from pipeline.llm.build import AnyBatches, build_batches
from pipeline.llm.openai_batch import OpenAIBatches
from pipeline.ports.batch import Batch, BatchRequest, Unsure
from pipeline.ports.generation import Policy
from pipeline.settings import Settings
from pipeline.store.policy import PolicyStore
from tests.api.conftest import served
from tests.api.installation import opened, question

PROMPT = Prompt("feedback/personalized/en@1", "Be kind.", "The facts.", "reply", {"type": "object"}, 300)
OUTCOMES = ("good", "refused", "expired")
NOW = datetime.now(UTC).replace(microsecond=0)


def request(name: str) -> BatchRequest:
    return BatchRequest(name, "attempt", 1, "submission", "a/b", "hash", None, "q", None, PROMPT)


REQUESTS = [request(name) for name in OUTCOMES]
BATCH = Batch("019abc5e-0c1d-7f60-8a7e-6b1c52d9a001", "a/b", "sending", None, NOW)


class StandIn:
    """Both providers' batches: what it was sent, and whether it is done with it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.openai: list[dict[str, Any]] = []
        self.anthropic: list[dict[str, Any]] = []
        self.done = True
        self.broken = False
        self.says = "well done"

    def app(self) -> Litestar:  # noqa: C901 - nine small routes, which share what they were sent
        @post("/v1/files")
        async def upload(request: Request[Any, Any, Any]) -> dict[str, Any]:
            form = await request.form()
            self.files["file-1"] = await form["file"].read()
            assert form["purpose"] == "batch"
            return {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch"}

        @post("/v1/batches")
        async def create(request: Request[Any, Any, Any]) -> Response[Any]:
            if self.broken:
                return Response({"error": {"message": "no"}}, status_code=500)
            sent = await request.json()
            made = {"id": f"batch_{len(self.openai)}", "created_at": int(NOW.timestamp()), "object": "batch", **sent}
            self.openai.insert(0, made)
            return Response(self.shown(made))

        @get("/v1/batches")
        async def browse() -> dict[str, Any]:
            return {"object": "list", "data": [self.shown(one) for one in self.openai], "has_more": False}

        @get("/v1/batches/{batch_id:str}")
        async def show(batch_id: FromPath[str]) -> dict[str, Any]:
            return self.shown(next(one for one in self.openai if one["id"] == batch_id))

        @get("/v1/files/{file_id:str}/content")
        async def content(file_id: FromPath[str]) -> bytes:
            lines = [json.loads(line) for line in self.files["file-1"].splitlines()]
            return b"\n".join(self.openai_line(line["custom_id"]) for line in lines if self.belongs(line, file_id))

        @post("/v1/messages/batches")
        async def create_messages(request: Request[Any, Any, Any]) -> dict[str, Any]:
            sent = await request.json()
            self.anthropic.insert(0, {"id": f"msgbatch_{len(self.anthropic)}", **sent})
            return self.shown_messages(self.anthropic[0])

        @get("/v1/messages/batches")
        async def browse_messages() -> dict[str, Any]:
            return {"data": [self.shown_messages(one) for one in self.anthropic], "has_more": False}

        @get("/v1/messages/batches/{batch_id:str}")
        async def show_messages(batch_id: FromPath[str]) -> dict[str, Any]:
            return self.shown_messages(next(one for one in self.anthropic if one["id"] == batch_id))

        @get("/v1/messages/batches/{batch_id:str}/results", media_type="application/x-jsonl")
        async def results(batch_id: FromPath[str]) -> bytes:
            batch = next(one for one in self.anthropic if one["id"] == batch_id)
            return b"\n".join(self.anthropic_line(one["custom_id"]) for one in batch["requests"])

        handlers: list[Any] = [upload, create, browse, show, content]
        handlers += [create_messages, browse_messages, show_messages, results]
        return Litestar(handlers, openapi_config=None)

    def shown(self, made: dict[str, Any]) -> dict[str, Any]:
        files = {"output_file_id": "out", "error_file_id": "err"} if self.done else {}
        return {**made, "status": "completed" if self.done else "in_progress", **files}

    def belongs(self, line: dict[str, Any], file_id: str) -> bool:
        return bool(line["custom_id"] == "expired") is (file_id == "err")

    def openai_line(self, name: str) -> bytes:
        if name == "expired":
            return json.dumps({"custom_id": name, "response": None, "error": {"code": "batch_expired"}}).encode()
        said = {"refusal": "no"} if name == "refused" else {"content": self.says}
        body = {
            "model": "small",
            "choices": [{"message": said, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3},
        }
        response = {"status_code": 200, "request_id": "r", "body": body}
        return json.dumps({"custom_id": name, "response": response, "error": None}).encode()

    def shown_messages(self, made: dict[str, Any]) -> dict[str, Any]:
        counts = {"processing": len(made["requests"]), "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
        return {
            "id": made["id"],
            "type": "message_batch",
            "processing_status": "ended" if self.done else "in_progress",
            "request_counts": counts,
            "created_at": NOW.isoformat(),
            "expires_at": (NOW + timedelta(days=1)).isoformat(),
            "results_url": self.results_url if self.done else None,
        }

    address = ""
    results_url = "http://127.0.0.1:9/somebody/elses"
    """Whoever followed it would give the key away, or ask a server of ours for us."""

    def anthropic_line(self, name: str) -> bytes:
        if name == "expired":
            return json.dumps({"custom_id": name, "result": {"type": "expired"}}).encode()
        message = {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "small",
            "content": [{"type": "text", "text": "well done"}] if name == "good" else [],
            "stop_reason": "end_turn" if name == "good" else "refusal",
            "usage": {"input_tokens": 7, "output_tokens": 3},
        }
        return json.dumps({"custom_id": name, "result": {"type": "succeeded", "message": message}}).encode()


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    standing = StandIn()
    async with served(standing.app()) as address:
        standing.address = address
        yield standing


@pytest.fixture(params=["openai", "anthropic"])
async def remote(request: pytest.FixtureRequest, stand_in: StandIn) -> AsyncIterator[AnyBatches]:
    route = Route("a", request.param, "small", "account", batch=True)
    base_url = f"{stand_in.address}/v1" if request.param == "openai" else stand_in.address
    made = build_batches(route, "sk-test", base_url)
    assert isinstance(made, OpenAIBatches | AnthropicBatches)
    yield made
    await made.close()


async def test_every_line_comes_back_as_what_it_is(remote: AnyBatches) -> None:
    remote_id = await remote.send(BATCH, REQUESTS)
    assert await remote.ended(remote_id)
    lines = {line.custom_id: line.reply async for line in remote.lines(remote_id)}
    good, refused = lines["good"], lines["refused"]
    assert isinstance(good, Completion)
    assert (good.text, good.model) == ("well done", "small")
    assert good.usage is not None
    assert (good.usage.input_tokens, good.usage.output_tokens) == (7, 3)
    assert isinstance(refused, Failed)
    assert refused.trouble is Trouble.REFUSED
    assert lines["expired"] is None


async def test_the_request_is_the_one_that_a_live_call_would_send(remote: AnyBatches, stand_in: StandIn) -> None:
    await remote.send(BATCH, REQUESTS[:1])
    sent = stand_in.files["file-1"].decode() if stand_in.files else json.dumps(stand_in.anthropic)
    assert "Be kind." in sent
    assert "The facts." in sent
    assert '"small"' in sent


async def test_a_batch_that_arrived_is_found_again(remote: AnyBatches) -> None:
    assert await remote.find(BATCH, REQUESTS) is None
    remote_id = await remote.send(BATCH, REQUESTS)
    assert await remote.find(BATCH, REQUESTS) == remote_id


async def test_where_it_cannot_be_told_apart_yet_nothing_is_said(remote: AnyBatches, stand_in: StandIn) -> None:
    remote_id = await remote.send(BATCH, REQUESTS)
    stand_in.done = False
    assert not await remote.ended(remote_id)
    found = await remote.find(BATCH, REQUESTS)
    assert found == (remote_id if isinstance(remote, OpenAIBatches) else Unsure())


async def test_a_provider_that_fails_is_unavailable(stand_in: StandIn) -> None:
    route = Route("a", "openai", "small", "account", batch=True)
    remote = build_batches(route, "sk-test", f"{stand_in.address}/v1")
    stand_in.broken = True
    with pytest.raises(Unavailable):
        await remote.send(BATCH, REQUESTS)
    await remote.close()


MODELS = """
[[providers]]
name = "cloud"
kind = "openai"
model = "small"
base_url = "{address}/v1"
place = "local"
batch = true
"""
REPLY = {
    "right": "You chose one.",
    "quotation": "",
    "misconception": "The other one says it.",
    "next_step": "Read both options aloud.",
    "summary": "Read both.",
}


async def test_feedback_of_low_priority_waits_travels_and_arrives(
    stand_in: StandIn, settings: Settings, tmp_path: Path
) -> None:
    """The whole way: hand-in, put off without an attempt, sent, taken in, woken, stored as the model's feedback."""
    file = tmp_path / "models.toml"
    file.write_text(MODELS.format(address=stand_in.address), encoding="utf-8")
    stand_in.says = json.dumps(REPLY)
    configured = msgspec.structs.replace(settings, ai_config=str(file))
    async with opened(configured) as installation:
        teacher, engine = installation.caller(), installation.worker.servers.engine
        policies = PolicyStore(engine, default=Policy())
        await policies.set(1, Policy(batch=True), actor="test")
        await teacher.put("/v1/questions/q-1", question("q-1"))
        submission_id = await teacher.hand_in("ann", {"q-1": "b"}, priority="low")
        await installation.run([submission_id], [Stage.SCORE])
        parts = build_worker(configured, installation.worker.servers)
        assert parts.writers is not None
        assert parts.writers.batching is not None

        async def feedback() -> dict[str, Any]:
            await parts.runners[Stage.FEEDBACK].ring([submission_id])
            await parts.runners[Stage.FEEDBACK].drain()
            shown: dict[str, Any] = (await teacher.get(f"/v1/submissions/{submission_id}")).json()
            return shown

        shown = await feedback()
        assert (shown["stages"]["feedback"]["state"], shown["stages"]["feedback"]["attempts"]) == ("ready", 0)
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE llm_batch_items SET created_at = now() - interval '1 hour'"))
        await parts.writers.batching.tick()
        await parts.writers.batching.tick()
        assert len(stand_in.openai) == 1
        shown = await feedback()
        assert shown["stages"]["feedback"]["state"] == "done"
        [answer] = shown["feedback"]["answers"]
        assert (answer["source"], answer["model"]) == ("ai", "small")
        assert "Read both options aloud." in answer["text"]
        async with engine.begin() as connection:
            booked = (await connection.execute(text("SELECT state, cost FROM llm_attempts"))).all()
        assert [tuple(row) for row in booked] == [("settled", 0)]  # a model in the house costs nothing
        await parts.writers.close()
