"""What the page of a learner shows, worked out of what is known: rows, charts and sentences. Plain functions."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from api.pages.calendar import Calendar, Naming, calendar, monday_of
from api.pages.charts import BarChart, LineChart, Reading, bar_chart, line_chart
from api.pages.radar import LEAST_AXES, MOST_AXES, Axis, Radar, radar
from api.pages.words import Words
from pipeline.learning.metrics import AnswerSums, LearnerDay
from pipeline.learning.progress import accuracy, total
from pipeline.learning.report import TopicWeek
from pipeline.learning.weakness import LEAST_SCORE
from pipeline.service.learner import SkillShown

CALENDAR_WEEKS: Final = 26
PROGRESS_WEEKS: Final = 12
SHOWN_TOPICS: Final = 12
SHOWN_REVIEWS: Final = 8
HIGH: Final = 0.5
MEDIUM: Final = 0.2
PERCENT_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)

Rows = tuple[tuple[str, ...], ...]
"""The cells of a table, row by row."""


class SkillsView(msgspec.Struct, frozen=True):
    """The radar of the topics with the most answers, where there are three at least; and all of them in rows."""

    chart: Radar | None
    description: str
    rows: Rows


class ProgressView(msgspec.Struct, frozen=True):
    """The last weeks as bars and as a line, and in rows."""

    answers: BarChart
    answers_description: str
    accuracy: LineChart
    accuracy_description: str
    rows: Rows


class ActivityView(msgspec.Struct, frozen=True):
    """The calendar, and its weeks in rows."""

    chart: Calendar
    title: str
    description: str
    rows: Rows


def skills_view(skills: Sequence[SkillShown], say: Words) -> SkillsView | None:
    """The skills; None where there is none yet."""
    if not skills:
        return None
    known = sorted(skills, key=lambda skill: (-skill.answers, skill.topic))
    drawn = sorted(known[:MOST_AXES], key=lambda skill: skill.topic)
    best = max(known, key=lambda skill: skill.mastery)
    axes = [Axis(one.topic, one.mastery, f"{one.topic}: {say.percent(one.mastery)}") for one in drawn]
    return SkillsView(
        chart=radar(axes) if len(axes) >= LEAST_AXES else None,
        description=say("skills_description", count=len(drawn), topic=best.topic, value=say.percent(best.mastery)),
        rows=tuple((one.topic, say.percent(one.mastery), say(f"level_{one.level}"), str(one.answers)) for one in known),
    )


def progress_view(days: Sequence[LearnerDay], today: date, say: Words) -> ProgressView:
    """The last `PROGRESS_WEEKS` weeks up to today."""
    weeks = weekly(days, today, PROGRESS_WEEKS)
    named = {monday: say.short_day(monday) for monday in weeks}
    answers = [
        Reading(named[monday], sums.answers, said_of(say, monday, str(sums.answers))) for monday, sums in weeks.items()
    ]
    shares = {monday: accuracy(sums) for monday, sums in weeks.items()}
    right = [
        Reading(named[monday], share, said_of(say, monday, say.percent(share))) for monday, share in shares.items()
    ]
    ticks = [(value, say.percent(value)) for value in PERCENT_TICKS]
    busiest = max(weeks, key=lambda monday: weeks[monday].answers)
    latest = max((monday for monday, share in shares.items() if share is not None), default=max(weeks))
    return ProgressView(
        answers=bar_chart(answers),
        answers_description=say(
            "answers_description", weeks=len(weeks), most=weeks[busiest].answers, day=say.day(busiest)
        ),
        accuracy=line_chart(right, ticks),
        accuracy_description=say(
            "accuracy_description", weeks=len(weeks), value=say.percent(shares[latest]), day=say.day(latest)
        ),
        rows=tuple((say.day(monday), str(sums.answers), say.percent(shares[monday])) for monday, sums in weeks.items()),
    )


def said_of(say: Words, monday: date, value: str) -> str:
    return say("reading_answers", day=say.day(monday), value=value)


def weekly(days: Iterable[LearnerDay], today: date, weeks: int) -> dict[date, AnswerSums]:
    """The sums of each of the last weeks by its Monday, the oldest first; those without answers too."""
    mondays = [monday_of(today) - timedelta(weeks=back) for back in reversed(range(weeks))]
    by_week: dict[date, list[LearnerDay]] = {monday: [] for monday in mondays}
    for day in days:
        by_week.get(monday_of(day.day), []).append(day)
    return {monday: total(found) for monday, found in by_week.items()}


def activity_view(days: Sequence[LearnerDay], today: date, say: Words) -> ActivityView:
    """The last `CALENDAR_WEEKS` weeks up to today."""
    first = monday_of(today) - timedelta(weeks=CALENDAR_WEEKS - 1)
    shown = [day for day in days if first <= day.day <= today]
    naming = Naming(say.weekdays, say.month, lambda day, count: say("reading_answers", day=say.day(day), value=count))
    return ActivityView(
        chart=calendar({day.day: day.sums.answers for day in shown}, today, CALENDAR_WEEKS, naming),
        title=say("activity_title", weeks=CALENDAR_WEEKS),
        description=say("activity_description", answers=total(shown).answers, days=len(shown)),
        rows=tuple(activity_rows(shown, say)),
    )


def activity_rows(days: Sequence[LearnerDay], say: Words) -> Iterable[tuple[str, ...]]:
    """The weeks with something in them: how many days and how many answers."""
    by_week: dict[date, list[LearnerDay]] = {}
    for day in days:
        by_week.setdefault(monday_of(day.day), []).append(day)
    for monday, found in by_week.items():
        yield say.day(monday), str(len(found)), str(total(found).answers)


def topic_rows(topics: Sequence[TopicWeek], say: Words) -> Rows:
    """The topics of the week: how many answers, how many right, and the change."""
    return tuple(
        (
            topic.topic,
            str(topic.answers),
            say.percent(topic.accuracy),
            say.points(topic.accuracy, topic.accuracy_before),
        )
        for topic in topics[:SHOWN_TOPICS]
    )


def weak_rows(skills: Sequence[SkillShown], say: Words) -> Rows:
    """Weak topics, the weakest first: how weak in a word, and what was right since the beginning."""
    weak = sorted((one for one in skills if one.weakness >= LEAST_SCORE), key=lambda one: (-one.weakness, one.topic))
    return tuple(
        (one.topic, say(f"severity_{severity(one.weakness)}"), say.percent(one.correct / max(one.answers, 1)))
        for one in weak[:SHOWN_TOPICS]
    )


def severity(weakness: float) -> str:
    """`high` from half, which is one fresh error without a right answer beside it; `medium` from a fifth."""
    return "high" if weakness >= HIGH else "medium" if weakness >= MEDIUM else "low"


def review_rows(skills: Sequence[SkillShown], now: datetime, zone: tzinfo, say: Words) -> Rows:
    """The next reviews, the most urgent first, by the days of `zone`."""
    planned = sorted((one.due_at, one.topic) for one in skills if one.due_at is not None)
    return tuple(
        (topic, say("due_now") if due_at <= now else say("due_on", day=say.day(due_at.astimezone(zone).date())))
        for due_at, topic in planned[:SHOWN_REVIEWS]
    )
