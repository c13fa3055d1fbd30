"""What the sweeper sees to besides lost work: what went to models, texts for teachers, periodic jobs."""

from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap.periodic import build_periodic_jobs
from pipeline.ports import Bell
from pipeline.service.generating import look_after
from pipeline.service.periodic import plan_runs
from pipeline.service.upkeep import FORGOTTEN_AT_ONCE, Chore
from pipeline.settings import Settings
from pipeline.store.background import BackgroundStore
from pipeline.store.batch import BatchStore
from pipeline.store.job import JobStore
from pipeline.store.journal import JournalStore
from pipeline.store.ledger import LedgerStore
from pipeline.store.periodic import PeriodicStore
from pipeline.store.search_filling import SearchFilling

LOST_REQUEST_SECONDS: Final = 900.0
"""A request to a model that nobody has settled for so long: its worker is gone. Longer than any may take."""


def build_chores(settings: Settings, engine: AsyncEngine, bell: Bell) -> list[Chore]:
    """All of them, a bounded piece each."""
    ledger, kept = LedgerStore(engine), settings.ai_keep_seconds
    grace_seconds, keep_seconds = settings.sweep_grace_seconds, settings.generation_keep_seconds
    plans = [job.plan for job in build_periodic_jobs(settings, engine)]
    return [
        partial(plan_runs, PeriodicStore(engine), plans),
        SearchFilling(engine).fill,
        partial(ledger.close_lost, older_seconds=LOST_REQUEST_SECONDS, most=FORGOTTEN_AT_ONCE),
        partial(ledger.forget, older_seconds=settings.ai_ledger_seconds, most=FORGOTTEN_AT_ONCE),
        partial(JournalStore(engine).forget, older_seconds=kept, most=FORGOTTEN_AT_ONCE),
        partial(BackgroundStore(engine).forget, older_seconds=kept, most=FORGOTTEN_AT_ONCE),
        partial(BatchStore(engine).forget, older_seconds=kept, most=FORGOTTEN_AT_ONCE),
        partial(look_after, JobStore(engine), bell, grace_seconds=grace_seconds, keep_seconds=keep_seconds),
    ]
