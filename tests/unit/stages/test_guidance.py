"""What a curriculum offers fits what is weak, what is read, how good the learner is and where they want to go."""

from datetime import UTC, datetime

import pytest

from pipeline.curriculum.model import Curriculum, Module, Project, Resource, ResourceKind
from pipeline.learning.advice import Why
from pipeline.learning.rating import Skill
from pipeline.stages.guidance import (
    Reader,
    choose_projects,
    choose_resources,
    reader_of,
)
from pipeline.stages.guide import NO_GUIDE, Guide, guide_of
from pipeline.stages.opening import closed_modules

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DOC, VIDEO, TUTORIAL = ResourceKind.DOCUMENTATION, ResourceKind.VIDEO, ResourceKind.TUTORIAL


def resource(
    id_: str, topic: str, kind: ResourceKind = DOC, *, difficulty: int = 3, language: str = "en", modules: str = ""
) -> Resource:
    topics = (topic,) if topic else ("else",)
    return Resource(id_, id_.title(), kind, "https://example.org", topics, tuple(modules.split()), difficulty, None, language)  # fmt: skip  # noqa: E501 - reads best in one line


def guide(*resources: Resource, modules: tuple[Module, ...] = (), projects: tuple[Project, ...] = ()) -> Guide:
    return guide_of(
        Curriculum(
            modules={module.id: module for module in modules},
            resources={one.id: one for one in resources},
            projects={project.id: project for project in projects},
        )
    )


def learner(locale: str = "en", goal: str | None = None, industry: str | None = None, **ratings: float) -> Reader:
    skills = {topic: Skill(topic, rating, 40, 20, NOW) for topic, rating in ratings.items()}
    return reader_of(skills, locale=locale, career_goal=goal, industry=industry)


def chosen(school: Guide, reader: Reader, *weak: str, nearby: tuple[str, ...] = ()) -> list[tuple[str, Why]]:
    return [
        (one.id, Why(str(one.because[0])) if one.because else Why.WEAK)
        for one in choose_resources(school, reader, weak, nearby)
    ]


def test_three_resources_about_the_weak_topic_of_different_kinds() -> None:
    school = guide(
        resource("a", "loops"), resource("b", "loops"), resource("c", "loops", VIDEO), resource("d", "loops", TUTORIAL)
    )
    assert chosen(school, learner(), "loops") == [("a", Why.WEAK), ("c", Why.WEAK), ("d", Why.WEAK)]


def test_weak_topics_take_turns_and_many_of_them_get_one_each_up_to_five() -> None:
    school = guide(*[resource(f"{topic}-{number}", topic) for topic in "abcdefg" for number in range(3)])
    assert [id_ for id_, _ in chosen(school, learner(), "a", "b")] == ["a-0", "b-0", "a-1"]
    assert [id_ for id_, _ in chosen(school, learner(), *"abcdefg")] == ["a-0", "b-0", "c-0", "d-0", "e-0"]


def test_the_learners_language_comes_first_then_english_then_others() -> None:
    school = guide(
        resource("en", "loops"), resource("fr", "loops", VIDEO, language="fr"), resource("ko", "loops", language="ko")
    )
    assert [id_ for id_, _ in chosen(school, learner("ko-KR"), "loops")] == ["ko", "en", "fr"]
    assert [id_ for id_, _ in chosen(school, learner("en"), "loops")] == ["en", "fr", "ko"]


@pytest.mark.parametrize(("rating", "first"), [(-2.0, "easy"), (0.0, "middle"), (2.0, "hard")])
def test_the_level_is_the_learners(rating: float, first: str) -> None:
    school = guide(
        resource("hard", "loops", difficulty=5),
        resource("middle", "loops"),
        resource("easy", "loops", difficulty=1),
    )
    assert chosen(school, learner(loops=rating), "loops")[0][0] == first


def test_where_a_topic_has_too_few_its_modules_help_then_what_they_build_on_then_what_is_near() -> None:
    modules = (
        Module("base", "Base", 1, 1.0, topics=("values",)),
        Module("flow", "Flow", 2, 1.0, topics=("loops", "branches"), prerequisites=("base",)),
    )
    school = guide(
        resource("far", "")
        , resource("values", "values"), resource("branches", "branches"), resource("loops", "loops"),
        modules=modules,
    )  # fmt: skip
    assert chosen(school, learner(), "loops") == [
        ("loops", Why.WEAK),
        ("branches", Why.MODULE),
        ("values", Why.PREREQUISITE),
    ]
    less = guide(resource("far", ""), resource("near", "sets"), resource("loops", "loops"))
    assert chosen(less, learner(), "loops", nearby=("sets",)) == [
        ("loops", Why.WEAK),
        ("near", Why.NEXT),
        ("far", Why.LEVEL),
    ]


def test_fewer_come_only_where_there_are_no_more() -> None:
    assert chosen(guide(resource("a", "loops"), resource("b", "")), learner(), "loops") == [
        ("a", Why.WEAK),
        ("b", Why.LEVEL),
    ]
    assert choose_resources(NO_GUIDE, learner(), ["loops"], []) == ()


def test_titles_speak_the_learners_language() -> None:
    translated = Resource(
        "a", "Loops", DOC, "https://example.org", ("loops",), translations={"ko": {"title": "반복문"}}
    )
    assert [one.title for one in choose_resources(guide(translated), learner("ko"), ["loops"], [])] == ["반복문"]
    assert [one.title for one in choose_resources(guide(translated), learner("ja"), ["loops"], [])] == ["Loops"]


def test_projects_fit_goal_then_level_then_industry_then_topics() -> None:
    def project(id_: str, difficulty: int, *topics: str, goal: str = "", industry: str = "") -> Project:
        return Project(id_, id_, "", difficulty, topics, categories=tuple(goal.split()), industries=tuple(industry.split()))  # fmt: skip  # noqa: E501 - reads best in one line

    projects = (
        project("other", 3, "loops", goal="data"),
        project("hard", 5, "loops", goal="web"),
        project("unmet", 3, "sets", goal="web"),
        project("fit", 3, "loops", goal="web"),
        project("bank", 3, "loops", goal="web", industry="fintech"),
    )
    school = guide(projects=projects)

    def ids(reader: Reader) -> list[str]:
        return [one.id for one in choose_projects(school, reader)]

    def knowing(goal: str | None = None, industry: str | None = None) -> Reader:
        return learner(goal=goal, industry=industry, loops=0.6, lists=0.6, dicts=0.6)

    assert knowing().level == 3
    assert ids(knowing("web")) == ["fit", "bank"]
    assert ids(knowing("web", "fintech")) == ["bank", "fit"]
    assert ids(knowing("data")) == ["other", "fit"]
    assert choose_projects(school, knowing("web", "fintech"))[0].because == (
        Why.PROJECT, 3, 1, 1, True, True,
    )  # fmt: skip


def test_who_is_little_known_is_thought_to_be_a_little_weaker() -> None:
    assert reader_of({}).level == 2


def test_a_module_is_closed_until_what_it_builds_on_is_mastered() -> None:
    modules = (
        Module("a", "A", 1, 1.0, topics=("values",)),
        Module("b", "B", 2, 1.0, topics=("loops",), prerequisites=("a",)),
        Module("c", "C", 3, 1.0, prerequisites=("a", "b")),
        Module("d", "D", 3, 1.0, prerequisites=("not there",)),
    )
    school = guide(modules=modules)
    assert closed_modules(school, learner(), NOW) == {"b", "c"}
    assert closed_modules(school, learner(values=2.0), NOW) == {"c"}
    assert closed_modules(school, learner(values=2.0, loops=2.0), NOW) == frozenset()
    assert closed_modules(school, learner(values=-3.0, loops=2.0), NOW) == {"b", "c"}
