"""A journal in memory, with a clock that only moves when it is told to."""

from dataclasses import dataclass
from typing import Final

from uuid_utils import uuid7

from pipeline.ports.generation import Abandoned, Answered, Standing, Theirs, Wanted, Yours

NEVER: Final = float("-inf")


@dataclass
class Kept:
    """A reply that was paid for."""

    answered: Answered
    submission_id: str
    at: float


@dataclass
class Entry:
    """One key of one tenant: who asks, until when, or why nobody does; and the last reply there was."""

    token: str
    asker_id: str
    asked_at: float
    leased_until: float | None = None
    quiet_until: float = NEVER
    reason: str | None = None
    kept: Kept | None = None

    def good_for(self, submission_id: str, since: float) -> bool:
        if self.kept is None:
            return False
        fresh = self.leased_until is None and self.reason is None and self.kept.at > since
        return fresh or self.kept.submission_id == submission_id


class FakeJournal:
    """`pipeline.ports.generation.Journal` without Postgres."""

    def __init__(self) -> None:
        self.now = 0.0
        self.entries: dict[tuple[int, bytes], Entry] = {}
        self.begun = 0

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    async def begin(self, wanted: Wanted, *, lease_seconds: float, fresh_seconds: float) -> Standing:
        self.begun += 1
        entry = self.entries.get((wanted.tenant_id, wanted.key))
        if entry is not None:
            if entry.kept is not None and entry.good_for(wanted.submission_id, self.now - fresh_seconds):
                return entry.kept.answered
            if entry.leased_until is not None and entry.leased_until > self.now:
                return Theirs()
            if entry.reason is not None and entry.quiet_until > self.now:
                return Abandoned(entry.reason)
        taken = Entry(
            token=str(uuid7()),
            asker_id=wanted.submission_id,
            asked_at=self.now,
            leased_until=self.now + lease_seconds,
            kept=None if entry is None else entry.kept,
        )
        self.entries[wanted.tenant_id, wanted.key] = taken
        return Yours(taken.token)

    async def renew(self, wanted: Wanted, token: str, *, lease_seconds: float) -> bool:
        entry = self.entries.get((wanted.tenant_id, wanted.key))
        if entry is None or entry.token != token or entry.leased_until is None:
            return False
        entry.leased_until = self.now + lease_seconds
        return True

    async def answer(self, wanted: Wanted, token: str, answered: Answered) -> None:
        entry = self.entries.get((wanted.tenant_id, wanted.key))
        if entry is None:
            return
        entry.token, entry.asker_id = token, wanted.submission_id
        entry.leased_until, entry.reason, entry.quiet_until = None, None, NEVER
        entry.kept = Kept(answered, wanted.submission_id, self.now)

    async def abandon(self, wanted: Wanted, token: str, reason: str, *, quiet_seconds: float) -> None:
        entry = self.entries.get((wanted.tenant_id, wanted.key))
        if entry is None or entry.token != token or entry.leased_until is None:
            return
        entry.leased_until, entry.reason, entry.quiet_until = None, reason, self.now + quiet_seconds

    async def forget(self, *, older_seconds: float, most: int) -> int:
        old = [
            name
            for name, entry in self.entries.items()
            if entry.asked_at < self.now - older_seconds
            and (entry.leased_until is None or entry.leased_until < self.now)
        ][:most]
        for name in old:
            del self.entries[name]
        return len(old)

    def erase(self, submission_id: str) -> None:
        """What the erasure of a learner does to the entries of one submission."""
        for name, entry in list(self.entries.items()):
            if entry.asker_id == submission_id:
                del self.entries[name]
            elif entry.kept is not None and entry.kept.submission_id == submission_id:
                entry.kept = None
