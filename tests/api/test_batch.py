"""Handing in many at once: each for itself, in order."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest

from pipeline.model import StoredQuestion
from pipeline.settings import Settings
from pipeline.store.bank import BankStore
from tests.api.live import LiveApi, hand_in, live_api

BATCH = "/v1/submissions/batch"
NDJSON = "application/x-ndjson"


def lines(*items: Any) -> bytes:
    return b"\n".join(item if isinstance(item, bytes) else msgspec.json.encode(item) for item in items)


@pytest.mark.parametrize("as_lines", [True, False])
async def test_invalid_ones_do_not_hurt_the_others(live: LiveApi, as_lines: bool) -> None:
    """207, one entry each in order: accepted, or its problem with pointers from its own root."""
    given = [hand_in("u-1"), hand_in("u-2", response="z"), hand_in("u-3"), {"answers": 3}]
    body, media_type = (lines(*given), NDJSON) if as_lines else (msgspec.json.encode(given), "application/json")
    answer = await live.post(BATCH, body, Content_Type=media_type)
    items = answer.json()["items"]
    assert answer.status_code == 207
    assert [item["status"] for item in items] == [202, 422, 202, 422]
    assert [items[i]["submission"]["learner_id"] for i in (0, 2)] == ["u-1", "u-3"]
    assert items[1]["problem"]["errors"][0]["pointer"] == "/answers/0/response"
    assert (await live.counts())["submissions"] == 2


async def test_broken_lines_are_refused_alone(live: LiveApi) -> None:
    """Invalid JSON, invalid UTF-8, a list; empty lines are no lines."""
    body = lines(b"{", hand_in(), b"", b'{"learner_id": "\xff"}', b"[]", b"  ")
    answer = await live.post(BATCH, body, Content_Type=NDJSON)
    assert [item["status"] for item in answer.json()["items"]] == [422, 202, 422, 422]


async def test_a_batch_may_be_sent_again(live: LiveApi) -> None:
    """The header's key counts by index, an item's own key goes before it; nothing new is stored."""
    given = [hand_in("u-1"), hand_in("u-2", idempotency_key="own"), hand_in("u-3")]
    first = (await live.post(BATCH, given, Idempotency_Key="file-1")).json()["items"]
    again = (await live.post(BATCH, given, Idempotency_Key="file-1")).json()["items"]
    own = await live.post("/v1/submissions", hand_in("u-2"), Idempotency_Key="own")
    third = await live.post("/v1/submissions", hand_in("u-3"), Idempotency_Key="file-1/2")
    ids = [item["submission"]["id"] for item in first]
    assert [item["submission"]["id"] for item in again] == ids
    assert [own.json()["id"], third.json()["id"]] == ids[1:]
    assert (await live.counts())["submissions"] == 3


async def test_one_key_with_two_bodies_in_a_batch_is_accepted_once(live: LiveApi) -> None:
    given = [hand_in(idempotency_key="k"), hand_in(response="b", idempotency_key="k")]
    items = (await live.post(BATCH, given)).json()["items"]
    assert sorted(item["status"] for item in items) == [202, 422]
    assert (await live.counts())["submissions"] == 1


class BrokenBank(BankStore):
    """A bank with a bug that one question brings to light."""

    async def current(self, tenant_id: int, ids: Iterable[str]) -> Mapping[str, StoredQuestion]:
        wanted = set(ids)
        if "q-2" in wanted:
            raise ZeroDivisionError("the text of a surprise may quote an answer")
        return await super().current(tenant_id, wanted)


async def test_a_surprise_in_one_harms_none_of_the_others(live: LiveApi) -> None:
    """A 500 in its place that says nothing of our insides; its neighbours are accepted and kept."""
    live.parts.intake._bank = BrokenBank(live.parts.servers.engine)  # noqa: SLF001 - a bug at a chosen place
    unlucky = {"learner_id": "u-2", "answers": [{"question_id": "q-2", "response": "a"}]}
    answer = await live.post(BATCH, [hand_in("u-1"), unlucky, hand_in("u-3")])
    assert answer.status_code == 207
    assert [item["status"] for item in answer.json()["items"]] == [202, 500, 202]
    assert "surprise" not in answer.text.lower()
    assert (await live.counts())["submissions"] == 2


async def test_a_thousand_are_taken_and_one_more_is_too_many(live: LiveApi) -> None:
    given = [hand_in(f"u-{n}") for n in range(1_001)]
    refused = await live.post(BATCH, given)
    assert refused.status_code == 413
    assert (await live.counts())["submissions"] == 0
    taken = await live.post(BATCH, given[:1_000])
    assert {item["status"] for item in taken.json()["items"]} == {202}
    assert [item["submission"]["learner_id"] for item in taken.json()["items"]] == [f"u-{n}" for n in range(1_000)]
    assert (await live.counts())["submissions"] == 1_000


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{}", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"[", "application/json", 422),
        (b"", NDJSON, 422),
        (b"[]", "text/csv", 415),
    ],
)
async def test_what_is_no_batch_is_refused_whole(live: LiveApi, body: bytes, media_type: str, status: int) -> None:
    answer = await live.post(BATCH, body, Content_Type=media_type)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_each_submission_of_a_batch_counts(settings: Settings) -> None:
    """Beyond the limit they are refused one by one."""
    limited = msgspec.structs.replace(settings, rate_limits="on", rate_limit_submissions="3/300")
    async with live_api(limited) as live:
        items = (await live.post(BATCH, [hand_in() for _ in range(5)])).json()["items"]
        assert sorted(item["status"] for item in items) == [202, 202, 202, 429, 429]
        assert (await live.counts())["submissions"] == 3
