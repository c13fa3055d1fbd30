"""What a batch of submissions teaches, and what is advised after it."""

from datetime import UTC, datetime

import msgspec

from pipeline.learning.candidate import candidate_of, index_candidates
from pipeline.model import Answer, AnswerScore, LearnerContext, Outcome, Question, Work
from pipeline.stages.outcome import Done
from pipeline.stages.recommend import LearnerState, LearningState, decide, language_of, remember_correct

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WRONG = AnswerScore(Outcome.INCORRECT, 0.0, 0.0, 1.0, "true_false/1")


def question(question_id: str, language: str) -> Question:
    return Question(question_id, 1, "true_false", "?", {"value": True}, topics=("sets",), language=language)


def hand_in(submission_id: str, *questions: Question) -> Work:
    answers = tuple(Answer(asked, response=False) for asked in questions)
    scores = (WRONG,) * len(answers)
    return Work(submission_id, 1, "u-1", LearnerContext(), NOW, NOW, NOW, answers, scores)


BANK = {
    language: index_candidates(candidate_of(question(f"{language}-{i}", language)) for i in range(8))
    for language in ("en", "ja")
}
STATE = LearningState({(1, "u-1"): LearnerState({})}, {}, {1: BANK})


def test_advice_comes_in_the_language_the_learner_answered_in() -> None:
    outcomes, _ = decide([hand_in("s-1", question("ja-0", "ja-JP"), question("ja-1", "ja"))], STATE)
    assert isinstance(outcomes[0], Done)
    advised = [advice["question_id"] for advice in msgspec.to_builtins(outcomes[0].body)["questions"]]
    assert advised
    assert all(question_id.startswith("ja-") for question_id in advised)


def test_a_language_without_questions_gets_no_advice_rather_than_another_language() -> None:
    outcomes, _ = decide([hand_in("s-1", question("ko-0", "ko"))], STATE)
    assert isinstance(outcomes[0], Done)
    assert list(msgspec.to_builtins(outcomes[0].body)["questions"]) == []


def test_the_language_is_that_of_most_questions() -> None:
    assert language_of(hand_in("s-1", question("a", "en"), question("b", "ja-JP"), question("c", "ja"))) == "ja"


def test_two_submissions_of_one_learner_are_folded_in_order() -> None:
    first, second = hand_in("s-1", question("en-0", "en")), hand_in("s-2", question("en-1", "en"))
    outcomes, learned = decide([second, first], STATE)
    assert len(outcomes) == 2
    assert learned.learners[1, "u-1"].skills["sets"].answers == 2


def test_what_was_answered_wrong_now_is_no_longer_remembered_as_right() -> None:
    assert remember_correct(("a", "b"), ["b", "c"], frozenset({"c"})) == ("a", "c")
