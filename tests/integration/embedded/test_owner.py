"""What becomes of the servers when their owner ends, whoever that is and however it ends."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.embedded.child import Child, kill_tree, last_lines, spawn, wait_until_gone
from pipeline.embedded.identity import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    Identity,
    closed_to,
    identity_for,
)

SCRIPT = Path(__file__).with_name("stand_in_owner.py")
SECONDS = 60.0

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def owner(home: Path, log: Path, run_as: Identity | None = None) -> Iterator[tuple[Child, dict[str, Any]]]:
    """Another process that owns both servers of `home`, and what it says of them."""
    child = spawn("owner", [sys.executable, SCRIPT, home], log=log, run_as=run_as)
    try:
        until(lambda: child.process.poll() is not None or bool(last_lines(log, 1)))
        yield child, json.loads(last_lines(log, 1)[0])
    finally:
        kill_tree(child.process)


def ordinary_user() -> Identity:
    """Somebody but root, who may still read the interpreter of these tests if it lies in root's directory."""
    user = identity_for(Path("/nowhere"), also_reads=[Path(sys.executable), SCRIPT])
    assert user is not None
    return user


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_end_with_their_owner_and_keep_what_was_committed(
    home: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with owner(home, tmp_path / "owner.log") as (child, said):
        with psycopg.connect(said["database_url"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        servers = [psutil.Process(pid) for pid in said["pids"]]
        child.process.send_signal(number)
        child.process.wait(SECONDS)
        assert wait_until_gone(servers, SECONDS)
    with (
        EmbeddedPostgres(home, fsync=False) as postgres,
        EmbeddedValkey(home),
        psycopg.connect(postgres.url) as connection,
    ):
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_a_start_right_after_the_owner_was_killed_waits_for_its_servers_to_end(home: Path, tmp_path: Path) -> None:
    with owner(home, tmp_path / "owner.log") as (child, said):
        child.process.kill()
        child.process.wait(SECONDS)
        with EmbeddedPostgres(home, fsync=False) as postgres, EmbeddedValkey(home):
            assert postgres.pid not in said["pids"]
            with psycopg.connect(postgres.url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)


@needs_root
def test_an_ordinary_user_runs_the_servers_as_themselves(open_directory: Path, tmp_path: Path) -> None:
    user = ordinary_user()
    with owner(open_directory / "a home", tmp_path / "owner.log", user) as (_, said):
        assert [psutil.Process(pid).uids().real for pid in said["pids"]] == [user.uid, user.uid]
        with psycopg.connect(said["database_url"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@needs_root
def test_root_continues_a_home_that_an_ordinary_user_began(open_directory: Path, tmp_path: Path) -> None:
    home, user = open_directory / "home", ordinary_user()
    with owner(home, tmp_path / "owner.log", user) as (child, said):
        child.process.terminate()
        assert wait_until_gone([psutil.Process(pid) for pid in said["pids"]], SECONDS)
    with EmbeddedPostgres(home, fsync=False) as postgres:
        assert psutil.Process(postgres.pid).uids().real == user.uid


@needs_root
def test_a_home_of_root_is_refused_to_an_ordinary_user_in_one_line(open_directory: Path, tmp_path: Path) -> None:
    home, log = open_directory / "home", tmp_path / "owner.log"
    home.mkdir(mode=0o700)
    user = ordinary_user()
    if user.capability == CAP_DAC_OVERRIDE:
        pytest.skip("here the interpreter can only be reached with a right that also opens the home")
    child = spawn("owner", [sys.executable, SCRIPT, home], log=log, run_as=user)
    assert child.process.wait(SECONDS) == 1
    assert last_lines(log, 1)[0].startswith(f"pipeline.errors.EnvironmentFault: cannot write in {home}")


@needs_root
def test_root_gives_its_servers_no_capability_where_the_way_is_open(open_directory: Path) -> None:
    open_directory.chmod(0o755)
    with EmbeddedPostgres(open_directory / "home", fsync=False) as postgres:
        # Where even the programs lie in a closed directory, the capability is needed whatever the home.
        assert bool(capabilities_of(postgres.pid)) is bool(closed_to(as_run(postgres.pid), Path(sys.prefix)))


@needs_root
def test_root_gives_its_servers_only_the_right_to_pass_where_the_way_is_closed(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    with EmbeddedPostgres(tmp_path / "closed" / "home", fsync=False) as postgres:
        assert capabilities_of(postgres.pid) in (1 << CAP_DAC_READ_SEARCH, 1 << CAP_DAC_OVERRIDE)


def capabilities_of(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))


def as_run(pid: int) -> Identity:
    process = psutil.Process(pid)
    return Identity(process.uids().real, process.gids().real)
