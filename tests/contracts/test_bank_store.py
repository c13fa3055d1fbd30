"""What a `BankStore` promises."""

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.model import Question
from pipeline.ports import BankStore, QuestionFilter, Saved
from pipeline.ports.bank import BEGINNING, Place
from pipeline.store.bank import BankStore as PostgresBankStore

EVERYTHING = QuestionFilter()


@pytest.fixture
def store(engine: AsyncEngine) -> BankStore:
    return PostgresBankStore(engine)


@pytest.fixture
def elsewhere(engine: AsyncEngine) -> BankStore:
    """The same bank as another process sees it."""
    return PostgresBankStore(engine)


def a_question(question_id: str, **fields: object) -> Question:
    plain = Question(id=question_id, version=0, type="true_false", prompt="Is it?", answer={"value": True})
    return msgspec.structs.replace(plain, **fields)


async def test_a_new_question_has_version_one(store: BankStore, tenants: tuple[int, int]) -> None:
    assert await store.save(tenants[0], [a_question("q")]) == [Saved("q", 1, changed=True)]
    found = await store.find(tenants[0], "q")
    assert found == a_question("q", version=1)


async def test_only_a_change_makes_a_version(store: BankStore, tenants: tuple[int, int]) -> None:
    await store.save(tenants[0], [a_question("q")])
    assert await store.save(tenants[0], [a_question("q")]) == [Saved("q", 1, changed=False)]
    assert await store.save(tenants[0], [a_question("q", points=2)]) == [Saved("q", 2, changed=True)]
    assert await store.save(tenants[0], [a_question("q")]) == [Saved("q", 3, changed=True)]


async def test_what_was_saved_is_answered_in_the_order_given(store: BankStore, tenants: tuple[int, int]) -> None:
    await store.save(tenants[0], [a_question("b")])
    saved = await store.save(tenants[0], [a_question("c"), a_question("b"), a_question("a")])
    assert saved == [Saved("c", 1, changed=True), Saved("b", 1, changed=False), Saved("a", 1, changed=True)]


async def test_nothing_to_save_is_nothing_saved(store: BankStore, tenants: tuple[int, int]) -> None:
    assert await store.save(tenants[0], []) == []


async def test_old_versions_stay(store: BankStore, tenants: tuple[int, int]) -> None:
    for points in (1.0, 2.0):
        await store.save(tenants[0], [a_question("q", points=points)])
    first, second = await store.find(tenants[0], "q", 1), await store.find(tenants[0], "q", 2)
    assert first is not None
    assert second is not None
    assert (first.points, second.points) == (1.0, 2.0)
    assert await store.find(tenants[0], "q", 3) is None
    assert await store.find(tenants[0], "other") is None


async def test_every_field_comes_back_as_it_was(store: BankStore, tenants: tuple[int, int]) -> None:
    rich = a_question(
        "q",
        type="single_choice",
        prompt="어느 것?\n“quoted” \\ 全角１",
        answer={"option": "a"},
        options=({"id": "a", "text": "一"}, {"id": "b", "text": "二"}),
        points=0.1,
        difficulty=5,
        topics=("x", "y"),
        module="m",
        language="ko",
        explanation="because",
        industry="fintech",
        tags=("t",),
        hide_solution=True,
    )
    await store.save(tenants[0], [rich])
    assert await store.find(tenants[0], "q") == msgspec.structs.replace(rich, version=1)


async def test_a_bank_is_browsed_in_the_order_of_ids(store: BankStore, tenants: tuple[int, int]) -> None:
    await store.save(tenants[0], [a_question(id_) for id_ in ("c", "a", "b")])
    first = await store.browse(tenants[0], EVERYTHING, after=BEGINNING, most=2)
    assert [found.question.id for found in first] == ["a", "b"]
    rest = await store.browse(tenants[0], EVERYTHING, after=Place("b"), most=2)
    assert [found.question.id for found in rest] == ["c"]


async def test_browsing_goes_by_current_versions(store: BankStore, tenants: tuple[int, int]) -> None:
    await store.save(tenants[0], [a_question("q", topics=("old", "kept"))])
    await store.save(tenants[0], [a_question("q", topics=("new", "kept"))])
    counts = {
        topic: len(await store.browse(tenants[0], QuestionFilter(topic=topic), after=BEGINNING, most=9))
        for topic in ("old", "new", "kept")
    }
    assert counts == {"old": 0, "new": 1, "kept": 1}


@pytest.mark.parametrize(
    "wanted",
    [
        QuestionFilter(type="essay"),
        QuestionFilter(topic="x"),
        QuestionFilter(difficulties=(4,)),
        QuestionFilter(module="m"),
        QuestionFilter(language="ko"),
        QuestionFilter(industry="fintech"),
        QuestionFilter(tag="exam"),
        QuestionFilter(difficulties=(4, 5)),
        QuestionFilter(type="essay", topic="x", difficulties=(4,), module="m", language="ko"),
    ],
)
async def test_each_filter_finds_what_fits(store: BankStore, tenants: tuple[int, int], wanted: QuestionFilter) -> None:
    fits = a_question("fits", type="essay", topics=("w", "x"), difficulty=4, module="m", language="ko", answer={})
    fits = msgspec.structs.replace(fits, industry="fintech", tags=("basic", "exam"))
    await store.save(tenants[0], [fits, a_question("other")])
    assert [found.question.id for found in await store.browse(tenants[0], wanted, after=BEGINNING, most=9)] == ["fits"]


async def test_tenants_have_banks_of_their_own(store: BankStore, tenants: tuple[int, int]) -> None:
    school, academy = tenants
    await store.save(school, [a_question("q", points=5)])
    assert await store.find(academy, "q") is None
    assert await store.find(academy, "q", 1) is None
    assert await store.browse(academy, EVERYTHING, after=BEGINNING, most=9) == []
    assert await store.current(academy, ["q"]) == {}
    assert await store.save(academy, [a_question("q")]) == [Saved("q", 1, changed=True)]
    assert (await store.current(school, ["q"]))["q"].question.points == 5


async def test_current_versions_are_found_and_unknown_ids_are_absent(
    store: BankStore, tenants: tuple[int, int]
) -> None:
    await store.save(tenants[0], [a_question("a"), a_question("b")])
    current = await store.current(tenants[0], ["a", "b", "nobody"])
    assert {id_: stored.question.version for id_, stored in current.items()} == {"a": 1, "b": 1}
    assert {stored.tenant_id for stored in current.values()} == {tenants[0]}
    assert len({stored.version_key for stored in current.values()}) == 2


async def test_a_version_saved_elsewhere_is_current_once_the_old_is_forgotten(
    store: BankStore, elsewhere: BankStore, tenants: tuple[int, int]
) -> None:
    await store.save(tenants[0], [a_question("q")])
    await store.current(tenants[0], ["q"])
    await elsewhere.save(tenants[0], [a_question("q", points=2)])
    store.forget(tenants[0], ["q"])
    assert (await store.current(tenants[0], ["q"]))["q"].question.version == 2


async def test_finding_never_shows_an_outdated_version(
    store: BankStore, elsewhere: BankStore, tenants: tuple[int, int]
) -> None:
    await store.save(tenants[0], [a_question("q")])
    await store.current(tenants[0], ["q"])
    await elsewhere.save(tenants[0], [a_question("q", points=2)])
    found = await store.find(tenants[0], "q")
    assert found is not None
    assert found.version == 2
