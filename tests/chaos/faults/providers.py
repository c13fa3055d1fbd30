"""Language models in trouble while workers die."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.chaos.fault import Fault, Moment
from tests.chaos.load import ACCEPTED
from tests.chaos.models import QUESTION, own_words, storm, with_models
from tests.chaos.system import System
from tests.chaos.witness import Witness

TEXTS: Final = 150
KILLS: Final = 2


@asynccontextmanager
async def failing_models(system: System) -> AsyncIterator[None]:
    """Two providers, both of which fail three times of ten."""
    async with with_models(system, storm(system.chances.randrange(1_000))):
        yield


async def kill_askers(system: System) -> Moment:
    """Hand in answers that each need a text of their own, and SIGKILL workers that have some in the air."""
    witness, school = system.current_witness, system.current_load.school
    await system.parts.bank.save(school.tenant_id, [QUESTION])
    statuses = await system.current_load.hand_in_all(own_words(range(TEXTS)))
    if statuses != [ACCEPTED] * TEXTS:
        raise RuntimeError(f"not all were accepted: {sorted(set(statuses))}")
    for _ in range(KILLS):
        await kill_asker(system, witness)
    return time.time()


async def kill_asker(system: System, witness: Witness) -> None:
    """SIGKILL a worker that has texts in the air."""

    async def killed() -> bool:
        for worker in system.workers:
            if worker.lives and await witness.kill_if_asking(system, worker):
                return True
        return False

    await system.until(killed, "a worker was killed with texts in the air")


PROVIDER_FAULTS: Final = (
    Fault(
        name="ai-storm",
        title="language models fail three times of ten, and kill -9 of workers that wait for their replies",
        promise="everything is completed; a reply is paid again only if its worker died with it; the ledger is what the"
        " provider counted, to the token",
        rests_on="a reply is journalled before it is used; every request is booked before it is sent",
        inject=kill_askers,
        scene=failing_models,
    ),
)
