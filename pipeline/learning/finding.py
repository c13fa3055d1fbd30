"""What there is to say of a week, and what to do next: codes with their values, in the order in which they are said.

A difference is told only where both sides have enough answers and it is large enough to be seen; what cannot be told
yet is said to be so.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from pipeline.learning.memory import is_due, overdue_days
from pipeline.learning.rating import Skill
from pipeline.learning.regularity import Consistency
from pipeline.learning.report import Finding, TopicWeek, WeeklyReport
from pipeline.learning.session import Sessions
from pipeline.learning.weakness import Weakness

LEAST_MINUTES: Final = 1.5
"""Less than two minutes, rounded, are not worth a word."""

ENOUGH_TO_COMPARE: Final = 10
"""Scored answers of each week that a comparison of accuracies takes; of a topic, `ENOUGH_OF_TOPIC`."""
ENOUGH_OF_TOPIC: Final = 5
TOPIC_CHANGE: Final = 0.1
"""A topic is named where its accuracy moved by a tenth or more."""
EVEN_FROM: Final = 0.75
MOST_STEPS_OF_A_KIND: Final = 3
QUESTIONS_STEP: Final = "questions"


class Module(msgspec.Struct, frozen=True):
    """A module that is open and not mastered yet, and the category that it leads to."""

    id: str
    title: str
    category: str


class Prospects(msgspec.Struct, frozen=True):
    """What a learner could do next, as far as it is known.

    Weak topics, the weakest first; topics to review, those due longest first; how many questions are recommended and
    in which topics; the next module of the path.
    """

    weaknesses: tuple[Weakness, ...] = ()
    due: tuple[Skill, ...] = ()
    questions: int = 0
    question_topics: tuple[str, ...] = ()
    module: Module | None = None


NO_PROSPECTS: Final = Prospects()


def with_findings(report: WeeklyReport, prospects: Prospects = NO_PROSPECTS) -> WeeklyReport:
    """The same report with everything that is to be said of it."""
    return msgspec.structs.replace(
        report, findings=tuple(findings_of(report)), next_steps=tuple(steps_of(prospects, report.made_at))
    )


def findings_of(report: WeeklyReport) -> Iterator[Finding]:
    """What there is to say of a week, the most important first."""
    if not report.total.submissions:
        yield Finding("nothing")
        yield from goal_findings(report)
        return
    total = report.total
    timed = {"minutes": round(total.minutes)} if total.minutes >= LEAST_MINUTES else {}
    yield Finding(
        "answered" if timed else "answered_untimed", {"count": total.answers, "correct": total.correct, **timed}
    )
    yield from accuracy_findings(report)
    yield from topic_findings(report.topics)
    yield from goal_findings(report)
    if (peak := report.peak_hours) is not None:
        yield Finding("peak", {"from_hour": peak.from_hour, "to_hour": peak.to_hour, "share": peak.share})
    yield session_finding(report.sessions)
    yield from consistency_findings(report.consistency)
    if report.streak > 1:
        yield Finding("streak", {"count": report.streak})


def accuracy_findings(report: WeeklyReport) -> Iterator[Finding]:
    """How much was right, and how that is beside the week before."""
    now, before = report.total, report.before
    if now.accuracy is None:
        return
    if before.accuracy is None or min(now.scored, before.scored) < ENOUGH_TO_COMPARE:
        yield Finding("accuracy", {"accuracy": now.accuracy})
        return
    apart = points(now.accuracy, before.accuracy)
    direction = "same" if not apart else "up" if now.accuracy > before.accuracy else "down"
    yield Finding(f"accuracy_{direction}", {"accuracy": now.accuracy, "before": before.accuracy, "points": apart})


def points(now: float, before: float) -> int:
    """The difference of two shares in percentage points, without its sign: of whole percent, as both are told."""
    return abs(round(now * 100) - round(before * 100))


def topic_findings(topics: Iterable[TopicWeek]) -> Iterator[Finding]:
    """The topic that gained most, and the one that lost most."""
    moved = [
        (topic.change, topic)
        for topic in topics
        if topic.change is not None and min(topic.scored, topic.scored_before) >= ENOUGH_OF_TOPIC
    ]
    rising = max(moved, key=lambda one: one[0], default=None)
    falling = min(moved, key=lambda one: one[0], default=None)
    if rising is not None and rising[0] >= TOPIC_CHANGE:
        yield Finding("topic_up", topic_values(rising[1]))
    if falling is not None and falling[0] <= -TOPIC_CHANGE:
        yield Finding("topic_down", topic_values(falling[1]))


def topic_values(topic: TopicWeek) -> dict[str, str | int | float]:
    now, before = topic.accuracy or 0.0, topic.accuracy_before or 0.0
    return {"topic": topic.topic, "accuracy": now, "points": points(now, before)}


def goal_findings(report: WeeklyReport) -> Iterator[Finding]:
    """Each weekly goal: met, missed, or still open while the week is not over."""
    for goal in report.goals:
        state = "met" if goal.met else "missed" if report.complete else "open"
        yield Finding(f"{goal.goal}_{state}", {"count": goal.wanted, "reached": goal.reached})


def session_finding(sessions: Sessions) -> Finding:
    """Which length of session went best, or why that cannot be told."""
    if not sessions.enough:
        return Finding("session_unknown", {"count": sessions.count})
    best = sessions.best
    if best is None:
        return Finding("session_even", {"count": sessions.count})
    values = {"from_minutes": best.from_minutes, "to_minutes": best.to_minutes, "accuracy": best.accuracy}
    code = (
        "session_best_long"
        if best.to_minutes is None
        else "session_best"
        if best.from_minutes
        else "session_best_short"
    )
    return Finding(code, values)


def consistency_findings(consistency: Consistency) -> Iterator[Finding]:
    """On how many days, and whether they were alike."""
    values = {"count": consistency.active_days, "days": consistency.days}
    even = consistency.evenness is not None and consistency.evenness >= EVEN_FROM
    yield Finding("active_evenly" if even else "active", values)


def steps_of(prospects: Prospects, now: datetime) -> Iterator[Finding]:
    """What to do next, in the order of its use."""
    for skill in prospects.due[:MOST_STEPS_OF_A_KIND]:
        days = 0 if skill.memory is None else overdue_days(skill.memory, now)
        yield Finding("review_overdue" if days else "review", {"topic": skill.topic, "count": days})
    for weakness in prospects.weaknesses[:MOST_STEPS_OF_A_KIND]:
        yield Finding("practise", {"topic": weakness.topic, "score": weakness.score})
    if prospects.questions:
        yield questions_step(prospects.questions, prospects.question_topics)
    if (module := prospects.module) is not None:
        yield Finding("module", {"module": module.id, "title": module.title, "category": module.category})


def questions_step(count: int, topics: Iterable[str]) -> Finding:
    """To answer the questions that are recommended, and what the first of them are about."""
    named = list(dict.fromkeys(topics))[:MOST_STEPS_OF_A_KIND]
    return Finding(QUESTIONS_STEP, {"count": count, "topics": named})


def due_of(skills: Iterable[Skill], now: datetime) -> tuple[Skill, ...]:
    """The topics whose review is due at `now`, those due longest first."""
    due = [(skill.memory.due_at, skill.topic, skill) for skill in skills if skill.memory and is_due(skill.memory, now)]
    return tuple(skill for _, _, skill in sorted(due, key=lambda one: one[:2]))
