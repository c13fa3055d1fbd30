from typing import Any

import pytest

from pipeline.live.check import fault_of


@pytest.mark.parametrize(
    "facts",
    [
        {"redis_version": "6.2.0"},
        {"redis_version": "10.0.1"},
        {"redis_version": "7.2.4", "valkey_version": "7.2.0"},
        {
            "redis_version": "7.2.4",
            "role": "master",
            "redis_mode": "standalone",
            "maxmemory_policy": "noeviction",
        },
        {"redis_version": "7.2.4", "maxmemory_policy": "volatile-lru"},
    ],
)
def test_a_server_that_keeps_queues_will_do(facts: dict[str, Any]) -> None:
    assert fault_of(facts) is None


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"redis_version": "6.0.20"}, "is Redis 6.0.20; Gradeline needs Redis 6.2 or newer"),
        ({"redis_version": "7.2.4", "valkey_version": "7.1.9"}, "is Valkey 7.1.9"),
        ({"redis_version": "7.2.4", "role": "slave"}, "is a replica"),
        ({"redis_version": "7.2.4", "redis_mode": "cluster"}, "is a cluster"),
        ({"redis_version": "7.2.4", "maxmemory_policy": "allkeys-lfu"}, "maxmemory-policy allkeys-lfu"),
    ],
)
def test_what_is_wrong_with_a_server_is_said(facts: dict[str, Any], said: str) -> None:
    fault = fault_of(facts)
    assert fault is not None
    assert said in fault
