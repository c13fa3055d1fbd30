"""Advice for one learner at one moment: after a submission, or whenever somebody asks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from pipeline.learning.advice import Recommendation
from pipeline.learning.candidate import CandidateIndex, index_candidates
from pipeline.learning.mix import Plan
from pipeline.learning.rating import Skill
from pipeline.learning.selection import Barred, recommend
from pipeline.learning.weakness import weaknesses_of
from pipeline.model import LearnerContext
from pipeline.stages.guidance import choose_projects, choose_resources, reader_of
from pipeline.stages.guide import Guide
from pipeline.stages.opening import closed_modules

Bank = Mapping[str, CandidateIndex]
"""A tenant's questions to choose from, by the primary language they are asked in."""

NO_QUESTIONS: Final = index_candidates(())


class Occasion(msgspec.Struct, frozen=True):
    """What advice goes by besides skills. `language` is the primary one that questions are asked in.

    The same seed gives the same advice as long as nothing else changes.
    """

    now: datetime
    seed: str
    language: str
    barred: Barred = Barred()
    context: LearnerContext = LearnerContext()


def advise(bank: Bank, guide: Guide, skills: Mapping[str, Skill], occasion: Occasion, plan: Plan) -> Recommendation:
    """What a learner with these skills should do next: questions, resources, projects."""
    context, now = occasion.context, occasion.now
    reader = reader_of(
        skills,
        locale=context.locale or occasion.language,
        career_goal=context.career_goal,
        industry=context.industry,
    )
    weaknesses = weaknesses_of(skills.values(), now)
    closed = closed_modules(guide, reader, now)
    advice = recommend(
        bank.get(occasion.language, NO_QUESTIONS),
        skills,
        weaknesses,
        everywhere=reader.everywhere,
        now=now,
        barred=msgspec.structs.replace(occasion.barred, closed=closed),
        seed=occasion.seed,
        plan=plan,
        locale=context.locale or "en",
    )
    weak = [weakness.topic for weakness in weaknesses]
    nearby = list(dict.fromkeys(question.topic for question in advice.questions if question.topic not in weak))
    return msgspec.structs.replace(
        advice,
        resources=choose_resources(guide, reader, weak, nearby),
        projects=choose_projects(guide, reader),
    )
