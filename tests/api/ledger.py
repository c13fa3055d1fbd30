"""A ledger as workers leave it behind: requests that ended well or badly, by the real store."""

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.exchange import Purpose, Trouble, Usage
from pipeline.ports.generation import Attempt, Budgets, Settlement
from pipeline.store.ledger import LedgerStore

USAGE = Usage(input_tokens=100, cached_input_tokens=60, output_tokens=20, reasoning_tokens=5)


def an_attempt(tenant_id: int, **changes: Any) -> Attempt:
    attempt = Attempt(
        id=str(uuid7()),
        tenant_id=tenant_id,
        learner_id="ada",
        submission_id=None,
        question_id="q-1",
        purpose=Purpose.FEEDBACK,
        provider="openai",
        model="model-1",
        account="account-1",
        arm=None,
        prompt_version="feedback/personalized/en@1",
        estimate=1_000_000,
    )
    return msgspec.structs.replace(attempt, **changes)


async def request(
    engine: AsyncEngine,
    tenant_id: int,
    trouble: Trouble | None = None,
    *,
    seconds: float | None = 2.0,
    usage: Usage | None = USAGE,
    cost: int = 500_000,
    cut_quotations: int = 0,
    **changes: Any,
) -> None:
    """One request that was sent and settled; its cost is known where its usage is."""
    ledger, attempt = LedgerStore(engine), an_attempt(tenant_id, **changes)
    assert await ledger.reserve(attempt, Budgets()) is None
    await ledger.settle(
        Settlement(
            attempt_id=attempt.id,
            trouble=trouble,
            usage=usage,
            cost=cost,
            known=usage is not None,
            seconds=seconds,
            first_text_seconds=None if trouble or seconds is None else seconds / 4,
            cut_quotations=cut_quotations,
        )
    )
