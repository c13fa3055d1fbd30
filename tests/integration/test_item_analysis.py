"""Figures of questions from a made-up class on real Postgres, against a slow recount and against the truth."""

import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.learning.item_analysis import Flag, Missing
from pipeline.model import Question
from pipeline.ports.analytics import AnalysedItem, ItemFilter, ItemPlace
from pipeline.store.bank import BankStore
from pipeline.store.engine import as_json, create_engine, transaction
from pipeline.store.erasure import ErasureStore
from pipeline.store.first_attempt import FIRST_ATTEMPTS, UNASKED
from pipeline.store.item import FIGURES, ItemStore
from pipeline.store.standing import KEEP
from tests.samples import new_tenant
from tests.schoolroom import MILLION, Try, choice_question, made_up_tries, seat

WRONG: Final = "q007"
QUESTIONS: Final = [choice_question(number, key="c" if number == 7 else "a") for number in range(30)]
TRUTHS: Final = {question.id: "a" for question in QUESTIONS}
"""In truth a is right everywhere; the author of one question says c."""
TRIES: Final = made_up_tries(QUESTIONS, TRUTHS, learners=240, each=20, seed=11)
EVERYTHING: Final = ItemFilter()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
async def tenant_id(engine: AsyncEngine) -> int:
    return await new_tenant(engine)


async def stand_all(engine: AsyncEngine, tenant_id: int, most: int = 50) -> int:
    """Work out where everybody stands, piece by piece, as a night does hours after the tries; in how many pieces."""
    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE results SET created_at = created_at - interval '1 hour'"))
    store, pieces, after = ItemStore(engine), 1, ""
    while (last := await store.stand_next(tenant_id, after, most)) is not None:
        pieces, after = pieces + 1, last
    return pieces


async def standings(engine: AsyncEngine) -> dict[str, tuple[int, int]]:
    async with transaction(engine) as connection:
        rows = await connection.execute(text("SELECT learner_id, answers, surplus FROM learner_standings"))
        return {row.learner_id: (row.answers, row.surplus) for row in rows}


async def analyse_all(store: ItemStore, tenant_id: int, most: int = 7) -> int:
    """Analyse all questions piece by piece; answers in how many pieces."""
    pieces, after = 0, ""
    while (last := await store.analyse_next(tenant_id, after, most)) is not None:
        pieces, after = pieces + 1, last
    return pieces


async def listed(store: ItemStore, tenant_id: int, wanted: ItemFilter = EVERYTHING) -> dict[str, AnalysedItem]:
    found = await store.browse(tenant_id, wanted, sort="question_id", descending=False, after=None, most=1000)
    return {item.question.id: item for item in found}


def first_attempts(tries: Iterable[Try]) -> dict[tuple[str, str], Try]:
    firsts: dict[tuple[str, str], Try] = {}
    for one in tries:
        firsts.setdefault((one.learner_id, one.question_id), one)
    return firsts


class Recount:
    """The same figures in plain Python, from the list of tries."""

    def __init__(self, tries: Sequence[Try]) -> None:
        self.attempts: dict[str, list[Try]] = defaultdict(list)
        for one in tries:
            self.attempts[one.question_id].append(one)
        self.usual = {
            id_: sum(round(one.fraction * MILLION) for one in found) // len(found) / MILLION
            for id_, found in self.attempts.items()
        }
        self.firsts = first_attempts(tries)

    def of(self, question_id: str) -> list[Try]:
        return [one for (_, id_), one in self.firsts.items() if id_ == question_id]

    def ability(self, learner_id: str, without: str) -> float:
        others = [
            one.fraction - self.usual[id_]
            for (learner, id_), one in self.firsts.items()
            if learner == learner_id and id_ != without
        ]
        return statistics.fmean(others)

    def discrimination(self, question_id: str) -> tuple[float, float]:
        """The item-rest correlation, and the difference between the upper and lower 27 %."""
        firsts = self.of(question_id)
        ranked = sorted((self.ability(one.learner_id, question_id), one.learner_id, one.fraction) for one in firsts)
        r = statistics.correlation([fraction for *_, fraction in ranked], [ability for ability, *_ in ranked])
        size = round(0.27 * len(ranked))
        upper = statistics.fmean(fraction for *_, fraction in ranked[-size:])
        return r, upper - statistics.fmean(fraction for *_, fraction in ranked[:size])


async def test_figures_equal_a_slow_recount(engine: AsyncEngine, tenant_id: int) -> None:
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    store, recount = ItemStore(engine), Recount(TRIES)
    assert await analyse_all(store, tenant_id) == 5
    items = await listed(store, tenant_id)
    assert sorted(items) == [question.id for question in QUESTIONS]
    for id_ in ("q000", WRONG, "q029"):
        found, firsts = items[id_].analysis, recount.of(id_)
        r, index = recount.discrimination(id_)
        assert items[id_].attempts == len(recount.attempts[id_])
        assert found.first_attempts == found.compared == len(firsts)
        assert found.facility == pytest.approx(statistics.fmean(one.fraction for one in firsts), abs=1e-4)
        assert found.discrimination == pytest.approx(r, abs=1e-4)
        assert found.discrimination_index == pytest.approx(index, abs=1e-4)
        assert found.mean_time_ms == pytest.approx(statistics.fmean(one.response_time_ms for one in firsts), abs=1)
        assert {choice.id: choice.count for choice in found.choices} == {
            option: sum(1 for one in firsts if one.response == option) for option in "abcd"
        }
        assert found.missing == {}


async def test_the_question_with_a_wrong_key_is_flagged_and_no_other(engine: AsyncEngine, tenant_id: int) -> None:
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    store = ItemStore(engine)
    await analyse_all(store, tenant_id)
    flagged = {
        id_: item.analysis.flags for id_, item in (await listed(store, tenant_id)).items() if item.analysis.flags
    }
    assert list(flagged) == [WRONG]
    assert flagged[WRONG][0] is Flag.SUSPECT_KEY
    assert list(await listed(store, tenant_id, ItemFilter(flag="suspect_key"))) == [WRONG]


async def test_one_question_computed_now_has_the_figures_of_the_night(engine: AsyncEngine, tenant_id: int) -> None:
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    store = ItemStore(engine)
    now = await store.analyse_now(tenant_id, WRONG)
    assert (await listed(store, tenant_id))[WRONG].computed_at is None, "nothing is kept by looking"
    await analyse_all(store, tenant_id)
    night = (await listed(store, tenant_id))[WRONG]
    assert now is not None
    assert (now.analysis, now.attempts) == (night.analysis, night.attempts)
    assert await store.analyse_now(tenant_id, "nowhere") is None


async def test_standings_equal_a_slow_recount(engine: AsyncEngine, tenant_id: int) -> None:
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    assert await stand_all(engine, tenant_id) == 5
    recount, found = Recount(TRIES), await standings(engine)
    assert len(found) == 240
    for learner_id in ("u0000", "u0101", "u0239"):
        answers, surplus = found[learner_id]
        assert answers == sum(learner == learner_id for learner, _ in recount.firsts)
        assert surplus / answers / MILLION == pytest.approx(recount.ability(learner_id, without=""), abs=1e-6)


async def test_kept_standings_and_all_answers_give_the_same_figures(engine: AsyncEngine, tenant_id: int) -> None:
    """To the last digit: what a night keeps of learners is what their answers add up to."""
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    store = ItemStore(engine)
    await analyse_all(store, tenant_id)
    worked_out = await listed(store, tenant_id)
    await stand_all(engine, tenant_id)
    await analyse_all(store, tenant_id)
    kept = await listed(store, tenant_id)
    assert {id_: one.analysis for id_, one in kept.items()} == {id_: one.analysis for id_, one in worked_out.items()}
    now = await store.analyse_now(tenant_id, WRONG)
    assert now is not None
    assert now.analysis == worked_out[WRONG].analysis


async def test_figures_read_kept_standings_and_not_all_answers(engine: AsyncEngine, tenant_id: int) -> None:
    """Or the test above would compare one way with itself."""
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    await stand_all(engine, tenant_id)
    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE learner_standings SET surplus = -surplus"))
    turned = await ItemStore(engine).analyse_now(tenant_id, "q000")
    assert turned is not None
    assert turned.analysis.discrimination is not None
    assert turned.analysis.discrimination < 0 < Recount(TRIES).discrimination("q000")[0]


async def test_an_answer_since_the_night_is_not_taken_out_of_a_standing_without_it(
    engine: AsyncEngine, tenant_id: int
) -> None:
    """Whoever stood where before meets a question for the first time: all that is kept was about other questions."""
    newcomer = choice_question(500)
    await seat(engine, tenant_id, [*QUESTIONS, newcomer], TRIES)
    await stand_all(engine, tenant_id)
    stand = {id_: surplus / answers for id_, (answers, surplus) in (await standings(engine)).items()}
    right = {id_: float(int(id_[1:]) % 3 == 0) for id_ in stand}
    fresh = [Try(id_, newcomer.id, "ba"[int(right[id_])], right[id_], 900) for id_ in sorted(stand)]
    await seat(engine, tenant_id, [newcomer], fresh)
    found = await ItemStore(engine).analyse_now(tenant_id, newcomer.id)
    assert found is not None
    r = statistics.correlation([right[id_] for id_ in stand], list(stand.values()))
    assert found.analysis.discrimination == pytest.approx(r, abs=1e-4)


async def test_a_learner_erased_during_the_night_gets_no_standing(engine: AsyncEngine, tenant_id: int) -> None:
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    async with transaction(engine) as connection:
        values = {"tenant_id": tenant_id, "learner_ids": ["u0000", "u0001"], "as_of": datetime.now(UTC)}
        await connection.execute(text("DELETE FROM learners WHERE id = 'u0000'"))
        given = [{"learner_id": id_, "answers": 5, "surplus": 1} for id_ in ("u0000", "u0001")]
        await connection.execute(KEEP, {**values, "standings": as_json(given)})
    assert await standings(engine) == {"u0001": (5, 1)}


async def test_where_a_learner_stood_is_erased_with_him(engine: AsyncEngine, tenant_id: int) -> None:
    async with transaction(engine) as connection:
        for learner_id in ("ada", "bob"):
            values = {"tenant_id": tenant_id, "id": learner_id}
            await connection.execute(text("INSERT INTO learners (tenant_id, id) VALUES (:tenant_id, :id)"), values)
    await stand_all(engine, tenant_id)
    assert await standings(engine) == {"ada": (0, 0), "bob": (0, 0)}
    note = {"actor": "key:1", "audit_id": str(uuid7()), "learner_hash": "0" * 64}
    assert await ErasureStore(engine).erase_learner(tenant_id, "ada", **note)
    assert await standings(engine) == {"bob": (0, 0)}


async def test_one_question_is_found_by_its_index(engine: AsyncEngine, tenant_id: int) -> None:
    """As many rows of answers are read as the question has, however many there are."""
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    async with transaction(engine) as connection:
        keys = (await connection.execute(text("SELECT array_agg(key) FROM questions WHERE id = 'q003'"))).scalar_one()
        values = {"tenant_id": tenant_id, "keys": keys, "unasked": UNASKED}
        plan = (await connection.execute(text(f"EXPLAIN {FIRST_ATTEMPTS.text}"), values)).scalars().all()
    assert any("answers_version_idx" in line for line in plan)
    assert not any("Seq Scan on answers" in line for line in plan)


async def test_analysing_again_changes_nothing_but_the_time(engine: AsyncEngine, tenant_id: int) -> None:
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    store = ItemStore(engine)
    await analyse_all(store, tenant_id)
    before = await listed(store, tenant_id)
    await analyse_all(store, tenant_id, most=1000)
    after = await listed(store, tenant_id)
    assert {id_: item.analysis for id_, item in before.items()} == {id_: item.analysis for id_, item in after.items()}


async def test_a_new_key_begins_anew_and_a_new_label_does_not(engine: AsyncEngine, tenant_id: int) -> None:
    """Who met the question under its old key has no first attempt at it any more."""
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    store, bank = ItemStore(engine), BankStore(engine)
    labelled = choice_question(1, topics=("renamed",), points=5.0)
    mended = choice_question(7, key="a")
    await bank.save(tenant_id, [labelled, mended])
    await analyse_all(store, tenant_id)
    items = await listed(store, tenant_id)
    assert items["q001"].analysis.first_attempts == len(Recount(TRIES).of("q001"))
    assert items[WRONG].analysis.first_attempts == 0
    assert items[WRONG].analysis.missing["facility"] is Missing.NO_ATTEMPTS
    fresh = [Try(f"new{number}", WRONG, "a", 1.0, 1000) for number in range(3)]
    await seat(engine, tenant_id, [mended], [*fresh, Try("u0000", WRONG, "a", 1.0, 1000)])
    now = await store.analyse_now(tenant_id, WRONG)
    assert now is not None
    assert now.analysis.first_attempts in {3, 4}, "u0000 counts only if the old key never met them"
    met = any(one.learner_id == "u0000" for one in Recount(TRIES).of(WRONG))
    assert now.analysis.first_attempts == (3 if met else 4)


async def test_another_tenants_answers_and_questions_stay_out(engine: AsyncEngine, tenant_id: int) -> None:
    other = await new_tenant(engine, "academy")
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    await seat(engine, other, QUESTIONS[:3], [Try("u0000", "q000", "b", 0.0, 5)])
    store = ItemStore(engine)
    await analyse_all(store, other)
    theirs = await listed(store, other)
    assert {id_: item.analysis.first_attempts for id_, item in theirs.items()} == {"q000": 1, "q001": 0, "q002": 0}
    assert all(item.computed_at is None for item in (await listed(store, tenant_id)).values())


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["question_id", *FIGURES])
async def test_every_order_lists_every_question_once_in_parts(
    engine: AsyncEngine, tenant_id: int, sort: str, descending: bool
) -> None:
    unanswered = [choice_question(number) for number in range(100, 104)]
    await seat(engine, tenant_id, [*QUESTIONS[:12], *unanswered], [t for t in TRIES if t.question_id < "q012"])
    store = ItemStore(engine)
    await analyse_all(store, tenant_id, most=14)
    whole = await store.browse(tenant_id, EVERYTHING, sort=sort, descending=descending, after=None, most=1000)
    seen: list[str] = []
    after: ItemPlace | None = None
    while part := await store.browse(tenant_id, EVERYTHING, sort=sort, descending=descending, after=after, most=5):
        seen += [item.question.id for item in part]
        after = ItemPlace(figure_of(part[-1], sort), part[-1].question.id)
    assert seen == [item.question.id for item in whole]
    assert len(set(seen)) == 16
    figures = [figure for item in whole if (figure := figure_of(item, sort)) is not None]
    assert figures == sorted(figures, reverse=descending)


def figure_of(item: AnalysedItem, sort: str) -> Any:
    if sort in {"question_id", "attempts"}:
        return float(item.attempts) if sort == "attempts" else None
    return None if item.computed_at is None else getattr(item.analysis, sort)


async def test_a_filter_narrows_by_module_and_topic(engine: AsyncEngine, tenant_id: int) -> None:
    await seat(engine, tenant_id, QUESTIONS, [])
    store = ItemStore(engine)
    for wanted, numbers in (
        (ItemFilter(module="module-1"), range(1, 30, 3)),
        (ItemFilter(topic="topic-2"), range(2, 30, 4)),
        (ItemFilter(module="module-1", topic="topic-2"), range(10, 30, 12)),
    ):
        assert list(await listed(store, tenant_id, wanted)) == [f"q{number:03}" for number in numbers]


async def test_kept_figures_name_no_learner(engine: AsyncEngine, tenant_id: int) -> None:
    """So that erasing a learner need not look for them there."""
    await seat(engine, tenant_id, QUESTIONS, TRIES)
    await analyse_all(ItemStore(engine), tenant_id)
    async with transaction(engine) as connection:
        bodies = (await connection.execute(text("SELECT string_agg(body::text, '') FROM item_analyses"))).scalar_one()
    assert "u0" not in bodies


def test_the_made_up_class_holds_repeats_and_a_wrong_key() -> None:
    """Or the tests above would prove less than they say."""
    assert len(first_attempts(TRIES)) < len(TRIES)
    wrong: list[Question] = [q for q in QUESTIONS if q.answer["option"] != TRUTHS[q.id]]
    assert [q.id for q in wrong] == [WRONG]
