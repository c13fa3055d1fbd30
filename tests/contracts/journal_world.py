"""What the journal's contract needs beside the port: submissions, a way to move time, and erasure."""

from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.model import StoredQuestion
from pipeline.ports.generation import Journal
from pipeline.store.erasure import ErasureStore
from pipeline.store.journal import JournalStore
from pipeline.store.submission import IntakeStore
from tests.contracts.fakes.journal import FakeJournal
from tests.samples import a_hand_in, new_tenant, stored_questions

PASS_TIME = text(
    """
    UPDATE llm_replies SET created_at = created_at - make_interval(secs => :seconds),
        lease_expires_at = lease_expires_at - make_interval(secs => :seconds),
        quiet_until = quiet_until - make_interval(secs => :seconds),
        answered_at = answered_at - make_interval(secs => :seconds)
    """
)


class JournalWorld(Protocol):
    """A journal, with hands on what lies behind it."""

    @property
    def journal(self) -> Journal:
        """The journal under test, as one process has it."""
        ...

    def another(self) -> Journal:
        """The same journal, as another process has it."""
        ...

    async def tenant(self) -> int:
        """A new tenant."""
        ...

    async def submission(self, tenant_id: int) -> str:
        """A new submission of it; answers its id."""
        ...

    async def erase(self, tenant_id: int, submission_id: str) -> None:
        """Erase a submission, as the erasure of its learner does."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Let so much time go by."""
        ...

    async def count(self) -> int:
        """How many entries there are."""
        ...


class MemoryJournals:
    """The fake."""

    def __init__(self) -> None:
        self.journal = FakeJournal()
        self._tenants = 0

    def another(self) -> Journal:
        return self.journal

    async def tenant(self) -> int:
        self._tenants += 1
        return self._tenants

    async def submission(self, tenant_id: int) -> str:
        assert tenant_id <= self._tenants
        return str(uuid7())

    async def erase(self, tenant_id: int, submission_id: str) -> None:
        assert tenant_id <= self._tenants
        self.journal.erase(submission_id)

    async def pass_time(self, seconds: float) -> None:
        self.journal.pass_time(seconds)

    async def count(self) -> int:
        return len(self.journal.entries)


class PostgresJournals:
    """Real rows; time passes by moving theirs back."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._questions: dict[int, list[StoredQuestion]] = {}
        self.journal = JournalStore(engine)

    def another(self) -> Journal:
        return JournalStore(self._engine)

    async def tenant(self) -> int:
        tenant_id = await new_tenant(self._engine, f"school {len(self._questions)}")
        self._questions[tenant_id] = await stored_questions(self._engine, tenant_id)
        return tenant_id

    async def submission(self, tenant_id: int) -> str:
        one = a_hand_in(tenant_id, self._questions[tenant_id], ("a", "b"))
        await IntakeStore(self._engine).accept([one])
        return one.id

    async def erase(self, tenant_id: int, submission_id: str) -> None:
        await ErasureStore(self._engine).erase_submissions(tenant_id, [submission_id])

    async def pass_time(self, seconds: float) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(PASS_TIME, {"seconds": seconds})

    async def count(self) -> int:
        async with self._engine.begin() as connection:
            return int((await connection.execute(text("SELECT count(*) FROM llm_replies"))).scalar_one())
