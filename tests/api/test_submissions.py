"""Handing in, reading and waiting over HTTP."""

import asyncio
from typing import Any

import httpx
import pytest

from pipeline.lifecycle import Stage
from pipeline.service.access import Role
from tests.api.live import LiveApi, hand_in

ABSENT = "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"


async def test_a_hand_in_is_accepted_with_its_address(live: LiveApi) -> None:
    """202, where to look, when to look, and the submission as it is."""
    answer = await live.post("/v1/submissions", hand_in(metadata={"room": 3}))
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/submissions/{body['id']}"
    assert answer.headers["retry-after"] == "1"
    assert (body["status"], body["version"], body["metadata"]) == ("pending", 1, {"room": 3})
    shown = await live.get(answer.headers["location"])
    assert shown.json() == body
    assert await live.counts() == {"submissions": 1, "answers": 1, "stages": len(Stage), "learners": 1}


@pytest.mark.usefixtures("working")
async def test_a_client_that_prefers_to_wait_gets_the_results(live: LiveApi) -> None:
    """200 with the finished submission in one call, and the preference named."""
    answer = await live.post("/v1/submissions", hand_in(), Prefer="respond-async, wait=20")
    assert answer.status_code == 200, answer.text
    assert answer.headers["preference-applied"] == "wait=20"
    body = answer.json()
    assert body["status"] == "completed"
    assert body["score"]["fraction"] == 1.0
    assert {"feedback", "recommendations"} <= body.keys()


async def test_waiting_ends_when_the_time_is_over(live: LiveApi) -> None:
    """With no worker there, the answer is the accepted submission."""
    answer = await live.post("/v1/submissions", hand_in(), Prefer="wait=0")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")


class TestIdempotency:
    async def test_the_same_request_again_answers_the_same_submission(self, live: LiveApi) -> None:
        """Whatever the order of its fields; nothing new is stored."""
        first = await live.post("/v1/submissions", hand_in(assignment_id="hw"), Idempotency_Key="k 1")
        turned = dict(reversed(hand_in(assignment_id="hw").items()))
        again = await live.post("/v1/submissions", turned, Idempotency_Key="k 1")
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        assert "idempotency-replayed" not in first.headers
        assert again.json()["id"] == first.json()["id"]
        assert (await live.counts())["submissions"] == 1

    async def test_the_same_key_with_another_body_is_refused(self, live: LiveApi) -> None:
        await live.post("/v1/submissions", hand_in(), Idempotency_Key="k")
        answer = await live.post("/v1/submissions", hand_in(response="b"), Idempotency_Key="k")
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("/idempotency-mismatch")
        assert (await live.counts())["submissions"] == 1

    async def test_twenty_at_once_make_one_submission(self, live: LiveApi) -> None:
        """However they race, all get the same id."""
        calls = [live.post("/v1/submissions", hand_in(), Idempotency_Key="race") for _ in range(20)]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1

    async def test_tenants_do_not_share_keys(self, live: LiveApi) -> None:
        mine = await live.post("/v1/submissions", hand_in(), Idempotency_Key="k")
        theirs = await live.post("/v1/submissions", hand_in(), tenant="academy", Idempotency_Key="k")
        assert theirs.status_code == 202
        assert mine.json()["id"] != theirs.json()["id"]

    @pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "caf\xe9"])
    async def test_a_key_that_cannot_be_one_is_refused(self, live: LiveApi, key: str) -> None:
        """The problem points at the header, and nothing is stored."""
        answer = await live.http.post(
            "/v1/submissions",
            json=hand_in(),
            headers=httpx.Headers(live.credential() | {"Idempotency-Key": key}, encoding="latin-1"),
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/Idempotency-Key"
        assert (await live.counts())["submissions"] == 0


class TestReading:
    async def test_a_known_representation_is_not_sent_again(self, live: LiveApi) -> None:
        """The tag is strong, repeats while nothing changes, and is recognised in a list and when weakened."""
        path = f"/v1/submissions/{await live.hand_in()}"
        tag = (await live.get(path)).headers["etag"]
        assert tag.startswith('"1-')
        for given in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            answer = await live.get(path, given)
            assert (answer.status_code, answer.headers["etag"], answer.content) == (304, tag, b"")
        assert (await live.get(path, '"1-other"')).status_code == 200

    async def test_the_tag_changes_with_the_submission(self, live: LiveApi) -> None:
        path = f"/v1/submissions/{await live.hand_in()}"
        tag = (await live.get(path)).headers["etag"]
        await live.post(f"{path}/cancel")
        answer = await live.get(path, tag)
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert answer.headers["etag"] != tag

    async def test_a_long_poll_answers_when_something_changes(self, live: LiveApi) -> None:
        """Long before its time is over."""
        path = f"/v1/submissions/{await live.hand_in()}"
        tag = (await live.get(path)).headers["etag"]
        polling = asyncio.create_task(live.get(f"{path}?wait=30", tag))
        while not live.parts.watch.watchers:  # noqa: ASYNC110 - until the poll has arrived
            await asyncio.sleep(0.01)
        await live.post(f"{path}/cancel")
        async with asyncio.timeout(10):
            assert (await polling).json()["status"] == "cancelled"

    async def test_a_long_poll_answers_at_once_when_the_state_is_not_the_known_one(self, live: LiveApi) -> None:
        """So nothing is missed between two polls; and a final submission keeps nobody waiting."""
        path = f"/v1/submissions/{await live.hand_in()}"
        tag = (await live.get(path)).headers["etag"]
        await live.post(f"{path}/cancel")
        async with asyncio.timeout(10):
            first = await live.get(f"{path}?wait=30", tag)
            final = await live.get(f"{path}?wait=30", first.headers["etag"])
        assert (first.status_code, final.status_code) == (200, 304)

    async def test_a_long_poll_ends_with_its_time(self, live: LiveApi) -> None:
        path = f"/v1/submissions/{await live.hand_in()}"
        tag = (await live.get(path)).headers["etag"]
        assert (await live.get(f"{path}?wait=1", tag)).status_code == 304

    @pytest.mark.parametrize("wait", ["-1", "31", "soon", "1.5"])
    async def test_an_impossible_wait_is_refused(self, live: LiveApi, wait: str) -> None:
        answer = await live.get(f"/v1/submissions/{await live.hand_in()}?wait={wait}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/wait")

    @pytest.mark.parametrize("path", [ABSENT, "x", "%00", "1" * 300, ABSENT.replace("-", ""), f"{{{ABSENT}}}"])
    @pytest.mark.parametrize("rest", ["", "/events"])
    async def test_what_is_not_there_is_not_found(self, live: LiveApi, path: str, rest: str) -> None:
        answer = await live.get(f"/v1/submissions/{path}{rest}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_another_tenant_finds_nothing(self, live: LiveApi) -> None:
        """Not even after the owner's read has put the document into Redis."""
        path = f"/v1/submissions/{await live.hand_in()}"
        assert (await live.get(path)).status_code == 200
        for method, rest in (("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry")):
            answer = await live.http.request(
                method, path + rest, headers=live.credential(Role.TEACHER, tenant="academy")
            )
            assert answer.status_code == 404
        assert (await live.get("/v1/submissions", tenant="academy")).json() == {"items": [], "next": None}

    async def test_a_learner_reads_only_their_own(self, live: LiveApi) -> None:
        mine, theirs = await live.hand_in("u-1"), await live.hand_in("u-2")
        credential = await live.learner_credential("u-1")

        async def status(path: str) -> int:
            return (await live.http.get(path, headers=credential)).status_code

        assert await status(f"/v1/submissions/{mine}") == 200
        assert await status(f"/v1/submissions/{theirs}") == 404
        assert await status(f"/v1/submissions/{theirs}/events") == 404
        listed = await live.http.get("/v1/submissions", headers=credential)
        assert [item["id"] for item in listed.json()["items"]] == [mine]
        other = await live.http.get("/v1/submissions?learner_id=u-2", headers=credential)
        assert other.json()["items"] == []
        assert (await live.http.post(f"/v1/submissions/{mine}/cancel", headers=credential)).status_code == 403
        assert (await live.http.post("/v1/submissions", json=hand_in(), headers=credential)).status_code == 403


class TestControl:
    async def test_a_cancel_shows_the_new_state_and_cannot_be_repeated(self, live: LiveApi) -> None:
        """The refusal names the state."""
        path = f"/v1/submissions/{await live.hand_in()}"
        first, second = await live.post(f"{path}/cancel"), await live.post(f"{path}/cancel")
        assert (first.status_code, first.json()["status"]) == (200, "cancelled")
        assert second.status_code == 409
        assert "cancelled" in second.json()["detail"]

    async def test_what_has_not_failed_cannot_be_retried(self, live: LiveApi) -> None:
        answer = await live.post(f"/v1/submissions/{await live.hand_in()}/retry")
        assert answer.status_code == 409
        assert "pending" in answer.json()["detail"]

    @pytest.mark.usefixtures("working")
    async def test_what_is_completed_cannot_be_cancelled(self, live: LiveApi) -> None:
        done: dict[str, Any] = (await live.post("/v1/submissions", hand_in(), Prefer="wait=20")).json()
        answer = await live.post(f"/v1/submissions/{done['id']}/cancel")
        assert answer.status_code == 409
        assert "completed" in answer.json()["detail"]
        assert (await live.get(f"/v1/submissions/{done['id']}")).json() == done
