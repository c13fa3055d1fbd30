import os
import stat
from pathlib import Path

import psutil
import psycopg
import pytest

from pipeline.embedded import EmbeddedPostgres
from pipeline.errors import EnvironmentFault


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


def started_once(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False):
        pass


def test_commits_survive_stop_restart_and_kill(home: Path) -> None:
    with EmbeddedPostgres(home) as postgres:
        url = postgres.url
        ask(url, "CREATE TABLE kept AS SELECT 1 AS n")
        assert postgres.restart() == url
        ask(url, "INSERT INTO kept VALUES (2)")
        postgres.kill()
        assert postgres.start() == url
        ask(url, "INSERT INTO kept VALUES (3)")
    with EmbeddedPostgres(home) as again:
        assert ask(again.url, "SELECT sum(n) FROM kept") == 6


def test_the_default_is_durable(home: Path) -> None:
    with EmbeddedPostgres(home) as postgres:
        settings = [ask(postgres.url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")]
    assert settings == ["on", "on", "on"]


def test_text_of_every_language_is_folded_and_sorted_by_code_point(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as postgres:
        assert ask(postgres.url, "SHOW server_encoding") == "UTF8"
        assert ask(postgres.url, "SELECT lower('ÄÉ Ω 서울')") == "äé ω 서울"
        assert ask(postgres.url, "SELECT array(SELECT x FROM unnest('{b,가,B,漢,あ}'::text[]) x ORDER BY x)") == [
            *("B", "b", "あ", "漢", "가")
        ]


def test_our_role_owns_its_database_and_is_no_superuser(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as postgres:
        assert ask(postgres.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        ask(postgres.url, "CREATE DATABASE another")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(postgres.url, "SELECT pg_read_file('/etc/passwd')")


def test_the_server_never_runs_as_root(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as postgres:
        assert psutil.Process(postgres.pid).uids().real != 0
        assert os.geteuid() == 0 or psutil.Process(postgres.pid).uids().real == os.geteuid()


def test_no_directory_above_the_home_is_opened_up(home: Path) -> None:
    home.parent.mkdir(mode=0o700, parents=True)
    above = [(path, path.stat().st_mode) for path in home.parents]
    started_once(home)
    assert [(path, path.stat().st_mode) for path in home.parents] == above
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700


def test_the_password_is_in_no_log_and_on_no_command_line(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as postgres:
        password = psycopg.conninfo.conninfo_to_dict(postgres.url)["password"]
        command_line = psutil.Process(postgres.pid).cmdline()
    assert isinstance(password, str)
    assert len(password) >= 20
    assert not any(password in argument for argument in command_line)
    assert not any(password in log.read_text() for log in (home / "logs").iterdir())


def test_what_a_failing_statement_carries_stays_out_of_the_log(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as postgres:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            ask(postgres.url, "SELECT 'a learner''s answer'::int")
        log = (home / "logs" / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "answer" not in log


def test_a_second_server_in_the_same_home_is_refused_and_the_first_goes_on(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as postgres:
        with pytest.raises(EnvironmentFault, match="already runs in"):
            EmbeddedPostgres(home).start()
        assert ask(postgres.url, "SELECT 1") == 1


def test_servers_of_two_homes_run_side_by_side(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path / "one", fsync=False) as one,
        EmbeddedPostgres(tmp_path / "two", fsync=False) as two,
    ):
        ask(one.url, "CREATE TABLE only_in_one ()")
        assert ask(two.url, "SELECT to_regclass('only_in_one')") is None


def test_a_home_longer_than_a_socket_path_may_be_works(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / ("long" * 40), fsync=False) as postgres:
        assert ask(postgres.url, "SELECT 1") == 1


def test_a_server_left_running_is_ended_before_the_next_starts(home: Path) -> None:
    forgotten = EmbeddedPostgres(home, fsync=False)
    ask(forgotten.start(), "CREATE TABLE kept ()")
    forgotten._lock.release()  # noqa: SLF001 - as if its owner had been killed where the kernel sends no signal
    with EmbeddedPostgres(home, fsync=False) as postgres:
        assert forgotten.child.process.wait(10) == 0
        assert ask(postgres.url, "SELECT to_regclass('kept')::text") == "kept"


def test_a_lock_file_whose_pid_went_to_somebody_else_is_no_obstacle(home: Path) -> None:
    with EmbeddedPostgres(home, fsync=False) as postgres:
        lock_file = home / "postgres" / "data" / "postmaster.pid"
        _, *rest = lock_file.read_text().splitlines(keepends=True)
        postgres.kill()
        lock_file.write_text("".join([f"{os.getppid()}\n", *rest]))
        assert ask(postgres.start(), "SELECT 1") == 1
    assert psutil.pid_exists(os.getppid())


def test_a_set_up_that_was_cut_short_is_done_again(home: Path) -> None:
    (home / "postgres" / "data.new" / "base").mkdir(parents=True)
    started_once(home)


def test_data_of_another_version_is_refused_with_its_version(home: Path) -> None:
    started_once(home)
    (home / "postgres" / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EnvironmentFault, match=r"made by PostgreSQL 16 .* brings 18"):
        EmbeddedPostgres(home).start()


@pytest.mark.parametrize(
    ("damaged", "named"),
    [("PG_VERSION", "PG_VERSION"), ("global/pg_control", "pg_control"), ("base", "base")],
)
def test_damaged_data_is_refused_in_one_line(home: Path, damaged: str, named: str) -> None:
    started_once(home)
    path = home / "postgres" / "data" / damaged
    path.rename(path.with_name("lost"))
    with pytest.raises(EnvironmentFault, match=named) as caught:
        EmbeddedPostgres(home, fsync=False).start()
    assert "\n" not in str(caught.value)


def test_a_home_that_failed_to_start_can_be_started_once_it_is_mended(home: Path) -> None:
    started_once(home)
    version = home / "postgres" / "data" / "PG_VERSION"
    version.rename(version.with_name("lost"))
    postgres = EmbeddedPostgres(home, fsync=False)
    with pytest.raises(EnvironmentFault):
        postgres.start()
    version.with_name("lost").rename(version)
    with postgres:
        assert ask(postgres.url, "SELECT 1") == 1
