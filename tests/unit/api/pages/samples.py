"""A learner with a past, made up: always the same."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

import msgspec

from api.pages.learner import Known
from pipeline.learning.advice import Why
from pipeline.learning.candidate import Kind
from pipeline.learning.finding import Module, Prospects, with_findings
from pipeline.learning.goal import Goals
from pipeline.learning.mastery import level_of
from pipeline.learning.memory import Memory
from pipeline.learning.metrics import AnswerSums, LearnerDay
from pipeline.learning.rating import Skill
from pipeline.learning.reason import Reason
from pipeline.learning.report import WeeklyReport, report_of
from pipeline.learning.session import Answered, HandIn
from pipeline.learning.weakness import Weakness
from pipeline.learning.week import Week
from pipeline.model import Outcome
from pipeline.service.advice import ProjectAdvised, QuestionAdvised, ResourceAdvised
from pipeline.service.advising import Recommendations
from pipeline.service.course import Course, NextModule
from pipeline.service.learner import SkillShown

NOW: Final = datetime(2026, 11, 21, 15, tzinfo=UTC)
WEEK: Final = Week(date(2026, 11, 9))
TOPICS: Final = (
    *("python.lists", "python.loops", "javascript.async_await", "react.hooks", "sql.joins", "css.grid"),
    *("データ構造", "비동기 프로그래밍", "html.semantic_elements"),
)
HOSTILE: Final = (
    "<script>alert('x')</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "\u202eمرحبا بالعالم",
    "🎓👩‍💻 emoji",
    "a" * 200,
    "&amp; &lt;",
    "' or 1=1 --",
)


def known(learner_id: str = "u-17", topics: Sequence[str] = TOPICS) -> Known:
    """All that a page shows, of a learner who met these topics."""
    random = Random(3)  # noqa: S311 - made up, not secret
    days = [
        LearnerDay(1, learner_id, NOW.date() - timedelta(days=back), 1, sums_of(random))
        for back in range(190, -1, -1)
        if random.random() < 0.5
    ]
    return Known(
        learner_id=learner_id,
        now=NOW,
        report=report(random, topics, [day.day for day in days]),
        skills=[skill(random, topic) for topic in topics],
        days=days,
        course=course(),
        advice=advice(learner_id, topics),
    )


def nothing_known(learner_id: str = "new") -> Known:
    """The page of somebody of whom nothing is known yet."""
    empty = with_findings(report_of([], WEEK, UTC, "UTC", now=NOW))
    nothing = Recommendations((), (), (), (), "", learner_id=learner_id, submission_id=None, advised_at=NOW)
    return Known(learner_id, NOW, empty, (), (), None, nothing)


def course() -> Course:
    following = (NextModule("joins", "Joining tables", 8.0, 0.41), NextModule("hooks", "Hooks", 12.0, 0.0))
    return Course("saas_development", "SaaS development", 24, 7, 0.2917, 180.0, 6.0, 6.9, following)


def sums_of(random: Random) -> AnswerSums:
    answers = random.randint(1, 30)
    correct = int(answers * random.uniform(0.4, 0.95))
    return AnswerSums(answers, answers, correct, correct * 10**6, answers, answers * 9000)


def report(random: Random, topics: Sequence[str], active_days: Sequence[date]) -> WeeklyReport:
    hand_ins = [
        hand_in(random, topics, WEEK.start(UTC) + timedelta(days=day, hours=hour, minutes=12 * index), day)
        for day in range(-7, 7)
        for hour in random.sample((9, 20, 21), 1)
        for index in range(random.randint(0, 4))
    ]
    goals = Goals(weekly_answers=60, weekly_minutes=120)
    made = report_of(hand_ins, WEEK, UTC, "UTC", now=NOW, active_days=active_days, goals=goals)
    due = Skill(topics[0], 0.0, 4, 2, NOW, memory=Memory(1.0, 5.0, NOW - timedelta(days=3)))
    weak = (Weakness(topics[1], 0.6, 9, 3, NOW),)
    module = Module("joins", "Joining tables", "saas_development")
    return with_findings(made, Prospects(weak, (due,), 6, tuple(topics[:3]), module))


def hand_in(random: Random, topics: Sequence[str], at: datetime, day: int) -> HandIn:
    answers = []
    for _ in range(random.randint(3, 7)):
        right = random.random() < (0.6 if day < 0 else 0.8)
        outcome = Outcome.CORRECT if right else Outcome.INCORRECT
        answers.append(Answered((random.choice(topics),), outcome, float(right), 40_000))
    return HandIn(at, tuple(answers))


def skill(random: Random, topic: str) -> SkillShown:
    answers, mastered = random.randint(3, 60), random.uniform(0.2, 0.95)
    return SkillShown(
        topic=topic,
        rating=0.4,
        uncertainty=0.3,
        mastery=mastered,
        level=level_of(mastered, answers),
        answers=answers,
        correct=answers // 2,
        weakness=random.choice((0.0, 0.0, 0.1, 0.3, 0.6)),
        mistakes={},
        due_at=NOW + timedelta(days=random.randint(-4, 9)),
        updated_at=NOW,
    )


def advice(learner_id: str, topics: Sequence[str]) -> Recommendations:
    reason = Reason(Why.WEAK, f"“{topics[0]}” went wrong in the last seven days.")
    questions = [QuestionAdvised(f"{topic}-1", kind, topic, 0.75, None, reason) for kind, topic in zip(Kind, topics)]  # noqa: B905 - as many as there are kinds
    address = "https://docs.python.org/3/tutorial/datastructures.html"
    resources = [
        ResourceAdvised("r1", f"About {topics[0]}", "documentation", address, topics[0], 2, "en", 20, reason),
        ResourceAdvised("r2", "Not to be linked", "video", "javascript:alert(1)", topics[0], 2, "en", None, reason),
    ]
    projects = [ProjectAdvised("p1", "A list of tasks", 2, 8.0, msgspec.structs.replace(reason, code=Why.PROJECT))]
    return Recommendations(
        questions=tuple(questions),
        weaknesses=(),
        resources=tuple(resources),
        projects=tuple(projects),
        rationale="",
        learner_id=learner_id,
        submission_id=None,
        advised_at=NOW,
    )
