"""Senders against a server that answers as it is told."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cli.backlog import Entry
from cli.client import Refused, Unreachable
from cli.handing_in import HandedIn, Said, Sender
from cli.limited import LimitNotice
from cli.ndjson import BadLine
from tests.unit.cli.fakes import Answer, FakeClock, client_of, json_of, problem

ItemAnswer = Callable[[int], dict[str, Any]]


def accepted(number: int) -> dict[str, Any]:
    return {"status": 202, "submission": {"id": f"s{number}", "status": "pending"}}


def refused(status: int, detail: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "problem": {"status": status, "detail": detail}, **more}


def batches(item: ItemAnswer) -> Answer:
    """A server that answers each hand-in by its number."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/submissions/batch"
        return httpx.Response(207, json={"items": [item(body["n"]) for body in json_of(request)]})

    return answer


async def send(answer: Answer, count: int, clock: FakeClock | None = None) -> list[Said]:
    said: list[Said] = []
    source = (Entry(number, b'{"n":%d}' % number) for number in range(1, count + 1))
    async with client_of(answer) as client:
        await Sender(client, source, said.append, clock=clock or FakeClock()).run()
    return sorted(said, key=lambda one: one.number)


async def test_every_line_is_sent_once_in_batches_of_at_most_two_hundred() -> None:
    seen: list[int] = []
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        numbers = [body["n"] for body in json_of(request)]
        seen.extend(numbers)
        sizes.append(len(numbers))
        return batches(accepted)(request)

    said = await send(answer, 1_001)
    assert sorted(seen) == list(range(1, 1_002))
    assert max(sizes) == 200
    assert [one.number for one in said] == list(range(1, 1_002))


async def test_a_refused_line_is_told_with_its_number_and_its_neighbours_are_kept() -> None:
    def item(number: int) -> dict[str, Any]:
        return refused(422, "There is no question with this id.") if number == 2 else accepted(number)

    said = await send(batches(item), 3)
    assert [type(one) for one in said] == [HandedIn, BadLine, HandedIn]
    assert said[1] == BadLine(2, "There is no question with this id.")


async def test_only_lines_over_a_limit_are_sent_again_and_not_before_the_time_they_were_told() -> None:
    clock = FakeClock()
    calls: list[tuple[float, int]] = []

    def item(number: int) -> dict[str, Any]:
        calls.append((clock.now(), number))
        early = number == 2 and clock.now() < 30
        return refused(429, "too many", retry_after=30) if early else accepted(number)

    said = await send(batches(item), 3, clock)
    assert [type(one) for one in said] == [HandedIn] * 3
    assert [number for _, number in calls] == [1, 2, 3, 2]
    assert calls[-1][0] >= 30


async def test_a_learner_at_a_limit_is_told_once_with_the_time_to_wait(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()

    def answer(request: httpx.Request) -> httpx.Response:
        limited = clock.now() < 290
        items = [refused(429, "At most 10.", retry_after=290) if limited else accepted(1) for _ in json_of(request)]
        return httpx.Response(207, json={"items": items})

    source = (Entry(number, b'{"learner_id":"%s"}' % learner) for number, learner in enumerate([b"u", b"u", b"v"]))
    async with client_of(answer) as client:
        await Sender(client, source, lambda _: None, on_limit=LimitNotice(), clock=clock).run()
    ending = "is at a limit: At most 10; going on in 290 s; Ctrl-C and run it again to go on later"
    assert capsys.readouterr().err.splitlines() == [f"learner 'u' {ending}", f"learner 'v' {ending}"]


def test_learners_at_a_limit_are_not_named_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    notice = LimitNotice()
    for number in range(100):
        notice(Entry(number, b'{"learner_id":"u-%d"}' % number), 9.0, "At most 10.")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 21
    assert said[-1] == "more learners are at their limit; they are waited for as well"


async def test_a_whole_batch_waits_as_long_as_the_server_asks() -> None:
    clock = FakeClock()

    def answer(request: httpx.Request) -> httpx.Response:
        if clock.now() < 5:
            return problem(503, "Postgres is away", **{"Retry-After": "5"})
        return batches(accepted)(request)

    assert len(await send(answer, 2, clock)) == 2
    assert 5 <= clock.now() < 10


async def test_a_server_that_restarts_is_waited_for() -> None:
    failures = iter([True, True, False])

    def answer(request: httpx.Request) -> httpx.Response:
        if next(failures):
            raise httpx.ConnectError("refused")
        return batches(accepted)(request)

    assert len(await send(answer, 3)) == 3


async def test_a_server_that_stays_away_is_given_up_in_one_line() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    clock = FakeClock()
    with pytest.raises(Unreachable, match="cannot reach Gradeline at http://server: refused"):
        await send(answer, 1, clock)
    assert 60 < clock.now() < 120


async def test_a_database_that_stays_away_is_given_up_though_the_server_answers() -> None:
    with pytest.raises(Refused, match="Postgres is away"):
        await send(batches(lambda _: refused(503, "Postgres is away")), 2)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_may_not_hand_in_ends_it_at_once(status: int) -> None:
    with pytest.raises(Refused, match=f"{status}: no"):
        await send(lambda _: problem(status, "no"), 5)


async def test_a_batch_the_server_finds_too_large_is_halved_until_the_culprit_is_alone() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if any(body["n"] == 3 for body in json_of(request)):
            return problem(413, "too large")
        return batches(accepted)(request)

    said = await send(answer, 5)
    assert [type(one) for one in said] == [HandedIn, HandedIn, BadLine, HandedIn, HandedIn]
    assert said[2] == BadLine(3, "413: too large")
