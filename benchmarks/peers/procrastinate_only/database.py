"""One pool of connections per process, and the bank that this process keeps."""

import psycopg
from psycopg_pool import AsyncConnectionPool

from benchmarks.peers.coursework.bank import BankRow, KeptBank
from benchmarks.peers.coursework.place import DATABASE_URL
from benchmarks.peers.plain_sql.statements import READ_BANK

pool = AsyncConnectionPool(DATABASE_URL, min_size=1, max_size=20, open=False)


def read_bank() -> list[BankRow]:
    """Every question with its rating; once a minute, so that nobody minds the wait."""
    with psycopg.connect(DATABASE_URL) as connection:
        return connection.execute(READ_BANK).fetchall()


bank = KeptBank(read_bank)
