"""What a tenant teaches."""

from typing import Protocol, runtime_checkable

from pipeline.curriculum.model import Curriculum


@runtime_checkable
class CurriculumStore(Protocol):
    """Each tenant's curriculum."""

    async def current(self, tenant_id: int) -> Curriculum:
        """The whole curriculum as it is now; an empty one, of version 0, where nothing was imported yet."""
        ...
