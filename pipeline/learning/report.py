"""A learner's week in figures, from the hand-ins of it and of the week before. No words in any language.

What a person would say of the week is in `findings`: a code and its values. A page makes a sentence of each.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo

import msgspec

from pipeline.learning.goal import NO_GOALS, GoalOutcome, Goals, outcomes
from pipeline.learning.local import DECIMALS, Local, accuracy_of, answers_of, local_to
from pipeline.learning.progress import current_streak
from pipeline.learning.regularity import Consistency, PeakHours, consistency_of, peak_hours
from pipeline.learning.session import Answered, HandIn, Session, Sessions, compared, sessions_of
from pipeline.learning.week import Week, week_of
from pipeline.model import JsonValue


class WeekTotals(msgspec.Struct, frozen=True):
    """A week in sums. `accuracy` and `mean_score` are 0 to 1, None where nothing has a score; minutes are sessions'."""

    submissions: int
    answers: int
    scored: int
    correct: int
    accuracy: float | None
    mean_score: float | None
    minutes: float
    active_days: int


class TopicWeek(msgspec.Struct, frozen=True):
    """One topic in the week, and its accuracy in the week before; `change` is the difference where both are known."""

    topic: str
    answers: int
    scored: int
    correct: int
    accuracy: float | None
    scored_before: int
    accuracy_before: float | None
    change: float | None


class DayWeek(msgspec.Struct, frozen=True):
    """One day of the week, in the report's time zone."""

    day: date
    answers: int
    accuracy: float | None


class Finding(msgspec.Struct, frozen=True):
    """One thing to say: what (`code`), and with which values."""

    code: str
    values: Mapping[str, JsonValue] = {}


class WeeklyReport(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A week of one learner, as of `made_at`; `complete` where the week was over then.

    `sessions` tells of two weeks, the one before included, because one is seldom enough. `clipped` where there were
    more hand-ins than are looked at: then the oldest are missing. `next_steps` are those of `made_at`.
    """

    week: str
    from_: date
    to: date
    timezone: str
    made_at: datetime
    complete: bool
    total: WeekTotals
    before: WeekTotals
    days: tuple[DayWeek, ...]
    topics: tuple[TopicWeek, ...]
    peak_hours: PeakHours | None
    sessions: Sessions
    consistency: Consistency
    streak: int
    goals: tuple[GoalOutcome, ...]
    findings: tuple[Finding, ...] = ()
    next_steps: tuple[Finding, ...] = ()
    clipped: bool = False


def report_of(
    hand_ins: Iterable[HandIn],
    week: Week,
    zone: tzinfo,
    timezone: str,
    *,
    now: datetime,
    active_days: Collection[date] = (),
    goals: Goals = NO_GOALS,
    clipped: bool = False,
) -> WeeklyReport:
    """The report of `week`, without findings and next steps (`pipeline/learning/finding.py` adds them).

    `hand_ins` are those of the week and of the week before; `active_days` the days (UTC) on which the learner ever
    handed in, for the streak.
    """
    everything = tuple(hand_ins)
    local, sessions = [local_to(zone, hand_in) for hand_in in everything], sessions_of(everything)
    here, earlier = ([one for one in local if week_of(one.day) == which] for which in (week, week.before))
    today = min(now.astimezone(zone).date(), week.sunday)
    total = totals(here, sessions, week, zone)
    return WeeklyReport(
        week=week.name,
        from_=week.monday,
        to=week.sunday,
        timezone=timezone,
        made_at=now,
        complete=now >= week.end(zone),
        total=total,
        before=totals(earlier, sessions, week.before, zone),
        days=tuple(day_of(day, here) for day in week.days if day <= today),
        topics=topics_of(here, earlier),
        peak_hours=peak_hours(here),
        sessions=compared(sessions),
        consistency=consistency_of(here, (today - week.monday).days + 1),
        streak=current_streak(known_days(active_days, local, week), today),
        goals=outcomes(goals, answers=total.answers, minutes=total.minutes),
        clipped=clipped,
    )


def totals(local: Sequence[Local], sessions: Iterable[Session], week: Week, zone: tzinfo) -> WeekTotals:
    """These hand-ins in sums; a session counts for the week in which it began."""
    answers = answers_of(local)
    fractions = [answer.fraction for answer in answers if answer.fraction is not None]
    minutes = sum(session.minutes for session in sessions if week.start(zone) <= session.started_at < week.end(zone))
    return WeekTotals(
        submissions=len(local),
        answers=len(answers),
        scored=len(fractions),
        correct=sum(answer.correct for answer in answers),
        accuracy=accuracy_of(answers),
        mean_score=round(sum(fractions) / len(fractions), DECIMALS) if fractions else None,
        minutes=round(minutes, 1),
        active_days=len({one.day for one in local}),
    )


def day_of(day: date, local: Sequence[Local]) -> DayWeek:
    answers = answers_of(one for one in local if one.day == day)
    return DayWeek(day, len(answers), accuracy_of(answers))


def topics_of(here: Sequence[Local], earlier: Sequence[Local]) -> tuple[TopicWeek, ...]:
    """The topics of the week, those with the most answers first. An answer counts for each of its topics."""
    now, before = by_topic(here), by_topic(earlier)
    shown = [topic_of(topic, answers, before.get(topic, [])) for topic, answers in now.items()]
    return tuple(sorted(shown, key=lambda topic: (-topic.answers, topic.topic)))


def by_topic(local: Iterable[Local]) -> dict[str, list[Answered]]:
    found: dict[str, list[Answered]] = {}
    for answer in answers_of(local):
        for topic in answer.topics:
            found.setdefault(topic, []).append(answer)
    return found


def topic_of(topic: str, answers: Sequence[Answered], before: Sequence[Answered]) -> TopicWeek:
    accuracy, earlier = accuracy_of(answers), accuracy_of(before)
    known = accuracy is not None and earlier is not None
    return TopicWeek(
        topic=topic,
        answers=len(answers),
        scored=sum(answer.scored for answer in answers),
        correct=sum(answer.correct for answer in answers),
        accuracy=accuracy,
        scored_before=sum(answer.scored for answer in before),
        accuracy_before=earlier,
        change=round((accuracy or 0.0) - (earlier or 0.0), DECIMALS) if known else None,
    )


def known_days(active_days: Collection[date], local: Iterable[Local], week: Week) -> set[date]:
    """Days with hand-ins: where the learner is, as far back as the hand-ins go, and before that in UTC."""
    return {day for day in active_days if day < week.before.monday} | {one.day for one in local}
