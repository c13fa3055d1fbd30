from typing import Any

import pytest

from pipeline.errors import InvalidInput
from pipeline.scoring.answer_key import QUESTION_TYPES
from pipeline.scoring.bank import parse_question, question_document
from tests.unit.scoring.samples import OPTIONS, document


def problems_of(raw: Any, **by_address: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        parse_question(raw, **by_address)
    return {problem.pointer: problem.detail for problem in refused.value.problems}


@pytest.mark.parametrize("question_type", QUESTION_TYPES)
def test_a_question_of_each_type_is_read_and_written_back(question_type: str) -> None:
    question = parse_question(document(question_type), version=7)
    written = question_document(question)
    assert written.pop("version") == 7
    assert parse_question(written, version=7) == question


def test_optional_fields_have_the_documented_defaults() -> None:
    question = parse_question(document("true_false"))
    assert (question.points, question.difficulty, question.language) == (1.0, 3, "en")
    assert (question.topics, question.tags, question.module, question.hide_solution) == ((), (), None, False)


def test_all_problems_of_a_question_are_reported_at_once() -> None:
    raw = document("single_choice", answer={"option": "z"}, points=0, difficulty=6, colour="red", language="e n")
    del raw["prompt"]
    assert set(problems_of(raw)) == {
        "/answer/option",
        "/points",
        "/difficulty",
        "/colour",
        "/language",
        "/prompt",
    }


@pytest.mark.parametrize("raw", [None, [], "x", 1, True])
def test_a_question_must_be_an_object(raw: Any) -> None:
    assert set(problems_of(raw)) == {""}


def test_the_id_in_the_address_names_a_question_without_one() -> None:
    raw = document("true_false")
    del raw["id"]
    assert parse_question(raw, question_id="by-address").id == "by-address"
    assert set(problems_of(raw)) == {"/id"}


def test_another_id_than_in_the_address_is_refused() -> None:
    assert set(problems_of(document("true_false"), question_id="other")) == {"/id"}


def test_a_version_in_the_body_is_refused_with_a_hint() -> None:
    assert "server" in problems_of(document("true_false", version=3))["/version"]


@pytest.mark.parametrize("bad", ["", " ", "a\nb", " a", "x" * 201, 5, "a\u200eb"])
def test_an_id_is_printable_and_at_most_200_characters(bad: Any) -> None:
    assert "/id" in problems_of(document("true_false", id=bad))
    assert parse_question(document("true_false", id="x" * 200)).id == "x" * 200


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
def test_nul_and_lone_surrogates_are_refused_wherever_they_stand(bad: str) -> None:
    assert "/prompt" in problems_of(document("true_false", prompt=bad))
    assert "/topics/1" in problems_of(document("true_false", topics=["ok", bad]))
    assert "/answer/blanks/0/accepted/0" in problems_of(document("cloze", answer={"blanks": [{"accepted": [bad]}]}))
    assert "/answer/pairs" in problems_of(document("matching", answer={"pairs": {bad: "1"}}))


@pytest.mark.parametrize(
    ("question_type", "answer", "pointer"),
    [
        ("single_choice", {}, "/answer/option"),
        ("single_choice", {"option": ["b"]}, "/answer/option"),
        ("single_choice", {"option": "b", "options": ["b"]}, "/answer/options"),
        ("multiple_choice", {"options": []}, "/answer/options"),
        ("multiple_choice", {"options": ["a", "z"]}, "/answer/options/1"),
        ("multiple_choice", {"options": ["a", "a"]}, "/answer/options/1"),
        ("multiple_choice", {"options": ["a"], "partial": "half"}, "/answer/partial"),
        ("true_false", {"value": "true"}, "/answer/value"),
        ("true_false", {"value": 1}, "/answer/value"),
        ("numeric", {}, "/answer/value"),
        ("numeric", {"value": True}, "/answer/value"),
        ("numeric", {"value": float("nan")}, "/answer/value"),
        ("numeric", {"value": 10**400}, "/answer/value"),
        ("numeric", {"value": 1, "tolerance": -0.1}, "/answer/tolerance"),
        ("numeric", {"value": 1, "tolerance": float("inf")}, "/answer/tolerance"),
        ("numeric", {"value": 1, "tolerance": 1, "relative_tolerance": 0.1}, "/answer/relative_tolerance"),
        ("numeric", {"value": 0, "relative_tolerance": 0.1}, "/answer/relative_tolerance"),
        ("numeric", {"value": 1, "unit": 5}, "/answer/unit"),
        ("short_text", {"accepted": []}, "/answer/accepted"),
        ("short_text", {"accepted": "x"}, "/answer/accepted"),
        ("short_text", {"accepted": [" "]}, "/answer/accepted/0"),
        ("short_text", {"accepted": ["x"], "match": "fuzzy"}, "/answer/match"),
        ("short_text", {"accepted": ["x"], "threshold": 0.5}, "/answer/threshold"),
        ("short_text", {"accepted": ["x"], "match": "similar", "threshold": 0}, "/answer/threshold"),
        ("short_text", {"accepted": ["x"], "match": "similar", "threshold": 1.1}, "/answer/threshold"),
        ("short_text", {"accepted": ["x"], "case_sensitive": "no"}, "/answer/case_sensitive"),
        ("short_text", {"accepted": ["x"], "pattern": "("}, "/answer/pattern"),
        ("short_text", {"accepted": ["x"], "pattern": r"(a)\1"}, "/answer/pattern"),
        ("short_text", {"accepted": ["x"], "pattern": "a" * 501}, "/answer/pattern"),
        ("short_text", {"accepted": ["x"], "pattern": "(?:(?:a{1,30}){1,30}){1,30}"}, "/answer/pattern"),
        ("short_text", {"accepted": ["x"], "pattern": ".*a.{900}b"}, "/answer/pattern"),
        ("short_text", {"accepted": ["x" * 4_900] * 5}, "/answer/accepted"),
        ("short_text", {"accepted": [], "pattern": "x", "match": "similar"}, "/answer/accepted"),
        ("cloze", {"blanks": []}, "/answer/blanks"),
        ("cloze", {"blanks": ["len"]}, "/answer/blanks/0"),
        ("cloze", {"blanks": [{"accepted": ["x"]}, {"accepted": []}]}, "/answer/blanks/1/accepted"),
        ("cloze", {"blanks": [{"accepted": ["x"], "pattern": "(?:ab?c?){40}"}] * 50}, "/answer/blanks"),
        ("ordering", {"sequence": ["a", "b", "c"]}, "/answer/sequence"),
        ("ordering", {"sequence": ["a", "b", "c", "d", "e"]}, "/answer/sequence/4"),
        ("ordering", {"sequence": ["a"]}, "/answer/sequence"),
        ("matching", {"pairs": {}}, "/answer/pairs"),
        ("matching", {"pairs": {"a/b": 1}}, "/answer/pairs/a~1b"),
        ("essay", {"rubric": [{"id": "r"}]}, "/answer/rubric/0/description"),
        ("essay", {"rubric": [{"id": "r", "description": "d", "points": -1}]}, "/answer/rubric/0/points"),
        ("essay", {"rubric": [{"id": "r", "description": "d", "points": 1}] * 2}, "/answer/rubric/1/id"),
    ],
)
def test_a_wrong_key_is_refused_at_the_field(question_type: str, answer: dict[str, Any], pointer: str) -> None:
    assert pointer in problems_of(document(question_type, answer=answer))


@pytest.mark.parametrize("missing", ["type", "prompt", "answer", "id"])
def test_required_fields_are_named_when_missing_or_null(missing: str) -> None:
    assert f"/{missing}" in problems_of({**document("true_false"), missing: None})


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    assert "single_choice" in problems_of(document("true_false", type="riddle"))["/type"]


def test_choice_questions_need_options() -> None:
    assert "/options" in problems_of(document("single_choice", options=[]))


def test_options_have_an_id_of_their_own_and_a_text() -> None:
    options = [{"id": "a", "text": "A"}, 5, {"id": "a", "text": "B"}, {"id": "b"}]
    found = set(problems_of(document("single_choice", options=options, answer={"option": "a"})))
    assert found == {"/options/1", "/options/2/id", "/options/3/text"}


def test_matching_keys_name_existing_options_where_options_are_given() -> None:
    assert "/answer/pairs/a" in problems_of(document("matching", options=OPTIONS, answer={"pairs": {"a": "1"}}))


def test_a_pattern_is_enough_for_an_exact_short_text() -> None:
    assert parse_question(document("short_text", answer={"pattern": "[0-9]+"})).answer == {"pattern": "[0-9]+"}
