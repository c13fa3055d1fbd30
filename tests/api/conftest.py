"""The application on real servers, called in this process, with two tenants' keys."""

from collections.abc import AsyncIterator

import pytest

from pipeline.settings import Settings
from tests.api.installation import Installation, opened


@pytest.fixture
async def installation(settings: Settings) -> AsyncIterator[Installation]:
    """A whole installation: the API, a worker's stages run by hand, and a key per role of two tenants."""
    async with opened(settings) as installation:
        yield installation
