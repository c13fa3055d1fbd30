"""Watchers against a server whose submissions advance at every look."""

from collections import Counter
from typing import Any

import httpx
import pytest

from cli.client import Refused, Unreachable
from cli.watching import Watch
from tests.unit.cli.fakes import Answer, FakeClock, client_of, problem

STATUSES = ("pending", "scoring", "ai_processing", "completed")


class Advancing:
    """Each look at a submission finds its next status; the same status answers 304."""

    def __init__(self, steps: int = len(STATUSES)) -> None:
        self.looks: Counter[str] = Counter()
        self._steps = steps

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        status = STATUSES[min(self.looks[name] * len(STATUSES) // self._steps, len(STATUSES) - 1)]
        self.looks[name] += 1
        if request.headers.get("If-None-Match") == status:
            return httpx.Response(304)
        return httpx.Response(200, json={"id": name, "status": status}, headers={"ETag": status})


async def watch(answer: Answer, names: list[str], clock: FakeClock | None = None) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    async with client_of(answer) as client:
        watcher = Watch(client, seen.append, clock or FakeClock())
        for name in names:
            watcher.add(name)
        watcher.close()
        await watcher.run()
    return seen


async def test_it_returns_when_all_are_final_having_told_every_state() -> None:
    names = [f"s{number}" for number in range(50)]
    seen = await watch(Advancing(), names)
    for name in names:
        assert [document["status"] for document in seen if document["id"] == name] == list(STATUSES)


async def test_what_did_not_change_is_not_told_again() -> None:
    seen = await watch(Advancing(steps=12), ["s"])
    assert [document["status"] for document in seen] == list(STATUSES)


async def test_a_final_submission_costs_one_look() -> None:
    server = Advancing(steps=1)
    server.looks.update(dict.fromkeys(("a", "b"), 10))
    await watch(server, ["a", "b"])
    assert server.looks == {"a": 11, "b": 11}


async def test_nothing_to_watch_ends_at_once() -> None:
    assert await watch(Advancing(), []) == []


async def test_a_server_that_restarts_is_waited_for() -> None:
    advancing = Advancing()
    failures = iter([True, True])

    def answer(request: httpx.Request) -> httpx.Response:
        if next(failures, False):
            raise httpx.ReadError("cut")
        return advancing(request)

    assert (await watch(answer, ["s"]))[-1]["status"] == "completed"


async def test_a_server_that_stays_away_is_given_up() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        await watch(answer, ["s"])


async def test_a_submission_that_is_not_there_ends_it() -> None:
    with pytest.raises(Refused, match="404"):
        await watch(lambda _: problem(404, "There is no such submission."), ["s"])
