"""A learner's week in figures, from the hand-ins of it and of the week before. No words in any language.

What a person would say of the week is in `findings`: a code and its values. A page makes a sentence of each.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from math import log
from typing import Final

import msgspec

from pipeline.learning.goal import NO_GOALS, GoalOutcome, Goals, outcomes
from pipeline.learning.progress import current_streak
from pipeline.learning.session import Answered, HandIn, Session, Sessions, compared, sessions_of
from pipeline.learning.week import Week, week_of
from pipeline.model import JsonValue

DECIMALS: Final = 4
PEAK_HOURS: Final = 2
"""The busiest time of the day is looked for in spans of so many hours."""
LEAST_FOR_PEAK: Final = 10
"""With fewer answers in the week than this no time of the day is called the busiest."""


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


class PeakHours(msgspec.Struct, frozen=True):
    """The busiest hours of the day, from `from_hour` to below `to_hour` (24: midnight), and their part of the week."""

    from_hour: int
    to_hour: int
    answers: int
    share: float
    accuracy: float | None


class Consistency(msgspec.Struct, frozen=True):
    """How regularly the learner worked: on how many of the week's days so far, and how evenly.

    `evenness` is 1 where every day has the same number of answers, 0 where all are on one: E. C. Pielou's index
    (Journal of Theoretical Biology 13, 1966), the Shannon entropy of the days' shares over the largest it could be.
    """

    active_days: int
    days: int
    share: float
    evenness: float | None


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


class Local(msgspec.Struct, frozen=True):
    """A hand-in with the day and the hour that it fell on where the learner is."""

    day: date
    hour: int
    hand_in: HandIn


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
    all_of_them = tuple(hand_ins)
    local = [local_to(zone, hand_in) for hand_in in all_of_them]
    here = [one for one in local if week_of(one.day) == week]
    earlier = [one for one in local if week_of(one.day) == week.before]
    sessions = sessions_of(all_of_them)
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


def local_to(zone: tzinfo, hand_in: HandIn) -> Local:
    at = hand_in.at.astimezone(zone)
    return Local(at.date(), at.hour, hand_in)


def answers_of(local: Iterable[Local]) -> list[Answered]:
    return [answer for one in local for answer in one.hand_in.answers]


def accuracy_of(answers: Iterable[Answered]) -> float | None:
    """Right answers as a share of those that have a score."""
    scored = [answer.correct for answer in answers if answer.scored]
    return round(sum(scored) / len(scored), DECIMALS) if scored else None


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


def peak_hours(local: Sequence[Local]) -> PeakHours | None:
    """The busiest `PEAK_HOURS` hours in a row, of equals those that begin busiest; None in a week with few answers."""
    counts = Counter(dict.fromkeys(range(24), 0))
    for one in local:
        counts[one.hour] += len(one.hand_in.answers)
    if counts.total() < LEAST_FOR_PEAK:
        return None
    spans = {start: sum(counts[start + hour] for hour in range(PEAK_HOURS)) for start in range(25 - PEAK_HOURS)}
    start = max(spans, key=lambda hour: (spans[hour], counts[hour], -hour))
    inside = answers_of(one for one in local if start <= one.hour < start + PEAK_HOURS)
    share = round(spans[start] / counts.total(), DECIMALS)
    return PeakHours(start, start + PEAK_HOURS, spans[start], share, accuracy_of(inside))


def consistency_of(local: Sequence[Local], days: int) -> Consistency:
    """Of the first `days` days of the week."""
    counts = Counter[date]()
    for one in local:
        counts[one.day] += len(one.hand_in.answers)
    return Consistency(len(counts), days, round(len(counts) / days, DECIMALS), evenness([*counts.values()], days))


def evenness(counts: Sequence[int], days: int) -> float | None:
    """Pielou's index of answers over `days` days; None for a single day, and where nothing was answered."""
    total = sum(counts)
    if days < 2 or not total:  # noqa: PLR2004 - a single day is even by itself
        return None
    entropy = -sum(count / total * log(count / total) for count in counts if count)
    return round(entropy / log(days), DECIMALS) + 0.0


def known_days(active_days: Collection[date], local: Iterable[Local], week: Week) -> set[date]:
    """Days with hand-ins: where the learner is, as far back as the hand-ins go, and before that in UTC."""
    return {day for day in active_days if day < week.before.monday} | {one.day for one in local}
