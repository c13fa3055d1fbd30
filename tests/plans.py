"""What Postgres does to answer a query, as it tells it itself."""

from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.store.engine import transaction


async def pages_read(engine: AsyncEngine, query: TextClause, values: dict[str, Any]) -> int:
    """How many pages of tables and indexes it reads."""
    async with transaction(engine) as connection:
        explained = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query.text}")
        plan = (await connection.execute(explained, values)).scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def pages_read_by_prepared(
    connection: AsyncConnection, query: TextClause
) -> Callable[[str], Coroutine[Any, Any, int]]:
    """Plans a query of the one parameter `rows` now; answers what tells how many pages it reads when it is run."""
    await connection.execute(text("SET plan_cache_mode = force_generic_plan"))
    await connection.exec_driver_sql(f"PREPARE planned (text) AS {query.text.replace(':rows', '$1')}")
    await connection.exec_driver_sql("EXPLAIN EXECUTE planned ('[]')")

    async def read(rows: str) -> int:
        quoted = rows.replace("'", "''")
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE planned ('{quoted}')"
        plan = (await connection.exec_driver_sql(explained)).scalar_one()[0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    return read
