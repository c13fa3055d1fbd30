"""Searching the question bank by an index of runs of characters (`pipeline.scoring.search`).

The index answers which questions have all the runs of a search and all its filters, the tenant among them. What it
finds is looked at before it is shown: runs that stand apart make no word. Few are ranked; many are shown in the order
of their ids, and looked at only until a page is full.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Question
from pipeline.ports.bank import Found, Place, QuestionFilter
from pipeline.scoring.search import facet, searchable
from pipeline.store.engine import as_json
from pipeline.store.question import question_from_body

FEW: Final = 1_000
"""So many candidates are put in order by how well they fit; of more the order of ids serves: nobody reads so many."""
WALKED: Final = 1_500
"""So many questions are looked at one after the other, in the hope that a search of many finds a page among them."""
LOOKED: Final = 500
"""So many candidates are put in order first: all of them would take several times as long, and are rarely needed."""
FACETS: Final = ("type", "topic", "module", "language", "industry", "tag")

KEEP: Final = text(
    """
    INSERT INTO question_search (question_key, tenant_id, id, version_key, content, terms)
    SELECT k.question_key, k.tenant_id, k.id, k.version_key, k.content, string_to_array(k.terms, E'\n')
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS k(question_key bigint, tenant_id int, id text, version_key bigint, content text, terms text)
    ORDER BY k.question_key
    ON CONFLICT (question_key) DO UPDATE
    SET version_key = excluded.version_key, content = excluded.content, terms = excluded.terms
    WHERE question_search.version_key < excluded.version_key
    """
)

CANDIDATES: Final = """FROM question_search s
        WHERE s.tenant_id = :tenant_id AND s.terms @> CAST(:terms AS text[])"""
ANY_OF: Final = " AND s.terms && CAST(:any_terms AS text[])"
BODY_FITS: Final = """v.body @> CAST(:wanted AS jsonb)
              AND (CAST(:difficulties AS int[]) IS NULL OR CAST(v.body ->> 'difficulty' AS int) = ANY(:difficulties))"""
PAGE: Final = "JOIN questions q ON q.key = p.question_key JOIN question_versions v ON v.key = q.version_key"
PROMPT: Final = "split_part(s.content, E'\\n', 1)"


class Shape(NamedTuple):
    """What a statement depends on: how many words are searched, and whether difficulties are to choose from."""

    words: int
    any_of: bool

    @property
    def candidates(self) -> str:
        return CANDIDATES + (ANY_OF if self.any_of else "")

    def all_in(self, where: str) -> str:
        """That all words are there; `strpos` knows no wildcards."""
        return " AND ".join(f"strpos({where}, :word_{number}) > 0" for number in range(self.words)) or "true"

    @property
    def rank(self) -> str:
        if not self.words:
            return "0"
        return f"CASE WHEN strpos({PROMPT}, :phrase) > 0 THEN 0 WHEN {self.all_in(PROMPT)} THEN 1 ELSE 2 END"


class Kept(NamedTuple):
    """A version of a question that is to be found from now on."""

    tenant_id: int
    question_key: int
    version_key: int
    question: Question


async def keep_searchable(connection: AsyncConnection, kept: Sequence[Kept]) -> None:
    """Have these versions found, in the transaction that makes them; an older version never replaces a newer."""
    if kept:
        await connection.execute(KEEP, {"rows": as_json([row_of(one) for one in kept])})


def row_of(kept: Kept) -> dict[str, Any]:
    found = searchable(kept.tenant_id, kept.question)
    return {
        "question_key": kept.question_key,
        "tenant_id": kept.tenant_id,
        "id": kept.question.id,
        "version_key": kept.version_key,
        "content": found.content,
        "terms": "\n".join(found.terms),  # read far faster than as many items of an array
    }


def terms_of(tenant_id: int, wanted: QuestionFilter) -> dict[str, Any]:
    """What the index is asked for: terms that all must be there and, of several difficulties, one of them."""
    terms = [facet("tenant", tenant_id), *(wanted.search.terms if wanted.search else ())]
    terms += [facet(name, value) for name in FACETS if (value := getattr(wanted, name)) is not None]
    levels = None if wanted.difficulties is None else [facet("difficulty", level) for level in wanted.difficulties]
    if levels is not None and len(levels) == 1:
        terms, levels = [*terms, *levels], None
    return {"tenant_id": tenant_id, "terms": terms} | ({} if levels is None else {"any_terms": levels})


def values_of(tenant_id: int, wanted: QuestionFilter) -> dict[str, Any]:
    search = wanted.search
    words = {} if search is None else {f"word_{number}": word for number, word in enumerate(search.words)}
    return terms_of(tenant_id, wanted) | body_values(wanted) | words | {"phrase": search and search.phrase}


def body_values(wanted: QuestionFilter) -> dict[str, Any]:
    """What `BODY_FITS` is asked for: what a body contains if it fits, and its difficulty."""
    alone = {name: getattr(wanted, name) for name in ("type", "module", "language", "industry")}
    lists = {"topics": wanted.topic, "tags": wanted.tag}
    contained = alone | {name: [value] for name, value in lists.items() if value is not None}
    difficulties = None if wanted.difficulties is None else list(wanted.difficulties)
    fitting = {name: value for name, value in contained.items() if value is not None}
    return {"wanted": as_json(fitting), "difficulties": difficulties}


@cache
def among_few(shape: Shape) -> TextClause:
    """The page behind a place, by rank and id, and how many candidates there are, counted to one more than few."""
    content = "s.content" if shape.words else "NULL AS content"
    return text(
        f"""
        WITH candidates AS MATERIALIZED (
            SELECT s.question_key, s.id, {content} {shape.candidates} LIMIT :few + 1
        ), page AS (
            SELECT f.question_key, f.id, f.rank FROM (
                SELECT s.question_key, s.id, {shape.rank} AS rank FROM candidates s
                WHERE {shape.all_in("s.content")}) f
            WHERE (f.rank, f.id) > (:rank, :after) ORDER BY f.rank, f.id LIMIT :most
        )
        SELECT n.candidates, p.rank, p.id, v.version, v.body
        FROM (SELECT count(*) AS candidates FROM candidates) n
        LEFT JOIN (page p {PAGE}) ON true
        ORDER BY p.rank, p.id
        """
    )


@cache
def walking(shape: Shape) -> TextClause:
    """The page behind an id, as far as it is among the next questions."""
    looked = f"SELECT FROM question_search s WHERE s.question_key = w.key AND {shape.all_in('s.content')} OFFSET 0"
    return text(
        f"""
        SELECT w.id, v.version, v.body
        FROM (SELECT q.key, q.id, q.version_key FROM questions q
            WHERE q.tenant_id = :tenant_id AND q.id > :after ORDER BY q.id LIMIT :walked) w
        {f"CROSS JOIN LATERAL ({looked}) AS looked" if shape.words else ""}
        CROSS JOIN LATERAL (SELECT v.version, v.body FROM question_versions v
            WHERE v.key = w.version_key AND {BODY_FITS} OFFSET 0) AS v
        ORDER BY w.id LIMIT :most
        """
    )


@cache
def among_many(shape: Shape) -> TextClause:
    """The page behind an id: the first candidates in the order of ids are looked at until it is full; null: all."""
    looked = (
        f"SELECT FROM question_search s WHERE s.question_key = c.question_key AND {shape.all_in('s.content')} OFFSET 0"
    )
    return text(
        f"""
        SELECT p.id, v.version, v.body FROM (
            SELECT c.question_key, c.id
            FROM (SELECT s.question_key, s.id {shape.candidates} AND s.id > :after ORDER BY s.id
                LIMIT CAST(:looked AS bigint)) c
            {f"CROSS JOIN LATERAL ({looked}) AS looked" if shape.words else ""}
            ORDER BY c.id LIMIT :most) p
        {PAGE}
        ORDER BY p.id
        """
    )


async def find_page(
    connection: AsyncConnection,
    tenant_id: int,
    wanted: QuestionFilter,
    *,
    after: Place,
    most: int,
    few: int = FEW,
    walked: int = WALKED,
    looked: int = LOOKED,
) -> list[Found]:
    """At most `most` questions that fit, from the first behind `after`.

    Few are ranked. Of many a page is mostly near at hand, so it is first looked for question by question, and only
    where they lie together elsewhere in the order of ids are all of them put in order.
    """
    values = values_of(tenant_id, wanted) | {"after": after.id, "most": most}
    shape = Shape(len(wanted.search.words) if wanted.search else 0, any_of="any_terms" in values)
    known_as_many = wanted.search is not None and after.rank is None and after.id
    if not known_as_many:
        rank = after.rank if after.rank is not None else -1 if wanted.search else 0
        rows = list(await connection.execute(among_few(shape), values | {"rank": rank, "few": few}))
        if rows[0].candidates <= few or after.rank is not None:
            return [found_from(row, row.rank if wanted.search else None) for row in rows if row.id is not None]
    rows = list(await connection.execute(walking(shape), values | {"walked": walked}))
    for limit in (looked, None) if shape.words else (most,):
        if len(rows) < most:
            rows = list(await connection.execute(among_many(shape), values | {"looked": limit}))
    return [found_from(row, None) for row in rows]


def found_from(row: Any, rank: int | None) -> Found:
    return Found(question_from_body(row.id, row.version, row.body), Place(row.id, rank))
