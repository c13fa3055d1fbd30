"""A curriculum as a whole: merging, unknown names, circles."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curriculum.cycle import circles
from pipeline.curriculum.entry import MOST, Kind, curriculum_of
from pipeline.curriculum.model import Category, Module, Project, Resource, ResourceKind, Track
from pipeline.curriculum.whole import Fault, faults_in, merged
from tests.unit.curriculum.samples import a_curriculum, a_module


def test_entries_keep_their_places_and_new_ones_come_behind() -> None:
    base = a_curriculum([a_module("b"), a_module("a")])
    given = a_curriculum([a_module("c"), a_module("b", hours=3)], {"all": ["b"]})
    whole = merged(base, given)
    assert list(whole.modules) == ["b", "a", "c"]
    assert whole.modules["b"].hours == 3
    assert whole.tracks["all"].modules == ("b",)
    assert whole.version == base.version


def test_a_whole_in_which_everything_is_there_has_no_faults() -> None:
    assert list(faults_in(a_curriculum([a_module("a"), a_module("b", "a")]))) == []


def test_every_unknown_name_is_told_with_who_uses_it_and_where() -> None:
    whole = curriculum_of(
        {
            Kind.CATEGORY: {"c": Category("c", "C", 1, ("t", "lost"), specialisations=("gone",))},
            Kind.TRACK: {"t": Track("t", "T", ("m", "away"))},
            Kind.MODULE: {"m": Module("m", "M", 1, 1.0, prerequisites=("m0",))},
            Kind.RESOURCE: {
                "r": Resource("r", "R", ResourceKind.VIDEO, "https://example.org/", ("x",), modules=("m1",))
            },
            Kind.PROJECT: {"p": Project("p", "P", "to build", 1, ("x",), categories=("c0",))},
        }
    )
    assert list(faults_in(whole)) == [
        Fault(Kind.CATEGORY, ("c",), "/tracks/1", 'refers to the track "lost", which does not exist'),
        Fault(Kind.CATEGORY, ("c",), "/specialisations/0", 'refers to the track "gone", which does not exist'),
        Fault(Kind.TRACK, ("t",), "/modules/1", 'refers to the module "away", which does not exist'),
        Fault(Kind.MODULE, ("m",), "/prerequisites/0", 'refers to the module "m0", which does not exist'),
        Fault(Kind.RESOURCE, ("r",), "/modules/0", 'refers to the module "m1", which does not exist'),
        Fault(Kind.PROJECT, ("p",), "/categories/0", 'refers to the category "c0", which does not exist'),
    ]


def test_a_track_is_taken_or_chosen_not_both() -> None:
    category = Category("path", "Path", 1, ("all",), specialisations=("all",))
    whole = msgspec.structs.replace(a_curriculum([a_module("a")]), categories={"path": category})
    [fault] = faults_in(whole)
    assert (fault.ids, fault.pointer) == (("path",), "/specialisations/0")


def test_a_circle_names_itself_and_is_put_down_to_what_was_given() -> None:
    whole = a_curriculum([a_module("a", "c"), a_module("b", "a"), a_module("c", "b")])
    [fault] = faults_in(whole, given=a_curriculum([a_module("b", "a")]))
    assert fault.detail.endswith("a → c → b → a")
    assert (fault.kind, fault.ids[0], fault.pointer) == (Kind.MODULE, "b", "/prerequisites")


def test_too_many_entries_of_a_kind_are_refused() -> None:
    modules = [a_module(f"m{number}") for number in range(MOST[Kind.MODULE] + 1)]
    [fault] = faults_in(a_curriculum(modules, {"all": ["m0"]}))
    assert fault.ids == ()
    assert "5,001 modules" in fault.detail


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        ({}, []),
        ({"a": ["b"], "b": []}, []),
        ({"a": ["a"]}, [("a", "a")]),
        ({"b": ["a"], "a": ["b"]}, [("a", "b", "a")]),
        ({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"], "e": ["a"]}, [("a", "b", "a"), ("c", "d", "c")]),
    ],
)
def test_circles_begin_with_their_smallest_name(needed: dict[str, list[str]], expected: list[tuple[str, ...]]) -> None:
    assert list(circles(needed)) == expected


GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefg"), max_size=4))


@given(GRAPHS)
def test_a_circle_found_is_one(needed: dict[str, list[str]]) -> None:
    for circle in circles(needed):
        assert circle[0] == circle[-1]
        for one, other in pairwise(circle):
            assert other in needed[one]


@given(GRAPHS)
def test_where_nothing_is_found_there_is_no_circle(needed: dict[str, list[str]]) -> None:
    """Taking away again and again what needs nothing leaves nothing."""
    left = {name: set(others) for name, others in needed.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    assert bool(list(circles(needed))) is bool(left)


@pytest.mark.parametrize(("most_walked", "found"), [(1, 1), (39, 1), (60, 3), (1_000, 10)])
def test_the_larger_a_graph_the_fewer_circles_are_looked_for(most_walked: int, found: int) -> None:
    """Each is a walk through everything: an import of millions of prerequisites must not take minutes to refuse."""
    needed = {f"{side}{number}": [f"{other}{number}"] for number in range(10) for side, other in ("ab", "ba")}
    assert len(list(circles(needed, most_walked=most_walked))) == found
