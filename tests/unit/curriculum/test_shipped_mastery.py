"""Whether the shipped questions are enough to be a master by, as the product measures mastery."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from pipeline.curriculum.model import Module
from pipeline.curriculum.path import recommend_path
from pipeline.curriculum.standing import NOT_BEGUN
from pipeline.learning.mastery import MASTERED_FROM, mastery, module_logit
from pipeline.learning.pooling import overall
from pipeline.learning.rating import Skill, apply_submission
from pipeline.model import Answer, Question, ScoredAnswer
from pipeline.scoring.rule import score
from tests.unit.curriculum.shipped import modules, questions, whole
from tests.unit.curriculum.test_shipped_questions import right_answers

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HARDEST_THAT_OTHERS_NEED = 4


def _asked_in(module: Module) -> list[Question]:
    asked = [question for question in questions().values() if question.module == module.id and question.type != "essay"]
    return sorted(asked, key=lambda question: question.difficulty)


def _answered_rightly(asked: Iterable[Question]) -> list[ScoredAnswer]:
    return [ScoredAnswer(Answer(question), score(question, next(right_answers(question)))) for question in asked]


def _mastery_in(module: Module, skills: dict[str, Skill]) -> float:
    everywhere = overall(skills)
    return min(mastery(skills[topic], everywhere, module_logit(module.difficulty), NOW) for topic in module.measured_by)


def test_nothing_waits_for_a_module_of_level_five() -> None:
    """Level five takes more evidence than anybody should have to give before going on."""
    waited_for = {needed for module in modules().values() for needed in module.prerequisites}
    assert max(modules()[name].difficulty for name in waited_for) == HARDEST_THAT_OTHERS_NEED


@pytest.mark.parametrize("category", ["saas_development", "react_specialist", "data_engineering_advanced"])
def test_two_rounds_without_a_mistake_are_enough_for_all_that_others_wait_for(category: str) -> None:
    skills: dict[str, Skill] = {}
    reached: dict[str, float] = {}
    for step in recommend_path(whole(), category, lambda _: NOT_BEGUN, hours_per_week=10).steps:
        answers = _answered_rightly(_asked_in(step.module))
        skills = dict(apply_submission(skills, {}, [*answers, *answers], NOW).skills)
        reached[step.module.id] = _mastery_in(step.module, skills)
    needed = {name for module in reached for name in modules()[module].prerequisites}
    assert {name: reached[name] for name in needed if reached[name] < MASTERED_FROM} == {}
