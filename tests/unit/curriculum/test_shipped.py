"""What ships to learn: complete, free of contradictions, and in proportion."""

from collections import Counter
from itertools import chain
from urllib.parse import urlsplit

import pytest

from pipeline.curriculum.model import Category, Module, Project, Resource, Track
from pipeline.curriculum.path import recommend_path
from pipeline.curriculum.standing import NOT_BEGUN
from pipeline.model import Question
from tests.unit.curriculum.shipped import (
    categories,
    file,
    modules,
    projects,
    questions,
    read,
    resources,
    tracks,
    whole,
)

ASKED_ABOUT = ("python_basics", "javascript_basics", "react_basics", "database_design")
INDUSTRIES = {"general", "fintech", "ecommerce", "enterprise"}
HOURS_A_WEEK = 10


def _modules_of(*track_ids: str) -> list[Module]:
    return [modules()[module] for track in track_ids for module in tracks()[track].modules]


def test_the_reader_finds_nothing_wrong_in_any_file_nor_in_the_whole() -> None:
    """No unknown field, no repeated id, no reference that leads nowhere, no prerequisites in a circle."""
    assert read().problems == ()
    assert whole().version == 0
    assert all(read().counts().values())


def test_the_promised_categories_and_tracks_are_there() -> None:
    assert {name: category.months for name, category in categories().items()} == {
        "saas_development": 18,
        "react_specialist": 8,
        "data_engineering_advanced": 12,
    }
    assert tracks().keys() == {
        *ASKED_ABOUT,
        "html_css",
        "data_structures",
        "fastapi_backend",
        "data_analysis",
        "cloud_deployment",
    }


def test_every_question_belongs_to_a_module_that_is_there() -> None:
    assert {question.module for question in questions().values()} <= modules().keys()


def test_every_module_belongs_to_one_track() -> None:
    held = Counter(chain.from_iterable(track.modules for track in tracks().values()))
    assert held == Counter(modules().keys())


def test_a_track_shows_no_module_before_one_that_it_needs() -> None:
    for track in tracks().values():
        for place, name in enumerate(track.modules):
            assert not set(modules()[name].prerequisites) & set(track.modules[place:]), name


def test_a_module_is_no_easier_than_what_it_builds_on() -> None:
    for module in modules().values():
        assert all(modules()[needed].difficulty <= module.difficulty for needed in module.prerequisites), module.id


@pytest.mark.parametrize("name", ["saas_development", "react_specialist", "data_engineering_advanced"])
def test_a_category_holds_all_that_its_modules_need(name: str) -> None:
    category = categories()[name]
    core = {module.id for module in _modules_of(*category.tracks)}
    assert all(set(modules()[module].prerequisites) <= core for module in core)
    for extra in category.specialisations:
        held = core | set(tracks()[extra].modules)
        assert all(set(module.prerequisites) <= held for module in _modules_of(extra)), extra


@pytest.mark.parametrize("name", ["saas_development", "react_specialist", "data_engineering_advanced"])
def test_the_hours_of_a_category_fit_its_months(name: str) -> None:
    path = recommend_path(whole(), name, lambda _: NOT_BEGUN, hours_per_week=HOURS_A_WEEK)
    assert path.months == pytest.approx(path.category.months, rel=0.35)


@pytest.mark.parametrize("industry", [None, "fintech", "ecommerce", "enterprise"])
@pytest.mark.parametrize("name", ["saas_development", "react_specialist", "data_engineering_advanced"])
def test_whoever_masters_each_step_finds_the_next_one_open(name: str, industry: str | None) -> None:
    path = recommend_path(whole(), name, lambda _: NOT_BEGUN, hours_per_week=HOURS_A_WEEK, industry=industry)
    mastered: set[str] = set()
    for step in path.steps:
        assert set(step.module.prerequisites) <= mastered
        mastered.add(step.module.id)


def test_all_five_levels_are_used() -> None:
    for kind in (modules(), resources(), projects()):
        assert {entry.difficulty for entry in kind.values()} == {1, 2, 3, 4, 5}


def test_every_topic_is_the_measure_of_one_module() -> None:
    held = Counter(chain.from_iterable(module.topics for module in modules().values()))
    assert set(held.values()) == {1}
    assert all(module.topics for module in modules().values())


def test_every_named_topic_is_one_that_a_module_teaches() -> None:
    taught = set(chain.from_iterable(module.topics for module in modules().values()))
    named: list[Resource | Project | Question] = [*resources().values(), *projects().values(), *questions().values()]
    assert [entry.id for entry in named if not entry.topics or set(entry.topics) - taught] == []


def test_every_topic_has_three_resources() -> None:
    offered = Counter(chain.from_iterable(resource.topics for resource in resources().values()))
    assert [topic for module in modules().values() for topic in module.topics if offered[topic] < 3] == []


def test_resources_are_of_every_kind_and_at_https_addresses_of_their_own() -> None:
    assert {resource.kind for resource in resources().values()} == {"documentation", "tutorial", "video", "project"}
    addresses = [resource.url for resource in resources().values()]
    assert len(addresses) == len(set(addresses))
    for address in addresses:
        assert "." in (urlsplit(address).hostname or ""), address
        assert address.isascii(), address


def test_every_category_has_projects_of_all_levels() -> None:
    for category in categories():
        levels = {project.difficulty for project in projects().values() if category in project.categories}
        assert levels == {1, 2, 3, 4, 5}, category
    assert all(len(project.steps) >= 4 for project in projects().values())
    assert len(projects()) >= 12


def test_industries_are_the_four_that_are_known() -> None:
    assert set(chain.from_iterable(module.industries for module in modules().values())) == INDUSTRIES
    assert set(chain.from_iterable(project.industries for project in projects().values())) == INDUSTRIES
    assert {question.industry for question in questions().values()} - {None} <= INDUSTRIES


def test_titles_and_descriptions_are_translated() -> None:
    paths: list[Category | Track] = [*categories().values(), *tracks().values()]
    steps: list[Module | Project] = [*modules().values(), *projects().values()]
    for entry in [*paths, *steps]:
        assert entry.translations.keys() == {"ko", "ja", "zh"}, entry.id
        assert all(text["title"] for text in entry.translations.values()), entry.id
        assert entry.translations["ko"].keys() == {"title", "description"}, entry.id
    for path in paths:
        assert all(text["description"] for text in path.translations.values()), path.id


def test_every_file_lies_where_its_name_says() -> None:
    """`modules/<track>.json` holds the modules of that track, `questions/<track>.json` questions on them."""
    for track in tracks().values():
        held = [module["id"] for module in file(f"modules/{track.id}.json")["modules"]]
        assert held == list(track.modules)
        asked = file(f"questions/{track.id}.json")["questions"]
        assert {question["module"] for question in asked} == set(track.modules)
