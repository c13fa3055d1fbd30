"""What a new installation is given to begin with."""

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import furnish
from pipeline.service.access import Access, Role
from pipeline.settings import Settings
from pipeline.store.access import AccessStore
from pipeline.store.curriculum import CurriculumStore
from tests.unit.curriculum.samples import a_curriculum, a_module


async def key_of(engine: AsyncEngine, tenant: str) -> tuple[int, str]:
    """A tenant's id and a teacher's key of it."""
    access = Access(AccessStore(engine), cache_seconds=0.0)
    key = (await access.create_key(tenant, Role.TEACHER, "first")).secret
    return (await access.authenticate(f"Bearer {key}")).tenant_id, key


async def test_what_ships_is_imported_once_and_for_the_keys_tenant_only(
    settings: Settings, engine: AsyncEngine
) -> None:
    (school, key), (academy, _) = await key_of(engine, "school"), await key_of(engine, "academy")
    assert await furnish(settings, key)
    assert not await furnish(settings, key)
    store = CurriculumStore(engine)
    found = await store.current(school)
    assert {"saas_development", "react_specialist", "data_engineering_advanced"} <= found.categories.keys()
    assert (found.version, (await store.current(academy)).version) == (1, 0)


async def test_a_curriculum_of_the_tenants_own_is_left_alone(settings: Settings, engine: AsyncEngine) -> None:
    school, key = await key_of(engine, "school")
    store = CurriculumStore(engine)
    await store.save(school, lambda _: a_curriculum([a_module("own")]))
    assert not await furnish(settings, key)
    assert list((await store.current(school)).modules) == ["own"]
