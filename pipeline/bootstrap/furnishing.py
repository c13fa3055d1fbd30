"""What a new installation is given to begin with."""

from pipeline.bootstrap.servers import required
from pipeline.service.access import Access
from pipeline.service.curriculum import Curricula
from pipeline.settings import Settings
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore
from pipeline.store.curriculum import CurriculumStore
from pipeline.store.engine import create_engine
from pipeline.store.learner import LearnerStore


async def furnish(settings: Settings, api_key: str) -> bool:
    """Import the curriculum that ships for the tenant of this key, unless it has one; whether it was imported."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        access = Access(AccessStore(engine), cache_seconds=0.0)
        principal = await access.authenticate(f"Bearer {api_key}")
        curricula = Curricula(CurriculumStore(engine), BankStore(engine), LearnerStore(engine))
        return await curricula.import_shipped(principal.tenant_id) is not None
    finally:
        await engine.dispose()
