"""Handing in files, against a real system."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.connection import Connection
from tests.started import Run

QUESTION = {"id": "submit-1", "type": "single_choice", "prompt": "?", "answer": {"option": "a"}} | {
    "options": [{"id": "a", "text": "yes"}, {"id": "b", "text": "no"}]
}


def hand_in(learner: str, response: str = "a", **more: Any) -> dict[str, Any]:
    return {"learner_id": learner, "answers": [{"question_id": "submit-1", "response": response}], **more}


@pytest.fixture(autouse=True, scope="module")
def _question(connection: Connection) -> None:
    headers = {"Authorization": f"Bearer {connection.api_key}"}
    assert httpx.put(f"{connection.url}/v1/questions/submit-1", json=QUESTION, headers=headers).is_success


def written(path: Path, *lines: Mapping[str, Any] | str) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def summary(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_file_is_handed_in_watched_and_its_results_written(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "in.ndjson", hand_in("w-1"), hand_in("w-2", "b", assignment_id="hw-1"))
    results = tmp_path / "out.ndjson"
    found = summary(run("submit", file, "--watch", "--output", results, "--json"))
    assert found["statuses"] == {"completed": 2}
    assert (found["new"], found["mean_fraction"]) == (2, 0.5)
    rows = sorted((json.loads(line) for line in results.read_text().splitlines()), key=lambda row: row["line"])
    assert [(row["line"], row["learner_id"], row["assignment_id"]) for row in rows] == [
        (1, "w-1", None),
        (2, "w-2", "hw-1"),
    ]
    assert [(row["question_id"], row["outcome"], row["fraction"]) for row in rows] == [
        ("submit-1", "correct", 1.0),
        ("submit-1", "incorrect", 0.0),
    ]


def test_the_same_file_again_makes_nothing_new_and_more_lines_only_themselves(run: Run, tmp_path: Path) -> None:
    lines = [hand_in(f"again-{number}") for number in range(5)]
    file = written(tmp_path / "in.ndjson", *lines, lines[0])
    assert summary(run("submit", file, "--json"))["new"] == 6
    assert summary(run("submit", file, "--json", "--watch"))["already_there"] == 6
    more = written(tmp_path / "more.ndjson", *lines, lines[0], hand_in("again-5"))
    found = summary(run("submit", more, "--json"))
    assert (found["new"], found["already_there"]) == (1, 6)


def test_a_line_with_a_key_of_its_own_and_another_body_is_refused(run: Run, tmp_path: Path) -> None:
    first = written(tmp_path / "one.ndjson", hand_in("own", idempotency_key="own-key"))
    second = written(tmp_path / "two.ndjson", hand_in("own", "b", idempotency_key="own-key"))
    assert summary(run("submit", first, "--json"))["new"] == 1
    (problem,) = summary(run("submit", second, "--json"), code=1)["problems"]
    assert "Idempotency-Key" in problem["detail"]


def test_bad_lines_are_told_with_their_numbers_and_the_others_are_kept(run: Run, tmp_path: Path) -> None:
    unknown = {"learner_id": "bad", "answers": [{"question_id": "no such question", "response": "a"}]}
    done = run("submit", written(tmp_path / "in.ndjson", hand_in("good"), "{", unknown, "", hand_in("good-2")))
    assert done.returncode == 1
    assert done.stdout.startswith("2 submissions (2 new, 0 already there), 2 lines refused\n")
    first, second = done.stderr.splitlines()
    assert first.startswith("line 2: not valid JSON")
    assert second.startswith("line 3: ")
    assert "/answers/0/question_id" in second


def test_submissions_may_come_from_standard_input(run: Run) -> None:
    assert summary(run("submit", "-", "--json", stdin=json.dumps(hand_in("piped"))))["new"] == 1


def test_a_running_system_can_be_measured(run: Run) -> None:
    found = summary(run("bench", "--scale", "0.01", "--json"))
    assert [accepting["concurrency"] for accepting in found["accepting"]] == [1, 32, 256]
    assert found["pipeline"]["submissions"] == 30
    assert found["idle_wait"]["samples"] == found["idle_poll"]["samples"] == 5
    assert set(found["cost"]["cpu_ms"]) == set(found["memory_mib"]) == {"postgres", "valkey", "api", "worker-1"}
