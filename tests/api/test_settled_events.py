"""What those who follow a submission hear when a person decides on an answer."""

import pytest
from redis.asyncio import Redis

from pipeline.lifecycle import Stage
from pipeline.live.board import EVENTS_STREAM, submission_key
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.stages.settlement import Decision
from pipeline.store.question import QuestionVersions
from pipeline.store.settling import SettlementStore
from tests.api.event_stream import Event, EventStream, events, run_all
from tests.api.live import LiveApi
from tests.api.test_settling import essay
from tests.staging import build_stage_by_stage


@pytest.fixture
async def id_(live: LiveApi) -> str:
    """A submission with two essays."""
    principal = await live.parts.access.authenticate(live.credential()["Authorization"])
    await live.parts.bank.save(principal.tenant_id, [parse_question(essay("why")), parse_question(essay("how"))])
    answers = [{"question_id": question_id, "response": "It depends."} for question_id in ("why", "how")]
    answer = await live.post("/v1/submissions", {"learner_id": "ada", "answers": answers})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def settle(live: LiveApi, submission_id: str, question_id: str, points: float) -> None:
    path = f"/v1/submissions/{submission_id}/answers/{question_id}/settlement"
    answer = await live.http.put(path, json={"points": points}, headers=live.credential(Role.TEACHER))
    assert answer.status_code == 200, answer.text


async def told(stream: EventStream, number: int) -> list[str]:
    found = [await stream.next() for _ in range(number)]
    return [event.name for event in found if event is not None]


async def test_a_decision_while_the_submission_is_worked_on_is_told_by_its_name(live: LiveApi, id_: str) -> None:
    """The end comes by its own name all the same."""
    worker = build_stage_by_stage(live.parts.settings, live.parts.servers)
    await worker.runners[Stage.SCORE].ring([id_])
    async with events(live, id_) as stream:
        assert await told(stream, 1) == ["status"]
        await settle(live, id_, "why", 3)
        settled = await stream.next()
        assert settled is not None
        assert (settled.name, settled.data["status"]) == ("settled", "ai_processing")
        await run_all(live, id_)
        rest = await stream.rest()
    assert {event.name for event in rest[:-1]} <= {"status"}
    assert rest[-1].name == "completed"


async def test_whoever_waits_for_the_decisions_hears_of_them_after_the_end(live: LiveApi, id_: str) -> None:
    """Until the last one; whoever does not, is done when the submission is.

    A look into Postgres that comes between two of them may tell both at once.
    """
    async with events(live, id_, until="settled") as stream, events(live, id_) as other:
        await stream.next()
        await run_all(live, id_)
        assert (await other.rest())[-1].name == "completed"
        while (event := await stream.next()) is not None and event.name != "completed":
            pass
        for question_id, points in (("why", 3), ("why", 4), ("how", 5)):
            await settle(live, id_, question_id, points)
        rest = await stream.rest()
    assert {event.name for event in rest} == {"settled"}
    shown = (await live.get(f"/v1/submissions/{id_}")).json()
    assert (shown["version"], shown["score"]["provisional"], shown["score"]["points"]) == (rest[-1].id, False, 9)
    assert rest[-1].data == {"id": id_, "status": "completed", "version": rest[-1].id}


async def test_a_decision_is_not_the_last_while_one_behind_it_is_still_to_be_told(live: LiveApi, id_: str) -> None:
    """A stream that comes to the first when the second is made, too, would end before it."""
    await run_all(live, id_)
    principal, showing = await live.parts.access.authenticate(live.credential()["Authorization"]), live.parts.showing
    await settle(live, id_, "why", 3)
    first = await showing.standing(principal, id_)
    await settle(live, id_, "how", 3)
    second = await showing.standing(principal, id_)
    assert [await showing.awaits_decision(principal, one) for one in (first, second)] == [True, False]


async def test_a_decision_that_was_missed_is_told_to_whoever_comes_back(live: LiveApi, id_: str) -> None:
    """By its name, also to those who wait for nothing more than the end."""
    await run_all(live, id_)
    async with events(live, id_) as stream:
        [end] = await stream.rest()
    await settle(live, id_, "why", 3)
    await settle(live, id_, "how", 3)
    async with events(live, id_, str(end.id)) as stream:
        assert await stream.rest() == [
            Event(version, "settled", {"id": id_, "status": "completed", "version": version})
            for version in (end.id + 1, end.id + 2)
        ]
    for until in ("final", "settled"):
        async with events(live, id_, str(end.id + 2), until=until) as stream:
            assert stream.answer.status_code == 204


async def test_an_end_that_was_missed_is_told_as_the_end(live: LiveApi, id_: str) -> None:
    """A decision came after it, and Redis knows nothing of either: one who waits for the end must not wait on."""
    await run_all(live, id_)
    await settle(live, id_, "why", 3)
    async with Redis.from_url(str(live.parts.settings.redis_url)) as redis:
        await redis.delete(EVENTS_STREAM, submission_key(id_))
    async with events(live, id_, "1") as stream:
        assert [event.name for event in await stream.rest()] == ["completed"]


async def test_a_lost_word_of_a_decision_is_made_up_for_by_its_name(live: LiveApi, id_: str) -> None:
    await run_all(live, id_)
    async with events(live, id_, until="settled") as stream:
        assert await told(stream, 1) == ["completed"]
        principal = await live.parts.access.authenticate(live.credential()["Authorization"])
        store = SettlementStore(live.parts.servers.engine, QuestionVersions())  # behind the board's back
        for question_id in ("why", "how"):
            await store.settle(principal.tenant_id, id_, question_id, Decision(points=1), actor="key:1")
        rest = await stream.rest()
    assert {event.name for event in rest} == {"settled"}


async def test_whoever_waits_for_decisions_that_cannot_come_is_let_go(live: LiveApi, id_: str) -> None:
    """There is nothing to decide in a submission that was cancelled, nor in one that the rules were sure of."""
    worker = build_stage_by_stage(live.parts.settings, live.parts.servers)
    await worker.runners[Stage.SCORE].ring([id_])
    await live.post(f"/v1/submissions/{id_}/cancel")
    async with events(live, id_, until="settled") as stream:
        assert [event.name for event in await stream.rest()] == ["cancelled"]
    sure = await live.hand_in()
    await run_all(live, sure)
    async with events(live, sure, until="settled") as stream:
        assert [event.name for event in await stream.rest()] == ["completed"]


async def test_what_to_wait_for_has_two_names(live: LiveApi, id_: str) -> None:
    async with events(live, id_, until="doomsday") as stream:
        assert stream.answer.status_code == 422
        await stream.answer.aread()
        assert stream.answer.json()["errors"][0]["pointer"] == "/until"
