"""The batches of OpenAI and Anthropic by their SDKs, over HTTP, against a stand-in of both."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from litestar import Litestar, Request, Response, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream
from sqlalchemy import text

from pipeline.bootstrap import build_worker
from pipeline.errors import NotFound, Unavailable
from pipeline.exchange import Completion, Failed, Prompt, Route, Trouble
from pipeline.lifecycle import Stage
from pipeline.llm.anthropic_batch import AnthropicBatches
from pipeline.llm.build import AnyBatches, build_batches
from pipeline.llm.openai_batch import OpenAIBatches
from pipeline.ports.batch import Batch, BatchRequest, Refused, Unsure
from pipeline.ports.generation import Policy
from pipeline.settings import Settings
from pipeline.store.policy import PolicyStore
from tests.api.conftest import served
from tests.api.installation import opened, question

PROMPT = Prompt("feedback/personalized/en@1", "Be kind.", "The facts.", "reply", {"type": "object"}, 300)
OUTCOMES = ("good", "refused", "expired")
NOW = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)


def request(name: str) -> BatchRequest:
    return BatchRequest(name, "attempt", 1, "submission", "a/b", "hash", None, "q", None, PROMPT)


REQUESTS = [request(name) for name in OUTCOMES]
BATCH = Batch("019abc5e-0c1d-7f60-8a7e-6b1c52d9a001", "a/b", "sending", None, NOW)


def taken(batches: list[dict[str, Any]], batch_id: str) -> dict[str, Any]:
    for batch in batches:
        if batch["id"] == batch_id:
            return batch
    raise NotFoundException


async def broken_off() -> AsyncIterator[bytes]:
    """Part of an answer, before the connection ends."""
    yield b'{"id": '
    raise ConnectionResetError


class StandIn:
    """Both providers' batches: what it was sent, and whether it is done with it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.openai: list[dict[str, Any]] = []
        self.anthropic: list[dict[str, Any]] = []
        self.done = True
        self.lists = True
        self.status: int | None = None
        self.cuts = False
        self.deleted: list[str] = []
        self.says = "well done"

    def app(self) -> Litestar:  # noqa: C901 - nine small routes, which share what they were sent
        @post("/v1/files")
        async def upload(request: Request[Any, Any, Any]) -> dict[str, Any]:
            form = await request.form()
            self.files["file-1"] = await form["file"].read()
            assert form["purpose"] == "batch"
            return {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch"}

        @delete("/v1/files/{file_id:str}", status_code=200)
        async def remove(file_id: FromPath[str]) -> Response[Any]:
            self.deleted.append(file_id)
            known = self.files.pop(file_id, None) is not None
            return Response({"id": file_id, "object": "file", "deleted": known}, status_code=200 if known else 404)

        @post("/v1/batches")
        async def create(request: Request[Any, Any, Any]) -> Response[Any] | Stream:
            if self.status is not None:
                return Response({"error": {"message": "no"}}, status_code=self.status)
            sent = await request.json()
            made = {"id": f"batch_{len(self.openai)}", "created_at": int(NOW.timestamp()), "object": "batch", **sent}
            self.openai.insert(0, made)
            return self.told(self.shown(made))

        @get("/v1/batches")
        async def browse() -> dict[str, Any]:
            listed = self.openai if self.lists else []
            return {"object": "list", "data": [self.shown(one) for one in listed], "has_more": False}

        @get("/v1/batches/{batch_id:str}")
        async def show(batch_id: FromPath[str]) -> dict[str, Any]:
            return self.shown(taken(self.openai, batch_id))

        @get("/v1/files/{file_id:str}/content")
        async def content(file_id: FromPath[str]) -> bytes:
            if "file-1" not in self.files:
                raise NotFoundException
            lines = [json.loads(line) for line in self.files["file-1"].splitlines()]
            return b"\n".join(self.openai_line(line["custom_id"]) for line in lines if self.belongs(line, file_id))

        @post("/v1/messages/batches")
        async def create_messages(request: Request[Any, Any, Any]) -> Response[Any] | Stream:
            if self.status is not None:
                return Response({"error": {"message": "no"}}, status_code=self.status)
            sent = await request.json()
            self.anthropic.insert(0, {"id": f"msgbatch_{len(self.anthropic)}", **sent})
            return self.told(self.shown_messages(self.anthropic[0]))

        @get("/v1/messages/batches")
        async def browse_messages() -> dict[str, Any]:
            listed = self.anthropic if self.lists else []
            return {"data": [self.shown_messages(one) for one in listed], "has_more": False}

        @get("/v1/messages/batches/{batch_id:str}")
        async def show_messages(batch_id: FromPath[str]) -> dict[str, Any]:
            return self.shown_messages(taken(self.anthropic, batch_id))

        @get("/v1/messages/batches/{batch_id:str}/results", media_type="application/x-jsonl")
        async def results(batch_id: FromPath[str]) -> bytes:
            batch = taken(self.anthropic, batch_id)
            return b"\n".join(self.anthropic_line(one["custom_id"]) for one in batch["requests"])

        handlers: list[Any] = [upload, remove, create, browse, show, content]
        handlers += [create_messages, browse_messages, show_messages, results]
        return Litestar(handlers, openapi_config=None)

    def told(self, made: dict[str, Any]) -> Response[Any] | Stream:
        """The answer to a hand-over, of which not all may arrive."""
        return Stream(broken_off, media_type="application/json") if self.cuts else Response(made)

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


async def handed_over(remote: AnyBatches, batch: Batch = BATCH, requests: Sequence[BatchRequest] = REQUESTS) -> str:
    """The provider's name for a batch that it takes."""
    sent = await handing_over(remote, batch, requests)
    assert isinstance(sent, str)
    return sent


async def handing_over(
    remote: AnyBatches, batch: Batch = BATCH, requests: Sequence[BatchRequest] = REQUESTS
) -> str | Unsure | Refused:
    prepared = await remote.prepare(batch, requests)
    assert not isinstance(prepared, Refused)
    return await remote.send(batch, requests, prepared)


async def test_every_line_comes_back_as_what_it_is(remote: AnyBatches) -> None:
    remote_id = await handed_over(remote)
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
    await handed_over(remote, BATCH, REQUESTS[:1])
    sent = stand_in.files["file-1"].decode() if stand_in.files else json.dumps(stand_in.anthropic)
    assert "Be kind." in sent
    assert "The facts." in sent
    assert '"small"' in sent


async def test_a_batch_that_arrived_is_found_again(remote: AnyBatches) -> None:
    assert await remote.find(BATCH, REQUESTS, ()) is None
    remote_id = await handed_over(remote)
    assert await remote.find(BATCH, REQUESTS, ()) == remote_id


async def test_a_batch_is_found_again_by_what_is_left_of_it(remote: AnyBatches) -> None:
    """Learners are erased meanwhile; how many requests were sent is known."""
    remote_id = await handed_over(remote)
    left = msgspec.structs.replace(BATCH, size=len(REQUESTS))
    assert await remote.find(left, REQUESTS[1:2], ()) == remote_id


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_batch_is_found_again_however_the_clocks_go(remote: AnyBatches, hours: int) -> None:
    remote_id = await handed_over(remote)
    elsewhen = msgspec.structs.replace(BATCH, created_at=NOW + timedelta(hours=hours))
    assert await remote.find(elsewhen, REQUESTS, ()) == remote_id


async def test_where_it_cannot_be_told_apart_yet_nothing_is_said(remote: AnyBatches, stand_in: StandIn) -> None:
    remote_id = await handed_over(remote)
    stand_in.done = False
    assert not await remote.ended(remote_id)
    found = await remote.find(BATCH, REQUESTS, ())
    assert found == (remote_id if isinstance(remote, OpenAIBatches) else Unsure())


async def test_a_batch_whose_name_is_known_to_be_anothers_is_not_taken_for_it(
    remote: AnyBatches, stand_in: StandIn
) -> None:
    """Nor is it waited for: two of the same size may be under way."""
    stand_in.done = False
    remote_id = await handed_over(remote)
    assert await remote.find(BATCH, REQUESTS, [remote_id]) is None


async def test_a_batch_whose_mark_is_lost_is_told_by_its_file(stand_in: StandIn) -> None:
    remote = build_batches(Route("a", "openai", "small", "account", batch=True), "sk-test", f"{stand_in.address}/v1")
    remote_id = await handed_over(remote)
    stand_in.openai[0]["metadata"] = None
    assert await remote.find(msgspec.structs.replace(BATCH, file_id="file-1"), REQUESTS, ()) == remote_id
    await remote.close()


async def test_of_a_file_of_before_no_batch_can_be_made_any_more(stand_in: StandIn) -> None:
    """A hand-over that comes very late then comes to nothing; a file that is gone already is no obstacle."""
    remote = build_batches(Route("a", "openai", "small", "account", batch=True), "sk-test", f"{stand_in.address}/v1")
    for file_id in ("file-1", "long gone"):
        await remote.prepare(msgspec.structs.replace(BATCH, file_id=file_id), REQUESTS)
    assert stand_in.deleted == ["file-1", "long gone"]
    assert [*stand_in.files] == ["file-1"]
    await remote.close()


async def test_where_the_answer_is_cut_off_it_may_have_arrived(remote: AnyBatches, stand_in: StandIn) -> None:
    """And it did, though the list does not say so yet."""
    stand_in.cuts, stand_in.lists = True, False
    assert await handing_over(remote) == Unsure()
    assert await remote.find(BATCH, REQUESTS, ()) is None
    stand_in.lists = True
    assert await remote.find(BATCH, REQUESTS, ()) == (stand_in.openai or stand_in.anthropic)[0]["id"]


@pytest.mark.parametrize(
    ("status", "arrived"),
    [(400, Refused(400)), (404, Refused(404)), (413, Refused(413)), (408, Unsure()), (409, Unsure()), (500, Unsure())],
)
async def test_the_status_tells_what_became_of_a_hand_over(
    remote: AnyBatches, stand_in: StandIn, status: int, arrived: Unsure | Refused
) -> None:
    stand_in.status = status
    assert await handing_over(remote) == arrived


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_whose_account_is_in_trouble_has_not_taken_it_and_may_yet(
    remote: AnyBatches, stand_in: StandIn, status: int
) -> None:
    stand_in.status = status
    with pytest.raises(Unavailable):
        await handing_over(remote)


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_where_nobody_is_nothing_arrives(kind: Literal["openai", "anthropic"]) -> None:
    remote = build_batches(Route("a", kind, "small", "account", batch=True), "sk-test", "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        await remote.send(BATCH, REQUESTS, "file-1")
    await remote.close()


async def test_what_a_provider_does_not_know_is_told_from_an_outage(remote: AnyBatches, stand_in: StandIn) -> None:
    """The batch itself, and what came of it."""
    with pytest.raises(NotFound):
        await remote.ended("batch_of_another_account")
    remote_id = await handed_over(remote)
    stand_in.files.clear()
    stand_in.anthropic.clear()
    with pytest.raises(NotFound):
        [line async for line in remote.lines(remote_id)]


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


@pytest.mark.parametrize("cut", [False, True], ids=["", "cut off and listed late"])
async def test_feedback_of_low_priority_waits_travels_and_arrives(
    stand_in: StandIn, settings: Settings, tmp_path: Path, *, cut: bool
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
        stand_in.cuts, stand_in.lists = cut, not cut
        for _ in range(3):
            await parts.writers.batching.tick()
        stand_in.lists = True
        for _ in range(2):
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
