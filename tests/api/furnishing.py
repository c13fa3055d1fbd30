"""What tests find in the database when they begin, put there without haste.

A client is owed its 503 within two seconds, so the API gives Postgres one and a half. A machine that is busy enough to
need longer is no fault of what is tested.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import ApiParts
from pipeline.model import Question
from pipeline.service.access import Access, Role
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore
from pipeline.store.engine import ANSWER_SECONDS


def without_haste(parts: ApiParts) -> AsyncEngine:
    """The API's own connections, on which a transaction may take as long as it takes."""
    return parts.servers.engine.execution_options(**{ANSWER_SECONDS: None})


async def new_key(parts: ApiParts, tenant: str, role: Role, name: str | None = None) -> str:
    """A key of a tenant, which is made where there is none of that name."""
    access = Access(AccessStore(without_haste(parts)), cache_seconds=0)
    return (await access.create_key(tenant, role, name or role)).secret


async def save_questions(parts: ApiParts, tenant_id: int, questions: Sequence[Question]) -> None:
    """Put questions into a tenant's bank."""
    await BankStore(without_haste(parts)).save(tenant_id, questions)
