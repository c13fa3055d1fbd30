"""Putting a tenant's candidates on shelves, and taking single ones off and on again. Nothing here waits."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from pipeline.learning.candidate import (
    SHELF_WIDTH,
    Candidate,
    CandidateIndex,
    candidate_of,
    changed,
    index_candidates,
)
from pipeline.learning.pooling import difficulty_of
from pipeline.learning.rating import ItemRating
from pipeline.learning.start import Shifts, shifts_of
from pipeline.model import Question
from pipeline.stages.advising import Bank

NO_INDEX: Final[CandidateIndex] = index_candidates(())

LEAST_MOVE: Final = 0.05
"""In logits: a question that proved to be harder or easier by less stays on its shelf."""

LEAST_SHIFT: Final = SHELF_WIDTH / 2
"""In logits: questions that nobody answered are many, and stay where they are for less."""

LESS_VARIANCE: Final = 0.8
"""A question whose difficulty became so much more certain is taken in anew, too."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A question as it is read, in the order of `QUESTIONS`; what its body leaves out is None."""

    key: int
    id: str
    version_key: int
    rating: float | None
    answers: int | None
    type: str
    difficulty: int | None
    topics: tuple[str, ...] | None
    module: str | None
    language: str | None
    options: int


class Rated(msgspec.Struct, frozen=True, array_like=True):
    """How hard a question proved to be."""

    key: int
    rating: float
    answers: int


def candidates_of(rows: Iterable[Row]) -> dict[int, Candidate]:
    """The questions that were read, as candidates by their keys."""
    return {row.key: _candidate(row) for row in rows}


def _candidate(row: Row) -> Candidate:
    question = Question(
        id=row.id,
        version=0,
        type=row.type,
        prompt="",
        answer={},
        difficulty=row.difficulty or 3,
        topics=row.topics or (),
        options=({},) * row.options,
        module=row.module,
        language=row.language or "en",
    )
    rating = None if row.rating is None else ItemRating(row.rating, row.answers or 0)
    return candidate_of(question, rating)


def shifted(candidates: Mapping[int, Candidate], shifts: Shifts) -> dict[int, Candidate]:
    """Those that nobody answered, and that should begin elsewhere than they stand."""
    by_topics: dict[tuple[str, ...], float] = {}
    found = {}
    for key, one in candidates.items():
        if one.is_answered:
            continue
        if one.topics not in by_topics:
            by_topics[one.topics] = shifts.of(one.topics)
        begin = one.level + by_topics[one.topics]
        if abs(begin - one.difficulty) >= LEAST_SHIFT:
            found[key] = msgspec.structs.replace(one, difficulty=begin)
    return found


def told_shifts(candidates: Mapping[int, Candidate]) -> Shifts:
    """How far new questions begin off their levels, as those of a bank tell that were answered."""
    return shifts_of(one for one in candidates.values() if one.is_answered)


def rows_in(found: str) -> list[Row]:
    return msgspec.json.decode(found, type=list[Row])


def banks_by_language(candidates: Iterable[Candidate]) -> Bank:
    """A bank to choose from, each language by itself."""
    return {language: index_candidates(members) for language, members in grouped(candidates).items()}


def exchanged(bank: Bank, gone: Iterable[Candidate], new: Iterable[Candidate]) -> Bank:
    """`bank` without the candidates in `gone`, with those in `new`."""
    leaving, coming = grouped(gone), grouped(new)
    touched = {
        language: changed(bank.get(language, NO_INDEX), leaving.get(language, ()), coming.get(language, ()))
        for language in {**leaving, **coming}
    }
    return {language: index for language, index in {**bank, **touched}.items() if index.topics}


def grouped(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    by_language: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_language.setdefault(candidate.language, []).append(candidate)
    return by_language


def moved_candidates(found: str, known: Mapping[int, Candidate]) -> dict[int, Candidate]:
    """The candidates that proved to be harder or easier than they stand on their shelves, or are better known now.

    Those whose rating has begun, and that nobody answered all the same, stand where `shifted` puts them.
    """
    return dict(_moved(msgspec.json.decode(found, type=list[Rated]), known))


def _moved(ratings: Iterable[Rated], known: Mapping[int, Candidate]) -> Iterator[tuple[int, Candidate]]:
    for one in ratings:
        candidate = known.get(one.key)
        if candidate is None or not one.answers:
            continue
        proved = difficulty_of(ItemRating(one.rating, one.answers))
        is_further = abs(proved.mean - candidate.difficulty) >= LEAST_MOVE
        if is_further or not candidate.is_answered or proved.variance <= LESS_VARIANCE * candidate.variance:
            yield one.key, msgspec.structs.replace(candidate, difficulty=proved.mean, variance=proved.variance)
