"""When lesser feedback is worth another try."""

from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.errors import Unavailable
from pipeline.exchange import Route
from pipeline.ports.generation import ProviderHealth
from pipeline.service.improving import somebody_writes

ROUTE = Route("openai", "openai", "model-1", "account-1")
WELL = ProviderHealth("account-1", "closed", 10, 0, 0)
OPEN = ProviderHealth("account-2", "open", 10, 10, 0, opens_again_in_seconds=20.0)
PROBING = ProviderHealth("account-2", "half_open", 10, 10, 0)
COOLING = ProviderHealth("account-3", "closed", 10, 0, 0, cooling_seconds=5.0)


class Known:
    """What is known of the accounts; None where Redis is away."""

    def __init__(self, known: list[ProviderHealth] | None) -> None:
        self._known = known

    async def look(self, routes: Sequence[Route]) -> list[ProviderHealth]:
        assert routes == [ROUTE]
        if self._known is None:
            raise Unavailable("away")
        return self._known


@pytest.mark.parametrize(
    ("known", "ready"),
    [
        ([WELL], True),
        ([OPEN, WELL], True),
        ([PROBING], True),
        ([OPEN], False),
        ([COOLING], False),
        ([OPEN, COOLING], False),
        (None, True),
    ],
)
async def test_it_is_tried_when_somebody_may_be_asked(known: list[ProviderHealth] | None, *, ready: bool) -> None:
    """Where nothing is known, asking tells."""
    health: Any = Known(known)
    assert await somebody_writes(health, [ROUTE])() is ready
