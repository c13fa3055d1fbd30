from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from pipeline.embedded import EmbeddedValkey
from pipeline.errors import EnvironmentFault


def test_it_serves_two_databases_and_never_evicts(home: Path) -> None:
    with EmbeddedValkey(home) as valkey:
        assert valkey.url.endswith("/0")
        with (
            redis.Redis.from_url(valkey.url) as status,
            redis.Redis.from_url(valkey.url[:-1] + "1") as queues,
        ):
            status.set("key", "status")
            assert queues.get("key") is None
            assert status.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_it_comes_back_empty_at_the_same_address_after_a_restart_and_a_kill(home: Path) -> None:
    with EmbeddedValkey(home) as valkey, redis.Redis.from_url(valkey.url) as client:
        url = valkey.url
        client.set("key", "value")
        assert valkey.restart() == url
        assert client.get("key") is None
        valkey.kill()
        assert valkey.start() == url
        assert client.ping()


def test_nobody_gets_in_without_the_password(home: Path) -> None:
    with EmbeddedValkey(home) as valkey:
        address = urlsplit(valkey.url)
        stranger = redis.Redis.from_url(f"redis://127.0.0.1:{address.port}")
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert address.password
        assert not any(address.password in argument for argument in psutil.Process(valkey.pid).cmdline())
        assert psutil.Process(valkey.pid).uids().real != 0


def test_a_second_server_in_the_same_home_is_refused_and_the_first_goes_on(home: Path) -> None:
    with EmbeddedValkey(home) as valkey, redis.Redis.from_url(valkey.url) as client:
        with pytest.raises(EnvironmentFault, match="already runs in"):
            EmbeddedValkey(home).start()
        assert client.ping()


def test_a_server_left_running_is_ended_before_the_next_starts(home: Path) -> None:
    forgotten = EmbeddedValkey(home)
    forgotten.start()
    forgotten._lock.release()  # noqa: SLF001 - as if its owner had been killed where the kernel sends no signal
    with EmbeddedValkey(home) as valkey, redis.Redis.from_url(valkey.url) as client:
        assert forgotten.child.process.wait(10) == 0
        assert client.ping()


def test_a_path_that_needs_quoting_works(tmp_path: Path) -> None:
    home = tmp_path / 'with "quotes" and \\ back-slash'
    with EmbeddedValkey(home) as valkey, redis.Redis.from_url(valkey.url) as client:
        assert client.ping()
