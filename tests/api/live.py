"""A real server on a free port, and workers on the same servers where a test wants them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from sqlalchemy import text

from api.server import Server, create_server
from pipeline.bootstrap import ApiParts, build_worker, open_servers
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.store.engine import transaction
from tests.api.furnishing import new_key, save_questions
from tests.api.installation import question
from tests.api.running import documentation
from workers.process import serve

TENANTS = ("school", "academy")
ROLES = (Role.SUBMITTER, Role.TEACHER, Role.OPERATOR)
TABLES = ("submissions", "answers", "stages", "learners")


class LiveApi:
    """A client of a real server. Calls are made with a tenant's key of a role."""

    def __init__(self, http: httpx.AsyncClient, server: Server, parts: ApiParts, keys: Mapping[Any, str]) -> None:
        self.http = http
        self.server = server
        self.parts = parts
        self.keys = keys

    def credential(self, role: Role = Role.SUBMITTER, tenant: str = "school") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[tenant, role]}"}

    async def get(
        self, path: str, known: str | None = None, *, role: Role = Role.TEACHER, tenant: str = "school"
    ) -> httpx.Response:
        """Read; `known` goes as `If-None-Match`."""
        condition = {} if known is None else {"If-None-Match": known}
        return await self.http.get(path, headers=self.credential(role, tenant) | condition)

    async def post(
        self, path: str, body: Any = None, role: Role = Role.SUBMITTER, tenant: str = "school", **headers: str
    ) -> httpx.Response:
        """Send a body: bytes as they are, anything else as JSON; underscores in header names stand for dashes."""
        content = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": "application/json"} | self.credential(role, tenant) | named
        return await self.http.post(path, content=content, headers=sent)

    async def hand_in(self, learner_id: str = "u-1", response: Any = "a", **fields: Any) -> str:
        """Hand in one answer; answers the submission's id."""
        answer = await self.post("/v1/submissions", hand_in(learner_id, response, **fields))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def learner_credential(self, learner_id: str) -> dict[str, str]:
        """The header of a learner's own token."""
        principal = await self.parts.access.authenticate(self.credential()["Authorization"])
        token = (await self.parts.access.mint_token(principal, learner_id, 60)).token
        return {"Authorization": f"Bearer {token}"}

    async def counts(self) -> dict[str, int]:
        """How many rows a hand-in could have left."""
        async with transaction(self.parts.servers.engine) as connection:
            return {
                table: int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
                for table in TABLES
            }


def hand_in(learner_id: str = "u-1", response: Any = "a", **fields: Any) -> dict[str, Any]:
    """A hand-in with one answer, to `q-1`."""
    return {"learner_id": learner_id, "answers": [{"question_id": "q-1", "response": response}], **fields}


@asynccontextmanager
async def live_api(settings: Settings) -> AsyncIterator[LiveApi]:
    """A server that listens, two tenants' keys, and the questions `q-1` and `q-2` in both banks."""
    server = create_server(settings, documentation())
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
            await asyncio.sleep(0.01)
    parts: ApiParts = server.app.state.parts
    keys = {(tenant, role): await new_key(parts, tenant, role) for tenant in TENANTS for role in ROLES}
    for tenant in TENANTS:
        principal = await parts.access.authenticate(f"Bearer {keys[tenant, Role.TEACHER]}")
        questions = [parse_question(question(f"q-{n}")) for n in (1, 2)]
        await save_questions(parts, principal.tenant_id, questions)
    port = server.servers[0].sockets[0].getsockname()[1]
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits) as http:
        try:
            yield LiveApi(http, server, parts, keys)
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def workers(settings: Settings) -> AsyncIterator[None]:
    """Workers of all stages, as a worker process has them."""
    stop = asyncio.Event()
    async with open_servers(settings, pool_size=6, pool_wait_seconds=30) as servers:
        parts = build_worker(settings, servers)
        await parts.heartbeat.introduce()
        working = asyncio.create_task(serve(parts, stop, 4))
        try:
            yield
        finally:
            stop.set()
            with contextlib.suppress(asyncio.CancelledError):
                await working
