"""Recommendations fit the learner, mix kinds and topics, and never repeat what was just right."""

from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.advice import Recommendation, Why
from pipeline.learning.candidate import TARGETS, Candidate, CandidateIndex, Kind, index_candidates
from pipeline.learning.memory import Memory
from pipeline.learning.mix import MIX, Plan, quotas
from pipeline.learning.pooling import overall
from pipeline.learning.rating import Skill
from pipeline.learning.recency import Recent
from pipeline.learning.selection import Barred, recommend
from pipeline.learning.topic_order import due_topics
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
TEN = Plan()
NOTHING_BARRED = Barred()
LEARNER = (
    skill("loops", -0.5, recent=WRONG),
    skill("lists", 0.8, updated_at=NOW - 9 * DAY),
    skill("dicts", 1.6, updated_at=NOW - DAY),
)


def advice(
    *skills: Skill,
    index: CandidateIndex = INDEX,
    barred: Barred = NOTHING_BARRED,
    seed: str = "s",
    plan: Plan = TEN,
) -> Recommendation:
    known = {one.topic: one for one in skills}
    weak = weaknesses_of(skills, NOW)
    return recommend(index, known, weak, everywhere=overall(known), now=NOW, barred=barred, seed=seed, plan=plan)


def ids(found: Recommendation) -> list[str]:
    return [pick.question_id for pick in found.questions]


def reviewed(topic: str, due_in: timedelta, **more: Any) -> Skill:
    memory = Memory(stability=3.0, difficulty=5.0, due_at=NOW + due_in)
    return msgspec.structs.replace(skill(topic, **more), memory=memory)


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
    assert kinds(advice(*LEARNER, plan=Plan(mix={Kind.REVIEW: 1.0}))) == {Kind.REVIEW: 10}


@given(st.integers(0, 50), st.floats(0.5, 1), st.floats(0, 1))
def test_rounding_never_takes_weaknesses_below_half(count: int, weakness: float, review: float) -> None:
    rest = 1 - weakness
    split = quotas({Kind.WEAKNESS: weakness, Kind.REVIEW: rest * review, Kind.CHALLENGE: rest * (1 - review)}, count)
    assert sum(split.values()) == count
    assert 2 * split[Kind.WEAKNESS] >= count
    assert min(split.values()) >= 0


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
        skill("loops", rating, answers=50, recent=WRONG),
        skill("lists", rating, answers=50, updated_at=NOW - DAY),
        skill("dicts", rating, answers=50),
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
    found = ids(advice(*LEARNER, barred=Barred(excluded=excluded), seed=seed))
    assert not excluded & set(found)
    assert len(found) == len(set(found)) == min(10, len(BANK) - len(excluded))


def test_a_question_of_several_topics_comes_once_though_each_kind_finds_it() -> None:
    topics_of_all = ("loops", "lists", "dicts")
    shared = index_candidates(Candidate(f"q{number}", topics_of_all, 0.0) for number in range(12))
    found = advice(*LEARNER, index=shared)
    assert len(set(ids(found))) == 10
    assert {pick.topic for pick in found.questions} == set(topics_of_all)


def test_when_everything_was_right_nothing_is_left_and_the_rationale_says_so() -> None:
    found = advice(*LEARNER, barred=Barred(excluded=frozenset(candidate.question_id for candidate in BANK)))
    assert found.questions == ()
    assert found.rationale.startswith("No further questions")


def test_postponed_questions_come_only_where_nothing_else_is_left() -> None:
    few = index_candidates(Candidate(f"q{number}", ("loops",), 0.0) for number in range(4))
    barred = Barred(excluded=frozenset({"q0"}), postponed=frozenset({"q1", "q2"}))
    assert ids(advice(index=few, barred=barred, plan=Plan(count=1))) == ["q3"]
    all_of_them = ids(advice(index=few, barred=barred, plan=Plan(count=4)))
    assert (all_of_them[0], sorted(all_of_them)) == ("q3", ["q1", "q2", "q3"])


def test_what_is_due_fills_the_review_share_the_most_overdue_first() -> None:
    learner = (
        skill("loops", -0.5, recent=WRONG),
        skill("lists", updated_at=NOW - 30 * DAY),
        reviewed("dicts", -DAY),
        reviewed("files", -5 * DAY),
        reviewed("sorting", DAY),
    )
    found = advice(*learner)
    assert due_topics(learner, NOW) == ["files", "dicts"]
    assert topics(found, Kind.REVIEW) == ["files", "dicts"]
    reasons = [pick.because for pick in found.questions if pick.kind is Kind.REVIEW]
    assert [reason[:2] for reason in reasons] == [(Why.DUE, 5), (Why.DUE, 1)]
    assert all(0 < float(reason[2]) <= 1 for reason in reasons)


def test_questions_of_modules_that_are_open_come_before_all_others_of_their_kind() -> None:
    levels = [Candidate(f"{module}-{number}", ("loops",), 0.0, module=module) for module in "ab" for number in range(4)]
    barred = Barred(closed=frozenset({"a"}))
    learner = skill("loops", -0.5, recent=WRONG)
    first_four = ids(advice(learner, index=index_candidates(levels), barred=barred, plan=Plan(count=4)))
    assert {id_[0] for id_ in first_four} == {"b"}
    everything = ids(advice(learner, index=index_candidates(levels), barred=barred, plan=Plan(count=8)))
    assert sorted(everything) == sorted(candidate.question_id for candidate in levels)


def test_topics_whose_modules_are_closed_leave_their_turns_to_the_next() -> None:
    """So a newcomer, to whom most is closed, is not asked about one topic alone."""
    bank = [Candidate(f"{topic}-{number}", (topic,), 0.0, module=topic) for topic in "abcdefgh" for number in range(9)]
    found = advice(index=index_candidates(bank), barred=Barred(closed=frozenset("bcefh")), plan=Plan(count=6))
    assert Counter(pick.topic for pick in found.questions) == {"a": 2, "d": 2, "g": 2}


def test_a_weak_topic_is_practised_though_its_module_is_not_open() -> None:
    bank = [Candidate(f"{topic}-{number}", (topic,), 0.0, module=topic) for topic in "ab" for number in range(9)]
    learner = (skill("a", recent=WRONG), skill("b"))
    found = advice(*learner, index=index_candidates(bank), barred=Barred(closed=frozenset({"a"})))
    assert topics(found, Kind.WEAKNESS) == ["a"] * 6


@given(st.frozensets(st.sampled_from("abcd")), st.frozensets(st.integers(0, 59)), st.text(max_size=4))
def test_topics_passed_over_for_their_modules_would_have_given_nothing(
    closed: frozenset[str], known: frozenset[int], seed: str
) -> None:
    """Shelves tell their modules, so that those with nothing to find are not walked along."""
    bank = [
        Candidate(
            f"q{n}", ("loops", "lists", "dicts", "sets")[n % 4 : n % 4 + 2], n % 5 - 2.0, module="abcd"[n * 7 // 30 % 4]
        )
        for n in range(60)
    ]
    index = index_candidates(bank)
    every = frozenset("abcd") | {"elsewhere"}
    walked = {place: msgspec.structs.replace(shelves, modules=every) for place, shelves in index.shelves.items()}
    barred = Barred(excluded=frozenset(f"q{n}" for n in known), closed=closed)
    found = advice(*LEARNER, index=index, barred=barred, seed=seed)
    assert found == advice(*LEARNER, index=msgspec.structs.replace(index, shelves=walked), barred=barred, seed=seed)


def test_types_of_questions_vary_where_several_fit() -> None:
    bank = [
        Candidate(f"{kind}-{number}", ("loops",), 0.0 if kind == "numeric" else 0.01, type=kind)
        for kind in ("numeric", "cloze", "ordering")
        for number in range(9)
    ]
    found = advice(skill("loops", recent=WRONG), index=index_candidates(bank), plan=Plan(count=6))
    assert len({id_.split("-")[0] for id_ in ids(found)}) >= 2


def test_the_same_state_and_seed_give_the_same_advice_and_another_seed_varies_it() -> None:
    assert advice(*LEARNER, seed="one") == advice(*LEARNER, seed="one")
    assert len({advice(*LEARNER, seed=str(number)).questions for number in range(8)}) > 1


@given(st.permutations(LEARNER), st.permutations(BANK[:60]), st.text(max_size=4))
def test_advice_depends_on_nothing_but_state_and_seed(skills: list[Skill], bank: list[Candidate], seed: str) -> None:
    given_in_order = advice(*LEARNER, index=index_candidates(BANK[:60]), seed=seed)
    assert advice(*skills, index=index_candidates(bank), seed=seed) == given_in_order


def test_advice_does_not_depend_on_the_order_of_the_skills() -> None:
    assert advice(*LEARNER) == advice(*reversed(LEARNER))


def test_a_question_that_is_hard_for_its_other_topic_waits_behind_one_that_fits() -> None:
    index = index_candidates(
        [
            Candidate("with a stranger", ("loops", "quantum"), -1.0),
            Candidate("alone", ("loops",), -1.0),
        ]
    )
    skills = (skill("loops", 0.1, recent=WRONG), skill("quantum", -4.0, answers=20))
    for seed in "abcdef":
        assert ids(advice(*skills, index=index, seed=seed, plan=Plan(count=1))) == ["alone"]


def test_every_question_says_why() -> None:
    found = advice(*LEARNER)
    for pick in found.questions:
        assert pick.question_id.startswith(pick.topic)
        assert pick.module == f"module of {pick.topic}"
        assert 0 < pick.expected < 1
    assert [weakness.topic for weakness in found.weaknesses] == ["loops"]
    assert "6 to practise" in found.rationale
