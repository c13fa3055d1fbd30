"""`python -m tests.failures`: measure every failure on every wire, and put the table into docs/llm.md."""

import asyncio
import tempfile
from pathlib import Path

from pipeline.bootstrap import migrate
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.settings import Settings
from tests.failures.measure import measure_all
from tests.failures.page import PAGE, with_table


def main() -> None:
    """On servers of its own, which are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="gradeline-failures-") as folder,
        EmbeddedPostgres(Path(folder), fsync=False) as postgres,
        EmbeddedValkey(Path(folder)) as valkey,
    ):
        asyncio.run(migrate(Settings(database_url=postgres.url)))
        measured = asyncio.run(measure_all(postgres.url, valkey.url))
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    main()
