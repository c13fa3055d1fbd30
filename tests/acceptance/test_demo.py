"""The first thing that anybody does with Gradeline."""

import json
import subprocess
from pathlib import Path

from tests.started import GRADELINE, PATIENCE_SECONDS, Done, clean_environment


def demo(folder: Path, *options: str) -> Done:
    return subprocess.run(
        [GRADELINE, "demo", *options],
        cwd=folder,
        env=clean_environment(TMPDIR=str(folder)),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def test_every_sample_is_completed_and_nothing_stays_behind(tmp_path: Path) -> None:
    done = demo(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["statuses"] == {"completed": 60}
    assert len(found["learners"]) == 8
    assert [sample["locale"] for sample in found["samples"]] == ["en", "ko"]
    assert all(queue["ready"] == queue["running"] == queue["dead"] == 0 for queue in found["queues"])
    assert list(tmp_path.iterdir()) == []


def test_its_summary_can_be_read_and_its_data_kept(tmp_path: Path) -> None:
    done = demo(tmp_path, "--home", "kept")
    assert done.returncode == 0, done.stderr
    for part in ("Scores by learner", "Weaknesses and recommendations", "Feedback", "Queues", "60 completed", "maya"):
        assert part in done.stdout
    assert (tmp_path / "kept" / "keys.json").exists()
    assert not (tmp_path / "kept" / "connection.json").exists()
