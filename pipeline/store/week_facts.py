"""What weekly reports are made of, for many learners by a handful of statements."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.evidence import topics_of
from pipeline.learning.goal import NO_GOALS, Goals
from pipeline.learning.session import Answered, HandIn
from pipeline.lifecycle import Stage
from pipeline.model import JsonValue, Outcome, StoredQuestion
from pipeline.ports.report import HandInsFound, WeekFacts
from pipeline.store.aim import aim_of
from pipeline.store.browsing import CLOCK_DIFFERENCE, first_id_at
from pipeline.store.packing import unpacked
from pipeline.store.question import QuestionVersions
from pipeline.store.skill import read_skills

LATE: Final = timedelta(days=31)
"""Work done off line counts for the week in which it was done if it arrives within so long."""

# Ids begin with the time at which they were made, so the learner's index bounds what is read.
HAND_INS = text(
    """
    SELECT w.id AS learner_id, h.at, h.score, a.version_keys, a.times
    FROM unnest(CAST(:ids AS text[])) AS w(id)
    CROSS JOIN LATERAL (
        SELECT s.id, coalesce(s.submitted_at, s.created_at) AS at, r.body AS score
        FROM submissions s JOIN results r ON r.submission_id = s.id AND r.stage = 'score'
        WHERE s.tenant_id = :tenant_id AND s.learner_id = w.id AND s.status <> 'cancelled'
          AND s.id >= CAST(:first_id AS uuid) AND s.id < CAST(:last_id AS uuid)
          AND coalesce(s.submitted_at, s.created_at) >= :since AND coalesce(s.submitted_at, s.created_at) < :until
        ORDER BY s.id DESC LIMIT :most) h
    CROSS JOIN LATERAL (
        SELECT array_agg(version_key ORDER BY position) AS version_keys,
            array_agg(response_time_ms ORDER BY position) AS times
        FROM answers WHERE submission_id = h.id) a
    ORDER BY h.id DESC
    """
)

STANDING = text(
    f"""
    SELECT w.id AS learner_id, d.days, l.goals, {aim_of("w.id")} AS aim, a.questions
    FROM unnest(CAST(:ids AS text[])) AS w(id)
    LEFT JOIN learners l ON l.tenant_id = :tenant_id AND l.id = w.id
    CROSS JOIN LATERAL (
        SELECT array_agg(day) AS days FROM learner_days WHERE tenant_id = :tenant_id AND learner_id = w.id) d
    LEFT JOIN LATERAL (
        SELECT r.body -> 'questions' AS questions
        FROM submissions s JOIN results r ON r.submission_id = s.id AND r.stage = 'recommend'
        WHERE s.tenant_id = :tenant_id AND s.learner_id = w.id ORDER BY s.id DESC LIMIT 1) a ON true
    """
)


class Asked(msgspec.Struct, frozen=True):
    """Whose hand-ins are wanted, from `since` to before `until`: at most `most` of each learner."""

    tenant_id: int
    learner_ids: Sequence[str]
    since: datetime
    until: datetime
    most: int


async def read_facts(connection: AsyncConnection, versions: QuestionVersions, asked: Asked) -> list[WeekFacts]:
    """What the reports of these learners are made of, in the order asked for."""
    whose = {"tenant_id": asked.tenant_id, "ids": list(asked.learner_ids)}
    hand_ins = await _read_hand_ins(connection, versions, asked)
    skills = await read_skills(connection, asked.tenant_id, asked.learner_ids)
    rows = {row.learner_id: row for row in await connection.execute(STANDING, whose)}
    return [
        WeekFacts(
            learner_id=id_,
            found=found_of(hand_ins.get(id_, ()), asked.most),
            days=tuple(rows[id_].days or ()),
            goals=goals_from(rows[id_].goals),
            aim=rows[id_].aim,
            skills=tuple(skills.get(id_, {}).values()),
            advised=advised_from(rows[id_].questions),
        )
        for id_ in asked.learner_ids
    ]


async def _read_hand_ins(
    connection: AsyncConnection, versions: QuestionVersions, asked: Asked
) -> Mapping[str, Sequence[HandIn]]:
    """The hand-ins by learner, the latest first; one more than wanted where there are more."""
    values = {
        "tenant_id": asked.tenant_id,
        "ids": list(asked.learner_ids),
        "first_id": first_id_at(asked.since, -2 * CLOCK_DIFFERENCE),
        "last_id": first_id_at(asked.until, LATE),
        "since": asked.since,
        "until": asked.until,
        "most": asked.most + 1,
    }
    rows = (await connection.execute(HAND_INS, values)).all()
    known = await versions.load(connection, {key for row in rows for key in row.version_keys or ()})
    found: dict[str, list[HandIn]] = {}
    for row in rows:
        found.setdefault(row.learner_id, []).append(hand_in_from(row, known))
    return found


def found_of(hand_ins: Sequence[HandIn], most: int) -> HandInsFound:
    return HandInsFound(tuple(hand_ins[:most]), clipped=len(hand_ins) > most)


def hand_in_from(row: Any, versions: Mapping[int, StoredQuestion]) -> HandIn:
    return HandIn(at=row.at, answers=tuple(answered_from(row, versions)))


def answered_from(row: Any, versions: Mapping[int, StoredQuestion]) -> Iterator[Answered]:
    """The answers of a row: scores are stored in the order of the answers."""
    scores = unpacked(Stage.SCORE, row.score)["answers"]
    for key, time, score in zip(row.version_keys, row.times, scores, strict=True):
        topics = topics_of(versions[key].question)
        yield Answered(topics, Outcome(score["outcome"]), score["fraction"], time)


def goals_from(stored: JsonValue) -> Goals:
    """Goals as they were stored; none where none were set."""
    return NO_GOALS if stored is None else msgspec.convert(stored, Goals)


def advised_from(stored: JsonValue) -> tuple[str, ...]:
    """The topics of the questions that were recommended."""
    if stored is None:
        return ()
    return tuple(question["topic"] for question in unpacked(Stage.RECOMMEND, {"questions": stored})["questions"])
