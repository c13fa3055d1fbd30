"""Showing submissions, on a store that is scripted."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pipeline.errors import NotFound, Unavailable
from pipeline.model import SubmissionView
from pipeline.service.access import Principal, Role
from pipeline.service.showing import Showing

CALLERS = [Principal(tenant_id, Role.TEACHER, "key:k") for tenant_id in (1, 2)]


class Faulty:
    """A store in which tenant 1's submissions can't be read, and a showcase that is away."""

    async def read(self, tenant_id: int, ids: Sequence[str]) -> list[SubmissionView]:
        if tenant_id == 1:
            raise LookupError(*ids)
        return []

    async def look(self, submission_id: str) -> None:
        raise Unavailable(submission_id)


async def test_what_can_not_be_read_fails_for_its_own_readers_only() -> None:
    """Another tenant, asking at the same moment, is answered as ever."""
    faulty: Any = Faulty()
    showing = Showing(store=faulty, showcase=faulty, watch=faulty)
    asked = [showing.show(caller, "s") for caller in CALLERS]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError, NotFound]
