"""Which modules of a curriculum are not open to a learner yet."""

from datetime import datetime

from pipeline.curriculum.model import Curriculum, Module
from pipeline.learning.mastery import has_mastered, module_logit
from pipeline.stages.guidance import Reader


def closed_modules(curriculum: Curriculum, reader: Reader, now: datetime) -> frozenset[str]:
    """The modules that build on something the learner has not mastered by `now`."""
    needed = {before for module in curriculum.modules.values() for before in module.prerequisites}
    mastered = {name for name in needed if _is_mastered(curriculum.modules.get(name), reader, now)}
    return frozenset(
        module.id for module in curriculum.modules.values() if not mastered.issuperset(module.prerequisites)
    )


def _is_mastered(module: Module | None, reader: Reader, now: datetime) -> bool:
    """Whether every topic of a module is mastered; a module that is not there holds nobody up."""
    if module is None:
        return True
    return all(
        has_mastered(reader.skills.get(topic), reader.everywhere, module_logit(module.difficulty), now)
        for topic in module.measured_by
    )
