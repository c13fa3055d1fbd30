"""A watch against a server whose submissions advance at every look."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cli.client import Refused, Unreachable
from cli.watching import FEW, Document, Watch, span
from tests.unit.cli.fakes import Answer, FakeClock, client_of, problem

STATUSES = ("pending", "scoring", "ai_processing", "completed")
START = datetime(2026, 1, 1, tzinfo=UTC)


def handed_in(count: int) -> list[Document]:
    return [
        {"id": f"s{n}", "status": "pending", "created_at": (START + timedelta(seconds=n)).isoformat()}
        for n in range(count)
    ]


class Advancing:
    """Each look at a submission finds its next status; a tag that still fits answers 304.

    `others` are so many submissions of somebody else that lists show too.
    """

    def __init__(self, submissions: list[Document], *, steps: int = len(STATUSES), others: int = 0) -> None:
        self.looks: Counter[str] = Counter()
        self.lists = 0
        self._known = {one["id"]: one for one in submissions}
        self._others = [{**submissions[0], "id": f"other{n}"} for n in range(others)]
        self._steps = steps

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/submissions":
            return self._list(request.url.params)
        document = self._look(request.url.path.rpartition("/")[2])
        if request.headers.get("If-None-Match") == document["status"]:
            return httpx.Response(304)
        return httpx.Response(200, json=document, headers={"ETag": document["status"]})

    def _list(self, params: httpx.QueryParams) -> httpx.Response:
        self.lists += 1
        start = int(params.get("cursor", 0))
        names = [
            name
            for name, one in self._known.items()
            if params["created_after"] <= one["created_at"] < params["created_before"]
        ]
        everything = [*map(self._look, names[start : start + 200]), *(self._others if start == 0 else [])]
        following = str(start + 200) if start + 200 < len(names) else None
        return httpx.Response(200, json={"items": everything, "next": following})

    def _look(self, name: str) -> Document:
        status = STATUSES[min(self.looks[name] * len(STATUSES) // self._steps, len(STATUSES) - 1)]
        self.looks[name] += 1
        return {**self._known[name], "status": status}


async def watch(answer: Answer, submissions: list[Document], clock: FakeClock | None = None) -> list[Document]:
    seen: list[dict[str, Any]] = []
    async with client_of(answer) as client:
        watcher = Watch(client, seen.append, clock=clock or FakeClock())
        for submission in submissions:
            watcher.add(submission)
        watcher.close()
        await watcher.run()
    return seen


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 1_500])
async def test_it_returns_when_all_are_final_having_told_each_new_state_once(count: int) -> None:
    submissions = handed_in(count)
    seen = await watch(Advancing(submissions), submissions)
    for submission in submissions:
        told = [document["status"] for document in seen if document["id"] == submission["id"]]
        assert told == list(STATUSES[1:])


async def test_what_did_not_change_is_not_told_again() -> None:
    submissions = handed_in(1)
    seen = await watch(Advancing(submissions, steps=12), submissions)
    assert [document["status"] for document in seen] == list(STATUSES[1:])


async def test_many_that_are_final_cost_a_call_for_two_hundred_of_them() -> None:
    submissions = handed_in(1_000)
    server = Advancing(submissions, steps=1)
    server.looks.update({one["id"]: 1 for one in submissions})
    await watch(server, submissions)
    assert server.lists == 5
    assert sum(server.looks.values()) - 1_000 <= 1_000 + FEW


async def test_others_in_the_lists_are_passed_over_and_where_they_are_too_many_lists_are_left() -> None:
    submissions = handed_in(100)
    server = Advancing(submissions, steps=40, others=900)
    seen = await watch(server, submissions)
    assert {document["id"] for document in seen} == {one["id"] for one in submissions}
    assert server.lists == 1


async def test_nothing_to_watch_ends_at_once() -> None:
    assert await watch(Advancing(handed_in(1)), []) == []


async def test_a_server_that_restarts_is_waited_for() -> None:
    submissions = handed_in(1)
    advancing = Advancing(submissions)
    failures = iter([True, True])

    def answer(request: httpx.Request) -> httpx.Response:
        if next(failures, False):
            raise httpx.ReadError("cut")
        return advancing(request)

    assert (await watch(answer, submissions))[-1]["status"] == "completed"


async def test_a_server_that_stays_away_is_given_up() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        await watch(answer, handed_in(1))


async def test_a_submission_that_is_not_there_ends_it() -> None:
    with pytest.raises(Refused, match="404"):
        await watch(lambda _: problem(404, "There is no such submission."), handed_in(1))


def test_the_span_of_a_list_begins_with_the_first_and_ends_just_behind_the_last() -> None:
    found = span([{"created_at": "2026-01-01T00:00:02Z"}, {"created_at": "2026-01-01T00:00:01.5Z"}])
    assert found == {
        "created_after": "2026-01-01T00:00:01.500000+00:00",
        "created_before": "2026-01-01T00:00:02.000001+00:00",
    }
