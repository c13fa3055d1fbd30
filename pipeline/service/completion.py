"""How much of a career path a learner has mastered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from pipeline.curriculum.model import Category, Curriculum, Module
from pipeline.learning.mastery import has_mastered, module_logit
from pipeline.learning.pooling import Estimate, overall
from pipeline.learning.rating import Skill
from pipeline.learning.risk import Completion


class Taught(Protocol):
    """What each tenant teaches; of the port `CurriculumStore` as much as is read here."""

    async def current(self, tenant_id: int) -> Curriculum:
        """The whole curriculum as it is now."""
        ...


def modules_of(curriculum: Curriculum, category: Category) -> tuple[Module, ...]:
    """The modules of a career path's own tracks, each once; specialisations are a choice and do not count."""
    ids = dict.fromkeys(id_ for track in category.tracks for id_ in curriculum.tracks[track].modules)
    return tuple(curriculum.modules[id_] for id_ in ids)


class Paths:
    """The modules of each career path of a curriculum, found once for many learners."""

    def __init__(self, curriculum: Curriculum) -> None:
        self._modules = {id_: modules_of(curriculum, category) for id_, category in curriculum.categories.items()}

    def completion(self, career_goal: str | None, skills: Mapping[str, Skill], now: datetime) -> Completion | None:
        """How much of the path the learner has mastered; None where the goal is no path with modules."""
        modules = self._modules.get(career_goal or "", ())
        if not modules:
            return None
        everywhere = overall(skills)
        return Completion(sum(is_mastered(module, skills, everywhere, now) for module in modules), len(modules))


def is_mastered(module: Module, skills: Mapping[str, Skill], everywhere: Estimate, now: datetime) -> bool:
    """Whether each topic that measures the module is mastered at its difficulty."""
    difficulty = module_logit(module.difficulty)
    return all(has_mastered(skills.get(topic), everywhere, difficulty, now) for topic in module.measured_by)
