"""An installation in one process: calls go through the application, stages run when a test says so."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec

from api.app import create_app
from api.lane import with_lane
from pipeline.bootstrap import WorkerParts, open_servers
from pipeline.lifecycle import Stage
from pipeline.service.access import Access, Role
from pipeline.settings import Settings
from pipeline.store.access import AccessStore
from tests.api.running import documentation, running
from tests.staging import build_stage_by_stage

KEY_ROLES: Final = (Role.SUBMITTER, Role.TEACHER, Role.OPERATOR)


def question(question_id: str, **changes: Any) -> dict[str, Any]:
    """A question as a teacher writes it: choose between a and b, a is right."""
    return {
        "id": question_id,
        "type": "single_choice",
        "prompt": "Which one?",
        "options": [{"id": "a", "text": "this"}, {"id": "b", "text": "that"}],
        "answer": {"option": "a"},
        "topics": ["choosing"],
        **changes,
    }


class Caller:
    """One credential on the application."""

    def __init__(self, client: httpx.AsyncClient, credential: str | None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {credential}"} if credential else {}

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = msgspec.json.encode(body) if body is not None and not isinstance(body, bytes) else body
        sent = self._headers | ({"Content-Type": "application/json"} if content is not None else {}) | headers
        return await self._client.request(method, path, content=content, headers=sent)

    async def get(self, path: str) -> httpx.Response:
        return await self.call("GET", path)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.call("PUT", path, body)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.call("POST", path, body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.call("DELETE", path)

    async def import_lines(self, content: bytes) -> httpx.Response:
        return await self.call("POST", "/v1/questions/import", content, **{"Content-Type": "application/x-ndjson"})

    async def hand_in(self, learner_id: str, responses: Mapping[str, Any], **fields: Any) -> str:
        """Hand in answers by question id; answers the submission's id."""
        answers = [{"question_id": id_, "response": response} for id_, response in responses.items()]
        answer = await self.post("/v1/submissions", {"learner_id": learner_id, "answers": answers, **fields})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])


class Installation:
    """The application, a worker's parts, and everybody who may call."""

    def __init__(self, client: httpx.AsyncClient, worker: WorkerParts, keys: Mapping[tuple[str, Role], str]) -> None:
        self._client = client
        self.worker = worker
        self._keys = keys

    def caller(self, role: Role = Role.TEACHER, tenant: str = "school") -> Caller:
        return self.bearer(self._keys[tenant, role])

    def bearer(self, credential: str | None) -> Caller:
        return Caller(self._client, credential)

    async def run(self, ids: Sequence[str], stages: Sequence[Stage] = tuple(Stage)) -> None:
        """Run these stages of these submissions, as far as they are ready."""
        for stage in stages:
            await self.worker.runners[stage].ring(ids)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Installation]:
    app = create_app(settings, documentation())
    served = with_lane(app, most_bytes=settings.max_body_bytes)
    transport = httpx.ASGITransport(app=served, raise_app_exceptions=False)
    async with (
        open_servers(settings, pool_size=6, pool_wait_seconds=5) as servers,
        running(app),
        httpx.AsyncClient(transport=transport, base_url="http://gradeline") as client,
    ):
        access = Access(AccessStore(servers.engine), cache_seconds=0)
        keys = {
            (tenant, role): (await access.create_key(tenant, role, role)).secret
            for tenant in ("school", "academy")
            for role in KEY_ROLES
        }
        yield Installation(client, build_stage_by_stage(settings, servers), keys)
