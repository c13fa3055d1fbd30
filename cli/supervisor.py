"""All parts of one system on this machine: started in order, watched, stopped in order."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, NamedTuple

import httpx
import msgspec

from cli.connection import Connection, Keys, read_keys, remove_connection, write_connection, write_keys
from cli.crew import crew
from cli.interrupt import interruptible
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.embedded.child import Child, end_together, spawn
from pipeline.embedded.identity import prepare_home
from pipeline.embedded.lock import DirectoryLock
from pipeline.embedded.port import free_port, require_free
from pipeline.embedded.server import EmbeddedServer
from pipeline.errors import EnvironmentFault
from pipeline.llm.configuration import read_configuration
from pipeline.settings import Settings, variable_of

POLL_SECONDS: Final = 0.05
READY_SECONDS: Final = 60.0
PROBE_SECONDS: Final = 2.0
STOP_MARGIN_SECONDS: Final = 5.0  # beyond the time in which a part was told to finish its work


class Programs(NamedTuple):
    """The commands of the API and of a worker process."""

    api: Sequence[str]
    worker: Sequence[str]


PROGRAMS: Final = Programs((sys.executable, "-m", "api"), (sys.executable, "-m", "workers"))


def leave_empty(_settings: Settings, _keys: Keys) -> None:
    """Give a new installation nothing."""


class Plan(NamedTuple):
    """What a system consists of.

    `check` raises `EnvironmentFault` where the servers will not do; `migrate` brings the database to our
    schema; `ensure_keys` gives back the keys kept from an earlier start if they still open this
    database, and otherwise (or with None) new ones; `furnish` gives their tenant what it needs to begin with.
    All of them get settings with both addresses filled in.
    `environment` is what the API and the workers inherit beside the settings; None: all of ours.
    """

    settings: Settings
    workers: int
    check: Callable[[Settings], None]
    migrate: Callable[[Settings], None]
    ensure_keys: Callable[[Settings, Keys | None], Keys]
    furnish: Callable[[Settings, Keys], None] = leave_empty
    programs: Programs = PROGRAMS
    environment: Mapping[str, str] | None = None


class PartEnded(EnvironmentFault):
    """A part ended though nobody asked it to; the text is one line that names it and how it ended."""

    def __init__(self, part: Child, code: int) -> None:
        super().__init__(f"{part.name} ended unexpectedly with {describe(code)} (see {part.log})")
        self.part = part
        self.code = code


class System:
    """A system under way: its parts as they are started, and once it is ready how to reach it."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.servers: list[EmbeddedServer] = []
        self.programs: list[Child] = []

    @property
    def parts(self) -> list[Child]:
        """The processes we started: servers first, then the API, then workers."""
        return [*(server.child for server in self.servers), *self.programs]

    def check(self) -> None:
        """Raise `PartEnded` if a part ended by itself."""
        for part in self.parts:
            if (code := part.process.poll()) is not None:
                raise PartEnded(part, code)

    def wait(self) -> None:
        """Watch the parts; returns only by an exception: `PartEnded`, or what a signal raises."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def hurry(self) -> None:
        """Kill the API and the workers at once: Postgres keeps their work. Servers still stop in order."""
        for program in self.programs:
            program.process.kill()


@contextmanager
def running(plan: Plan, say: Callable[[str], None]) -> Iterator[System]:
    """A ready system inside the block, and none of its processes after it, however the block is left.

    Signals raise `Interrupted` out of the block. Raises `EnvironmentFault` in one line where something is
    in the way: the home or the port is in use, a server will not do, a part ended by itself.
    """
    settings = msgspec.structs.replace(plan.settings, home=plan.settings.home.absolute())
    system = System()
    with ExitStack() as stack:
        stack.enter_context(interruptible(system.hurry))
        prepare_home(settings.home)
        stack.enter_context(DirectoryLock(settings.home / "lock"))
        remove_connection(settings.home)  # left there if our predecessor was killed
        settings = choose_port(start_servers(system, settings, stack, say))
        keys = prepare_database(plan, settings, say)
        start_programs(system, plan, settings, stack, say)
        wait_until_ready(system, address_of(settings))
        system.connection = connection_to(system, settings, keys)
        stack.callback(remove_connection, settings.home)
        write_connection(settings.home, system.connection)
        yield system


def start_servers(system: System, settings: Settings, stack: ExitStack, say: Callable[[str], None]) -> Settings:
    """Start those of the servers that no setting names; the settings with both addresses."""

    def start(server: EmbeddedServer) -> str:
        say(f"starting {server.title} in {settings.home}")
        stack.callback(server.stop)
        url = server.start()
        system.servers.append(server)
        return url

    database_url = settings.database_url or start(EmbeddedPostgres(settings.home))
    redis_url = settings.redis_url or start(EmbeddedValkey(settings.home))
    return msgspec.structs.replace(settings, database_url=database_url, redis_url=redis_url)


def choose_port(settings: Settings) -> Settings:
    """The settings with a port that is free; raises `EnvironmentFault` if the one asked for is not."""
    if settings.port == 0:
        return msgspec.structs.replace(settings, port=free_port(settings.host))
    require_free(settings.port, settings.host)
    return settings


def prepare_database(plan: Plan, settings: Settings, say: Callable[[str], None]) -> Keys:
    """Bring the database to our schema; the keys that open it, the same at every start."""
    plan.check(settings)
    say("migrating the database")
    plan.migrate(settings)
    kept = read_keys(settings.home)
    keys = plan.ensure_keys(settings, kept)
    if keys != kept:
        write_keys(settings.home, keys)
    plan.furnish(settings, keys)
    return keys


def start_programs(
    system: System, plan: Plan, settings: Settings, stack: ExitStack, say: Callable[[str], None]
) -> None:
    """Start the API and the workers; on the way out workers stop first, so that clients see their results.

    Raises `SettingsError` where it cannot be made out which language models are to be asked.
    """
    environment = environment_of(settings, os.environ if plan.environment is None else plan.environment)
    seconds = settings.shutdown_seconds + STOP_MARGIN_SECONDS
    workers = crew(plan.workers, models=bool(read_configuration(settings, environment).routes))

    def start(name: str, command: Sequence[str]) -> None:
        # The kernel kills it if we are killed: Postgres, ending at the same moment, keeps its work.
        log = settings.home / "logs" / f"{name}.log"
        child = spawn(name, command, log=log, death_signal=signal.SIGKILL, environment=environment)
        system.programs.append(child)

    say("starting the API and the workers")
    stack.callback(lambda: end_together([api.process for api in system.programs[:1]], seconds))
    stack.callback(lambda: end_together([worker.process for worker in system.programs[1:]], seconds))
    start("api", plan.programs.api)
    for name, arguments in workers.items():
        start(name, (*plan.programs.worker, *arguments))


def wait_until_ready(system: System, url: str) -> None:
    """Ask the API until it says that it is ready; gives up when a part ends or time runs out."""
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(timeout=PROBE_SECONDS, trust_env=False) as client:
        while not says_ready(client, url):
            system.check()
            if time.monotonic() > deadline:
                raise EnvironmentFault(f"the API was not ready within {READY_SECONDS:.0f} s at {url}")
            time.sleep(POLL_SECONDS)
    system.check()


def says_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/health/ready").is_success
    except httpx.TransportError:
        return False


def connection_to(system: System, settings: Settings, keys: Keys) -> Connection:
    return Connection(
        url=address_of(settings),
        api_key=keys.api_key,
        operator_key=keys.operator_key,
        database_url=settings.database_url or "",
        redis_url=settings.redis_url or "",
        pids={part.name: part.pid for part in system.parts},
    )


def address_of(settings: Settings) -> str:
    """Where clients on this machine reach the API; an API that listens everywhere also listens here."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - recognised, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def environment_of(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """`base` with every setting as its variable, so that each part reads exactly the settings we use."""
    values = {variable_of(name): value for name, value in msgspec.structs.asdict(settings).items()}
    return {**base, **{name: as_text(value) for name, value in values.items() if value is not None}}


def as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def describe(code: int) -> str:
    """How a process ended, from its return code as `subprocess` gives it."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
