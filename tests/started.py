"""A whole system as people start it, by its command, and the commands against it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.connection import Connection, read_connection
from tests.process import without_keys

GRADELINE = Path(sys.executable).with_name("gradeline")
PATIENCE_SECONDS = 120.0

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


def clean_environment(**more: str) -> dict[str, str]:
    """Ours without settings and providers' keys, and with those given."""
    inherited = {name: value for name, value in without_keys(os.environ).items() if not name.startswith("GRADELINE_")}
    return {**inherited, **more}


@contextmanager
def started(home: Path, *options: str, **settings: str) -> Iterator[Connection]:
    """`gradeline up` in this home, ready inside the block, stopped in order after it."""
    with subprocess.Popen(
        [GRADELINE, "up", "--port", "0", "--home", home, *options],
        env=clean_environment(**settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield wait_for_connection(process, home)
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(PATIENCE_SECONDS)
    assert code == 0


def wait_for_connection(process: subprocess.Popen[str], home: Path) -> Connection:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (connection := read_connection(home)) is None:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return connection


def runner(home: Path) -> Run:
    """Runs commands that find their server by this home."""

    def run(*arguments: str | Path, stdin: str | None = None, **variables: str) -> Done:
        return subprocess.run(
            [GRADELINE, *arguments, "--home", home],
            env=clean_environment(**variables),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    return run
