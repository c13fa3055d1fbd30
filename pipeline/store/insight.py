"""Looking through one tenant's ledger: what requests came to, who was served what, what learners thought of it.

Everything reads a range of an index by tenant and time. What the journal served is counted by day, so cache figures
are today's (UTC), whatever the window.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.ports.insight import Bounds, Figures, Opinion, Replies, Serving, Sums, Tally
from pipeline.store.engine import LOOK_UP_SECONDS, transaction

TODAY: Final = "date_trunc('day', now(), 'UTC')"
WINDOW: Final = "tenant_id = :tenant_id AND {} >= now() - make_interval(mins => :minutes)"
WITHIN: Final = WINDOW.format("started_at")
NOTED: Final = WINDOW.format("created_at")
FAILED: Final = "(trouble IS NOT NULL OR state = 'lost')"

SUMS = text(
    f"""
    SELECT provider, model, arm, grouping(arm) = 0 AS by_arm,
        count(*) FILTER (WHERE state <> 'open') AS calls,
        count(*) FILTER (WHERE state = 'open') AS under_way,
        count(*) FILTER (WHERE state = 'settled' AND trouble IS NULL) AS usable,
        avg(duration_ms)::float AS mean_ms,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms) AS durations,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY first_text_ms) AS first_texts,
        coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
        coalesce(sum(cached_input_tokens), 0)::bigint AS cached_input_tokens,
        coalesce(sum(cache_write_tokens), 0)::bigint AS cache_write_tokens,
        coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
        coalesce(sum(reasoning_tokens), 0)::bigint AS reasoning_tokens,
        coalesce(sum(cost) FILTER (WHERE cost_known), 0)::bigint AS known_cost,
        coalesce(sum(coalesce(cost, estimate)) FILTER (WHERE cost_known IS NOT TRUE), 0)::bigint AS estimated_cost,
        coalesce(sum(cut_quotations), 0)::bigint AS cut_quotations,
        min(started_at) FILTER (WHERE {FAILED}) AS failing_since
    FROM llm_attempts WHERE {WITHIN}
    GROUP BY GROUPING SETS ((provider, model), (arm))
    """
)

TROUBLES = text(
    f"""
    SELECT provider, model, arm, coalesce(trouble, state) AS trouble, count(*) AS count
    FROM llm_attempts WHERE {WITHIN} AND {FAILED} GROUP BY provider, model, arm, coalesce(trouble, state)
    """
)

REPLIES = text(
    f"""
    SELECT provider, coalesce(arm, '') AS arm, count(*) AS paid, 0 AS hits
    FROM llm_attempts
    WHERE tenant_id = :tenant_id AND started_at >= {TODAY} AND state = 'settled' AND trouble IS NULL
    GROUP BY provider, coalesce(arm, '')
    UNION ALL
    SELECT provider, arm, 0, sum(count)::bigint FROM llm_served
    WHERE tenant_id = :tenant_id AND day = CAST(now() AT TIME ZONE 'UTC' AS date) GROUP BY provider, arm
    """
)

SERVINGS = text(
    f"""
    SELECT experiment || '/' || arm AS arm, coalesce(served_provider, '') AS provider, count(*) AS count
    FROM feedback_assignments WHERE {NOTED} GROUP BY experiment, arm, served_provider
    """
)

OPINIONS = text(
    f"""
    SELECT arm, count(*) AS count, avg(rating)::float AS mean
    FROM feedback_ratings WHERE {NOTED} AND arm IS NOT NULL GROUP BY arm
    """
)

SPENT = text(
    """
    SELECT spent FROM llm_budgets
    WHERE tenant_id = :tenant_id AND learner_id = '' AND day = CAST(now() AT TIME ZONE 'UTC' AS date)
    """
)

# Bounds are inclusive and width_bucket's are not: of whole numbers, those below the next one.
TALLIES = text(
    f"""
    SELECT provider, model, purpose, coalesce(trouble, '') AS trouble, count(*) AS count,
        width_bucket(duration_ms, CAST(:durations AS bigint[])) AS seconds_bucket,
        width_bucket(input_tokens, CAST(:tokens AS bigint[])) AS input_bucket,
        width_bucket(output_tokens, CAST(:tokens AS bigint[])) AS output_bucket,
        coalesce(sum(duration_ms), 0)::float / 1000 AS seconds, coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
        coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
        coalesce(sum(cached_input_tokens), 0)::bigint AS cached_input_tokens,
        coalesce(sum(reasoning_tokens), 0)::bigint AS reasoning_tokens, sum(cost)::bigint AS cost
    FROM llm_attempts
    WHERE tenant_id = :tenant_id AND started_at >= {TODAY} AND state = 'settled'
    GROUP BY provider, model, purpose, trouble, seconds_bucket, input_bucket, output_bucket
    """
)

PLAIN: Final = tuple(name for name in Sums.__struct_fields__ if name != "troubles" and not name.endswith("_seconds"))
"""Fields of `Sums` that are columns of the same name."""


class InsightStore:
    """Postgres as the port `pipeline.ports.insight.InsightStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def figures(self, tenant_id: int, *, minutes: int) -> Figures:
        """The tenant's figures over so many minutes until now."""
        values = {"tenant_id": tenant_id, "minutes": minutes}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            sums = await rows(connection, SUMS, values)
            troubles = await rows(connection, TROUBLES, values)
            replies = await rows(connection, REPLIES, {"tenant_id": tenant_id})
            servings = await rows(connection, SERVINGS, values)
            opinions = await rows(connection, OPINIONS, values)
            spent = await rows(connection, SPENT, {"tenant_id": tenant_id})
        of_route, of_arm = counted(troubles, route_of), counted(troubles, arm_of)
        return Figures(
            routes={route_of(row): sums_of(row, of_route.get(route_of(row), {})) for row in sums if not row.by_arm},
            arms={row.arm: sums_of(row, of_arm.get(row.arm, {})) for row in sums if row.by_arm and row.arm},
            replies=replies_by(replies, "provider"),
            arm_replies=replies_by(replies, "arm"),
            servings=servings_of(servings),
            opinions={row.arm: Opinion(row.count, row.mean) for row in opinions},
            spent=spent[0].spent if spent else 0,
        )

    async def tallies(self, tenant_id: int, bounds: Bounds) -> list[Tally]:
        """The tenant's settled requests that began today, counted into buckets."""
        values = {
            "tenant_id": tenant_id,
            "durations": [bound + 1 for bound in bounds.durations_ms],
            "tokens": [bound + 1 for bound in bounds.tokens],
        }
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            found = await rows(connection, TALLIES, values)
        return [Tally(**{name: getattr(row, name) for name in Tally.__struct_fields__}) for row in found]


async def rows(connection: AsyncConnection, query: TextClause, values: dict[str, Any]) -> list[Any]:
    return list(await connection.execute(query, values))


def route_of(row: Any) -> tuple[str, str]:
    return row.provider, row.model


def arm_of(row: Any) -> str:
    return row.arm or ""


def counted(found: Iterable[Any], key: Any) -> dict[Any, dict[str, int]]:
    """Failures by their trouble, for each route or arm."""
    counts: dict[Any, dict[str, int]] = {}
    for row in found:
        of_key = counts.setdefault(key(row), {})
        of_key[row.trouble] = of_key.get(row.trouble, 0) + row.count
    return counts


def sums_of(row: Any, troubles: Mapping[str, int]) -> Sums:
    durations, first_texts = row.durations or (None, None), row.first_texts or (None, None)
    return Sums(
        **{name: getattr(row, name) for name in PLAIN},
        mean_seconds=seconds(row.mean_ms),
        p50_seconds=seconds(durations[0]),
        p95_seconds=seconds(durations[1]),
        first_text_p50_seconds=seconds(first_texts[0]),
        first_text_p95_seconds=seconds(first_texts[1]),
        troubles=troubles,
    )


def seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def replies_by(found: Iterable[Any], name: str) -> dict[str, Replies]:
    """Today's replies of each provider or arm; those outside of experiments are the arm ""."""
    replies: dict[str, Replies] = {}
    for row in found:
        key = getattr(row, name)
        before = replies.get(key, Replies())
        replies[key] = Replies(before.paid + row.paid, before.hits + row.hits)
    return replies


def servings_of(found: Iterable[Any]) -> dict[str, Serving]:
    counts: dict[str, dict[str, int]] = {}
    for row in found:
        counts.setdefault(row.arm, {})[row.provider] = row.count
    return {arm: Serving(by_provider) for arm, by_provider in counts.items()}
