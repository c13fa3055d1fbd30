import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import JsonValue, Outcome, ScoredAnswer
from pipeline.prompting.feedback import FeedbackRequest, LearnerPicture
from pipeline.prompting.plan import Plan, is_blank, plan
from tests.unit.prompting.cases import CHOICE, ESSAY, SHORT, scored


def request(*answers: ScoredAnswer, weaknesses: tuple[str, ...] = ()) -> FeedbackRequest:
    return FeedbackRequest(1, "s", "en", answers, LearnerPicture(weaknesses=weaknesses))


def test_every_answer_is_asked_about_if_there_is_room() -> None:
    asked = plan(request(scored(), scored(SHORT, "len", Outcome.CORRECT)), on="all", most=10)

    assert asked == Plan(asked=(0, 1), left=())


def test_only_mistakes_are_asked_about_where_that_is_set() -> None:
    answers = [scored(outcome=outcome) for outcome in (Outcome.CORRECT, Outcome.PARTIAL, Outcome.NEEDS_REVIEW)]

    assert plan(request(*answers), on="mistakes", most=10).left == (0,)


@pytest.mark.parametrize(
    "response", [None, "", "  \n\t", "\u200b\u200b", "\ufeff \u2060", [], {}, ["", None, " "], {"a": None}, {"a": " "}]
)
@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_model_is_never_asked_about_nothing(response: JsonValue, outcome: Outcome) -> None:
    assert plan(request(scored(SHORT, response, outcome)), on="all", most=10) == Plan(asked=(), left=(0,))


def test_a_model_is_never_asked_about_what_the_rule_calls_unanswered() -> None:
    assert plan(request(scored(SHORT, "x", Outcome.UNANSWERED)), on="all", most=10).asked == ()


@pytest.mark.parametrize("response", [False, 0, 0.0, "0", ["a"], [None, "a"], {"a": "1"}, "。"])
def test_a_short_answer_is_an_answer(response: JsonValue) -> None:
    assert not is_blank(response)


def test_those_with_most_to_learn_come_first_and_the_rest_is_left() -> None:
    answers = [
        scored(outcome=Outcome.CORRECT),
        scored(outcome=Outcome.PARTIAL, fraction=0.75),
        scored(ESSAY, "A key.", Outcome.NEEDS_REVIEW),
        scored(outcome=Outcome.INCORRECT),
        scored(outcome=Outcome.PARTIAL, fraction=0.25),
    ]

    assert plan(request(*answers), on="all", most=3) == Plan(asked=(3, 4, 2), left=(0, 1))


def test_a_mistake_made_with_confidence_comes_before_a_guess() -> None:
    answers = [scored(confidence=1), scored(confidence=5)]

    assert plan(request(*answers), on="all", most=1).asked == (1,)


def test_a_mistake_in_a_weak_topic_comes_before_one_elsewhere() -> None:
    answers = [scored(SHORT, "size"), scored(CHOICE, "a")]

    assert plan(request(*answers, weaknesses=("loops",)), on="all", most=1).asked == (1,)


def test_equal_answers_are_taken_in_the_order_they_were_handed_in() -> None:
    assert plan(request(*[scored()] * 4), on="all", most=2) == Plan(asked=(0, 1), left=(2, 3))


@given(
    st.lists(st.sampled_from(list(Outcome)), max_size=20),
    st.sampled_from(["all", "mistakes"]),
    st.integers(min_value=-1, max_value=25),
)
def test_each_answer_is_either_asked_about_or_left(outcomes: list[Outcome], on: str, most: int) -> None:
    made = plan(request(*[scored(outcome=outcome) for outcome in outcomes]), on=on, most=most)  # type: ignore[arg-type]

    assert sorted((*made.asked, *made.left)) == list(range(len(outcomes)))
    assert len(made.asked) <= max(0, most)
    assert list(made.left) == sorted(made.left)
