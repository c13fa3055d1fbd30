"""What is said of a week: only what the answers bear out."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from api.pages.sentence import said
from api.pages.words import LANGUAGES, TABLE, Words
from pipeline.learning.finding import Module, Prospects, findings_of, steps_of, with_findings
from pipeline.learning.goal import Goals
from pipeline.learning.memory import Memory
from pipeline.learning.rating import Skill
from pipeline.learning.report import WeeklyReport, report_of
from pipeline.learning.session import Answered, HandIn
from pipeline.learning.weakness import Weakness
from pipeline.learning.week import Week
from pipeline.model import Outcome

WEEK = Week(date(2026, 11, 9))
MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def hand_in(day: int, right: int, wrong: int, topic: str = "loops", hour: int = 9) -> HandIn:
    answers = [Answered((topic,), Outcome.CORRECT, 1.0)] * right + [Answered((topic,), Outcome.INCORRECT, 0.0)] * wrong
    return HandIn(MONDAY + timedelta(days=day, hours=hour), tuple(answers))


def reported(*hand_ins: HandIn, now: datetime = NOW, goals: Goals | None = None) -> WeeklyReport:
    return report_of(hand_ins, WEEK, UTC, "UTC", now=now, goals=goals or Goals())


def codes(report: WeeklyReport) -> list[str]:
    return [finding.code for finding in findings_of(report)]


def test_an_empty_week_is_said_to_be_one_and_nothing_else_but_its_goals() -> None:
    assert codes(reported(hand_in(-7, 5, 5))) == ["nothing"]
    assert codes(reported(goals=Goals(weekly_answers=5))) == ["nothing", "weekly_answers_missed"]


@pytest.mark.parametrize(
    ("before", "week", "code", "points"),
    [((5, 5), (8, 2), "accuracy_up", 30), ((8, 2), (5, 5), "accuracy_down", 30), ((8, 2), (8, 2), "accuracy_same", 0)],
)
def test_accuracy_is_compared_with_the_week_before(
    before: tuple[int, int], week: tuple[int, int], code: str, points: int
) -> None:
    found = {one.code: one.values for one in findings_of(reported(hand_in(-7, *before), hand_in(0, *week)))}
    assert found[code]["points"] == points


def test_nine_answers_are_not_compared() -> None:
    assert "accuracy" in codes(reported(hand_in(-7, 5, 5), hand_in(0, 8, 1)))
    assert "accuracy" in codes(reported(hand_in(-7, 9, 0), hand_in(0, 8, 8)))


def test_topics_that_moved_are_named_the_rest_is_not() -> None:
    report = reported(
        *(hand_in(-7, 2, 3, "up"), hand_in(-6, 4, 1, "down"), hand_in(-5, 3, 2, "same"), hand_in(-4, 0, 4, "few")),
        *(hand_in(0, 5, 0, "up"), hand_in(1, 2, 3, "down"), hand_in(2, 3, 2, "same"), hand_in(3, 9, 0, "few")),
    )
    found = {one.code: one.values for one in findings_of(report)}
    assert (found["topic_up"]["topic"], found["topic_up"]["points"]) == ("up", 60)
    assert (found["topic_down"]["topic"], found["topic_down"]["points"]) == ("down", 40)


def test_a_goal_is_open_while_the_week_goes_on() -> None:
    goals = Goals(weekly_answers=5)
    assert "weekly_answers_open" in codes(reported(hand_in(0, 1, 0), now=MONDAY + timedelta(days=2), goals=goals))
    assert "weekly_answers_met" in codes(reported(hand_in(0, 5, 0), now=MONDAY + timedelta(days=2), goals=goals))
    assert "weekly_answers_missed" in codes(reported(hand_in(0, 1, 0), goals=goals))


def test_next_steps_begin_with_what_is_due_and_end_with_what_is_new() -> None:
    def skill(topic: str, days: int) -> Skill:
        return Skill(topic, 0.0, 5, 3, NOW, memory=Memory(1.0, 5.0, NOW - timedelta(days=days)))

    prospects = Prospects(
        weaknesses=tuple(Weakness(f"weak{index}", 0.5, 5, 2, NOW) for index in range(5)),
        due=(skill("old", 3), skill("today", 0)),
        questions=10,
        question_topics=("a", "b", "c", "d"),
        module=Module("m", "Loops", "c"),
    )
    steps = list(steps_of(prospects, NOW))
    assert [step.code for step in steps] == [
        "review_overdue", "review", "practise", "practise", "practise", "questions", "module",
    ]  # fmt: skip
    assert steps[0].values == {"topic": "old", "count": 3}
    assert steps[5].values == {"count": 10, "topics": ["a", "b", "c"]}


FULL = with_findings(
    reported(
        *(hand_in(day, 5, 5, hour=hour) for day in range(-7, 0) for hour in (9, 12)),
        *(hand_in(day, 8, 2) for day in range(7)),
        goals=Goals(weekly_answers=10, weekly_minutes=60),
    ),
    Prospects(questions=1, question_topics=("loops",), module=Module("m", "Loops", "c")),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_found_is_a_sentence_in_every_language(language: str) -> None:
    say = Words(language)
    sentences = [said(one, say, {"m": "반복문"}) for one in (*FULL.findings, *FULL.next_steps)]
    assert len(sentences) > 8
    assert all(sentence.endswith((".", "。")) and "{" not in sentence for sentence in sentences)
    assert "반복문" in sentences[-1]


def test_there_are_words_for_every_code_and_no_others() -> None:
    told = {name.removeprefix("say_") for name in TABLE if name.startswith("say_")}
    goals = {f"weekly_{what}_{state}" for what in ("answers", "minutes") for state in ("met", "missed", "open")}
    sessions = {"session_best", "session_best_short", "session_best_long", "session_even", "session_unknown"}
    accuracy = {"accuracy", "accuracy_up", "accuracy_down", "accuracy_same"}
    assert told == goals | sessions | accuracy | {
        *("nothing", "answered", "answered_untimed", "topic_up", "topic_down", "peak"),
        *("active", "active_evenly", "streak", "review", "review_overdue", "practise", "questions", "module"),
    }


def test_one_is_singular_in_english() -> None:
    report = reported(hand_in(0, 1, 0))
    assert said(next(findings_of(report)), Words("en")) == "You answered 1 question and got 1 right."


def test_findings_are_data_that_comes_back_from_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(FULL), type=WeeklyReport) == FULL
