from pathlib import Path

import pytest

from cli.checkup import checkup, clock, disk, schema
from cli.connection import Connection, write_connection
from cli.finding import Level
from pipeline.embedded.lock import DirectoryLock

KILLED = Connection(
    "http://127.0.0.1:1", "teacher", "operator", "postgresql://me@127.0.0.1:1/mine", "redis://127.0.0.1:1/0", {}
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GRADELINE_DATABASE_URL",
        "GRADELINE_REDIS_URL",
        "GRADELINE_HOME",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GRADELINE_AI_CONFIG",
    ):
        monkeypatch.delenv(name, raising=False)


async def test_a_fresh_machine_is_fine(tmp_path: Path) -> None:
    findings = await checkup(tmp_path / "not" / "yet")
    assert {finding.level for finding in findings} == {Level.OK, Level.NOTE}
    assert {finding.subject for finding in findings} >= {"settings", "disk", "database", "redis", "feedback"}


async def test_a_bad_setting_is_named_and_nothing_else_is_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADELINE_PORT", "many")
    (finding,) = await checkup(tmp_path)
    assert finding.level is Level.FAIL
    assert "GRADELINE_PORT" in finding.found


async def test_servers_that_are_away_are_named_without_their_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADELINE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/mine")
    monkeypatch.setenv("GRADELINE_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    failed = [finding for finding in await checkup(tmp_path) if finding.level is Level.FAIL]
    assert [finding.subject for finding in failed] == ["database", "redis, statuses", "redis, queues"]
    assert failed[0].advice == "check GRADELINE_DATABASE_URL"
    assert all("secret" not in finding.found for finding in failed)


async def test_a_system_that_was_killed_is_said_to_be_and_its_servers_are_not_looked_for(tmp_path: Path) -> None:
    write_connection(tmp_path, KILLED)
    findings = {finding.subject: finding for finding in await checkup(tmp_path)}
    assert findings["running system"].found == "http://127.0.0.1:1 was killed"
    assert findings["running system"].advice == "start it again with `gradeline up`"
    assert findings["database"].level is findings["redis"].level is Level.NOTE


async def test_a_system_that_somebody_still_holds_is_not_said_to_be_killed(tmp_path: Path) -> None:
    write_connection(tmp_path, KILLED)
    with DirectoryLock(tmp_path / "lock"):
        findings = {finding.subject: finding for finding in await checkup(tmp_path)}
    assert findings["running system"].found == "http://127.0.0.1:1 does not answer"
    assert findings["database"].level is Level.FAIL


async def test_where_nothing_runs_the_home_is_named(tmp_path: Path) -> None:
    (finding,) = [finding for finding in await checkup(tmp_path) if finding.subject == "running system"]
    assert (finding.level, finding.found) == (Level.NOTE, f"none in {tmp_path}")
    assert "gradeline up" in finding.advice


@pytest.mark.parametrize(
    ("found", "level"), [("0002_x", Level.OK), ("0001_x", Level.FAIL), (None, Level.FAIL), ("0003_x", Level.FAIL)]
)
def test_only_the_schema_this_version_needs_will_do(found: str | None, level: Level) -> None:
    finding = schema(found, "0002_x")
    assert finding.level is level
    assert ("migrate" in finding.advice) == (level is Level.FAIL)


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.1, Level.OK), (-1.9, Level.OK), (2.1, Level.WARN), (-90, Level.WARN)]
)
def test_clocks_may_differ_by_two_seconds(seconds: float, level: Level) -> None:
    assert clock(seconds).level is level


def test_a_clock_is_ahead_or_behind() -> None:
    assert clock(3.0).found == "3.0 s behind the database's"
    assert clock(-3.0).found == "3.0 s ahead of the database's"


def test_the_disk_of_a_home_that_does_not_exist_yet_is_that_of_its_nearest_parent(tmp_path: Path) -> None:
    assert disk(tmp_path / "a" / "b").found.endswith(f"free at {tmp_path}")
