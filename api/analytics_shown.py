"""The shapes in which the teacher's view is shown, as JSON and as rows of tables."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final

import msgspec

from api.spreadsheet import Row
from pipeline.learning.item_analysis import Flag, Missing
from pipeline.learning.risk import Completion, FactorBasis, Sign
from pipeline.ports.analytics import AnalysedItem, Assessed, PastScore
from pipeline.service.at_risk import AtRiskPage
from pipeline.service.careers import Career, CareerList
from pipeline.service.ranking import Basis
from pipeline.service.teaching_advice import action_for, flag_action


class FactorShown(msgspec.Struct, frozen=True):
    """One sign of risk: it counts where `value` is above (or below) `threshold`, and then adds `weight`.

    `value` is null where it is not known; `basis` says what it was taken from, or why there is none. `action` is what
    a teacher can do, null where the sign does not count.
    """

    sign: Sign
    value: float | None
    threshold: float
    counts_above: bool
    weight: float
    contribution: float
    basis: FactorBasis
    action: str | None


class LearnerAtRisk(msgspec.Struct, frozen=True):
    """A learner with the risk score (0 to 1; flagged from 0.6), and the score of about a week before where kept."""

    learner_id: str
    score: float
    flagged: bool
    factors: tuple[FactorShown, ...]
    career_goal: str | None
    completion: Completion | None
    last_active_on: date | None
    week_ago: PastScore | None


class AtRiskShown(msgspec.Struct, frozen=True):
    """Learners by falling risk, as of now or (`night`) as of the night of `day`."""

    items: tuple[LearnerAtRisk, ...]
    next: str | None
    basis: Basis
    day: date


class CareersShown(msgspec.Struct, frozen=True):
    """All careers; `learners` is how many were looked at, now or as of the night of `day`."""

    items: tuple[Career, ...]
    next: str | None
    learners: int
    basis: Basis
    day: date


class FlagShown(msgspec.Struct, frozen=True):
    """Something wrong with a question, and what to do about it."""

    code: Flag
    action: str


class ChoiceShown(msgspec.Struct, frozen=True):
    """An option and who chose it at the first attempt: all, the upper 27 % by ability, the lower 27 %.

    `functioning` is false for a distractor below 5 %; null for the key and while there are fewer than 30 attempts.
    """

    id: str
    text: str
    correct: bool
    count: int
    share: float
    upper_share: float | None
    lower_share: float | None
    functioning: bool | None


class ItemShown(msgspec.Struct, frozen=True):
    """A question with its figures, of first attempts but for `attempts`.

    `missing` says of each figure that is null why it is. `compared` learners are those whose ability other questions
    tell; `computed_at` is null where the question was never analysed.
    """

    question_id: str
    version: int
    type: str
    prompt: str
    module: str | None
    topics: tuple[str, ...]
    difficulty: int
    attempts: int
    first_attempts: int
    compared: int
    facility: float | None
    discrimination: float | None
    discrimination_index: float | None
    mean_time_ms: int | None
    blank: int
    choices: tuple[ChoiceShown, ...]
    flags: tuple[FlagShown, ...]
    missing: Mapping[str, Missing]
    computed_at: datetime | None


def at_risk_shown(page: AtRiskPage, locale: str) -> AtRiskShown:
    items = tuple(learner_shown(one, page.week_ago.get(one.learner_id), locale) for one in page.assessed)
    return AtRiskShown(items, page.next, page.basis, page.day)


def learner_shown(one: Assessed, week_ago: PastScore | None, locale: str) -> LearnerAtRisk:
    factors = tuple(
        FactorShown(f.sign, f.value, f.threshold, f.above, f.weight, f.contribution, f.basis, action_for(f, locale))
        for f in one.assessment.factors
    )
    return LearnerAtRisk(
        learner_id=one.learner_id,
        score=one.assessment.score,
        flagged=one.assessment.flagged,
        factors=factors,
        career_goal=one.career_goal,
        completion=one.completion,
        last_active_on=one.last_day,
        week_ago=week_ago,
    )


def careers_shown(found: CareerList) -> CareersShown:
    return CareersShown(found.careers, None, found.learners, found.basis, found.day)


def item_shown(item: AnalysedItem, locale: str) -> ItemShown:
    question, analysis = item.question, item.analysis
    texts = {option["id"]: option["text"] for option in question.options}
    return ItemShown(
        question_id=question.id,
        version=question.version,
        type=question.type,
        prompt=question.prompt,
        module=question.module,
        topics=question.topics,
        difficulty=question.difficulty,
        attempts=item.attempts,
        first_attempts=analysis.first_attempts,
        compared=analysis.compared,
        facility=analysis.facility,
        discrimination=analysis.discrimination,
        discrimination_index=analysis.discrimination_index,
        mean_time_ms=analysis.mean_time_ms,
        blank=analysis.blank,
        choices=tuple(
            ChoiceShown(text=texts.get(choice.id, choice.id), **msgspec.structs.asdict(choice))
            for choice in analysis.choices
        ),
        flags=tuple(FlagShown(flag, flag_action(flag, locale)) for flag in analysis.flags),
        missing=analysis.missing,
        computed_at=item.computed_at,
    )


AT_RISK_HEADER: Final = (
    *("learner_id", "score", "flagged", "career_goal", "modules_mastered", "modules", "last_active_on"),
    *("week_ago_day", "week_ago_score"),
    *(f"{sign}{part}" for sign in Sign for part in ("", "_contribution", "_action")),
)


def at_risk_rows(shown: AtRiskShown) -> Iterator[Row]:
    for one in shown.items:
        completion, past = one.completion, one.week_ago
        factors = [(factor.value, factor.contribution, factor.action) for factor in one.factors]
        yield (
            *(one.learner_id, one.score, one.flagged, one.career_goal),
            *((completion.mastered, completion.modules) if completion else (None, None)),
            one.last_active_on,
            *((past.day, past.score) if past else (None, None)),
            *(cell for factor in factors for cell in factor),
        )


CAREER_HEADER: Final = (
    *("category", "title", "known", "learners", "share", "measured", "mean_progress", "completed", "completion_rate"),
    *("active_7_days", "active_28_days", "progress_to_20", "to_40", "to_60", "to_80", "to_100", "top_learners"),
)


def career_rows(careers: Iterable[Career]) -> Iterator[Row]:
    for one in careers:
        yield (
            *(one.category, one.title, one.known, one.learners, one.share, one.measured, one.mean_progress),
            *(one.completed, one.completion_rate, one.active_7_days, one.active_28_days, *one.progress_fifths),
            "; ".join(f"{top.learner_id} ({top.progress})" for top in one.top),
        )


ITEM_HEADER: Final = (
    *("question_id", "version", "type", "module", "topics", "difficulty", "attempts", "first_attempts", "compared"),
    *("facility", "discrimination", "discrimination_index", "mean_time_ms", "blank", "flags", "choices"),
    *("not_functioning", "missing", "computed_at", "prompt"),
)


def item_rows(items: Iterable[ItemShown]) -> Iterator[Row]:
    for one in items:
        yield (
            *(one.question_id, one.version, one.type, one.module, "; ".join(one.topics), one.difficulty),
            *(one.attempts, one.first_attempts, one.compared, one.facility, one.discrimination),
            *(one.discrimination_index, one.mean_time_ms, one.blank),
            "; ".join(flag.code for flag in one.flags),
            "; ".join(f"{choice.id}{'*' if choice.correct else ''}: {choice.count}" for choice in one.choices),
            "; ".join(choice.id for choice in one.choices if choice.functioning is False),
            "; ".join(f"{figure}: {reason}" for figure, reason in one.missing.items()),
            one.computed_at.isoformat() if one.computed_at else None,
            one.prompt,
        )
