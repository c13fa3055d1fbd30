"""The first thing that anybody does with Gradeline."""

import asyncio
import json
import subprocess
from pathlib import Path

from tests.standin.server import standing_in
from tests.started import GRADELINE, PATIENCE_SECONDS, Done, clean_environment


def demo(folder: Path, *options: str, **variables: str) -> Done:
    return subprocess.run(
        [GRADELINE, "demo", *options],
        cwd=folder,
        env=clean_environment(TMPDIR=str(folder), **variables),
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


async def test_models_write_only_where_they_are_asked_for_and_the_ledger_is_what_they_counted(tmp_path: Path) -> None:
    async with standing_in() as stand_in:
        keys = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{stand_in.url}/v1"}
        without = await asyncio.to_thread(demo, tmp_path, "--json", **keys)
        assert without.returncode == 0, without.stderr
        assert stand_in.calls == []
        done = await asyncio.to_thread(demo, tmp_path, "--ai", "--json", **keys)
        assert done.returncode == 0, done.stderr
        told = stand_in.record.summary()["reported"]
    found = json.loads(done.stdout)
    [use] = found["models"]
    assert (use["requests"], use["input_tokens"], use["output_tokens"]) == (
        told["calls"],
        told["input"],
        told["output"],
    )
    assert found["sources"]["ai"] > 0
    assert use["known"]
    assert use["usd"] > 0


def test_models_that_are_asked_for_and_not_there_are_an_error_at_once(tmp_path: Path) -> None:
    done = demo(tmp_path, "--ai")
    assert done.returncode == 1
    assert "Set OPENAI_API_KEY or ANTHROPIC_API_KEY" in done.stderr
