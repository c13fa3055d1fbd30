"""Searching the bank on a real Postgres, beside a search that looks at every question."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.model import Question
from pipeline.ports.bank import BEGINNING, Found, Place, QuestionFilter
from pipeline.scoring.bank import parse_question
from pipeline.scoring.search import read_search
from pipeline.scoring.text import comparable
from pipeline.store.bank import BankStore
from pipeline.store.engine import transaction
from pipeline.store.search import find_page
from pipeline.store.search_filling import SearchFilling
from tests.samples import new_tenant

PLAIN = ["loop", "loops", "for", "a%b", "x_y", "리스트", "정렬", "数据", "结构", "データ", "構造", "Ｐｙ", "py"]
WORDS = [*PLAIN, "\\", "'; --"]
FILTERS: list[dict[str, Any]] = [{}, {"topic": "a"}, {"difficulties": (4,)}, {"difficulties": (1, 2, 5)}]
PAGE = 7


@pytest.fixture
async def tenant_id(engine: AsyncEngine) -> int:
    return await new_tenant(engine)


@pytest.fixture
def bank(engine: AsyncEngine) -> BankStore:
    return BankStore(engine)


def a_question(question_id: str, prompt: str = "Is it?", **fields: Any) -> Question:
    plain = Question(id=question_id, version=0, type="true_false", prompt=prompt, answer={"value": True})
    return msgspec.structs.replace(plain, **fields)


def searching(q: str, **fields: Any) -> QuestionFilter:
    return QuestionFilter(search=read_search(q), **fields)


async def found(bank: BankStore, tenant_id: int, wanted: QuestionFilter) -> list[str]:
    """The ids of everything that fits, in order."""
    return [one.question.id for one in await bank.browse(tenant_id, wanted, after=BEGINNING, most=1000)]


def looked_through(questions: Sequence[Question], q: str, **fields: Any) -> list[str]:
    """The ids of what fits, by looking at every question: rank first, then id."""
    words = [comparable(word) for word in comparable_words(q)]
    hits = []
    for question in questions:
        prompt = comparable(question.prompt)
        rest = [option["text"] for option in question.options] + [*question.tags, *question.topics, question.id]
        lines = [prompt, *map(comparable, rest)]
        fits = all(fits_field(question, name, value) for name, value in fields.items())
        if fits and all(any(word in line for line in lines) for word in words):
            rank = 0 if comparable(q) in prompt else 1 if all(word in prompt for word in words) else 2
            hits.append((rank, question.id))
    return [question_id for _, question_id in sorted(hits)]


def comparable_words(q: str) -> tuple[str, ...]:
    return read_search(q).words


def fits_field(question: Question, name: str, value: Any) -> bool:
    return value in question.topics if name == "topic" else question.difficulty in value


def made_up(random: Random, count: int) -> list[Question]:
    def some(most: int) -> str:
        return " ".join(random.choices(WORDS, k=random.randint(1, most)))

    return [
        a_question(
            f"q{number:03}",
            some(6),
            options=tuple({"id": name, "text": some(2)} for name in "ab"),
            topics=(random.choice(["a", "b"]),),
            tags=(random.choice(WORDS),),
            difficulty=random.randint(1, 5),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("few", "walked", "looked"), [(1000, 1000, 1000), (3, 1000, 1000), (3, 2, 1000), (20, 10, 1000), (3, 2, 8)]
)
async def test_a_search_finds_just_what_looking_at_every_question_finds(
    engine: AsyncEngine, bank: BankStore, tenant_id: int, few: int, walked: int, looked: int
) -> None:
    """Page by page to the end, with few candidates and with many, near at hand or not."""
    random = Random(few * walked)  # noqa: S311 - a choice, not a secret
    questions = made_up(random, 200)
    await bank.save(tenant_id, questions)
    for _ in range(25):
        q, fields = " ".join(random.sample(PLAIN, k=random.randint(1, 3))), random.choice(FILTERS)
        hits: list[Found] = []
        after: Place | None = BEGINNING
        async with transaction(engine) as connection:
            while after is not None:
                wanted = searching(q, **fields)
                bounds = {"few": few, "walked": walked, "looked": looked}
                page = await find_page(connection, tenant_id, wanted, after=after, most=PAGE, **bounds)
                hits += page
                after = page[-1].place if len(page) == PAGE else None
        expected = looked_through(questions, q, **fields)
        in_ranks = {one.place.rank is not None for one in hits}
        assert [one.question.id for one in hits] == (expected if in_ranks == {True} else sorted(expected)), (q, fields)
        assert len(in_ranks) <= 1
        assert in_ranks != {True} or len(expected) <= few


async def test_the_whole_phrase_comes_first_then_prompts_then_other_places(bank: BankStore, tenant_id: int) -> None:
    await bank.save(
        tenant_id,
        [
            a_question("a", "What is it?", tags=("binary search",)),
            a_question("b", "A search of something binary"),
            a_question("c", "How fast is Binary  Search?"),
            a_question("d", "Binary only"),
        ],
    )
    assert await found(bank, tenant_id, searching("binary search")) == ["c", "b", "a"]


@pytest.mark.parametrize("q", ["100%", "a_b", "a\\b", "'; DROP", "(a|b)", "[a-z]+", ".*", "$1", ":word_0", "%%"])
async def test_no_character_of_a_search_means_more_than_itself(bank: BankStore, tenant_id: int, q: str) -> None:
    await bank.save(tenant_id, [a_question("plain", f"before {q} after"), a_question("other", "1000 aXb ab abc word")])
    assert await found(bank, tenant_id, searching(q)) == ["plain"]


async def test_a_search_goes_by_current_versions(bank: BankStore, tenant_id: int) -> None:
    await bank.save(tenant_id, [a_question("q", "about lists", topics=("old",))])
    await bank.save(tenant_id, [a_question("q", "about tuples", topics=("new",))])
    assert await found(bank, tenant_id, searching("lists")) == []
    assert await found(bank, tenant_id, searching("tuples")) == ["q"]
    assert await found(bank, tenant_id, searching("tuples", topic="old")) == []
    assert await found(bank, tenant_id, QuestionFilter(topic="old")) == []


async def test_tenants_find_their_own_questions_only(engine: AsyncEngine, bank: BankStore, tenant_id: int) -> None:
    other = await new_tenant(engine, "academy")
    await bank.save(tenant_id, [a_question("ours", f"a secret  tenant:{other}", topics=(f"x tenant:{other}",))])
    await bank.save(other, [a_question("theirs", "a secret")])
    assert await found(bank, other, searching("secret")) == ["theirs"]
    assert await found(bank, other, QuestionFilter(type="true_false")) == ["theirs"]
    assert await found(bank, tenant_id, searching("secret")) == ["ours"]


async def test_a_range_without_any_level_finds_nothing(bank: BankStore, tenant_id: int) -> None:
    await bank.save(tenant_id, [a_question("q")])
    assert await found(bank, tenant_id, QuestionFilter(difficulties=())) == []


async def test_questions_of_before_become_searchable_and_are_listed_meanwhile(
    engine: AsyncEngine, bank: BankStore, tenant_id: int
) -> None:
    await bank.save(tenant_id, [a_question(f"q{number}", f"number {number}", topics=("t",)) for number in range(30)])
    async with transaction(engine) as connection:
        await connection.execute(text("DELETE FROM question_search WHERE id > 'q1'"))
        await connection.execute(text("UPDATE question_search SET version_key = 0, content = 'stale', terms = '{}'"))
    assert len(await found(bank, tenant_id, QuestionFilter(topic="t"))) == 30
    assert await found(bank, tenant_id, searching("number")) == []
    filling = SearchFilling(engine)
    await filling.fill()
    assert len(await found(bank, tenant_id, searching("number"))) == 30
    assert await found(BankStore(engine), tenant_id, QuestionFilter(topic="t")) == sorted(
        f"q{number}" for number in range(30)
    )


async def test_filling_leaves_a_question_that_is_just_being_saved_to_whoever_saves_it(
    engine: AsyncEngine, bank: BankStore, tenant_id: int
) -> None:
    """It does not wait for the lock, or the two could wait for each other."""
    await bank.save(tenant_id, [a_question("free", "free"), a_question("held", "held")])
    async with transaction(engine) as connection:
        await connection.execute(text("DELETE FROM question_search"))
    async with transaction(engine) as saving:
        await saving.execute(text("SELECT FROM questions WHERE id = 'held' FOR UPDATE"))
        await SearchFilling(engine).fill()
    assert await found(bank, tenant_id, searching("free")) == ["free"]
    assert await found(bank, tenant_id, searching("held")) == []


@pytest.mark.parametrize(
    ("bank_name", "q", "least"),
    [
        ("jmmlu", "整数", 10),
        ("jmmlu", "木", 3),
        ("jmmlu", "ハッシュ 関数", 1),
        ("ads_zh", "线性表", 1),
        ("ads_zh", "表", 2),
        ("semeval", "Voltage", 5),
        ("semeval", "bulb battery", 3),
    ],
)
async def test_real_questions_are_found(
    data_folder: Path, bank: BankStore, tenant_id: int, bank_name: str, q: str, least: int
) -> None:
    lines = (data_folder / bank_name / "questions.ndjson").read_bytes().splitlines()
    questions = [parse_question(msgspec.json.decode(line)) for line in lines]
    await bank.save(tenant_id, questions)
    ids = await found(bank, tenant_id, searching(q))
    assert ids == looked_through(questions, q)
    assert len(ids) >= least
