"""The providers' health while Valkey dies and comes back."""

import asyncio

from pipeline.embedded import EmbeddedValkey
from pipeline.exchange import Route
from pipeline.live.client import create_client
from pipeline.live.health import RedisHealth
from pipeline.live.local_health import HealthPolicy
from pipeline.ports.generation import Admitted, Held
from tests.integration.faults.conftest import revive

ROUTE = Route("first", "openai", "m", account="one", concurrency=2)


async def admitted(health: RedisHealth) -> Admitted:
    answer = await health.admit(ROUTE)
    assert isinstance(answer, Admitted)
    return answer


async def test_workers_go_on_by_themselves_and_find_together_again(mortal_valkey: EmbeddedValkey) -> None:
    """While it is dead each has the limit for itself; back again, those under way are counted together."""
    client, other_client = create_client(mortal_valkey.url), create_client(mortal_valkey.url)
    mine, others = RedisHealth(client, HealthPolicy()), RedisHealth(other_client, HealthPolicy())
    try:
        first = await admitted(mine)
        mortal_valkey.kill()
        second, foreign = await admitted(mine), await admitted(others)
        assert isinstance(await mine.admit(ROUTE), Held)
        await mine.release(ROUTE, first, None)
        mortal_valkey.start()
        async with asyncio.timeout(20):
            while not (await looked(others, mine, [second], [foreign])):  # noqa: ASYNC110 - each is left alone a second
                await asyncio.sleep(0.02)
        assert isinstance(await mine.admit(ROUTE), Held)
    finally:
        revive(mortal_valkey)
        await client.aclose()
        await other_client.aclose()


async def looked(others: RedisHealth, mine: RedisHealth, here: list[Admitted], there: list[Admitted]) -> bool:
    """Whether both requests are known to all, after their workers renewed them."""
    await mine.renew_all([(ROUTE, place) for place in here])
    await others.renew_all([(ROUTE, place) for place in there])
    [seen] = await others.look([ROUTE])
    return seen.under_way == len(here) + len(there)
