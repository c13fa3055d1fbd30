"""What is noted of who was assigned what."""

import asyncio

from sqlalchemy import text

from pipeline.ports.experiment import ServedAnswer
from pipeline.store.assignment import AssignmentStore
from pipeline.store.engine import transaction
from tests.api.installation import Installation, question

NOBODY = "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"


async def noted(installation: Installation) -> list[tuple[str, str, str, str | None]]:
    """Each question's arm, who wrote, and with which model."""
    query = "SELECT question_id, arm, source, served_model FROM feedback_assignments ORDER BY question_id"
    async with transaction(installation.worker.servers.engine) as connection:
        return [(row[0], row[1], row[2], row[3]) for row in await connection.execute(text(query))]


async def handed_in(installation: Installation) -> str:
    for id_ in ("q-1", "q-2"):
        await installation.caller().put(f"/v1/questions/{id_}", question(id_))
    return await installation.caller().hand_in("ada", {"q-1": "a", "q-2": "b"})


async def test_the_last_word_on_an_answer_counts_however_often_it_is_said(installation: Installation) -> None:
    id_, store = await handed_in(installation), AssignmentStore(installation.worker.servers.engine)
    template = ServedAnswer(1, id_, "q-1", "size", "small", "template")
    model = ServedAnswer(1, id_, "q-1", "size", "small", "ai", "openai", "m-1", "feedback/personalized/en@1")
    other = ServedAnswer(1, id_, "q-2", "size", "small", "template")
    await store.record([template, other])
    await store.record([model])
    await asyncio.gather(*[store.record([model, other]) for _ in range(20)])
    assert await noted(installation) == [("q-1", "small", "ai", "m-1"), ("q-2", "small", "template", None)]


async def test_of_what_was_erased_or_is_another_tenants_nothing_is_noted(installation: Installation) -> None:
    id_, store = await handed_in(installation), AssignmentStore(installation.worker.servers.engine)
    await store.record([ServedAnswer(1, NOBODY, "q-1", "size", "small", "template")])
    await store.record([ServedAnswer(2, id_, "q-1", "size", "small", "template")])
    assert await noted(installation) == []
