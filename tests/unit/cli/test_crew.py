"""Who works on what in a system of one machine."""

import pytest

from cli.crew import crew
from cli.process import QUEUES


def test_without_models_every_worker_takes_all_there_is() -> None:
    assert crew(2, models=False) == {"worker-1": (), "worker-2": ()}


@pytest.mark.parametrize("count", [1, 3])
def test_whoever_asks_models_does_nothing_else_and_nobody_else_does(count: int) -> None:
    workers = crew(count, models=True)
    queues = {name: set(arguments[1].split(",")) for name, arguments in workers.items()}
    models = queues.pop("worker-models")
    assert len(queues) == count
    assert models == {"feedback", "generate"}
    assert all(own == set(QUEUES) - models for own in queues.values())
