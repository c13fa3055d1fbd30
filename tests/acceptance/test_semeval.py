"""Real answers of real learners, by command alone."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.connection import Connection
from tests.started import Done, runner, started

HAND_INS = 150


@pytest.fixture
def folder(data_folder: Path) -> Path:
    found = data_folder / "semeval"
    if not found.is_dir():
        pytest.skip("the SemEval answers are not here")
    return found


def said(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_real_hand_ins_are_all_completed_and_the_same_file_again_makes_nothing_new(
    folder: Path, tmp_path: Path
) -> None:
    home, some, results = tmp_path / "home", tmp_path / "some.ndjson", tmp_path / "results.ndjson"
    with (folder / "submissions.ndjson").open() as file:
        lines = list(islice(file, HAND_INS))
    some.write_text("".join(lines))
    with started(home, GRADELINE_RATE_LIMITS="off") as connection:
        run = runner(home)
        assert said(run("import", folder / "questions.ndjson", "--json"))["problems"] == []
        first = said(run("submit", some, "--watch", "--output", results, "--json"))
        again = said(run("submit", some, "--watch", "--json"))
        stored = count_submissions(connection)
    assert (first["statuses"], first["new"]) == ({"completed": HAND_INS}, HAND_INS)
    assert (again["statuses"], again["new"], again["already_there"]) == ({"completed": HAND_INS}, 0, HAND_INS)
    assert stored == HAND_INS
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert len(rows) == sum(len(json.loads(line)["answers"]) for line in lines)
    assert all(0 <= row["fraction"] <= 1 for row in rows)


def count_submissions(connection: Connection) -> int:
    """How many submissions the API lists, page by page."""
    count, cursor = 0, ""
    headers = {"Authorization": f"Bearer {connection.api_key}"}
    with httpx.Client(base_url=connection.url, headers=headers, trust_env=False) as client:
        while True:
            page = client.get("/v1/submissions", params={"limit": 200} | ({"cursor": cursor} if cursor else {})).json()
            count += len(page["items"])
            if page["next"] is None:
                return count
            cursor = page["next"]
