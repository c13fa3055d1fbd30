"""The way through a category: property tests on random graphs, and examples that can be checked by eye."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curriculum.model import Curriculum
from pipeline.curriculum.path import Path, recommend_path
from pipeline.curriculum.reason import ReasonCode, StepReason
from pipeline.curriculum.standing import Standings
from tests.unit.curriculum.samples import a_curriculum, a_module, standings

FINTECH = "fintech"
NOBODY = standings()


def walk(curriculum: Curriculum, known: Standings = NOBODY, *, hours_per_week: float = 10.0, **wish: Any) -> Path:
    return recommend_path(curriculum, "path", known, hours_per_week=hours_per_week, **wish)


def ids(path: Path) -> list[str]:
    return [step.module.id for step in path.steps]


@st.composite
def curricula(draw: st.DrawFn) -> tuple[Curriculum, list[str], list[str]]:
    """A curriculum without circles, some of its modules outside the tracks; modules that are mastered, and begun."""
    names = draw(st.permutations([f"m{number}" for number in range(draw(st.integers(1, 12)))]))
    modules = [
        a_module(
            name,
            *draw(st.lists(st.sampled_from(names[:place]), unique=True, max_size=4) if place else st.just([])),
            hours=draw(st.floats(0.5, 100)),
            industries=[FINTECH] if draw(st.booleans()) else [],
        )
        for place, name in enumerate(names)
    ]
    shown = draw(st.permutations(names))
    taken = draw(st.integers(1, len(shown)))
    cut = draw(st.integers(0, taken))
    tracks = {"first": shown[:cut] or shown[:1], "second": shown[cut:taken] or shown[:1]}
    some = st.lists(st.sampled_from(names), unique=True)
    return a_curriculum(sorted(modules, key=lambda one: one.id), tracks), draw(some), draw(some)


def needed_by(curriculum: Curriculum, goals: set[str], among: set[str]) -> set[str]:
    """The goals and all they need among these modules, found the slow way."""
    found = set(goals)
    while more := {p for name in found for p in curriculum.modules[name].prerequisites if p in among} - found:
        found |= more
    return found


@given(curricula())
def test_every_module_comes_after_its_prerequisites_and_only_once(
    drawn: tuple[Curriculum, list[str], list[str]],
) -> None:
    curriculum, mastered, begun = drawn
    path = ids(walk(curriculum, standings(mastered, begun), industry=FINTECH))
    assert len(set(path)) == len(path)
    for place, name in enumerate(path):
        for prerequisite in curriculum.modules[name].prerequisites:
            assert prerequisite in mastered or prerequisite in path[:place]


@given(curricula())
def test_nothing_mastered_is_in_the_path_and_nothing_of_the_tracks_is_missing(
    drawn: tuple[Curriculum, list[str], list[str]],
) -> None:
    curriculum, mastered, _ = drawn
    path = walk(curriculum, standings(mastered))
    in_tracks = {name for track in curriculum.tracks.values() for name in track.modules}
    left = in_tracks - set(mastered)
    everything = set(curriculum.modules) - set(mastered)
    assert set(ids(path)) == needed_by(curriculum, left, everything)
    assert set(path.mastered) == in_tracks & set(mastered)


@given(curricula(), st.sampled_from([None, FINTECH, "general"]))
def test_the_same_wish_gets_the_same_path(drawn: tuple[Curriculum, list[str], list[str]], industry: str | None) -> None:
    curriculum, mastered, begun = drawn
    known = standings(mastered, begun)
    assert walk(curriculum, known, industry=industry) == walk(curriculum, known, industry=industry)


@given(curricula())
def test_before_the_last_module_of_the_industry_comes_nothing_that_none_of_them_needs(
    drawn: tuple[Curriculum, list[str], list[str]],
) -> None:
    curriculum, mastered, begun = drawn
    path = ids(walk(curriculum, standings(mastered, begun), industry=FINTECH))
    of_industry = {name for name in path if FINTECH in curriculum.modules[name].industries}
    first = len(needed_by(curriculum, of_industry, set(path)))
    assert set(path[:first]) == needed_by(curriculum, of_industry, set(path))


@given(curricula())
def test_a_module_of_the_industry_waits_for_nothing_but_its_prerequisites_and_others_of_it(
    drawn: tuple[Curriculum, list[str], list[str]],
) -> None:
    curriculum, mastered, _ = drawn
    path = ids(walk(curriculum, standings(mastered), industry=FINTECH))
    for place, name in enumerate(path):
        if FINTECH in curriculum.modules[name].industries:
            continue
        ready = [
            other
            for other in path[place + 1 :]
            if FINTECH in curriculum.modules[other].industries
            and all(p in mastered or p in path[:place] for p in curriculum.modules[other].prerequisites)
        ]
        assert ready == []


@given(curricula(), st.floats(0.5, 168))
def test_hours_and_months_add_up(drawn: tuple[Curriculum, list[str], list[str]], hours_per_week: float) -> None:
    curriculum, mastered, _ = drawn
    path = walk(curriculum, standings(mastered), hours_per_week=hours_per_week)
    assert path.hours == pytest.approx(sum(step.module.hours for step in path.steps))
    assert path.months == pytest.approx(path.hours / hours_per_week * 12 / 52)
    ends = [0.0, *(step.ends_at_months for step in path.steps)]
    assert [step.starts_at_months for step in path.steps] == ends[:-1]
    assert ends[-1] == path.months


def test_without_anything_else_to_go_by_the_order_is_that_of_the_tracks() -> None:
    modules = [a_module(name) for name in "abcd"]
    path = walk(a_curriculum(modules, {"one": ["d", "b"], "two": ["c", "a"]}))
    assert ids(path) == ["d", "b", "c", "a"]
    assert [step.track for step in path.steps] == ["one", "one", "two", "two"]


def test_what_comes_from_outside_the_tracks_stands_just_before_what_needs_it() -> None:
    modules = [a_module("z-base"), a_module("a"), a_module("b", "z-base"), a_module("c"), a_module("other")]
    path = walk(a_curriculum(modules, {"one": ["a", "b", "c"]}))
    assert ids(path) == ["a", "z-base", "b", "c"]
    pulled = path.steps[1]
    assert pulled.track is None
    assert pulled.reasons == (StepReason(ReasonCode.START), StepReason(ReasonCode.NEEDED, ("b",)))


def test_what_only_a_mastered_module_needs_is_not_pulled_in() -> None:
    modules = [a_module("base"), a_module("a", "base"), a_module("b", "a")]
    path = walk(a_curriculum(modules, {"one": ["a", "b"]}), standings(["a"]))
    assert ids(path) == ["b"]
    assert path.mastered == ("a",)


def test_specialisations_come_behind_the_tracks_and_only_when_chosen() -> None:
    modules = [a_module("a"), a_module("extra"), a_module("b")]
    curriculum = a_curriculum(modules, {"main": ["a", "b"], "special": ["extra"]}, specialisations=["special"])
    assert ids(walk(curriculum)) == ["a", "b"]
    assert ids(walk(curriculum, specialisations=["special"])) == ["a", "b", "extra"]


def test_what_is_begun_is_finished_first() -> None:
    path = walk(a_curriculum([a_module(name) for name in "abc"]), standings(begun=["c"]))
    assert ids(path) == ["c", "a", "b"]
    assert StepReason(ReasonCode.BEGUN, mastery=0.4) in path.steps[0].reasons


def test_the_industry_pulls_what_it_needs_to_the_front_and_says_so() -> None:
    modules = [a_module("a"), a_module("b"), a_module("ledger", "b", industries=["FinTech"]), a_module("c", "ledger")]
    path = walk(a_curriculum(modules), industry=FINTECH)
    assert ids(path) == ["b", "ledger", "a", "c"]
    assert StepReason(ReasonCode.LEADS_TO_INDUSTRY, ("ledger",), FINTECH) in path.steps[0].reasons
    assert path.steps[1].reasons == (
        StepReason(ReasonCode.FOLLOWS, ("b",)),
        StepReason(ReasonCode.INDUSTRY, industry=FINTECH),
        StepReason(ReasonCode.OPENS, ("c",)),
    )


def test_the_general_industry_is_everybodys() -> None:
    modules = [a_module("a"), a_module("b", industries=["general"])]
    assert ids(walk(a_curriculum(modules), industry="general")) == ["a", "b"]


def test_a_step_is_open_where_all_it_needs_is_mastered() -> None:
    modules = [a_module("a"), a_module("b", "a"), a_module("c", "b")]
    path = walk(a_curriculum(modules), standings(["a"]))
    assert [(step.module.id, step.is_open) for step in path.steps] == [("b", True), ("c", False)]
    assert path.steps[0].reasons[0] == StepReason(ReasonCode.PREREQUISITES_MASTERED, ("a",))


def test_a_path_of_which_all_is_mastered_is_empty() -> None:
    path = walk(a_curriculum([a_module("a")]), standings(["a"]))
    assert (path.steps, path.hours, path.months) == ((), 0.0, 0.0)


def test_a_category_that_is_not_there_has_no_path() -> None:
    with pytest.raises(KeyError):
        recommend_path(a_curriculum([a_module("a")]), "other", standings(), hours_per_week=1)
