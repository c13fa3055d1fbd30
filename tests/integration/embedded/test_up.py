"""`gradeline up` as people run it, with stand-ins for the API and the workers."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
import redis

from cli.connection import Connection, read_connection
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.embedded.child import kill_tree, wait_until_gone

SCRIPT = Path(__file__).with_name("stand_in_up.py")
SECONDS = 60.0

Process = subprocess.Popen[str]


@contextmanager
def up(home: Path, *options: str, **environment: str) -> Iterator[Process]:
    """The command under way; killed at the end if it still runs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRADELINE_")}
    with subprocess.Popen(
        [sys.executable, SCRIPT, "--home", home, "--port", "0", *options],
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            kill_tree(process)  # type: ignore[arg-type]  # text or bytes is all the same to it


def ready(process: Process, home: Path) -> Connection:
    """Wait until the system of `home` says that it is ready."""
    until(lambda: process.poll() is not None or read_connection(home) is not None)
    connection = read_connection(home)
    assert connection is not None, process.communicate()
    return connection


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def parts_of(connection: Connection) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in connection.pids.values()]


def outcome(process: Process) -> tuple[int, str]:
    """The exit code and what was said on stderr."""
    _, said = process.communicate(timeout=SECONDS)
    return process.returncode, said


def test_where_a_model_is_configured_a_process_of_its_own_asks_it(home: Path) -> None:
    with up(home, OPENAI_API_KEY="sk-nobody") as process:
        connection = ready(process, home)
        assert list(connection.pids) == ["postgres", "valkey", "api", "worker-1", "worker-models"]
        asked = psutil.Process(connection.pids["worker-models"]).cmdline()
        assert asked[-2:] == ["--stages", "feedback,generate"]


def test_it_does_not_start_where_nobody_knows_which_models_are_meant(home: Path, tmp_path: Path) -> None:
    with up(home, GRADELINE_AI_CONFIG=str(tmp_path / "missing.toml")) as process:
        code, said = outcome(process)
        assert code == 1
        assert "missing.toml" in said


def test_it_starts_every_part_and_says_how_to_reach_them(home: Path) -> None:
    with up(home, "--workers", "2") as process:
        connection = ready(process, home)
        assert list(connection.pids) == ["postgres", "valkey", "api", "worker-1", "worker-2"]
        assert httpx.get(f"{connection.url}/health/ready").is_success
        with psycopg.connect(connection.database_url) as database:
            assert database.execute("SELECT count(*) FROM start").fetchone() == (1,)
        with redis.Redis.from_url(connection.redis_url) as client:
            assert client.ping()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=SECONDS)
    assert connection.url in said
    assert connection.api_key in said
    assert connection.operator_key in said


def test_the_connection_file_is_private_and_is_there_only_while_the_system_runs(home: Path) -> None:
    with up(home) as process:
        ready(process, home)
        assert (home / "connection.json").stat().st_mode & 0o777 == 0o600
        assert (home / "keys.json").stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    assert not (home / "connection.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_part_in_order_and_it_exits_0(home: Path, number: signal.Signals) -> None:
    with up(home) as process:
        parts = parts_of(ready(process, home))
        process.send_signal(number)
        assert outcome(process)[0] == 0
        assert wait_until_gone(parts, 0)
    assert "stopped gracefully" in (home / "logs" / "worker-1.log").read_text()
    assert "database system is shut down" in (home / "logs" / "postgres.log").read_text()


def test_a_ctrl_c_in_the_terminal_reaches_the_supervisor_alone(home: Path) -> None:
    with up(home) as process:
        sessions = {os.getsid(part.pid) for part in parts_of(ready(process, home))}
        assert os.getsid(process.pid) not in sessions


def test_a_second_signal_hurries_a_worker_that_does_not_stop(home: Path) -> None:
    with up(home, STAND_IN="worker ignores SIGTERM", GRADELINE_SHUTDOWN_SECONDS="3600") as process:
        parts = parts_of(ready(process, home))
        process.send_signal(signal.SIGINT)
        until(lambda: "ignored SIGTERM" in (home / "logs" / "worker-1.log").read_text())
        process.send_signal(signal.SIGINT)
        assert outcome(process)[0] == 0
        assert wait_until_gone(parts, 0)


def test_a_worker_that_does_not_stop_is_killed_when_its_time_is_up(home: Path) -> None:
    with up(home, STAND_IN="worker ignores SIGTERM", GRADELINE_SHUTDOWN_SECONDS="0.01") as process:
        parts = parts_of(ready(process, home))
        process.send_signal(signal.SIGINT)
        assert outcome(process)[0] == 0
        assert wait_until_gone(parts, 0)


def test_a_signal_while_it_starts_leaves_nothing_behind(home: Path) -> None:
    with up(home) as process:
        until((home / "logs" / "initdb.log").exists)
        process.send_signal(signal.SIGINT)
        assert outcome(process)[0] == 0
    with up(home) as process:
        ready(process, home)


def test_killing_it_ends_every_part_and_the_next_start_goes_on_with_data_and_keys(home: Path) -> None:
    with up(home) as process:
        before = ready(process, home)
        parts = parts_of(before)
        process.kill()
        assert wait_until_gone(parts, SECONDS)
        assert read_connection(home) == before
    with up(home) as process:
        until(lambda: read_connection(home) != before)
        after = ready(process, home)
        assert (after.api_key, after.operator_key) == (before.api_key, before.operator_key)
        with psycopg.connect(after.database_url) as database:
            assert database.execute("SELECT count(*) FROM start").fetchone() == (2,)


@pytest.mark.parametrize("name", ["postgres", "valkey", "api", "worker-2"])
def test_a_part_that_dies_is_named_and_takes_the_others_along(home: Path, name: str) -> None:
    with up(home, "--workers", "2") as process:
        connection = ready(process, home)
        parts = parts_of(connection)
        os.kill(connection.pids[name], signal.SIGKILL)
        code, said = outcome(process)
        assert wait_until_gone(parts, 0)
    assert code == 1
    assert f"Error: {name} ended unexpectedly with signal SIGKILL (see {home}/logs/{name}.log)\n" in said
    assert "Traceback" not in said
    assert not (home / "connection.json").exists()


def test_an_api_that_does_not_start_is_named_with_its_last_words(home: Path) -> None:
    with up(home, STAND_IN="api fails") as process:
        code, said = outcome(process)
    assert code == 1
    assert "api | the stand-in was told to fail\n" in said
    assert "Error: api ended unexpectedly with exit code 1" in said


def test_a_second_start_in_the_same_home_is_refused_in_one_line_and_the_first_goes_on(home: Path) -> None:
    with up(home) as first:
        connection = ready(first, home)
        with up(home) as second:
            assert outcome(second) == (
                1,
                f"Error: another Gradeline already runs in {home}; stop it, or choose another --home\n",
            )
        assert read_connection(home) == connection
        assert httpx.get(f"{connection.url}/health/ready").is_success


def test_two_homes_run_side_by_side(tmp_path: Path) -> None:
    with up(tmp_path / "one") as one, up(tmp_path / "two") as two:
        connections = ready(one, tmp_path / "one"), ready(two, tmp_path / "two")
        assert len({connection.url for connection in connections}) == 2
        assert all(httpx.get(f"{connection.url}/health/ready").is_success for connection in connections)


def test_a_taken_port_is_refused_in_one_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up(home, "--port", str(port)) as process:
            code, said = outcome(process)
    assert code == 1
    assert re.search(rf"^Error: cannot listen on port {port} .* --port", said, re.MULTILINE)


def test_servers_named_in_the_settings_are_used_and_left_running(home: Path, tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, fsync=False) as postgres, EmbeddedValkey(tmp_path) as valkey:
        with up(home, GRADELINE_DATABASE_URL=postgres.url, GRADELINE_REDIS_URL=valkey.url) as process:
            connection = ready(process, home)
            assert list(connection.pids) == ["api", "worker-1"]
            assert (connection.database_url, connection.redis_url) == (postgres.url, valkey.url)
            process.send_signal(signal.SIGINT)
            assert outcome(process)[0] == 0
        assert postgres.child.process.poll() is None
        assert valkey.child.process.poll() is None


def test_a_setting_that_does_not_exist_is_named(home: Path) -> None:
    with up(home, GRADELINE_DATABSE_URL="postgresql://") as process:
        code, said = outcome(process)
    assert code == 1
    assert said.startswith("Error: GRADELINE_DATABSE_URL is not a setting")


def test_a_server_that_cannot_be_reached_is_refused_in_one_line(home: Path) -> None:
    with up(home, GRADELINE_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/mine") as process:
        code, said = outcome(process)
    assert code == 1
    assert said.splitlines()[-1].startswith("Error: cannot use Postgres at 127.0.0.1:1/mine: ")
    assert "secret" not in said
    assert "Traceback" not in said
