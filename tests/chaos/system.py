"""The real system under test: servers of its own, API and worker processes as they are shipped."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from pipeline.bootstrap import ApiParts, build_api, migrate, open_servers
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.embedded.port import free_port
from pipeline.errors import Unavailable
from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.chaos import history
from tests.chaos.keeper import Keeper, Part, keeping
from tests.chaos.load import Load, School, loading
from tests.chaos.proxy import Proxy, proxying
from tests.chaos.receiver import Receiver, receiving
from tests.chaos.witness import Witness
from tests.process import Process
from tests.samples import FIRST_QUESTIONS, new_tenant
from tests.sums import query

APIS: Final = ("api-1", "api-2")
WORKERS: Final = ("worker-1", "worker-2", "worker-3")
WORKER: Final = Part(("-m", "workers"))
LOOK_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 90.0
"""Longer than anything here may take: what is not there by then, waits for ever."""


class Stuck(Exception):
    """Something that must come did not come in time; the text says what, and how things stood."""


def chaos_settings(database_url: str, redis_url: str, home: Path) -> Settings:
    """Settings as shipped, but for what a run on one machine in minutes needs.

    Limits are off, webhooks may go to this machine, leases last 12 s instead of 30 and a webhook request 2 s
    instead of 10, so that a worker can be frozen beyond them in a short time.
    """
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        home=home,
        rate_limits="off",
        webhook_allow_private=True,
        lease_seconds=12.0,
        webhook_timeout_seconds=2.0,
    )


class System:
    """Everything a fault may touch, and the driver's own way into Postgres, which no fault is meant for."""

    def __init__(
        self,
        *,
        settings: Settings,
        postgres: EmbeddedPostgres,
        valkey: EmbeddedValkey,
        keeper: Keeper,
        parts: ApiParts,
        receiver: Receiver,
        ports: Mapping[str, int],
        proxies: Mapping[str, Proxy],
        chances: random.Random,
    ) -> None:
        self.settings = settings
        self.postgres = postgres
        self.valkey = valkey
        self.keeper = keeper
        self.parts = parts
        self.receiver = receiver
        self.proxies: Final = proxies
        """In front of each server; no process uses them unless a fault's scene says so."""
        self.addresses: Final = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self.chances: Final = chances
        """Where faults take their dice from."""
        self.load: Load | None = None
        """The load of the trial that runs."""
        self.witness: Witness | None = None
        """Who saw what providers were asked, where workers have any."""
        self._ports = ports
        self._client = httpx.AsyncClient(timeout=2.0)

    @property
    def workers(self) -> list[Process]:
        return [self.keeper[name] for name in self.keeper.names if name.startswith("worker")]

    @property
    def apis(self) -> list[Process]:
        return [self.keeper[name] for name in self.keeper.names if name.startswith("api")]

    @property
    def processes(self) -> list[Process]:
        return [*self.apis, *self.workers]

    @property
    def current_load(self) -> Load:
        """The load of the trial that runs; there is none between trials."""
        if self.load is None:
            raise RuntimeError("no trial runs")
        return self.load

    @property
    def current_witness(self) -> Witness:
        """Who saw what providers were asked; there is nobody unless a fault's scene brings one."""
        if self.witness is None:
            raise RuntimeError("no provider is there")
        return self.witness

    def shipped(self, name: str) -> Part:
        """A part as it is shipped."""
        if name in self._ports:
            return Part(("-m", "api"), {"GRADELINE_PORT": str(self._ports[name])})
        return WORKER

    def start_all(self) -> None:
        for name in (*APIS, *WORKERS):
            self.keeper.start(name, self.shipped(name))

    async def replace(self, name: str, number: int, part: Part) -> None:
        """Stop a part by a signal and start it again as `part`; ready when this returns."""
        await self.keeper.stop(name, number)
        self.keeper.start(name, part)
        await self.until(self.ready, f"{name} is ready again")

    async def replace_all(self, parts: Mapping[str, Part]) -> None:
        """Stop these parts in order, all at once, and start them again as they are given here."""
        await asyncio.gather(*[self.replace(name, signal.SIGTERM, part) for name, part in parts.items()])

    async def restore(self) -> None:
        """Servers run, and all processes are as shipped and ready."""
        for server in (self.postgres, self.valkey):
            await asyncio.to_thread(revive, server)
        await self.until(self.ready, "everything is ready")

    async def ready(self) -> bool:
        """Every API answers that it is ready, and Postgres has heard of every worker."""
        answers = await asyncio.gather(*[self._is_ready(self.addresses[name]) for name in APIS])
        known = {row.pid for row in await self.rows("SELECT pid FROM workers WHERE NOT stopping")}
        return all(answers) and {worker.pid for worker in self.workers} <= known

    async def _is_ready(self, address: str) -> bool:
        try:
            return (await self._client.get(f"{address}/health/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def new_school(self, name: str) -> School:
        tenant_id = await new_tenant(self.parts.servers.engine, name)
        await self.parts.bank.save(tenant_id, FIRST_QUESTIONS)
        key = await self.parts.access.create_key_in(tenant_id, Role.TEACHER, "chaos")
        return School(tenant_id, key.secret)

    @asynccontextmanager
    async def loaded(self, school: School, name: str) -> AsyncIterator[Load]:
        """A steady load inside the block; after it every client has had its answer or gave up."""
        async with loading(school, self.addresses, self.receiver.url, name) as load:
            self.load = load
            yield load

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        """Rows of a query; raises `Unavailable` where Postgres is away."""
        return await query(self.parts.servers.engine, sql, **values)

    async def count(self, sql: str, **values: Any) -> int:
        """The one number a query answers; raises `Unavailable` where Postgres is away."""
        return int((await self.rows(sql, **values))[0][0])

    async def until(
        self, condition: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait for a condition, which may find Postgres away; raises `Stuck` after the deadline."""
        deadline = time.monotonic() + seconds
        while not await self._holds(condition):
            if time.monotonic() > deadline:
                raise Stuck(f"waited {seconds:.0f} s in vain until {what}\n{self.keeper.last_words()}")
            await asyncio.sleep(LOOK_SECONDS)

    async def _holds(self, condition: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await condition()
        except Unavailable:
            return False

    async def close(self) -> None:
        await self._client.aclose()


def revive(server: EmbeddedPostgres | EmbeddedValkey) -> None:
    """Start a server that a fault killed, if the fault failed before it started it again."""
    try:
        _ = server.child
    except RuntimeError:
        server.start()


@asynccontextmanager
async def open_system(home: Path, chances: random.Random) -> AsyncIterator[System]:
    """The whole system, ready, in a home of its own."""
    with EmbeddedPostgres(home) as postgres, EmbeddedValkey(home) as valkey:
        settings = chaos_settings(postgres.url, valkey.url, home)
        await migrate(settings)
        async with (
            open_servers(settings, pool_size=4, pool_wait_seconds=5.0) as servers,
            receiving() as receiver,
            proxying(valkey.url) as before_valkey,
            proxying(postgres.url) as before_postgres,
            keeping(settings, home / "processes") as keeper,
        ):
            await history.install(servers.engine)
            system = System(
                settings=settings,
                postgres=postgres,
                valkey=valkey,
                keeper=keeper,
                parts=build_api(settings, servers),
                receiver=receiver,
                ports={name: free_port() for name in APIS},
                proxies={"valkey": before_valkey, "postgres": before_postgres},
                chances=chances,
            )
            try:
                system.start_all()
                await system.until(system.ready, "everything is ready")
                yield system
            finally:
                await system.close()
