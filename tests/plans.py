"""What Postgres does to answer a query, as it tells it itself."""

from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import transaction


async def pages_read(engine: AsyncEngine, query: TextClause, values: dict[str, Any]) -> int:
    """How many pages of tables and indexes it reads."""
    async with transaction(engine) as connection:
        explained = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query.text}")
        plan = (await connection.execute(explained, values)).scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
