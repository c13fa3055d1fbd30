"""What a `CurriculumStore` promises."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.curriculum.entry import Kind, curriculum_of
from pipeline.curriculum.model import (
    NO_CURRICULUM,
    Category,
    Curriculum,
    Module,
    Project,
    Resource,
    ResourceKind,
    Track,
)
from pipeline.curriculum.whole import merged
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.ports import Saved
from pipeline.ports.curriculum import CurriculumStore
from pipeline.store.bank import BankStore
from pipeline.store.curriculum import CurriculumStore as PostgresCurriculumStore
from tests.contracts.test_bank_store import a_question
from tests.unit.curriculum.samples import a_curriculum, a_module

RICH = curriculum_of(
    {
        Kind.CATEGORY: {
            "c": Category("c", "Cé", 3, ("t",), "desc", ("s",), {"ko": {"title": "씨", "description": "설명"}}),
        },
        Kind.TRACK: {"t": Track("t", "T", ("m",)), "s": Track("s", "S", ("m", "n"), "special")},
        Kind.MODULE: {
            "n": Module("n", "N", 1, 2.0),
            "m": Module("m", "M", 5, 0.5, ("x", "y"), ("n",), "d", ("tag",), ("fintech",), {"zh": {"title": "模"}}),
        },
        Kind.RESOURCE: {
            "r": Resource("r", "R", ResourceKind.VIDEO, "https://example.org/", ("x",), ("m",), 2, 12, "ko"),
        },
        Kind.PROJECT: {"p": Project("p", "P", "d", 4, ("x",), 2.5, ("one", "two"), ("c",), ("ecommerce",))},
    }
)


@pytest.fixture
def store(engine: AsyncEngine) -> CurriculumStore:
    return PostgresCurriculumStore(engine)


@pytest.fixture
def elsewhere(engine: AsyncEngine) -> CurriculumStore:
    """The same curricula as another process sees them."""
    return PostgresCurriculumStore(engine)


def adding(given: Curriculum) -> Callable[[Curriculum], Curriculum]:
    return lambda base: merged(base, given)


def modules(*names: str) -> Curriculum:
    return a_curriculum([a_module(name) for name in names], {"all": [names[0]]})


async def test_nothing_is_there_before_the_first_import(store: CurriculumStore, tenants: tuple[int, int]) -> None:
    assert await store.current(tenants[0]) == NO_CURRICULUM
    assert await store.current(999) == NO_CURRICULUM


async def test_every_field_of_every_kind_comes_back_as_it_was(
    store: CurriculumStore, elsewhere: CurriculumStore, tenants: tuple[int, int]
) -> None:
    saved = await store.save(tenants[0], adding(RICH))
    expected = msgspec.structs.replace(RICH, version=1)
    assert (saved.before, saved.after) == (NO_CURRICULUM, expected)
    for seen in (store, elsewhere):
        found = await seen.current(tenants[0])
        assert found == expected
        assert list(found.modules) == ["n", "m"]
        assert list(found.tracks) == ["t", "s"]


async def test_only_a_change_makes_a_version(store: CurriculumStore, tenants: tuple[int, int]) -> None:
    await store.save(tenants[0], adding(RICH))
    assert (await store.save(tenants[0], adding(RICH))).after.version == 1
    assert (await store.save(tenants[0], adding(NO_CURRICULUM))).after.version == 1
    assert (await store.save(tenants[0], adding(modules("m")))).after.version == 2


async def test_a_change_made_elsewhere_is_seen_at_once(
    store: CurriculumStore, elsewhere: CurriculumStore, tenants: tuple[int, int]
) -> None:
    await store.save(tenants[0], adding(modules("a")))
    assert list((await store.current(tenants[0])).modules) == ["a"]
    await elsewhere.save(tenants[0], adding(modules("b")))
    assert list((await store.current(tenants[0])).modules) == ["a", "b"]


async def test_entries_keep_their_places_when_they_change(
    store: CurriculumStore, elsewhere: CurriculumStore, tenants: tuple[int, int]
) -> None:
    await store.save(tenants[0], adding(modules("b", "a")))
    await store.save(tenants[0], adding(a_curriculum([a_module("c"), a_module("b", hours=99)], {"all": ["c"]})))
    found = await elsewhere.current(tenants[0])
    assert [(name, module.hours) for name, module in found.modules.items()] == [("b", 99.0), ("a", 10.0), ("c", 10.0)]


async def test_a_refused_change_leaves_neither_entries_nor_questions(
    store: CurriculumStore, engine: AsyncEngine, tenants: tuple[int, int]
) -> None:
    def refuse(_: Curriculum) -> Curriculum:
        raise InvalidInput([FieldProblem("/modules", "no")])

    with pytest.raises(InvalidInput):
        await store.save(tenants[0], refuse, [a_question("q")])
    assert await store.current(tenants[0]) == NO_CURRICULUM
    assert await BankStore(engine).find(tenants[0], "q") is None


async def test_questions_come_with_the_curriculum_in_the_order_given(
    store: CurriculumStore, engine: AsyncEngine, tenants: tuple[int, int]
) -> None:
    bank = BankStore(engine)
    await bank.save(tenants[0], [a_question("old")])
    saved = await store.save(tenants[0], adding(RICH), [a_question("z"), a_question("old", points=2), a_question("a")])
    assert saved.questions == (Saved("z", 1, changed=True), Saved("old", 2, changed=True), Saved("a", 1, changed=True))
    assert await bank.find(tenants[0], "z") == a_question("z", version=1)


async def test_concurrent_imports_come_one_after_the_other_and_none_is_lost(
    store: CurriculumStore, elsewhere: CurriculumStore, tenants: tuple[int, int]
) -> None:
    names = [f"m{number}" for number in range(12)]
    saved = await asyncio.gather(
        *(
            (store, elsewhere)[number % 2].save(
                tenants[0], adding(a_curriculum([a_module(name)], {"all": [name]})), [a_question(name), a_question("q")]
            )
            for number, name in enumerate(names)
        )
    )
    assert sorted(one.after.version for one in saved) == list(range(1, 13))
    found = await store.current(tenants[0])
    assert (sorted(found.modules), found.version) == (sorted(names), 12)
    by_version = sorted(saved, key=lambda one: one.after.version)
    for one, following in pairwise(by_version):
        assert following.before == one.after


async def test_of_two_concurrent_halves_of_a_circle_one_is_refused(
    store: CurriculumStore, tenants: tuple[int, int]
) -> None:
    """Each is sound by itself; the whole is checked under the lock."""
    await store.save(tenants[0], adding(modules("a", "b")))

    def needing(name: str, other: str) -> Callable[[Curriculum], Curriculum]:
        def change(base: Curriculum) -> Curriculum:
            if name in base.modules[other].prerequisites:
                raise InvalidInput([FieldProblem("", "a circle")])
            return merged(base, a_curriculum([a_module(name, other)], {"all": [name]}))

        return change

    ended = await asyncio.gather(
        store.save(tenants[0], needing("a", "b")), store.save(tenants[0], needing("b", "a")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["InvalidInput", "SavedCurriculum"]


async def test_an_import_and_the_bank_never_wait_for_each_other_in_a_circle(
    store: CurriculumStore, engine: AsyncEngine, tenants: tuple[int, int]
) -> None:
    """Both take questions before the tenant; a deadlock would fail one of them with `Unavailable`."""
    bank = BankStore(engine)
    questions = [a_question(f"q{number}") for number in range(20)]
    await asyncio.gather(
        *(
            work
            for points in range(1, 9)
            for work in (
                bank.save(tenants[0], [msgspec.structs.replace(one, points=points) for one in questions]),
                store.save(
                    tenants[0],
                    adding(modules(f"m{points}")),
                    [msgspec.structs.replace(one, points=-points) for one in reversed(questions)],
                ),
            )
        )
    )
    assert (await store.current(tenants[0])).version == 8


async def test_tenants_have_curricula_of_their_own(store: CurriculumStore, tenants: tuple[int, int]) -> None:
    school, academy = tenants
    await store.save(school, adding(RICH))
    assert await store.current(academy) == NO_CURRICULUM
    await store.save(academy, adding(modules("m")))
    assert (await store.current(school)).modules["m"].title == "M"
    assert (await store.current(academy)).version == 1


async def test_what_is_known_already_costs_one_look_up_however_many_ask(
    store: CurriculumStore, engine: AsyncEngine, tenants: tuple[int, int]
) -> None:
    await store.save(tenants[0], adding(RICH))
    await store.current(tenants[0])
    asked: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    first = await store.current(tenants[0])
    assert len(asked) == 1
    assert await asyncio.gather(*(store.current(tenants[0]) for _ in range(50))) == [first] * 50
    assert len(asked) <= 3


async def test_memory_is_bounded_by_dropping_those_not_asked_for_the_longest(
    engine: AsyncEngine, tenants: tuple[int, int]
) -> None:
    small = PostgresCurriculumStore(engine, most_kept=4)
    school, academy = tenants
    for tenant in tenants:
        await small.save(tenant, adding(modules("a", "b")))
    one = await small.current(school)
    assert await small.current(school) is one
    await small.current(academy)
    again = await small.current(school)
    assert again == one
    assert again is not one
