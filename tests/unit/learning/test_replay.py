"""A replay predicts before it sees, with the product's own functions, and finds out what is true."""

from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.candidate import Candidate
from pipeline.learning.evaluation import Tally, rank_correlation
from pipeline.learning.evidence import RAPID_WEIGHT
from pipeline.learning.rating import ItemRating, apply_submission
from pipeline.learning.replay import (
    OWN,
    ItemMean,
    LoggedAnswer,
    Mean,
    PlainElo,
    Predictor,
    Ratings,
    is_rapid,
    predictors,
    replay,
)
from pipeline.learning.start import shifts_of
from pipeline.learning.synthesis import Plan, known, synthesize, true_items
from tests.unit.learning.samples import NOW, question, scored

logs = st.lists(
    st.builds(
        LoggedAnswer,
        user=st.sampled_from("uvw"),
        item=st.sampled_from("abcd"),
        correct=st.booleans(),
        skills=st.sampled_from([("s",), ("t",), ("s", "t")]),
        choices=st.sampled_from([0, 2, 4]),
    ),
    max_size=30,
)


def steps(predictor: Predictor, outcomes: str) -> list[float]:
    """Predictions for one learner and one item, `+` for right answers."""
    return [predictor.step(LoggedAnswer("u", "a", outcome == "+")) for outcome in outcomes]


@given(logs, st.booleans())
def test_no_predictor_looks_at_the_answer_it_predicts(log: list[LoggedAnswer], last: bool) -> None:
    for name in predictors():
        one, other = predictors()[name], predictors()[name]
        for answer in log:
            one.step(answer)
            other.step(answer)
        assert one.step(LoggedAnswer("u", "a", last)) == other.step(LoggedAnswer("u", "a", not last))


def test_ratings_move_as_the_product_does() -> None:
    model = Ratings()
    model.step(LoggedAnswer("u", "q1", True, ("loops", "lists"), NOW, 0, 4))
    model.step(LoggedAnswer("u", "q2", False, ("loops",), NOW, 0, 2))
    answered = [
        scored(question("q1", ("loops", "lists"), difficulty=4), 1.0),
        scored(question("q2", difficulty=2), 0.0),
    ]
    [first, *_] = apply_submission({}, {}, answered[:1], NOW).items.values()
    begin = -1.0 + shifts_of([Candidate("q1", ("loops", "lists"), first.rating, level=1.0)]).of(("loops",))
    effect = apply_submission({}, {"q2": ItemRating(begin)}, answered, NOW)
    assert begin != -1.0
    assert model.learners["u"].skills == effect.skills
    assert model.items == effect.items


def test_the_mean_is_that_of_earlier_answers() -> None:
    assert steps(Mean(), "+-+") == [0.5, 1.0, 0.5]


def test_an_items_mean_starts_from_the_mean_of_all() -> None:
    assert steps(ItemMean(), "+-+") == [0.5, 1.0, pytest.approx((1 + 0.5) / 3)]


def test_plain_elo_moves_both_sides_by_the_surprise() -> None:
    elo = PlainElo()
    assert elo.step(LoggedAnswer("u", "a", True)) == 0.5
    assert (elo.users["u"], elo.items["a"]) == ((0.5, 1), (-0.5, 1))
    elo.step(LoggedAnswer("v", "a", False))
    assert elo.items["a"][0] == pytest.approx(-0.5 + 0.6224593 / 1.05)


def test_the_same_plan_gives_the_same_log_and_another_seed_another() -> None:
    plan = Plan(learners=60, items=7, topics=2)
    assert list(synthesize(plan)) == list(synthesize(plan))
    assert list(synthesize(plan)) != list(synthesize(Plan(learners=60, items=7, topics=2, seed=2)))


@pytest.mark.parametrize("same_order", [False, True])
def test_everyone_answers_everything_once_and_in_time(same_order: bool) -> None:
    plan = Plan(learners=120, items=7, topics=2, same_order=same_order)
    by_user: dict[str, list[LoggedAnswer]] = {}
    for answer in synthesize(plan):
        by_user.setdefault(answer.user, []).append(answer)
    assert len(by_user) == 120
    items = [item.id for item in true_items(plan)]
    orders = [[answer.item for answer in answers] for answers in by_user.values()]
    assert all(sorted(order) == items for order in orders)
    assert all(order == items for order in orders) == same_order
    assert all(sorted(answers, key=lambda one: one.at) == answers for answers in by_user.values())


def test_learners_who_answer_a_part_meet_different_parts_in_the_common_order() -> None:
    met: dict[str, list[str]] = {}
    for answer in synthesize(Plan(learners=60, items=20, topics=2, answers=6, same_order=True)):
        met.setdefault(answer.user, []).append(answer.item)
    assert {len(items) for items in met.values()} == {6}
    assert all(items == sorted(items) for items in met.values())
    assert len({tuple(items) for items in met.values()}) > 50


def test_practice_teaches_and_time_takes_at_most_half_of_it() -> None:
    fresh = known(1.0, 20, timedelta())
    assert known(1.0, 0, timedelta()) == 0.0
    assert fresh == pytest.approx(0.632, abs=0.001)
    assert known(1.0, 20, timedelta(days=7)) < fresh
    assert known(1.0, 20, timedelta(days=3650)) == pytest.approx(fresh / 2)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("same_order", "topics"), [(False, 5), (True, 5), (True, 1)])
def test_learnt_difficulties_rank_as_the_true_ones(same_order: bool, topics: int, seed: int) -> None:
    plan = Plan(learners=400, topics=topics, same_order=same_order, seed=seed)
    model = Ratings()
    replay(synthesize(plan), {OWN: model})
    items = true_items(plan)
    learnt = [model.items[item.id].rating for item in items]
    assert rank_correlation([item.difficulty for item in items], learnt) >= 0.95


def test_the_model_predicts_better_than_any_mean() -> None:
    tallies = replay(islice(synthesize(Plan()), 10_000), predictors())
    loss = {name: tally.measures().log_loss for name, tally in tallies.items()}
    assert loss[OWN] < loss["item mean"] < loss["mean"]


@pytest.mark.parametrize("same_order", [False, True])
def test_the_model_predicts_better_than_plain_elo(same_order: bool) -> None:
    tallies = replay(synthesize(Plan(learners=300, same_order=same_order, seed=3)), predictors())
    told = {name: tally.measures() for name, tally in tallies.items()}
    assert (told[OWN].auc or 0.0) > (told["elo"].auc or 0.0) + 0.005
    assert told[OWN].log_loss < told["elo"].log_loss
    assert told[OWN].calibration_error < 0.02


def test_who_rushes_is_quick_and_right_by_chance() -> None:
    answers = list(synthesize(Plan(learners=200, hurried=1.0)))
    rushed = [answer for answer in answers if is_rapid(answer)]
    choices = [answer for answer in answers if answer.choices]
    assert 0.25 < len(rushed) / len(choices) < 0.4
    chance = sum(1 / answer.choices for answer in rushed) / len(rushed)
    assert sum(answer.correct for answer in rushed) / len(rushed) == pytest.approx(chance, abs=0.05)
    assert sum(map(is_rapid, synthesize(Plan(learners=200)))) < 0.03 * len(choices)


def test_nobody_rushes_unless_asked_to_and_then_the_rest_of_the_log_stays() -> None:
    calm, hurried = (list(synthesize(Plan(learners=60, items=40, hurried=share))) for share in (0.0, 0.5))
    assert [(one.user, one.item, one.at) for one in calm] == [(one.user, one.item, one.at) for one in hurried]
    assert calm != hurried


@pytest.mark.parametrize("seed", [1, 2])
def test_rapid_guesses_that_weigh_less_mislead_less(seed: int) -> None:
    """Answers that were thought about are predicted better, and nothing is lost where nobody rushes."""
    hurried, calm = Plan(learners=300, hurried=0.5, seed=seed), Plan(learners=300, seed=seed)
    assert thoughtful_loss(hurried, RAPID_WEIGHT) < thoughtful_loss(hurried, 1.0) - 0.001
    assert thoughtful_loss(calm, RAPID_WEIGHT) == pytest.approx(thoughtful_loss(calm, 1.0), abs=0.0005)


def thoughtful_loss(plan: Plan, rapid_weight: float) -> float:
    """The log loss over all answers that were no rapid guesses."""
    model, tally = Ratings(rapid_weight), Tally()
    for answer in synthesize(plan):
        predicted = model.step(answer)
        if not is_rapid(answer):
            tally.add(predicted, right=answer.correct)
    return tally.measures().log_loss
