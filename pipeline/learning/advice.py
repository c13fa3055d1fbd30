"""What a learner is advised to do next, and why, as it is stored with a submission."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.learning.candidate import Kind
from pipeline.learning.weakness import Weakness


class Why(StrEnum):
    """Why something is recommended."""

    WEAK = "weak"
    """The topic went wrong lately."""
    DUE = "due"
    """A review of the topic is due."""
    UNSEEN = "unseen"
    """The topic was not met for a while."""
    FRESH = "fresh"
    """The topic was met today, and is kept fresh."""
    STRETCH = "stretch"
    """The topic was met, and this is harder than what is surely known of it."""
    NEW = "new"
    """The topic was never met."""
    MODULE = "module"
    """It belongs to a module that teaches the weak topic."""
    PREREQUISITE = "prerequisite"
    """It belongs to a module that the weak topic's module builds on."""
    NEXT = "next"
    """The questions recommended beside it are about this topic."""
    LEVEL = "level"
    """It is about as hard as the learner is good."""
    PROJECT = "project"
    """The learner's level and what was met so far fit it."""


NUMBERS: Final[Mapping[Why, tuple[str, ...]]] = MappingProxyType(
    {
        Why.WEAK: (),
        Why.DUE: ("overdue_days", "recall"),
        Why.UNSEEN: ("days",),
        Why.FRESH: (),
        Why.STRETCH: (),
        Why.NEW: (),
        Why.MODULE: (),
        Why.PREREQUISITE: (),
        Why.NEXT: (),
        Why.LEVEL: (),
        Why.PROJECT: ("level", "met", "topics", "for_goal", "for_industry"),
    }
)
"""What each reason is told with, in this order. What is stored depends on it: new ones go to the end."""

Because = tuple[Why | bool | int | float, ...]
"""A reason and the numbers that `NUMBERS` names, as they are stored."""

WEAK: Final[Because] = ()
"""What most is recommended for costs no byte."""


class RecommendedQuestion(msgspec.Struct, frozen=True):
    """A question to answer next, for the reason `kind` in `topic`; `expected` is its mean score.

    `because` is empty where the topic is weak, and in what was stored before reasons were.
    """

    question_id: str
    kind: Kind
    topic: str
    expected: float
    module: str | None = None
    because: Because = WEAK


class RecommendedResource(msgspec.Struct, frozen=True):
    """Something to read, watch or try, for `topic`; `kind`, `difficulty` and `minutes` are the curriculum's.

    `because` is empty where the topic is weak.
    """

    id: str
    title: str
    kind: str
    url: str
    topic: str
    difficulty: int
    language: str
    minutes: int | None = None
    because: Because = WEAK


class RecommendedProject(msgspec.Struct, frozen=True):
    """Something to build."""

    id: str
    title: str
    difficulty: int
    hours: float
    because: Because = (Why.PROJECT,)


class Recommendation(msgspec.Struct, frozen=True):
    """What a learner is advised to do next; the "recommendations" of a submission."""

    questions: tuple[RecommendedQuestion, ...]
    weaknesses: tuple[Weakness, ...]
    resources: tuple[RecommendedResource, ...] = ()
    projects: tuple[RecommendedProject, ...] = ()
    rationale: str = ""
