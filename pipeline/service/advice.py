"""How advice is shown: each thing with its reason, as data and in words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.curriculum.naming import NO_NAMES
from pipeline.learning.advice import Recommendation, RecommendedProject, RecommendedQuestion, RecommendedResource
from pipeline.learning.candidate import Kind
from pipeline.learning.reason import Reason, reason_for
from pipeline.learning.weakness import Weakness


class QuestionAdvised(msgspec.Struct, frozen=True):
    """A question to answer next; `expected` is the mean score, 0 to 1, of learners like this one."""

    question_id: str
    kind: Kind
    topic: str
    expected: float
    module: str | None
    reason: Reason | None


class ResourceAdvised(msgspec.Struct, frozen=True):
    """Something of the curriculum to read, watch or try; `difficulty` is 1 to 5."""

    id: str
    title: str
    kind: str
    url: str
    topic: str
    difficulty: int
    language: str
    minutes: int | None
    reason: Reason


class ProjectAdvised(msgspec.Struct, frozen=True):
    """Something of the curriculum to build; `difficulty` is 1 to 5."""

    id: str
    title: str
    difficulty: int
    hours: float
    reason: Reason


class Advice(msgspec.Struct, frozen=True):
    """What to do next, and the weaknesses behind it; `reason` is null in advice from before reasons were kept."""

    questions: tuple[QuestionAdvised, ...]
    weaknesses: tuple[Weakness, ...]
    resources: tuple[ResourceAdvised, ...]
    projects: tuple[ProjectAdvised, ...]
    rationale: str


def stored_advice(stored: Mapping[str, Any], locale: str | None, names: Mapping[str, str] = NO_NAMES) -> Advice:
    """Advice as the recommend stage left it, with its reasons in the language of `locale`; `names` are topics'."""
    return shown(msgspec.convert(stored, Recommendation), locale, names)


def shown(advice: Recommendation, locale: str | None, names: Mapping[str, str] = NO_NAMES) -> Advice:
    """Advice with its reasons in the language of `locale`, or else in English; `names` are those of topics."""
    weak = {weakness.topic for weakness in advice.weaknesses}

    def question(one: RecommendedQuestion) -> QuestionAdvised:
        is_told = one.because or one.topic in weak
        reason = reason_for(one.because, one.topic, advice.weaknesses, locale, names) if is_told else None
        return QuestionAdvised(one.question_id, one.kind, one.topic, one.expected, one.module, reason)

    def resource(one: RecommendedResource) -> ResourceAdvised:
        reason = reason_for(one.because, one.topic, advice.weaknesses, locale, names)
        return ResourceAdvised(
            one.id, one.title, one.kind, one.url, one.topic, one.difficulty, one.language, one.minutes, reason
        )

    def project(one: RecommendedProject) -> ProjectAdvised:
        reason = reason_for(one.because, None, advice.weaknesses, locale)
        return ProjectAdvised(one.id, one.title, one.difficulty, one.hours, reason)

    return Advice(
        questions=tuple(map(question, advice.questions)),
        weaknesses=advice.weaknesses,
        resources=tuple(map(resource, advice.resources)),
        projects=tuple(map(project, advice.projects)),
        rationale=advice.rationale,
    )
