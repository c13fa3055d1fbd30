"""Learners' weeks and goals over HTTP."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, put
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import Answer, Body, described
from api.learners import check_learner_id
from api.pages.sentence import said, topics_in
from api.pages.words import Words, language_of
from api.reading import body_of, query_of
from pipeline.curriculum.naming import NO_NAMES
from pipeline.learning.goal import GoalOutcome, Goals
from pipeline.learning.regularity import Consistency, PeakHours
from pipeline.learning.report import (
    DayWeek,
    Finding,
    TopicWeek,
    WeeklyReport,
    WeekTotals,
)
from pipeline.learning.session import SessionLength, Sessions
from pipeline.service.access import Permission
from pipeline.service.report import Reported

TAG: Final = "Learners"
GOALS_EXAMPLE: Final = Goals(weekly_answers=40, weekly_minutes=120, target="saas_development", hours_per_week=6)


class ReportQuery(msgspec.Struct, frozen=True):
    """Which week, where its days begin, and the language of its sentences.

    The week is named as `2026-W47`, by default the last one that is over; the time zone by its name in the IANA
    database, by default UTC; the language by its tag, by default English.
    """

    week: Annotated[str, msgspec.Meta(max_length=8)] | None = None
    timezone: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    locale: Annotated[str, msgspec.Meta(max_length=35)] | None = None


class FindingShown(Finding, frozen=True, kw_only=True):
    """One thing to say, as data (`code`, `values`) and as a sentence (`text`)."""

    text: str


class ReportShown(WeeklyReport, frozen=True, kw_only=True):
    """A week of one learner. `stored` where it is the report that was made when the week was over."""

    learner_id: str
    stored: bool
    findings: tuple[FindingShown, ...]
    next_steps: tuple[FindingShown, ...]


TOTALS: Final = WeekTotals(4, 42, 42, 33, 0.7857, 0.81, 95.5, 3)
REPORT_EXAMPLE: Final = ReportShown(
    learner_id="u-17",
    stored=True,
    week="2026-W10",
    from_=date(2026, 3, 2),
    to=date(2026, 3, 8),
    timezone="Asia/Seoul",
    made_at=datetime(2026, 3, 9, 0, 5, tzinfo=UTC),
    complete=True,
    total=TOTALS,
    before=WeekTotals(2, 20, 20, 14, 0.7, 0.72, 40.0, 2),
    days=(DayWeek(date(2026, 3, 2), 14, 0.7857),),
    topics=(TopicWeek("python.lists", 20, 20, 16, 0.8, 10, 0.6, 0.2),),
    peak_hours=PeakHours(20, 22, 30, 0.7143, 0.8),
    sessions=Sessions(6, 16.2, enough=False, best=None, lengths=(SessionLength(10, 20, 6, 62, 0.7581),)),
    consistency=Consistency(3, 7, 0.4286, 0.5646),
    streak=2,
    goals=(GoalOutcome("weekly_answers", 40, 42, met=True),),
    findings=(
        FindingShown(
            "weekly_answers_met",
            {"count": 40, "reached": 42},
            text="You reached your goal of 40 answers: it was 42.",
        ),
    ),
    next_steps=(
        FindingShown(
            "practise",
            {"topic": "python.lists", "score": 0.15},
            text="Practise python.lists, where answers went wrong lately.",
        ),
    ),
)


@get(
    "/v1/learners/{learner_id:str}/report",
    opt=described(
        TAG,
        {200: Answer("The week in figures and in sentences.", ReportShown, REPORT_EXAMPLE)},
        permission=Permission.READ_LEARNING,
        query=ReportQuery,
    ),
)
async def show_report(request: AnyRequest, learner_id: FromPath[str]) -> Response[ReportShown]:
    """Show one week of a learner.

    Totals, accuracy against the week before, topics, busiest hours, the length of session that went best, regularity,
    streak, goals and next steps. A session is made of hand-ins with less than half an hour between them. Work done off
    line counts for the week in which it was done, if it arrives within a month.
    """
    parts, principal = await allow(request, Permission.READ_LEARNING)
    query = query_of(request, ReportQuery)
    reported = await parts.reports.week(principal, learner_id, query.week, query.timezone)
    words, found = Words(language_of(query.locale, None)), reported.report
    topics = topics_in([*found.findings, *found.next_steps])
    names = await parts.curricula.topic_names(principal, topics, words.language)
    return Response(shown(reported, learner_id, words, names))


def shown(reported: Reported, learner_id: str, words: Words, names: Mapping[str, str] = NO_NAMES) -> ReportShown:
    """A report with its sentences, in which topics go by their `names`."""
    report = reported.report
    told = {name: getattr(report, name) for name in report.__struct_fields__}
    told["findings"] = tuple(with_text(finding, words, names) for finding in report.findings)
    told["next_steps"] = tuple(with_text(finding, words, names) for finding in report.next_steps)
    return ReportShown(**told, learner_id=learner_id, stored=reported.stored)


def with_text(finding: Finding, words: Words, names: Mapping[str, str]) -> FindingShown:
    return FindingShown(finding.code, finding.values, text=said(finding, words, topics=names))


@get(
    "/v1/learners/{learner_id:str}/goals",
    opt=described(
        TAG,
        {200: Answer("The goals; null where there is none.", Goals, GOALS_EXAMPLE)},
        permission=Permission.READ_LEARNING,
    ),
)
async def show_goals(request: AnyRequest, learner_id: FromPath[str]) -> Response[Goals]:
    """Show a learner's goals.

    A learner is known who handed in, is in a group, or was set goals; anybody else is not found.
    """
    parts, principal = await allow(request, Permission.READ_LEARNING)
    return Response(await parts.reports.goals(principal, learner_id))


@put(
    "/v1/learners/{learner_id:str}/goals",
    opt=described(
        TAG,
        {200: Answer("The goals that hold now.", Goals, GOALS_EXAMPLE)},
        permission=Permission.SET_GOALS,
        body=Body(
            Goals,
            {
                "a pace and a target": msgspec.to_builtins(GOALS_EXAMPLE),
                "answers only": {"weekly_answers": 20},
            },
        ),
    ),
)
async def set_goals(request: AnyRequest, learner_id: FromPath[str]) -> Response[Goals]:
    """Set a learner's goals, in place of earlier ones.

    Goals that are left out are none. The learner need not have handed in anything yet, and is known from then on.
    Learner tokens only read: whoever hands in for a learner sets goals for him.
    """
    parts, principal = await allow(request, Permission.SET_GOALS)
    check_learner_id(learner_id)
    return Response(await parts.reports.set_goals(principal, learner_id, await body_of(request, Goals)))


def report_handlers() -> list[Any]:
    return [show_report, show_goals, set_goals]
