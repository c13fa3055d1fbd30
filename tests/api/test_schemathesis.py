"""Whatever the OpenAPI document allows to be sent, the answer is one that the document declares."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.documents import SUBMISSION_IN_EXAMPLE
from api.openapi import openapi_document
from pipeline.bootstrap import open_access, open_servers
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.store.bank import BankStore
from tests.api.conftest import QUESTION, TENANT, served
from tests.conftest import new_database

SCHEMA = schemathesis.openapi.from_dict(openapi_document(create_app(Settings())))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
ROLES = (Role.OPERATOR, Role.TEACHER, Role.SUBMITTER)


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """Lines are drawn as text already."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


class Running:
    """The API behind a port, in a thread of its own, with a key of every role."""

    def __init__(self, address: str, keys: Mapping[str, str]) -> None:
        self.address = address
        self.keys = keys

    def key_for(self, roles: list[str]) -> str:
        """A key that may make the call; any, where none may and a page's own token is asked for."""
        may = [role for role in ROLES if role in roles] or ROLES
        return self.keys[may[0]]


async def prepare(given: Settings) -> dict[str, str]:
    """Keys, and a bank that knows the questions that the document's examples answer."""
    async with open_access(given) as access:
        created = {role: await access.create_key(TENANT, role, role) for role in ROLES}
        tenant_id = (await access.authenticate(f"Bearer {created[Role.OPERATOR].secret}")).tenant_id
    question_ids = [answer["question_id"] for answer in SUBMISSION_IN_EXAMPLE["answers"]]
    async with open_servers(given, pool_size=1, pool_wait_seconds=5) as servers:
        bank = [parse_question(QUESTION, question_id=question_id) for question_id in question_ids]
        await BankStore(servers.engine).save(tenant_id, bank)
    return {role: key.secret for role, key in created.items()}


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, template: str, valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    database = new_database(postgres, template)
    given = Settings(
        database_url=next(database), redis_url=valkey.url, home=tmp_path_factory.mktemp("home"), rate_limits="off"
    )
    keys = asyncio.run(prepare(given))
    found: list[str] = []
    listening = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with served(create_app(given)) as address:
            found.append(address)
            listening.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert listening.wait(30), "the API did not start"
    yield Running(found[0], keys)
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()
    next(database, None)


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_a_declared_one(case: schemathesis.Case[Any], running: Running) -> None:
    """With a key that may: no server errors, and statuses, media types, headers and bodies as declared."""
    key = running.key_for(case.operation.definition.raw["x-roles"])
    case.call_and_validate(
        base_url=running.address, headers={"Authorization": f"Bearer {key}"}, checks=CHECKS, timeout=20
    )
