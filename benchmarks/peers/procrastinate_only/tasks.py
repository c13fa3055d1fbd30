"""The tasks: each does its stage and defers the next in the same transaction.

    python -m procrastinate --app benchmarks.peers.procrastinate_only.tasks.app worker --concurrency 10

Async tasks, as procrastinate is; woken by LISTEN/NOTIFY, its default. Jobs that succeeded are deleted
(`--delete-jobs successful`), lest the table grows for ever.
"""

from uuid import UUID

from procrastinate import App, PsycopgConnector, RetryStrategy
from psycopg import AsyncConnection

from benchmarks.peers.coursework.place import DATABASE_URL
from benchmarks.peers.coursework.tables import STAGES
from benchmarks.peers.plain_sql.grading import STEPS
from benchmarks.peers.plain_sql.talking import talk_async
from benchmarks.peers.procrastinate_only.database import bank, pool

app = App(connector=PsycopgConnector(conninfo=DATABASE_URL))


@app.task(name="stage", retry=RetryStrategy(max_attempts=5, exponential_wait=2))
async def stage(submission_id: str, step: str) -> None:
    """One stage of a submission."""
    await pool.open()
    async with pool.connection() as connection:
        await talk_async(connection, STEPS[step](UUID(submission_id), bank))
        if step != STAGES[-1]:
            await defer(connection, submission_id, STAGES[STAGES.index(step) + 1])


async def defer(connection: AsyncConnection, submission_id: str, step: str) -> None:
    """Store a job in the transaction of this connection."""
    await stage.configure(connection=connection).defer_async(submission_id=submission_id, step=step)
