"""`python -m api` as a process: it says where it listens, ends quietly, and tells in one line why it can't start."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec
import pytest

from cli.supervisor import environment_of
from pipeline.settings import Settings

COMMAND = [sys.executable, "-m", "api"]
OPENED = """
import asyncio, sys
from api.app import create_app
from pipeline.settings import read_settings

async def main():
    async with create_app(read_settings()).lifespan():
        print(sorted(set(sys.modules) & {"openai", "anthropic"}))

asyncio.run(main())
"""


def environment(settings: Settings) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GRADELINE_")}
    return environment_of(settings, kept)


@contextmanager
def process(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(COMMAND, env=environment(settings), stderr=subprocess.PIPE, text=True) as api:
        try:
            yield api
        finally:
            api.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_ends_quietly_when_told(settings: Settings, number: signal.Signals) -> None:
    with process(msgspec.structs.replace(settings, port=0)) as api:
        assert api.stderr is not None
        ready = msgspec.json.decode(api.stderr.readline())
        assert ready["event"] == "api.started"
        assert httpx.get(f"{ready['address']}/health/live").status_code == 200
        api.send_signal(number)
        rest = api.stderr.read()
        assert api.wait(30) == 0
    assert "Traceback" not in rest
    assert [msgspec.json.decode(line)["event"] for line in rest.splitlines()] == ["api.stopped"]


def fault(settings: Settings) -> str:
    """The one line with which it refuses to start."""
    ended = subprocess.run(COMMAND, env=environment(settings), capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1), ended.stderr
    return ended.stderr


def test_a_busy_port_is_told_in_one_line(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert fault(msgspec.structs.replace(settings, port=port)).startswith(f"Error: cannot listen on port {port} ")


def test_postgres_away_is_told_in_one_line(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, port=0, database_url="postgresql://nobody@127.0.0.1:1/none")
    assert "Postgres at 127.0.0.1:1" in fault(away)


def test_redis_away_is_told_and_hand_ins_are_taken_all_the_same(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, port=0, redis_url="redis://127.0.0.1:1/0", queue_redis_url=None)
    with process(away) as api:
        assert api.stderr is not None
        told = msgspec.json.decode(api.stderr.readline())
        assert (told["event"], told["level"]) == ("cache.unavailable", "warning")
        assert "Redis at 127.0.0.1:1" in told["error"]
        ready = msgspec.json.decode(api.stderr.readline())
        assert httpx.get(f"{ready['address']}/health/ready").status_code == 200


def test_the_api_opens_without_loading_any_sdk_of_a_model(settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPENED], env=environment(settings), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
