"""A class whose questions include two that no rule can judge, and a teacher who does."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.lifecycle import Stage
from pipeline.model import JsonValue, Question, Recorded
from pipeline.service.rebuilding import Rebuilder
from pipeline.stages.settlement import Decision
from pipeline.store.bank import BankStore
from pipeline.store.question import QuestionVersions
from pipeline.store.rebuilding import RebuildStore
from pipeline.store.settling import SettlementStore
from tests.contracts.house import PostgresHouse, run
from tests.samples import a_hand_in, a_question, new_tenant

ESSAY = Question("essay", 0, "essay", "Why?", {}, points=5.0, difficulty=4, topics=("topic-0",))
CLOSE = Question(
    "close",
    0,
    "short_text",
    "Why does an index make a query on a large table faster?",
    {"accepted": ["It lets the database find the matching rows without reading the whole table"], "match": "similar"},
    points=2.0,
    topics=("topic-0", "topic-1"),
)
RESPONSES: tuple[JsonValue, ...] = ("a", "It depends.", "it finds the matching rows")
"""Right, an essay, and what the rule has an estimate of."""


class Classroom(PostgresHouse):
    """A house whose questions include two that rules cannot judge, and a teacher."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.teacher = SettlementStore(engine, QuestionVersions())
        self.rebuilder = Rebuilder(RebuildStore(engine))

    async def furnish(self, name: str = "school") -> None:
        self.tenant_id = await new_tenant(self.engine, name)
        bank, questions = BankStore(self.engine), [a_question(0), ESSAY, CLOSE]
        await bank.save(self.tenant_id, questions)
        known = await bank.current(self.tenant_id, [one.id for one in questions])
        self.questions = [known[one.id] for one in questions]

    async def hand_in(self, learner: str = "ada", stages: Sequence[Stage] = tuple(Stage), **more: Any) -> str:
        hand_in = a_hand_in(self.tenant_id, self.questions, RESPONSES, learner_id=learner, **more)
        await self.intake.accept([hand_in])
        for stage in stages:
            await run(self, stage, [hand_in.id])
        return hand_in.id

    async def settle(
        self, submission_id: str, question_id: str, points: float, comment: str | None = None, actor: str = "key:1"
    ) -> Recorded:
        decision = Decision(points=points, comment=comment)
        return await self.teacher.settle(self.tenant_id, submission_id, question_id, decision, actor=actor)

    async def score(self, submission_id: str) -> dict[str, Any]:
        score = (await self.results(submission_id))[Stage.SCORE]
        return {**score, "answers": [row[:3] for row in score["answers"]]}  # type: ignore[attr-defined] # JSON

    async def exact(self) -> None:
        """What was learnt and counted is what history says."""
        assert (await self.rebuilder.check(self.tenant_id)).first == ()
