"""Curricula by the command line, against a real system."""

import json
import re
from pathlib import Path

import httpx
import msgspec

from cli.connection import Connection
from pipeline.curriculum.shipping import shipped_curriculum
from tests.integration.cli.test_commands import said
from tests.started import Run

PAGE = Path(__file__).resolve().parents[3] / "docs" / "curriculum.md"


def flutter(folder: Path) -> Path:
    """The example of the page about curricula, saved under a name that tells nothing."""
    [found] = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    file = folder / "courses.txt"
    file.write_text(str(found), encoding="utf-8")
    return file


def test_a_curriculum_is_told_by_its_content_and_imported_whole(run: Run, tmp_path: Path) -> None:
    file = flutter(tmp_path)
    looked = said(run("import", file, "--dry-run", "--json"))
    assert (looked["format"], looked["modules"], looked["questions"]) == ("curriculum", 5, 1)
    first = said(run("import", file, "--json"))
    assert (first["modules"], first["questions"]["added"]) == ({"added": 5, "changed": 0, "unchanged": 0}, 1)
    again = run("import", file)
    assert again.returncode == 0
    assert "modules: 0 added, 0 changed, 5 unchanged" in again.stdout
    assert f"the curriculum is at version {first['version']}" in again.stdout


def test_problems_are_told_one_on_a_line_and_nothing_is_imported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    module = {"title": "M", "difficulty": 1, "hours": 1}
    modules = [{**module, "id": "one", "prerequisites": ["two"]}, {**module, "id": "two", "prerequisites": ["one"]}]
    file.write_text(json.dumps({"modules": modules, "tracks": [{"id": "t", "title": "T", "modules": ["nowhere"]}]}))
    done = run("import", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Error: Nothing was imported: 2 things are wrong in the file.",
        '/tracks/0/modules/0: Track "t": refers to the module "nowhere", which does not exist.',
        '/modules/0/prerequisites: Module "one": prerequisites go in a circle, each needs the next: one → two → one.',
    ]
    looked = run("import", file, "--dry-run")
    assert looked.returncode == 1
    assert "one → two → one" in looked.stderr


def test_what_ships_was_imported_when_the_system_began(run: Run, connection: Connection) -> None:
    shipped = msgspec.json.decode(shipped_curriculum())
    with httpx.Client(base_url=connection.url, headers={"Authorization": f"Bearer {connection.api_key}"}) as client:
        there = {category["id"] for category in client.get("/v1/curriculum/categories").json()["items"]}
    assert {category["id"] for category in shipped.get("categories", ())} <= there
    report = said(run("import", "--shipped", "--json"))
    assert report["modules"] == {"added": 0, "changed": 0, "unchanged": len(shipped.get("modules", ()))}


def test_a_file_or_what_ships_is_imported_not_both_nor_neither(run: Run, tmp_path: Path) -> None:
    assert run("import").returncode == 2
    assert run("import", flutter(tmp_path), "--shipped").returncode == 2
