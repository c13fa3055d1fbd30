"""One pool of connections per process, and the bank that this process keeps."""

from psycopg_pool import ConnectionPool

from benchmarks.peers.coursework.bank import BankRow, KeptBank
from benchmarks.peers.coursework.place import DATABASE_URL
from benchmarks.peers.plain_sql.statements import READ_BANK

pool = ConnectionPool(DATABASE_URL, min_size=1, max_size=40, open=False)


def read_bank() -> list[BankRow]:
    """Every question with its rating."""
    with pool.connection() as connection:
        return connection.execute(READ_BANK).fetchall()


bank = KeptBank(read_bank)
