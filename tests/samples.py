"""Small questions and hand-ins that several suites share."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.model import JsonValue, LearnerContext, NewAnswer, NewSubmission, Question, StoredQuestion
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore


def a_question(number: int) -> Question:
    """Choose between a and b; a is right."""
    return Question(
        id=f"q{number}",
        version=0,
        type="single_choice",
        prompt=f"Which one, {number}?",
        answer={"option": "a"},
        options=({"id": "a", "text": "this"}, {"id": "b", "text": "that"}),
        difficulty=1 + number % 5,
        topics=(f"topic-{number % 2}",),
    )


FIRST_QUESTIONS: Final = tuple(a_question(number) for number in range(6))


async def new_tenant(engine: AsyncEngine, name: str = "school") -> int:
    return await AccessStore(engine).ensure_tenant(name, token_secret="t" * 32, callback_secret="whsec_dGVzdA==")


async def stored_questions(engine: AsyncEngine, tenant_id: int, count: int = 6) -> list[StoredQuestion]:
    """The first questions in a tenant's bank."""
    bank = BankStore(engine)
    questions = FIRST_QUESTIONS[:count]
    await bank.save(tenant_id, questions)
    known = await bank.current(tenant_id, [question.id for question in questions])
    return [known[question.id] for question in questions]


def a_hand_in(
    tenant_id: int,
    questions: Sequence[StoredQuestion],
    responses: Sequence[JsonValue] = ("a",),
    *,
    learner_id: str = "ada",
    idempotency_key: str | None = None,
    fingerprint: bytes | None = None,
    callback_url: str | None = None,
    retry_feedback: bool = False,
) -> NewSubmission:
    """A checked hand-in that answers the first questions with these responses."""
    answers = tuple(
        NewAnswer(q.question.id, q.question.version, q.version_key, response, 1200, 3)
        for q, response in zip(questions, responses, strict=False)
    )
    return NewSubmission(
        id=str(uuid7()),
        tenant_id=tenant_id,
        learner_id=learner_id,
        assignment_id=None,
        context=LearnerContext(),
        priority="normal",
        callback_url=callback_url,
        metadata={},
        submitted_at=None,
        answers=answers,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
        retry_feedback=retry_feedback,
    )
