"""What was begun with a reply that was paid for is ended, and told of where it could not be."""

import asyncio

import pytest
from structlog.testing import capture_logs

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.generation.finishing import to_the_end


async def test_what_a_stopping_worker_could_not_end_is_told() -> None:
    going_on = asyncio.Event()

    async def settle() -> None:
        await going_on.wait()
        raise Unavailable("Postgres is away")

    with capture_logs() as logs:
        ending = asyncio.create_task(to_the_end(settle()))
        await asyncio.sleep(0)
        ending.cancel()
        await asyncio.sleep(0)
        going_on.set()
        with pytest.raises(asyncio.CancelledError):
            await ending
    assert [(one["event"], one["error"]) for one in logs] == [(telemetry.GENERATION_LEFT, "Unavailable")]
