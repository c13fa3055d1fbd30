"""Whether a Postgres is one that Gradeline can keep its promises on."""

from typing import Final

import psycopg

from pipeline.errors import EnvironmentFault

OLDEST_VERSION: Final = 140_000  # as server_version_num counts: 14.0
TIMEOUT_SECONDS: Final = 5

FACTS: Final = """
SELECT current_setting('server_version_num')::int AS version,
       current_setting('server_encoding') AS encoding,
       current_setting('synchronous_commit') AS synchronous_commit,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS read_only
"""


async def check_postgres(url: str, *, timeout_seconds: int = TIMEOUT_SECONDS) -> str:
    """What the Postgres at `url` is; raises `EnvironmentFault`, one line without the password, if it will not do.

    It must be reachable and let us in, be version 14 or newer, take writes, hold UTF-8, and have a
    commit on disk before it says so: what is accepted is promised to be kept.
    """
    facts = await _ask(url, timeout_seconds)
    if fault := fault_of(*facts):
        raise EnvironmentFault(f"Postgres at {place(url)} {fault}")
    version, encoding = facts[:2]
    return f"PostgreSQL {version // 10_000}.{version % 10_000}, {encoding}, at {place(url)}"


def fault_of(version: int, encoding: str, synchronous_commit: str, read_only: bool) -> str | None:
    """What is wrong with a server of these facts, as the rest of a sentence; None if nothing is."""
    if version < OLDEST_VERSION:
        return f"is version {version // 10_000}; Gradeline needs {OLDEST_VERSION // 10_000} or newer"
    if encoding != "UTF8":
        return f"holds {encoding}; create the database with ENCODING 'UTF8'"
    if read_only:
        return "is read-only; name the primary in GRADELINE_DATABASE_URL"
    if synchronous_commit == "off":
        return "has synchronous_commit off, which loses accepted submissions in a crash; turn it on"
    return None


def place(url: str) -> str:
    """Host, port and database of an address, without user and password."""
    return url.partition("://")[2].rpartition("@")[2].partition("?")[0]


async def _ask(url: str, timeout_seconds: int) -> tuple[int, str, str, bool]:
    try:
        async with await psycopg.AsyncConnection.connect(
            url.replace("postgresql+psycopg://", "postgresql://", 1), connect_timeout=timeout_seconds
        ) as connection:
            row = await (await connection.execute(FACTS)).fetchone()
    except psycopg.ProgrammingError:  # its text may quote the address with the password
        raise EnvironmentFault("GRADELINE_DATABASE_URL is not an address that Postgres understands") from None
    except psycopg.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise EnvironmentFault(f"cannot use Postgres at {place(url)}: {reason}; check GRADELINE_DATABASE_URL") from None
    assert row is not None  # noqa: S101 - a SELECT without FROM gives one row
    return (row[0], row[1], row[2], row[3])
