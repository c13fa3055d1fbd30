"""Periodic jobs as operators see them."""

import asyncio
from datetime import UTC, datetime

import pytest

from pipeline.service.access import Role
from tests.api.conftest import Api
from tests.api.installation import Installation

REASON = {"reason": "because"}
EMPTY_COUNTS = {"waiting": 0, "running": 0, "failed": 0, "skipped": 0}


async def expiry(api: Api) -> dict[str, object]:
    answer = await api.call("GET", "/v1/ops/jobs")
    found: dict[str, dict[str, object]] = {job["name"]: job for job in answer.json()["items"]}
    return found["expiry"]


async def test_a_job_tells_when_it_comes_next(api: Api) -> None:
    asked_at = datetime.now(UTC)
    job = await expiry(api)
    assert (job["schedule"], job["last_run"], job["runs"]) == ("0 3 * * *", None, [])
    assert {name: job[name] for name in EMPTY_COUNTS} == EMPTY_COUNTS
    due = datetime.fromisoformat(str(job["next_due_at"]))
    assert (due.hour, due.minute) == (3, 0)
    assert due > asked_at


async def test_a_run_that_is_asked_for_is_run_by_a_worker_and_audited(installation: Installation) -> None:
    operator = installation.caller(Role.OPERATOR)
    asked = await operator.post("/v1/ops/jobs/expiry/run", REASON)
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    await installation.worker.periodic.work(asyncio.Event())
    [job] = [job for job in (await operator.get("/v1/ops/jobs")).json()["items"] if job["name"] == "expiry"]
    assert (job["last_run"]["state"], job["last_run"]["slot"]) == ("done", asked.json()["slot"])
    assert job["last_run"]["pieces"] > 1
    [act] = (await operator.get("/v1/ops/audit")).json()["items"]
    assert (act["action"], act["reason"], act["target"]["job"]) == ("job.run", "because", "expiry")
    elsewhere = await installation.caller(Role.OPERATOR, "academy").get("/v1/ops/audit")
    assert [(act["action"], act["reason"]) for act in elsewhere.json()["items"]] == [("job.run", None)]


@pytest.mark.parametrize(
    ("job", "body", "status"),
    [
        ("nothing", REASON, 404),
        ("expiry", {}, 422),
        ("expiry", {**REASON, "slot": "2026-01-01T03:00:00"}, 422),
        ("expiry", {**REASON, "slot": "2026-01-01T03:00:00Z"}, 404),
        ("expiry", {**REASON, "slot": "yesterday"}, 422),
    ],
)
async def test_what_cannot_be_run_is_refused(api: Api, job: str, body: dict[str, str], status: int) -> None:
    answer = await api.call("POST", f"/v1/ops/jobs/{job}/run", json=body)
    assert answer.status_code == status, answer.text
