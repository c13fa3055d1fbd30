"""The walk through the README, run as it is written against a system of its own."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.embedded.child import kill_tree
from tests.started import clean_environment

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"<!-- walk(?P<start>: start)? -->\n```sh\n(?P<script>.*?)```", re.DOTALL)
SECONDS = 120.0


def scripts(*, start: bool) -> list[str]:
    found = BLOCK.finditer(README.read_text(encoding="utf-8"))
    return [block["script"] for block in found if bool(block["start"]) is start]


def environment() -> dict[str, str]:
    """Ours without settings, but for a port that nobody else has."""
    return clean_environment(GRADELINE_PORT="0")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that looks like a clone after `make setup`."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture
def running(place: Path) -> Iterator[Path]:
    """The same with the README's system running in it."""
    assert scripts(start=True) == ["make setup\n.venv/bin/gradeline up\n"]
    with subprocess.Popen([".venv/bin/gradeline", "up"], cwd=place, env=environment()) as process:
        try:
            deadline = time.monotonic() + SECONDS
            while not (place / ".gradeline" / "connection.json").exists():
                assert process.poll() is None, "gradeline up ended"
                assert time.monotonic() < deadline, "gradeline up was not ready in time"
                time.sleep(0.05)  # between two looks at a condition with a deadline
            yield place
            process.terminate()
            assert process.wait(SECONDS) is not None
        finally:
            kill_tree(process)
    assert not (place / ".gradeline" / "connection.json").exists()


def test_the_walk_through_ends_with_a_completed_submission(running: Path) -> None:
    bash, curl = shutil.which("bash"), shutil.which("curl")
    assert bash, "the walk through the README needs bash: install it"
    assert curl, "the walk through the README needs curl: install it"
    script = "".join(["set -euo pipefail\n", *scripts(start=False)])
    walk = subprocess.run(
        [bash, "-c", script],
        cwd=running,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert walk.returncode == 0, walk.stderr + walk.stdout
    assert '"status": "completed"' in walk.stdout
    assert '"outcome": "correct"' in walk.stdout
    assert "event: completed" in walk.stdout
    assert '"oldest_ready_seconds"' in walk.stdout
