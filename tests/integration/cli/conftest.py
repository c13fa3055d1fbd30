"""One system for all tests here, started as people start it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.connection import Connection, read_connection

GRADELINE = Path(sys.executable).with_name("gradeline")
START_SECONDS = 90.0

Run = Callable[..., subprocess.CompletedProcess[str]]


def clean_environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRADELINE_")}
    return {**inherited, **more}


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli") / "a home"


@pytest.fixture(scope="package")
def connection(home: Path) -> Iterator[Connection]:
    """A system started by `gradeline up`."""
    environment = clean_environment(GRADELINE_RATE_LIMITS="off")
    with subprocess.Popen(
        [GRADELINE, "up", "--port", "0", "--home", home],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + START_SECONDS
        while (found := read_connection(home)) is None:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield found
        process.send_signal(signal.SIGINT)
        assert process.wait(START_SECONDS) == 0


@pytest.fixture
def run(connection: Connection, home: Path) -> Run:  # noqa: ARG001 - it must be there
    """Runs a command against the system, found by its home."""

    def gradeline(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [GRADELINE, *arguments, "--home", home],
            env=clean_environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return gradeline
