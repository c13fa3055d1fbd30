"""The API in this process, on real servers, with a key of every role and a stranger's."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from litestar import Litestar

from api.app import create_app
from api.lane import with_lane
from pipeline.bootstrap import ApiParts
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.furnishing import new_key, save_questions
from tests.api.installation import Installation, opened
from tests.api.live import LiveApi, live_api, workers
from tests.api.running import documentation, running

TENANT, OTHER_TENANT = "school", "rival"
QUESTION = {
    "type": "single_choice",
    "prompt": "What does range(3) start with?",
    "answer": {"option": "a"},
    "options": [{"id": "a", "text": "0"}, {"id": "b", "text": "1"}],
    "topics": ["loops"],
}
HAND_IN = {"learner_id": "u-1", "answers": [{"question_id": "q-1", "response": "a"}]}


class Api:
    """A client of the API; `keys` are API keys by role, `stranger` is another tenant's operator's."""

    def __init__(self, http: httpx.AsyncClient, parts: ApiParts, keys: Mapping[Role, str], stranger: str) -> None:
        self.http = http
        self.parts = parts
        self.keys = keys
        self.stranger = stranger

    async def call(
        self, method: str, path: str, role: Role | None = Role.OPERATOR, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """One call with a role's key (None: without any), or with `key`."""
        secret = key or (None if role is None else self.keys[role])
        headers = {**({} if secret is None else {"Authorization": f"Bearer {secret}"}), **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def tenant_id(self, key: str | None = None) -> int:
        return (await self.parts.access.authenticate(f"Bearer {key or self.keys[Role.OPERATOR]}")).tenant_id

    async def save_question(self) -> None:
        """Put the question `q-1` into the bank of both tenants."""
        for key in (self.keys[Role.OPERATOR], self.stranger):
            await save_questions(self.parts, await self.tenant_id(key), [parse_question(QUESTION, question_id="q-1")])

    async def hand_in(self, key: str | None = None) -> str:
        """Hand in an answer to `q-1`; answers the submission's id."""
        answered = await self.call("POST", "/v1/submissions", Role.SUBMITTER, key=key, json=HAND_IN)
        assert answered.status_code == 202, answered.text
        return str(answered.json()["id"])


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    app = create_app(settings, documentation())
    async with running(app):
        parts: ApiParts = app.state.parts
        roles = (Role.SUBMITTER, Role.TEACHER, Role.OPERATOR)
        keys = {role: await new_key(parts, TENANT, role) for role in roles}
        stranger = await new_key(parts, OTHER_TENANT, Role.OPERATOR, "stranger")
        served = with_lane(app, most_bytes=settings.max_body_bytes)
        transport = httpx.ASGITransport(app=served, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gradeline") as http:
            yield Api(http, parts, keys, stranger)


@pytest.fixture
async def installation(settings: Settings) -> AsyncIterator[Installation]:
    """A whole installation: the API, a worker's stages run by hand, and a key per role of two tenants."""
    async with opened(settings) as installation:
        yield installation


class AnnouncedServer(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @property
    def address(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"


@asynccontextmanager
async def served(app: Litestar) -> AsyncIterator[str]:
    """The application behind a real port; answers its address."""
    server = AnnouncedServer(uvicorn.Config(app, port=0, log_level="warning", ws="none"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        await server.listening.wait()
    yield server.address
    server.should_exit = True
    await serving


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveApi]:
    """A server that listens, without workers."""
    async with live_api(settings) as api:
        yield api


@pytest.fixture
async def working(settings: Settings) -> AsyncIterator[None]:
    """Workers of all stages."""
    async with workers(settings):
        yield
