"""Which modules of a curriculum are not open to a learner yet."""

from datetime import datetime

from pipeline.curriculum.model import Module
from pipeline.learning.mastery import has_mastered, module_logit
from pipeline.stages.guidance import Reader
from pipeline.stages.guide import Guide


def closed_modules(guide: Guide, reader: Reader, now: datetime) -> frozenset[str]:
    """The modules that build on something the learner has not mastered by `now`."""
    begun = {module.id: module for topic in reader.skills for module in guide.gates.get(topic, ())}
    mastered = {name for name, module in begun.items() if _is_mastered(module, reader, now)}
    return frozenset(name for name, needed in guide.needs.items() if not needed <= mastered)


def _is_mastered(module: Module, reader: Reader, now: datetime) -> bool:
    """Whether every topic of a module is mastered."""
    difficulty = module_logit(module.difficulty)
    return all(
        has_mastered(reader.skills.get(topic), reader.everywhere, difficulty, now) for topic in module.measured_by
    )
