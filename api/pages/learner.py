"""The page of a learner: the week in words, skills, progress, activity, and what to do next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get
from msgspec.structs import replace

from api.caller import AnyRequest
from api.description import HTML, Answer, described
from api.pages.entering import TAG
from api.pages.excerpt import excerpt
from api.pages.learner_view import (
    activity_view,
    progress_view,
    review_rows,
    skills_view,
    topic_rows,
    weak_rows,
)
from api.pages.rendering import page
from api.pages.sentence import said, topics_in
from api.pages.visitor import address_of, visitor, words_for
from api.pages.words import Words
from api.reading import query_of
from pipeline.curriculum.naming import NO_NAMES
from pipeline.errors import Unauthenticated
from pipeline.learning.finding import QUESTIONS_STEP, questions_step
from pipeline.learning.metrics import LearnerDay
from pipeline.learning.report import Finding, WeeklyReport
from pipeline.learning.week import Week
from pipeline.service.access import Permission, Role
from pipeline.service.advising import Recommendations
from pipeline.service.course import Course
from pipeline.service.learner import SkillShown
from pipeline.service.report import zone_named

PATH: Final = "/pages/learner"
TEMPLATE: Final = "learner.html.jinja"
PROMPT_COLUMNS: Final = 100
"""So much of a question is shown, in columns: enough to know it by, on two lines of a phone."""


class LearnerPageQuery(msgspec.Struct, frozen=True):
    """Which week (`2026-W47`), where its days begin, and in which language.

    By default it is the last week that is over, or a learner's first one while that lasts.
    """

    week: Annotated[str, msgspec.Meta(max_length=8)] | None = None
    timezone: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    locale: Annotated[str, msgspec.Meta(max_length=35)] | None = None


class Known(msgspec.Struct, frozen=True):
    """All that the page is made of."""

    learner_id: str
    now: datetime
    report: WeeklyReport
    skills: Sequence[SkillShown]
    days: Sequence[LearnerDay]
    course: Course | None
    advice: Recommendations
    names: Mapping[str, str] = NO_NAMES
    prompts: Mapping[str, str] = NO_NAMES
    """What questions ask, by id; a question that is not there goes by its id."""


class WeekLink(msgspec.Struct, frozen=True):
    """A way to another week; None where there is none yet."""

    before: str
    after: str | None


@get(
    "/learner",
    opt=described(
        TAG,
        {200: Answer("The page.", str, media_type=HTML)},
        permission=Permission.READ_LEARNING,
        query=LearnerPageQuery,
        problems=(404,),
        page=True,
        visitors=(Role.LEARNER,),
    ),
)
async def show_learner_page(request: AnyRequest) -> Response[str]:
    """Show a learner's own page, for reading and printing.

    The report of a week in words, skills, progress, activity, weak topics, reviews, goals and what to do next. It
    needs no script. Browsers come to it by `/pages/enter` with a learner token.
    """
    parts, principal = await visitor(request, (Role.LEARNER,), Permission.READ_LEARNING)
    if principal.learner_id is None:
        raise Unauthenticated("This token names no learner.")
    query, learner_id, say = query_of(request, LearnerPageQuery), principal.learner_id, words_for(request)
    now, days = datetime.now(UTC), await parts.learners.days(principal, learner_id)
    report = (await parts.reports.week(principal, learner_id, query.week, query.timezone)).report
    if query.week is None and is_before_the_first(report, days):
        report = (await parts.reports.week(principal, learner_id, week_in(report).after.name, query.timezone)).report
    skills = await parts.learners.skills(principal, learner_id)
    advice = await parts.advising.recommendations(principal, learner_id, locale=say.language)
    known = Known(
        learner_id=learner_id,
        now=now,
        report=report,
        skills=skills,
        days=days,
        course=await parts.reports.course(principal, learner_id, say.language),
        advice=advice,
        names=await parts.curricula.topic_names(principal, topics_on(skills, report, advice), say.language),
        prompts=await parts.questions.prompts(principal.tenant_id, [one.question_id for one in advice.questions]),
    )
    return learner_page(known, say, query)


def is_before_the_first(report: WeeklyReport, days: Sequence[LearnerDay]) -> bool:
    """Whether the learner began after the report's week: while the first week lasts there is nothing before it to show.

    Days are UTC days: what was handed in on its Sunday may belong to the Monday after it where the learner is.
    """
    return bool(days) and not report.total.submissions and min(day.day for day in days) >= report.to


def learner_page(known: Known, say: Words, query: LearnerPageQuery) -> Response[str]:
    """The answer with the page of what is known."""
    report, names = known.report, known.names
    skills = [replace(one, topic=names.get(one.topic, one.topic)) for one in known.skills]
    topics = [replace(one, topic=names.get(one.topic, one.topic)) for one in report.topics]
    titles = {module.id: module.title for module in known.course.next} if known.course else {}
    return page(
        TEMPLATE,
        say,
        address=address_of(PATH, week=query.week, timezone=query.timezone),
        learner_id=known.learner_id,
        report=report,
        weeks=weeks_of(report, known.now, query),
        moment=moment_of(report, say),
        findings=[said(finding, say, topics=names) for finding in report.findings],
        steps=[said(step, say, titles, names) for step in steps_now(report.next_steps, known.advice)],
        topics=topic_rows(topics, say),
        skills=skills_view(skills, say),
        progress=progress_view(known.days, known.now.date(), say),
        activity=activity_view(known.days, known.now.date(), say),
        weak=weak_rows(skills, say),
        reviews=review_rows(skills, known.now, zone_named(report.timezone).rules, say),
        advice=known.advice,
        prompts={id_: excerpt(prompt, PROMPT_COLUMNS) for id_, prompt in known.prompts.items()},
        course=known.course,
    )


def topics_on(skills: Sequence[SkillShown], report: WeeklyReport, advice: Recommendations) -> list[str]:
    """Every topic that the page speaks of."""
    met = [one.topic for one in skills] + [one.topic for one in report.topics]
    return met + [one.topic for one in advice.questions] + topics_in([*report.findings, *report.next_steps])


def steps_now(steps: Iterable[Finding], advice: Recommendations) -> Iterator[Finding]:
    """The next steps of a report, with the questions that the page lists in place of those picked at its time."""
    for step in steps:
        if step.code != QUESTIONS_STEP:
            yield step
        elif advice.questions:
            yield questions_step(len(advice.questions), [one.topic for one in advice.questions])


def moment_of(report: WeeklyReport, say: Words) -> str:
    """As of when the report is, where the learner is."""
    at = report.made_at.astimezone(zone_named(report.timezone).rules)
    return f"{say.day(at.date())} {at:%H:%M} ({report.timezone})"


def weeks_of(report: WeeklyReport, now: datetime, query: LearnerPageQuery) -> WeekLink:
    """The pages of the weeks around this one; there is none of a week that has not begun."""
    week = week_in(report)
    today: date = now.astimezone(zone_named(report.timezone).rules).date()
    after = week.after if week.after.monday <= today else None
    return WeekLink(link_to(week.before.name, query), None if after is None else link_to(after.name, query))


def week_in(report: WeeklyReport) -> Week:
    return Week(report.from_)


def link_to(week: str, query: LearnerPageQuery) -> str:
    told: dict[str, Any] = {"week": week, "timezone": query.timezone, "locale": query.locale}
    return address_of(PATH, **told).rstrip("&")
