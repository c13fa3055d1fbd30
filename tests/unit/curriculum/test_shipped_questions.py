"""The shipped questions: sound, answerable, right, and enough of them."""

import contextlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.learning.mastery import MASTERED_ANSWERS
from pipeline.model import JsonValue, Outcome, Question
from pipeline.scoring.rule import score
from pipeline.scoring.shape import check_response
from pipeline.scoring.text import comparable
from tests.unit.curriculum.shipped import modules, questions, tracks
from tests.unit.curriculum.test_shipped import ASKED_ABOUT

PROGRAM = re.compile(r"\AWhat does this program print\?\n\n```python\n(.*)```\Z", re.DOTALL)


def _of_type(*types: str) -> list[Any]:
    return [pytest.param(question, id=name) for name, question in questions().items() if question.type in types]


def right_answers(question: Question) -> Iterator[JsonValue]:
    """All that the key itself calls right."""
    key = question.answer
    match question.type:
        case "single_choice":
            yield key["option"]
        case "multiple_choice":
            yield key["options"]
        case "true_false" | "numeric":
            yield key["value"]
        case "short_text":
            yield from key["accepted"]
        case "cloze":
            yield from _filled_blanks(key["blanks"])
        case "ordering":
            yield key["sequence"]
        case "matching":
            yield dict(key["pairs"])


def _filled_blanks(blanks: list[dict[str, Any]]) -> Iterator[list[JsonValue]]:
    first = [blank["accepted"][0] for blank in blanks]
    for place, blank in enumerate(blanks):
        for text in blank["accepted"]:
            yield [*first[:place], text, *first[place + 1 :]]


def _wrong_answers(question: Question) -> Iterator[JsonValue]:
    """All that lie nearest to the key: another option, one more or less, two places swapped, a blank missed."""
    right: Any = next(right_answers(question))
    options = [option["id"] for option in question.options]
    match question.type:
        case "single_choice":
            yield from (option for option in options if option != right)
        case "multiple_choice":
            yield from ([*right, option] for option in options if option not in right)
            yield from ([kept for kept in right if kept != option] for option in right)
        case "true_false":
            yield not right
        case "numeric":
            yield from (right + 1, right - 1, -right or 7)
        case "short_text":
            yield from ("I don't know", f"not {right}")
        case "cloze":
            yield from ([*right[:place], "x", *right[place + 1 :]] for place in range(len(right)))
        case "ordering":
            yield from (
                [*right[:place], right[place + 1], right[place], *right[place + 2 :]] for place in range(len(right) - 1)
            )
        case "matching":
            yield from ({**right, left: option} for left in right for option in options if option != right[left])


@pytest.mark.parametrize("question", [pytest.param(q, id=name) for name, q in questions().items() if q.type != "essay"])
def test_the_keys_own_answers_earn_all_points_and_their_neighbours_do_not(question: Question) -> None:
    for answer in right_answers(question):
        given = score(question, answer)
        assert (given.outcome, given.fraction, given.points) == (Outcome.CORRECT, 1.0, question.points), answer
    for answer in _wrong_answers(question):
        assert not check_response(question, answer), answer
        assert (score(question, answer).fraction or 0.0) < 1.0, answer


@pytest.mark.parametrize("question", _of_type("essay"))
def test_an_essays_rubric_adds_up_to_its_points(question: Question) -> None:
    assert sum(criterion["points"] for criterion in question.answer["rubric"]) == question.points
    assert question.answer["reference"]
    assert score(question, question.answer["reference"]).outcome is Outcome.NEEDS_REVIEW


def _programs() -> Iterator[Any]:
    for name, question in questions().items():
        found = PROGRAM.match(question.prompt)
        if found:
            yield pytest.param(question, found[1], id=name)


@pytest.mark.parametrize(("question", "program"), list(_programs()))
def test_a_python_program_prints_what_its_key_says(question: Question, program: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, question.id, "exec"), {"__name__": "__main__"})  # noqa: S102  # programs of our own
    answer: JsonValue = printed.getvalue().strip()
    if question.type == "single_choice":
        answer = next((option["id"] for option in question.options if option["text"] == answer), None)
    assert score(question, answer).fraction == 1.0


def test_there_are_programs_to_run() -> None:
    assert len(list(_programs())) >= 25


def test_every_question_can_be_placed_and_explained() -> None:
    for question in questions().values():
        assert question.module, question.id
        assert question.topics, question.id
        assert question.explanation, question.id
        assert set(question.topics) & set(modules()[question.module].topics), question.id


@pytest.mark.parametrize("track", ASKED_ABOUT)
def test_a_track_has_fifteen_questions_of_several_types_and_all_levels(track: str) -> None:
    asked = [question for question in questions().values() if question.module in tracks()[track].modules]
    assert len(asked) >= 15
    assert len({question.type for question in asked}) >= 6
    assert {question.difficulty for question in asked} == {1, 2, 3, 4, 5}


def test_there_are_questions_of_every_type_and_three_hundred_in_all() -> None:
    assert len(questions()) >= 300
    assert len({question.type for question in questions().values()}) == 9
    assert any(question.hide_solution for question in questions().values())


def test_every_topic_has_as_many_questions_as_a_master_has_to_answer() -> None:
    """Otherwise nothing that builds on it would ever open."""
    asked = Counter(topic for question in questions().values() for topic in question.topics)
    taught = [topic for module in modules().values() for topic in module.topics]
    assert [topic for topic in taught if asked[topic] < MASTERED_ANSWERS] == []


def test_a_question_lies_within_two_levels_of_its_module() -> None:
    for question in questions().values():
        assert abs(question.difficulty - modules()[question.module or ""].difficulty) <= 2, question.id


def test_no_option_is_offered_twice() -> None:
    for question in questions().values():
        texts = [comparable(option["text"], keep_case=True) for option in question.options]
        assert len(texts) == len(set(texts)), question.id


def test_the_right_option_stands_at_every_place_about_equally_often() -> None:
    asked = [question for question in questions().values() if question.type == "single_choice"]
    places = Counter([o["id"] for o in question.options].index(question.answer["option"]) for question in asked)
    assert max(places.values()) <= 0.4 * len(asked)


def test_the_right_option_is_not_given_away_by_its_length() -> None:
    asked = [question for question in questions().values() if question.type == "single_choice"]
    longest = 0
    for question in asked:
        lengths = {option["id"]: len(option["text"]) for option in question.options}
        right = lengths.pop(question.answer["option"])
        longest += right > 1.15 * max(lengths.values())
    assert longest <= 0.25 * len(asked)
