"""The systems that are compared, each as a complete system on this machine with servers of its own."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import create_engine

from benchmarks.peers.coursework.tables import Base
from cli.connection import Connection, Keys
from cli.own_system import own_system
from cli.supervisor import Plan, Programs, environment_of, running
from pipeline.embedded.port import free_port
from pipeline.errors import EnvironmentFault
from pipeline.settings import Settings, read_settings
from pipeline.store.engine import driver_url

CHECKOUT: Final = Path(__file__).parents[2]
PEERS_PYTHON: Final = CHECKOUT / ".venv-bench" / "bin" / "python"
PEERS_KEY: Final = "a-key-for-measuring"

Say = Callable[[str], None]


class Contender(NamedTuple):
    """A system: its letter in the tables, its name, what it is, and how to start its parts.

    `api` and `worker` are arguments for Python; of a system without them, Gradeline itself is started. One
    API process, and `workers` of the commands `worker`.
    """

    letter: str
    name: str
    title: str
    api: str = ""
    worker: tuple[str, ...] = ()
    workers: int = 1
    prepare: tuple[str, ...] = ()
    """Arguments for Python that complete the empty database, beside our tables."""


PROCRASTINATE: Final = ("procrastinate", "--app", "benchmarks.peers.procrastinate_only.tasks.app")

CONTENDERS: Final = (
    Contender("a", "gradeline", "Gradeline"),
    Contender(
        "b",
        "celery",
        "FastAPI, Celery on Redis, an ORM session per task",
        "benchmarks.peers.celery_orm.api",
        ("celery", "-A", "benchmarks.peers.celery_orm.tasks", "worker", "--concurrency", "4", "--loglevel", "WARNING"),
    ),
    Contender(
        "c",
        "dramatiq",
        "FastAPI, a plain Dramatiq chain on Redis, SQL",
        "benchmarks.peers.dramatiq_chain.api",
        ("dramatiq", "benchmarks.peers.dramatiq_chain.actors", "--processes", "2", "--threads", "4"),
    ),
    Contender(
        "d",
        "procrastinate",
        "FastAPI, procrastinate on Postgres alone, SQL",
        "benchmarks.peers.procrastinate_only.api",
        (*PROCRASTINATE, "worker", "--concurrency", "10", "--delete-jobs", "successful"),
        workers=2,
        prepare=(*PROCRASTINATE, "schema", "--apply"),
    ),
)


@contextmanager
def started(contender: Contender, say: Say) -> Iterator[Connection]:
    """A contender's whole system, ready, with an empty database; nothing of it is left afterwards."""
    if not contender.api:
        with own_system(None, contender.workers, say) as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        settings = msgspec.structs.replace(
            read_settings(), home=Path(folder) / "home", database_url=None, redis_url=None, port=free_port()
        )
        plan = Plan(
            settings,
            contender.workers,
            check,
            partial(prepare, contender),
            keys,
            programs=programs(contender, settings.port),
        )
        with running(plan, say) as system:
            if system.connection is None:
                raise EnvironmentFault("the system did not say where it is")
            yield system.connection


def programs(contender: Contender, port: int) -> Programs:
    """The commands of a peer's parts, in their environment, with our pure functions in reach."""
    if not PEERS_PYTHON.exists():
        raise EnvironmentFault("the packages of the other systems are not there; run make bench")
    uvicorn = ("uvicorn", f"{contender.api}:app", "--port", str(port), "--no-access-log", "--log-level", "warning")
    return Programs(python(uvicorn), python(contender.worker))


def python(arguments: Sequence[str]) -> list[str]:
    return ["/usr/bin/env", f"PYTHONPATH={CHECKOUT}", str(PEERS_PYTHON), "-m", *arguments]


def check(_: Settings) -> None:
    """Nothing: the servers are our own."""


def prepare(contender: Contender, settings: Settings) -> None:
    """The peers' tables in an empty database, and whatever else this one needs there."""
    engine = create_engine(driver_url(settings.database_url or ""))
    Base.metadata.create_all(engine)
    engine.dispose()
    if contender.prepare:
        subprocess.run(  # noqa: S603 - our own list of commands
            python(contender.prepare), env=environment_of(settings, os.environ), check=True, stdout=subprocess.DEVNULL
        )


def keys(_: Settings, __: Keys | None) -> Keys:
    """The one key of a peer."""
    return Keys(api_key=PEERS_KEY, operator_key=PEERS_KEY)
