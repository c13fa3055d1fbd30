"""Recommendations fit the learner, mix kinds and topics, and never repeat what was just right."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.candidate import TARGETS, Candidate, Kind, index_candidates
from pipeline.learning.rating import Skill
from pipeline.learning.recency import Recent
from pipeline.learning.selection import MIX, Recommendation, quotas, recommend
from pipeline.learning.weakness import weaknesses_of
from tests.unit.learning.samples import NOW, skill

DAY = timedelta(days=1)
WRONG = Recent(2.0, 2.0)
LEVELS = (-2.0, -1.0, 0.0, 1.0, 2.0)
BANK = [
    Candidate(f"{topic}-{level}-{number}", (topic,), level, module=f"module of {topic}")
    for topic in ("loops", "lists", "dicts", "files", "sorting")
    for level in LEVELS
    for number in range(8)
]
INDEX = index_candidates(BANK)
LEARNER = (
    skill("loops", -0.5, recent=WRONG),
    skill("lists", 0.8, updated_at=NOW - 9 * DAY),
    skill("dicts", 1.6, updated_at=NOW - DAY),
)


def advice(*skills: Skill, excluded: frozenset[str] = frozenset(), seed: str = "s", count: int = 10) -> Recommendation:
    return recommend(
        INDEX,
        {one.topic: one for one in skills},
        weaknesses_of(skills, NOW),
        excluded=excluded,
        seed=seed,
        count=count,
    )


def kinds(found: Recommendation) -> Counter[Kind]:
    return Counter(pick.kind for pick in found.questions)


def topics(found: Recommendation, kind: Kind) -> list[str]:
    return [pick.topic for pick in found.questions if pick.kind is kind]


@pytest.mark.parametrize(
    ("count", "split"),
    [(10, (6, 2, 2)), (5, (3, 1, 1)), (4, (2, 1, 1)), (3, (2, 1, 0)), (1, (1, 0, 0)), (0, (0, 0, 0))],
)
def test_the_mix_is_split_by_largest_remainders(count: int, split: tuple[int, int, int]) -> None:
    assert tuple(quotas(MIX, count).values()) == split


@given(st.dictionaries(st.sampled_from(list(Kind)), st.floats(0.01, 5), min_size=1), st.integers(0, 50))
def test_quotas_always_add_up(mix: dict[Kind, float], count: int) -> None:
    split = quotas(mix, count)
    assert sum(split.values()) == count
    assert all(abs(split[kind] - count * mix[kind] / sum(mix.values())) < 1 for kind in mix)


def test_six_of_ten_practise_weaknesses_two_review_and_two_challenge() -> None:
    found = advice(*LEARNER)
    assert kinds(found) == {Kind.WEAKNESS: 6, Kind.REVIEW: 2, Kind.CHALLENGE: 2}
    assert set(topics(found, Kind.WEAKNESS)) == {"loops"}


def test_another_mix_may_be_asked_for() -> None:
    found = recommend(
        INDEX,
        {one.topic: one for one in LEARNER},
        weaknesses_of(LEARNER, NOW),
        excluded=frozenset(),
        seed="s",
        mix={Kind.REVIEW: 1.0},
    )
    assert kinds(found) == {Kind.REVIEW: 10}


def test_review_takes_what_was_not_seen_for_longest_and_challenge_what_is_strongest() -> None:
    found = advice(*LEARNER)
    assert topics(found, Kind.REVIEW)[0] == "lists"
    assert topics(found, Kind.CHALLENGE)[0] == "dicts"


def test_several_weak_topics_take_turns_the_weakest_first() -> None:
    found = advice(
        skill("loops", recent=Recent(9.0, 9.0)),
        skill("lists", recent=Recent(5.0, 9.0)),
        skill("dicts", recent=Recent(7.0, 9.0)),
        skill("files", recent=Recent(1.0, 9.0)),
    )
    assert topics(found, Kind.WEAKNESS) == ["loops", "dicts", "lists"] * 2


def test_a_learner_with_one_topic_meets_others_too() -> None:
    found = advice(skill("loops", recent=WRONG))
    assert len({pick.topic for pick in found.questions}) >= 2
    assert topics(found, Kind.CHALLENGE)[0] != "loops"


def test_a_learner_without_weaknesses_gets_review_and_challenge_by_turns() -> None:
    found = advice(skill("loops", 1.0), skill("lists", 0.5))
    assert kinds(found) == {Kind.REVIEW: 5, Kind.CHALLENGE: 5}


def test_a_newcomer_gets_a_full_set_of_different_topics() -> None:
    found = advice()
    assert len(found.questions) == 10
    assert len({pick.topic for pick in found.questions}) >= 3


@pytest.mark.parametrize("rating", [-1.0, 0.0, 1.0])
def test_the_difficulty_fits_each_kind(rating: float) -> None:
    found = advice(
        skill("loops", rating, answers=40, recent=WRONG),
        skill("lists", rating, answers=40, updated_at=NOW - DAY),
        skill("dicts", rating, answers=40),
    )
    for pick in found.questions:
        assert abs(pick.expected - TARGETS[pick.kind]) < 0.15


def test_a_stronger_learner_gets_harder_questions() -> None:
    def mean_level(rating: float) -> float:
        picks = advice(skill("loops", rating, recent=WRONG)).questions
        levels = [float(pick.question_id[6:].rsplit("-", 1)[0]) for pick in picks if pick.topic == "loops"]
        return sum(levels) / len(levels)

    assert mean_level(-1.0) < mean_level(0.0) < mean_level(1.5)


@given(st.sets(st.sampled_from([candidate.question_id for candidate in BANK])), st.text(max_size=4))
def test_excluded_questions_never_come_and_no_question_comes_twice(excluded: set[str], seed: str) -> None:
    found = advice(*LEARNER, excluded=frozenset(excluded), seed=seed)
    ids = [pick.question_id for pick in found.questions]
    assert not excluded & set(ids)
    assert len(ids) == len(set(ids)) == min(10, len(BANK) - len(excluded))


def test_a_question_of_several_topics_comes_once_though_each_kind_finds_it() -> None:
    names = ("loops", "lists", "dicts")
    shared = [Candidate(f"q{number}", names, 0.0) for number in range(12)]
    found = recommend(
        index_candidates(shared),
        {one.topic: one for one in LEARNER},
        weaknesses_of(LEARNER, NOW),
        excluded=frozenset(),
        seed="s",
    )
    assert len({pick.question_id for pick in found.questions}) == 10
    assert {pick.topic for pick in found.questions} == set(names)


def test_when_everything_was_right_nothing_is_left_and_the_rationale_says_so() -> None:
    found = advice(*LEARNER, excluded=frozenset(candidate.question_id for candidate in BANK))
    assert found.questions == ()
    assert found.rationale.startswith("No further questions")


def test_postponed_questions_come_only_where_nothing_else_is_left() -> None:
    few = [Candidate(f"q{number}", ("loops",), 0.0) for number in range(4)]

    def ids(count: int) -> list[str]:
        found = recommend(
            index_candidates(few),
            {},
            (),
            excluded=frozenset({"q0"}),
            postponed=frozenset({"q1", "q2"}),
            seed="s",
            count=count,
        )
        return [pick.question_id for pick in found.questions]

    assert ids(1) == ["q3"]
    assert (ids(4)[0], sorted(ids(4))) == ("q3", ["q1", "q2", "q3"])


def test_the_same_state_and_seed_give_the_same_advice_and_another_seed_varies_it() -> None:
    assert advice(*LEARNER, seed="one") == advice(*LEARNER, seed="one")
    assert len({advice(*LEARNER, seed=str(number)).questions for number in range(8)}) > 1


def test_advice_does_not_depend_on_the_order_of_the_skills() -> None:
    assert advice(*LEARNER) == advice(*reversed(LEARNER))


def test_a_question_that_is_hard_for_its_other_topic_waits_behind_one_that_fits() -> None:
    index = index_candidates(
        [
            Candidate("with a stranger", ("loops", "quantum"), -1.0),
            Candidate("alone", ("loops",), -1.0),
        ]
    )
    skills = {"loops": skill("loops", 0.1, recent=WRONG), "quantum": skill("quantum", -4.0)}
    for seed in "abcdef":
        found = recommend(index, skills, weaknesses_of(skills.values(), NOW), excluded=frozenset(), seed=seed, count=1)
        assert [pick.question_id for pick in found.questions] == ["alone"]


def test_every_question_says_why() -> None:
    found = advice(*LEARNER)
    for pick in found.questions:
        assert pick.question_id.startswith(pick.topic)
        assert pick.module == f"module of {pick.topic}"
        assert 0 < pick.expected < 1
    assert [weakness.topic for weakness in found.weaknesses] == ["loops"]
    assert "6 to practise" in found.rationale
