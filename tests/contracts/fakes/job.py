"""Jobs in memory, with a clock of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from uuid_utils import uuid7

from pipeline.ports.job import FINAL_JOB_STATES, Earlier, JobClaim, JobKind, JobResult, JobState, JobView, NewJob

BEGINNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Row:
    tenant_id: int
    view: JobView
    text: Any
    key: str | None = None
    fingerprint: bytes | None = None
    epoch: int = 0
    worker_id: str | None = None
    due: float = 0.0


class MemoryJobs:
    """The port `pipeline.ports.job.JobStore`, with a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rows: dict[str, Row] = {}

    def _write(self, row: Row, **changes: Any) -> None:
        at = BEGINNING + timedelta(seconds=self.now)
        finished = at if changes.get("status") in FINAL_JOB_STATES else row.view.finished_at
        row.view = msgspec.structs.replace(
            row.view, version=row.view.version + 1, updated_at=at, finished_at=finished, **changes
        )
        if row.view.status in FINAL_JOB_STATES:
            row.text = None

    async def earlier(self, tenant_id: int, job: NewJob) -> Earlier | None:
        for row in self.rows.values():
            if row.tenant_id == tenant_id and job.idempotency_key is not None and row.key == job.idempotency_key:
                return Earlier(row.view, row.fingerprint == job.fingerprint)
        return None

    async def add(self, tenant_id: int, job: NewJob, *, most_open: int) -> JobView | Earlier | None:
        if earlier := await self.earlier(tenant_id, job):
            return earlier
        mine = [row for row in self.rows.values() if row.tenant_id == tenant_id]
        if sum(row.view.status not in FINAL_JOB_STATES for row in mine) >= most_open:
            return None
        at = BEGINNING + timedelta(seconds=self.now)
        shown = {name: value for name, value in job.request.items() if name != "text"}
        view = JobView(
            id=str(uuid7()),
            kind=job.kind,
            status=JobState.PENDING,
            version=1,
            attempts=0,
            request=shown,
            created_at=at,
            updated_at=at,
        )
        self.rows[view.id] = Row(
            tenant_id, view, job.request["text"], job.idempotency_key, job.fingerprint, due=self.now
        )
        return view

    async def find(self, tenant_id: int, job_id: str) -> JobView | None:
        row = self.rows.get(job_id)
        return row.view if row is not None and row.tenant_id == tenant_id else None

    async def browse(
        self, tenant_id: int, *, kind: JobKind | None, state: JobState | None, before: str | None, most: int
    ) -> list[JobView]:
        found = [
            msgspec.structs.replace(row.view, result=None)
            for row in self.rows.values()
            if row.tenant_id == tenant_id
            and kind in {None, row.view.kind}
            and state in {None, row.view.status}
            and (before is None or row.view.id < before)
        ]
        return sorted(found, key=lambda view: view.id, reverse=True)[:most]

    async def cancel(self, tenant_id: int, job_id: str) -> bool:
        row = self.rows.get(job_id)
        if row is None or row.tenant_id != tenant_id or row.view.status in FINAL_JOB_STATES:
            return False
        self._write(row, status=JobState.CANCELLED)
        return True

    async def note_accepted(self, tenant_id: int, job_id: str, draft_ids: Sequence[str]) -> None:
        row = self.rows[job_id]
        assert row.tenant_id == tenant_id
        result = row.view.result
        if result is not None and not set(draft_ids) <= set(result.get("accepted", ())):
            self._write(row, result={**result, "accepted": sorted({*result.get("accepted", ()), *draft_ids})})

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[JobClaim]:
        claims = []
        for one in ids:
            row = self.rows.get(one)
            if row is None or not self._is_due(row):
                continue
            row.epoch, row.worker_id, row.due = row.epoch + 1, worker_id, self.now + lease_seconds
            self._write(row, status=JobState.RUNNING, attempts=row.view.attempts + 1)
            request = {**row.view.request, "text": row.text}
            claims.append(JobClaim(one, row.tenant_id, row.view.kind, request, row.epoch, row.view.attempts))
        return claims

    def _is_due(self, row: Row) -> bool:
        if row.view.status is JobState.PENDING:
            return row.due <= self.now
        return row.view.status is JobState.RUNNING and row.due < self.now

    def _held(self, claim: JobClaim, worker_id: str) -> Row | None:
        row = self.rows[claim.id]
        held = row.view.status is JobState.RUNNING and (row.epoch, row.worker_id) == (claim.epoch, worker_id)
        return row if held else None

    async def renew(self, claims: Sequence[JobClaim], worker_id: str, lease_seconds: float) -> None:
        for claim in claims:
            if row := self._held(claim, worker_id):
                row.due = self.now + lease_seconds

    async def record(self, result: JobResult, worker_id: str) -> bool:
        row = self._held(result.claim, worker_id)
        if row is None:
            return False
        row.worker_id, row.due = None, self.now + result.delay_seconds
        completed = result.state is JobState.COMPLETED
        self._write(
            row,
            status=result.state,
            result=result.result if completed else None,
            error=None if completed else result.error,
        )
        return True

    async def give_back(self, claims: Sequence[JobClaim], worker_id: str) -> list[str]:
        given = [claim.id for claim in claims if self._held(claim, worker_id)]
        for one in given:
            row = self.rows[one]
            row.worker_id, row.due = None, self.now
            self._write(row, status=JobState.PENDING, attempts=row.view.attempts - 1)
        return given

    async def untaken(self, *, grace_seconds: float, most: int) -> list[str]:
        due = [
            (row.due, one)
            for one, row in self.rows.items()
            if self._is_due(row)
            and (row.view.status is JobState.RUNNING or row.view.attempts or row.due < self.now - grace_seconds)
        ]
        return [one for _, one in sorted(due)][:most]

    async def forget(self, *, older_seconds: float, most: int) -> int:
        old = [
            one
            for one, row in self.rows.items()
            if row.view.finished_at and row.view.finished_at < BEGINNING + timedelta(seconds=self.now - older_seconds)
        ][:most]
        for one in old:
            del self.rows[one]
        return len(old)
