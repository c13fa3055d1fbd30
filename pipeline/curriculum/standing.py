"""How far a learner has got with a module, and whether it is open."""

from collections.abc import Callable
from typing import Final

import msgspec

from pipeline.curriculum.model import Module


class TopicStanding(msgspec.Struct, frozen=True):
    """What is known of a learner in one topic, seen from one difficulty.

    `mastery` is 0 to 1: the chance to answer such a question without guessing, as far as one may be sure of it.
    """

    mastery: float
    is_mastered: bool
    answers: int


Measure = Callable[[str, int], TopicStanding]
"""The learner's standing in a topic at a difficulty (1 to 5)."""


class ModuleStanding(msgspec.Struct, frozen=True):
    """How far a learner has got with a module: as far as with the weakest of its topics. `mastery` is 0 to 1."""

    mastery: float = 0.0
    is_mastered: bool = False
    is_begun: bool = False


NOT_BEGUN: Final = ModuleStanding()
SAID_TO_BE_MASTERED: Final = ModuleStanding(mastery=1.0, is_mastered=True, is_begun=True)
"""By the caller, not by answers."""

Standings = Callable[[str], ModuleStanding]
"""The learner's standing in a module, by its id."""


def standing_in(module: Module, measure: Measure) -> ModuleStanding:
    """The standing in a module, from that in the topics it is measured by, at its difficulty."""
    topics = [measure(topic, module.difficulty) for topic in module.measured_by]
    is_begun = any(topic.answers for topic in topics)
    return ModuleStanding(
        mastery=min(topic.mastery for topic in topics) if is_begun else 0.0,
        is_mastered=is_begun and all(topic.is_mastered for topic in topics),
        is_begun=is_begun,
    )


def missing_prerequisites(module: Module, standings: Standings) -> tuple[str, ...]:
    """The prerequisites that are not mastered yet; the module is open where there is none."""
    return tuple(id_ for id_ in module.prerequisites if not standings(id_).is_mastered)
