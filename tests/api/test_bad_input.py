"""Whatever is wrong with a hand-in, the problem document points at it, and nothing is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.live import LiveApi, hand_in, live_api

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
TWO_MEGABYTES = 2 * 1024 * 1024


def with_answers(*answers: dict[str, Any]) -> dict[str, Any]:
    return {"learner_id": "u-1", "answers": list(answers)}


CASES: dict[str, tuple[Any, list[str]]] = {
    "unknown question": (with_answers({"question_id": "q-9"}), ["/answers/0/question_id"]),
    "response of the wrong shape": (hand_in(response=["a"]), ["/answers/0/response"]),
    "response that is no option": (hand_in(response="z"), ["/answers/0/response"]),
    "question answered twice": (
        with_answers({"question_id": "q-1"}, {"question_id": "q-2"}, {"question_id": "q-1"}),
        ["/answers/2/question_id"],
    ),
    "time in the future": (hand_in(submitted_at=TOMORROW), ["/submitted_at"]),
    "time that is none": (hand_in(submitted_at="yesterday"), ["/submitted_at"]),
    "time without an offset": (hand_in(submitted_at="2026-01-31T09:00:00"), ["/submitted_at"]),
    "unknown field": (hand_in(grade=1), ["/grade"]),
    "unknown field of an answer": (with_answers({"question_id": "q-1", "points": 5}), ["/answers/0/points"]),
    "NUL in a response": (hand_in(response="a\x00"), ["/answers/0/response"]),
    "NUL in an id": (hand_in(learner_id="u\x00"), ["/learner_id"]),
    "NUL in metadata": (hand_in(metadata={"a": [{"b": "\x00"}]}), ["/metadata/a/0/b"]),
    "no answers": (with_answers(), ["/answers"]),
    "far too many answers": (with_answers(*[{"question_id": "q-1"}] * 20_000), ["/answers"]),
    "no learner": ({"answers": [{"question_id": "q-1"}]}, ["/learner_id"]),
    "negative time": (with_answers({"question_id": "q-1", "response_time_ms": -1}), ["/answers/0/response_time_ms"]),
    "confidence out of range": (with_answers({"question_id": "q-1", "confidence": 6}), ["/answers/0/confidence"]),
    "callback to this machine": (hand_in(callback_url="http://127.0.0.1/x"), ["/callback_url"]),
    "callback that is no address": (hand_in(callback_url="ftp://example.com"), ["/callback_url"]),
    "metadata too large": (hand_in(metadata={"a": "x" * 20_000}), ["/metadata"]),
    "not an object": ([1], [""]),
    "invalid JSON": (b'{"learner_id": "u-1", ', [""]),
    "nothing": (b"", [""]),
    "invalid UTF-8": (b'{"learner_id": "\xff"}', [""]),
    "half a surrogate pair": (b'{"learner_id": "\\ud800", "answers": [{"question_id": "q-1"}]}', [""]),
    "metadata nested too deeply": (
        b'{"learner_id": "u", "answers": [{"question_id": "q-1"}], "metadata": ' + b'{"a":' * 932 + b"1" + b"}" * 933,
        ["/metadata"],
    ),
    "nested without end": (b'{"metadata": ' + b"[" * 100_000, [""]),
    "everything at once": (
        {"learner_id": "", "answers": [{"question_id": 1, "confidence": 0}], "colour": "red"},
        ["/answers/0/confidence", "/answers/0/question_id", "/colour", "/learner_id"],
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_bad_hand_in_is_refused_at_its_place(live: LiveApi, case: str) -> None:
    """422, every problem with its pointer, no row anywhere."""
    body, pointers = CASES[case]
    answer = await live.post("/v1/submissions", body)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert sorted({error["pointer"] for error in problem["errors"]}) == pointers
    assert set((await live.counts()).values()) == {0}


async def test_a_hundred_thousand_answers_are_refused(settings: Settings) -> None:
    """By the size of the body already, in a batch too; where that is allowed, by their number."""
    body = msgspec.json.encode({"learner_id": "u-1", "answers": [{"question_id": f"q-{n}"} for n in range(100_000)]})
    async with live_api(settings) as live:
        assert (await live.post("/v1/submissions", body)).status_code == 413
        batch = await live.post("/v1/submissions/batch", body, Content_Type="application/x-ndjson")
        assert [item["status"] for item in batch.json()["items"]] == [413]
        assert set((await live.counts()).values()) == {0}
    async with live_api(msgspec.structs.replace(settings, max_body_bytes=len(body))) as live:
        problem = (await live.post("/v1/submissions", body)).json()
        assert [error["pointer"] for error in problem["errors"]] == ["/answers"]
        assert set((await live.counts()).values()) == {0}


async def test_of_a_hundred_thousand_mistakes_some_are_told(live: LiveApi) -> None:
    """The answer stays small, and so does the time it takes to write it."""
    wrong: dict[str, Any] = {"learner_id": "u-1", "answers": [{"x": 1}] * 100_000}
    problem = (await live.post("/v1/submissions", wrong)).json()
    assert len(problem["errors"]) == 101
    assert problem["errors"][-1] == {"pointer": "", "detail": "There are more problems than these."}
    nul = (await live.post("/v1/submissions", hand_in(response=["\x00"] * 100_000))).json()
    assert len(nul["errors"]) == 101


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_of_two_megabytes_is_too_large(live: LiveApi, announced: bool) -> None:
    """Whether its length is announced or found out while reading; the problem names the limit."""
    body = msgspec.json.encode(hand_in(metadata={"a": "x" * TWO_MEGABYTES}))

    async def chunks() -> Any:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    content = body if announced else chunks()
    headers = live.credential() | {"Content-Type": "application/json"}
    answer = await live.http.post("/v1/submissions", content=content, headers=headers)
    assert answer.status_code == 413
    assert str(live.parts.settings.max_body_bytes) in answer.json()["detail"]
    assert set((await live.counts()).values()) == {0}


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
async def test_another_media_type_is_refused(live: LiveApi, media_type: str) -> None:
    answer = await live.post("/v1/submissions", hand_in(), Content_Type=media_type)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert set((await live.counts()).values()) == {0}


async def test_a_media_type_may_have_parameters(live: LiveApi) -> None:
    answer = await live.post("/v1/submissions", hand_in(), Content_Type="application/json; charset=utf-8")
    assert answer.status_code == 202


async def test_without_a_key_nothing_is_read(live: LiveApi) -> None:
    """401 with the scheme to use, 403 for a role that may not hand in."""
    answer = await live.http.post("/v1/submissions", json=hand_in())
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    wrong = await live.http.post("/v1/submissions", json=hand_in(), headers={"Authorization": "Bearer gl_nope"})
    assert wrong.status_code == 401
    assert set((await live.counts()).values()) == {0}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "A JSON body is expected."),
        (b" \n", "A JSON body is expected."),
        (b'{"learner_id": "u-1", ', "The body is not valid JSON: it ends too early."),
        (b'{"learner_id": "\xff"}', "The body is not valid UTF-8 at byte 16."),
        (
            b'{"learner_id": "\\ud800", "answers": []}',
            "The body has half of a surrogate pair at byte 16; such a character does not exist.",
        ),
    ],
)
async def test_a_body_that_is_no_json_is_told_why_and_where(live: LiveApi, body: bytes, detail: str) -> None:
    assert (await live.post("/v1/submissions", body)).json()["detail"] == detail


async def test_the_detail_names_the_problem_or_the_places(live: LiveApi) -> None:
    """In JSON's words, and never what the title says already."""
    one = (await live.post("/v1/submissions", hand_in(priority="urgent"))).json()
    assert one["detail"] == "/priority: One of low, normal, high is expected."
    two = (await live.post("/v1/submissions", {"learner_id": 7, "answers": []})).json()
    assert two["detail"] == "2 fields are invalid: /learner_id, /answers."
    details = [error["detail"] for error in two["errors"]]
    assert details == ["A string is expected, not a number.", "At least 1 item is needed."]
    query = (await live.get("/v1/submissions?limit=x")).json()
    assert query["detail"] == "/limit: A whole number is expected."


async def test_a_wrong_path_or_method_says_where_to_look(live: LiveApi) -> None:
    nowhere = await live.get("/v1/submission")
    assert (nowhere.status_code, "/schema" in nowhere.json()["detail"]) == (404, True)
    wrong = await live.http.patch("/v1/submissions")
    assert wrong.status_code == 405
    assert {"GET", "POST"} <= set(wrong.json()["detail"].rstrip(".").replace(",", "").split())


async def test_a_refused_credential_is_told_what_would_do(live: LiveApi) -> None:
    neither = await live.http.get("/v1/submissions", headers={"Authorization": "Bearer nonsense"})
    assert "neither an API key, which begins with gl_, nor a valid learner token" in neither.json()["detail"]
    role = await live.get("/v1/questions", role=Role.OPERATOR)
    assert role.json()["detail"] == "An operator may not do this; it takes a teacher."
    submitter = await live.post("/v1/submissions", hand_in(), Role.OPERATOR)
    assert submitter.json()["detail"] == "An operator may not do this; it takes a submitter or a teacher."


async def test_a_key_used_for_another_body_is_told_what_to_do(live: LiveApi) -> None:
    await live.post("/v1/submissions", hand_in(), Idempotency_Key="k")
    other = await live.post("/v1/submissions", hand_in(response="b"), Idempotency_Key="k")
    assert other.json()["detail"].endswith("send another key, or the first body again.")
