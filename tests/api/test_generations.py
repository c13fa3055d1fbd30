"""Texts for teachers over HTTP: asked for, written by a scripted model, looked at, accepted into the bank."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from pipeline.generation.assignment import Unwritten, Written
from pipeline.generation.composing import Composer
from pipeline.generation.flight import Wish
from pipeline.llm.configuration import read_configuration
from pipeline.ports.generation import Policy
from pipeline.service.access import Role
from pipeline.service.generating import Generator
from pipeline.settings import Settings
from pipeline.store.job import JobStore
from tests.api.installation import Caller, Installation, opened

TEXT = "Water boils at 100 °C at sea level. On a mountain it boils at less."
MODELS = """
[[providers]]
name = "house"
kind = "openai"
model = "small"
base_url = "http://localhost:9/v1"
place = "local"
"""
KEYED = {"Idempotency-Key": "k-1"}


def drafted(*prompts: str, **changes: Any) -> str:
    """What a model writes when it is asked for questions."""
    questions = [{"type": "true_false", "prompt": prompt, "right": ["true"], **changes} for prompt in prompts]
    return msgspec.json.encode({"questions": questions}).decode()


class Model:
    """Writes what it is told to."""

    def __init__(self) -> None:
        self.says: str | Unwritten = drafted("Does water boil?", "Is it hot?")

    async def get(self, wish: Wish) -> Written | Unwritten:
        assert TEXT in wish.assignment.prompt.user
        if isinstance(self.says, Unwritten):
            return self.says
        return Written(self.says, "house", "small", wish.assignment.prompt.reference)


class AllAllowed:
    async def of(self, tenant_id: int) -> Policy:
        del tenant_id
        return Policy()


class Office:
    """An installation with a model, whose jobs are worked on when a test says so."""

    def __init__(self, installation: Installation, settings: Settings) -> None:
        self.installation = installation
        self.teacher = installation.caller()
        self.model = Model()
        routes = read_configuration(settings).routes
        composer = Composer(flights=self.model, routes=routes, policies=AllAllowed(), seconds=60)
        shop = installation.worker.shop
        store = JobStore(installation.worker.servers.engine)
        self.generator = Generator(store, shop.bell, composer.compose, worker_id=shop.worker_id)

    async def ask(self, what: str = "questions", **fields: Any) -> httpx.Response:
        needed = {"count": 3} if what == "questions" else {}
        return await self.teacher.post(f"/v1/generate/{what}", {"text": TEXT, **needed, **fields})

    async def keyed(self, key: str, body: dict[str, Any]) -> httpx.Response:
        return await self.teacher.call("POST", "/v1/generate/summary", body, **{"Idempotency-Key": key})

    async def work(self, asked: httpx.Response) -> str:
        """Let it be worked on; answers its address."""
        assert asked.status_code == 202, asked.text
        await self.generator.ring([asked.json()["id"]])
        await self.generator.settle()
        return asked.headers["location"]

    async def accept(self, place: str, *numbers: int, caller: Caller | None = None) -> httpx.Response:
        ids = [f"{place.rpartition('/')[2]}-{number}" for number in numbers]
        return await (caller or self.teacher).post(f"{place}/accept", {"ids": ids})


@pytest.fixture
async def office(settings: Settings, tmp_path: Path) -> AsyncIterator[Office]:
    file = tmp_path / "models.toml"
    file.write_text(MODELS, encoding="utf-8")
    configured = msgspec.structs.replace(settings, ai_config=str(file))
    async with opened(configured) as installation:
        yield Office(installation, configured)


async def test_a_summary_is_accepted_written_and_shown(office: Office) -> None:
    office.model.says = '{"title": "Boiling", "summary": "Water boils.", "points": ["It is hot."]}'
    asked = await office.ask("summary", locale="ko", length="short")
    assert (asked.json()["status"], asked.headers["retry-after"]) == ("pending", "2")
    shown = (await office.teacher.get(await office.work(asked))).json()
    assert (shown["status"], shown["kind"], shown["result"]["summary"]) == ("completed", "summary", "Water boils.")
    assert (shown["result"]["model"], shown["result"]["prompt_version"]) == ("small", "generate/summary/en@1")
    assert "text" not in shown["request"]
    assert shown["request"]["text_chars"] == len(TEXT)


async def test_asking_rings_the_queue(office: Office) -> None:
    bell = office.installation.worker.shop.bell
    before = await bell.waiting("generate")
    await office.ask()
    assert await bell.waiting("generate") == before + 1


async def test_the_same_key_and_body_answer_the_same_generation(office: Office) -> None:
    """Also when it is finished, and when the body says the same in another order."""
    body = {"text": TEXT, "locale": "ko"}
    first = await office.keyed("k-1", body)
    assert "idempotency-replayed" not in first.headers
    office.model.says = '{"title": "Boiling", "summary": "Water boils.", "points": ["It is hot."]}'
    await office.work(first)
    again = await office.keyed("k-1", dict(reversed(body.items())))
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert (again.json()["id"], again.json()["status"]) == (first.json()["id"], "completed")
    assert len((await office.teacher.get("/v1/generate")).json()["items"]) == 1


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_that_cannot_be_one_is_refused(office: Office, key: str) -> None:
    refused = await office.keyed(key, {"text": TEXT})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/Idempotency-Key")


async def test_a_key_for_another_body_is_refused(office: Office) -> None:
    await office.keyed("k-1", {"text": TEXT})
    other = await office.keyed("k-1", {"text": "Ice melts."})
    assert (other.status_code, other.json()["title"]) == (422, "The Idempotency-Key was used before")
    same_text = await office.teacher.call("POST", "/v1/generate/questions", {"text": TEXT, "count": 1}, **KEYED)
    assert same_text.status_code == 422


async def test_drafts_are_in_nobodys_bank_before_a_teacher_accepts_them(office: Office) -> None:
    place = await office.work(await office.ask())
    result = (await office.teacher.get(place)).json()["result"]
    ids = [draft["id"] for draft in result["drafts"]]
    assert len(ids) == 2
    assert (await office.teacher.get(f"/v1/questions/{ids[0]}")).status_code == 404
    accepted = (await office.accept(place, 1)).json()
    assert accepted == {"items": [{"id": ids[0], "status": 201, "version": 1}]}
    question = (await office.teacher.get(f"/v1/questions/{ids[0]}")).json()
    assert (question["prompt"], question["answer"]) == ("Does water boil?", {"value": True})
    assert (await office.teacher.get(f"/v1/questions/{ids[1]}")).status_code == 404
    assert (await office.teacher.get(place)).json()["result"]["accepted"] == [ids[0]]


async def test_accepting_again_leaves_what_a_teacher_made_of_it(office: Office) -> None:
    place = await office.work(await office.ask())
    [item] = (await office.accept(place, 1)).json()["items"]
    edited = {"type": "true_false", "prompt": "Better words?", "answer": {"value": False}}
    assert (await office.teacher.put(f"/v1/questions/{item['id']}", edited)).json()["version"] == 2
    assert (await office.accept(place, 1)).json()["items"] == [{"id": item["id"], "status": 200, "version": 2}]
    assert (await office.teacher.get(f"/v1/questions/{item['id']}")).json()["prompt"] == "Better words?"


async def test_each_draft_is_reported_by_itself(office: Office) -> None:
    place = await office.work(await office.ask())
    items = (await office.accept(place, 2, 9, 1, 2)).json()["items"]
    assert [item["status"] for item in items] == [201, 404, 201]
    assert items[1]["problem"]["title"] == "There is no such thing"


async def test_an_operator_may_ask_and_only_a_teacher_accepts(office: Office) -> None:
    operator = office.installation.caller(Role.OPERATOR)
    asked = await operator.post("/v1/generate/questions", {"text": TEXT, "count": 1})
    place = await office.work(asked)
    assert (await operator.get(place)).status_code == 200
    assert (await office.accept(place, 1, caller=operator)).status_code == 403
    submitter = office.installation.caller(Role.SUBMITTER)
    assert (await submitter.get(place)).status_code == 403


async def test_another_tenant_sees_nothing_of_it(office: Office) -> None:
    place = await office.work(await office.ask())
    stranger = office.installation.caller(tenant="academy")
    for answer in (
        await stranger.get(place),
        await stranger.post(f"{place}/cancel"),
        await office.accept(place, 1, caller=stranger),
    ):
        assert answer.status_code == 404
    assert (await stranger.get("/v1/generate")).json() == {"items": [], "next": None}


async def test_drafts_that_will_not_do_are_counted_with_reasons(office: Office) -> None:
    office.model.says = drafted("Does water boil?")[:-2] + ', {"type": "true_false", "prompt": "Eh?", "right": []}]}'
    result = (await office.teacher.get(await office.work(await office.ask()))).json()["result"]
    assert len(result["drafts"]) == 1
    [dropped] = result["dropped"]
    assert dropped["position"] == 2
    assert "exactly one right answer" in dropped["reasons"][0]["detail"]


async def test_where_no_model_does_it_the_failure_is_told(office: Office) -> None:
    office.model.says = Unwritten("tenant_budget_spent")
    place = await office.work(await office.ask())
    shown = (await office.teacher.get(place)).json()
    assert shown["status"] == "failed"
    assert "budget" in shown["error"]
    assert "result" not in shown
    assert (await office.accept(place, 1)).status_code == 409


async def test_a_cancelled_one_is_not_worked_on(office: Office) -> None:
    asked = await office.ask()
    cancelled = await office.teacher.post(f"{asked.headers['location']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    place = await office.work(asked)
    assert (await office.teacher.get(place)).json()["status"] == "cancelled"
    assert (await office.teacher.post(f"{place}/cancel")).status_code == 409


async def test_a_tag_tells_whether_it_changed(office: Office) -> None:
    asked = await office.ask()
    place = asked.headers["location"]
    first = await office.teacher.get(place)
    same = await office.teacher.call("GET", place, **{"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    await office.work(asked)
    newer = await office.teacher.call("GET", f"{place}?wait=20", **{"If-None-Match": first.headers["etag"]})
    assert (newer.status_code, newer.json()["version"]) == (200, 3)


async def test_lists_are_newest_first_and_go_on(office: Office) -> None:
    ids = [(await office.ask()).json()["id"] for _ in range(3)]
    page = (await office.teacher.get("/v1/generate?limit=2")).json()
    assert [item["id"] for item in page["items"]] == ids[:0:-1]
    rest = (await office.teacher.get(f"/v1/generate?limit=2&cursor={page['next']}")).json()
    assert ([item["id"] for item in rest["items"]], rest["next"]) == (ids[:1], None)
    assert (await office.teacher.get("/v1/generate?kind=summary")).json()["items"] == []
    assert (await office.teacher.get("/v1/generate?cursor=nonsense")).status_code == 422


@pytest.mark.parametrize(
    ("what", "body", "pointer"),
    [
        ("summary", {"text": ""}, "/text"),
        ("summary", {"text": "  \n"}, "/text"),
        ("summary", {"text": "x" * 60_001}, "/text"),
        ("summary", {"text": "x", "locale": "../en"}, "/locale"),
        ("summary", {"text": "x", "length": "endless"}, "/length"),
        ("questions", {"text": "x"}, "/count"),
        ("questions", {"text": "x", "count": 21}, "/count"),
        ("questions", {"text": "x", "count": 1, "types": ["poem"]}, "/types/0"),
        ("questions", {"text": "x", "count": 1, "nonsense": 1}, "/nonsense"),
        ("questions", {"text": "x\x00", "count": 1}, "/text"),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    office: Office, what: str, body: dict[str, Any], pointer: str
) -> None:
    refused = await office.teacher.post(f"/v1/generate/{what}", body)
    assert refused.status_code == 422
    assert [problem["pointer"] for problem in refused.json()["errors"]] == [pointer]


async def test_without_any_model_the_request_is_refused(installation: Installation) -> None:
    refused = await installation.caller().post("/v1/generate/summary", {"text": TEXT})
    assert (refused.status_code, refused.json()["detail"]) == (409, "No language model is configured here.")


async def test_a_caller_who_had_enough_for_now_is_told_when_to_come_back(settings: Settings, tmp_path: Path) -> None:
    """Ten at once get exactly the limit; the tenant's other key is not concerned."""
    (tmp_path / "models.toml").write_text(MODELS, encoding="utf-8")
    limited = msgspec.structs.replace(
        settings, ai_config=str(tmp_path / "models.toml"), rate_limits="on", rate_limit_generation="3/600"
    )
    async with opened(limited) as installation:
        office = Office(installation, limited)
        answers = await asyncio.gather(*[office.ask() for _ in range(10)])
        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 7
        refused = await office.ask("summary")
        assert "GRADELINE_RATE_LIMIT_GENERATION" in refused.json()["detail"]
        assert 590 < int(refused.headers["retry-after"]) <= 610
        other = installation.caller(Role.OPERATOR)
        assert (await other.post("/v1/generate/summary", {"text": TEXT})).status_code == 202
