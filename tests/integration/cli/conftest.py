"""One system for all tests here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.connection import Connection
from tests.started import Run, runner, started


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli") / "a home"


@pytest.fixture(scope="package")
def connection(home: Path) -> Iterator[Connection]:
    """A system started by `gradeline up`, without limits."""
    with started(home, GRADELINE_RATE_LIMITS="off") as connection:
        yield connection


@pytest.fixture
def run(connection: Connection, home: Path) -> Run:  # noqa: ARG001 - it must be there
    """Runs a command against the system, found by its home."""
    return runner(home)
