"""Tenants don't meet, and no credential does more than its role: on every route, none left out."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest
from litestar.routes import HTTPRoute
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from api.app import create_app
from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.store.engine import create_engine, transaction
from pipeline.store.operations import ANOTHER_TENANT
from pipeline.store.schema import metadata
from tests.api.installation import KEY_ROLES, Caller, Installation, question
from tests.api.routes import PAGES, ROUTES, Foreign, Route, filled

MARK: Final = "only-for-the-school"
CURRICULUM: Final = {
    "categories": [{"id": "their-path", "title": MARK, "months": 1, "tracks": ["their-track"]}],
    "tracks": [{"id": "their-track", "title": MARK, "modules": ["their-module"]}],
    "modules": [{"id": "their-module", "title": MARK, "difficulty": 1, "hours": 1}],
    "resources": [
        {"id": "their-resource", "title": MARK, "kind": "video", "url": "https://example.org/", "topics": ["t"]}
    ],
    "projects": [{"id": "their-project", "title": MARK, "description": MARK, "difficulty": 1, "topics": ["t"]}],
}
GROUP: Final = "class-7b"
NOT_TOLD_APART: Final = {"HEAD", "OPTIONS"}

SET_THE_SCENE: Final = """
WITH dead AS (
    UPDATE stages SET state = 'dead', available_at = NULL, attempts = 1, epoch = 1, finished_at = now()
    WHERE submission_id = CAST(:dead_id AS uuid) AND stage = 'score' RETURNING tenant_id
), failed AS (
    UPDATE submissions SET status = 'failed', version = 2 WHERE id = CAST(:dead_id AS uuid)
), hook AS (
    INSERT INTO webhooks (id, tenant_id, url, secret, events)
    SELECT CAST(:webhook_id AS uuid), tenant_id, 'https://example.org/' || :mark, 'whsec_dGVzdA==',
        ARRAY['submission.completed'] FROM dead
), delivery AS (
    INSERT INTO deliveries (id, tenant_id, submission_id, webhook_id, event, url, lane, payload, state, finished_at)
    SELECT CAST(:delivery_id AS uuid), tenant_id, CAST(:dead_id AS uuid), CAST(:webhook_id AS uuid),
        'submission.completed', 'https://example.org/' || :mark, 'example.org', '{}', 'dead', now() FROM dead
), generated AS (
    INSERT INTO generations (id, tenant_id, kind, state, input, result, attempts, epoch, finished_at)
    SELECT CAST(:generation_id AS uuid), tenant_id, 'questions', 'completed', jsonb_build_object('mark', :mark),
        jsonb_build_object('drafts', '[]'::jsonb), 1, 1, now() FROM dead
)
INSERT INTO audit_log (id, tenant_id, actor, action, target)
SELECT CAST(:delivery_id AS uuid), tenant_id, 'key:1', 'submission.retry', jsonb_build_object('mark', :mark) FROM dead
"""


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(str(settings.database_url), pool_size=1)
    yield engine
    await engine.dispose()


async def school_things(installation: Installation, engine: AsyncEngine) -> dict[str, str]:
    """One of everything in the school: two submissions, one of them dead, and what else has an id."""
    teacher = installation.caller()
    await teacher.put("/v1/questions/theirs", question("theirs", prompt=MARK))
    assert (await teacher.post("/v1/curriculum/import", CURRICULUM)).status_code == 200
    await teacher.put(f"/v1/groups/{GROUP}", {"name": MARK})
    await teacher.put(f"/v1/groups/{GROUP}/members", {"learner_ids": ["ada"]})
    ids = [await teacher.hand_in("ada", {"theirs": "a"}, assignment_id=MARK) for _ in range(2)]
    await installation.run(ids[:1])
    made = {"webhook_id": str(uuid7()), "delivery_id": str(uuid7()), "generation_id": str(uuid7())}
    async with transaction(engine) as connection:
        await connection.execute(text(SET_THE_SCENE), {"dead_id": ids[1], "mark": MARK, **made})
        key = (await connection.execute(text("SELECT min(id::text) FROM api_keys WHERE tenant_id = 1"))).scalar_one()
    return {
        "question_id": "theirs",
        "submission_id": ids[1],
        "learner_id": "ada",
        "category_id": "their-path",
        "track_id": "their-track",
        "module_id": "their-module",
        "resource_id": "their-resource",
        "project_id": "their-project",
        "stage": "score",
        "job": "expiry",
        "key_id": key,
        "group_id": GROUP,
        **made,
    }


async def school_rows(engine: AsyncEngine) -> dict[str, list[str]]:
    """Every row of the school in every table, but for what it is told of the queues, which are everybody's."""
    tables = [table for table in metadata.sorted_tables if "tenant_id" in table.columns]
    async with transaction(engine) as connection:
        rows = {
            table.name: (
                await connection.execute(text(f"SELECT t::text FROM {table.name} t WHERE tenant_id = 1"))
            ).scalars()
            for table in tables
        }
    return {name: sorted(row for row in found if ANOTHER_TENANT not in row) for name, found in rows.items()}


async def call(caller: Caller, route: Route, ids: Mapping[str, str]) -> Any:
    body = filled(route.body, ids)
    headers = {} if body is None else {"Content-Type": route.content_type}
    return await caller.call(route.method, filled(route.path + route.query, ids), body, **headers)


def served(settings: Settings) -> set[tuple[str, str]]:
    """Method and path of every route of the application."""
    routes = [route for route in create_app(settings).routes if isinstance(route, HTTPRoute)]
    return {
        (method, route.path_format)
        for route in routes
        for handler in route.route_handlers
        for method in handler.http_methods - NOT_TOLD_APART
    }


def test_the_table_lists_every_route_and_no_other() -> None:
    """A new route has to say there who may call it and what other tenants see of it."""
    listed = {(route.method, route.path) for route in ROUTES}
    assert listed | PAGES == served(Settings()), "list these in tests/api/routes.py"


async def test_another_tenant_sees_nothing_and_changes_nothing(installation: Installation, engine: AsyncEngine) -> None:
    """With the ids of the school's things, the academy's keys get 404 on each and empty lists of all."""
    ids = await school_things(installation, engine)
    before = await school_rows(engine)
    things = {ids[name] for name in ("submission_id", "webhook_id", "delivery_id", "key_id")}
    wrong = []
    for route in sorted(ROUTES, key=lambda one: one.foreign is Foreign.OWN):  # first those that make nothing
        role = min(route.roles.intersection(KEY_ROLES))
        answer = await call(installation.caller(role, "academy"), route, ids)
        if route.foreign is Foreign.NOT_FOUND and answer.status_code != 404:
            wrong.append((route.method, route.path, answer.status_code))
        if route.foreign is Foreign.UNKNOWN and answer.status_code != 422:
            wrong.append((route.method, route.path, answer.status_code))
        if route.foreign is Foreign.EMPTY and answer.json() != {"items": [], "next": None}:
            wrong.append((route.method, route.path, answer.text))
        told = {MARK} | (things if route.method == "GET" and answer.is_success else set())
        if any(one in answer.text for one in told):
            wrong.append((route.method, route.path, answer.text))
        if answer.is_server_error:
            wrong.append((route.method, route.path, answer.text))
    assert wrong == []
    assert await school_rows(engine) == before


async def test_the_owner_sees_what_others_do_not(installation: Installation, engine: AsyncEngine) -> None:
    """Or the test above would be passed by an application that shows nobody anything."""
    ids = await school_things(installation, engine)
    reading = [route for route in ROUTES if route.method == "GET" and route.foreign is not Foreign.PUBLIC]
    wrong = []
    for route in reading:
        if route.path.endswith("/events"):
            continue  # a stream; its own tests read it
        answer = await call(installation.caller(min(route.roles.intersection(KEY_ROLES))), route, ids)
        if answer.status_code != 200 or (route.foreign is Foreign.EMPTY and not answer.json()["items"]):
            wrong.append((route.path, answer.status_code, answer.text))
    assert wrong == []


NOTHING: Final = {
    "question_id": "none",
    "submission_id": "00000000-0000-0000-0000-000000000000",
    "learner_id": "nobody",
    "category_id": "none",
    "track_id": "none",
    "module_id": "none",
    "stage": "nowhere",
    "job": "nothing",
    "group_id": "none",
    "key_id": "00000000-0000-0000-0000-000000000000",
    "webhook_id": "00000000-0000-0000-0000-000000000000",
    "delivery_id": "00000000-0000-0000-0000-000000000000",
}


async def test_a_role_is_let_in_where_it_belongs_and_nowhere_else(installation: Installation) -> None:
    """403 tells that a role may not; whoever may gets any other answer, here mostly a 404."""
    token = (await installation.caller(Role.SUBMITTER).post("/v1/learners/nobody/token")).json()["token"]
    page_token = (await installation.caller().post("/v1/pages/token")).json()["token"]
    settling_token = (await installation.caller().post("/v1/pages/token", {"settle": True})).json()["token"]
    tokens = {
        Role.LEARNER: installation.bearer(token),
        Role.VIEWER: installation.bearer(page_token),
        Role.REVIEWER: installation.bearer(settling_token),
    }
    callers = {role: installation.caller(role) for role in KEY_ROLES} | tokens
    wrong = []
    for route in ROUTES:
        for role, caller in callers.items():
            answer = await call(caller, route, NOTHING)
            may = answer.status_code not in (401, 403)
            if may is not (role in route.roles) or answer.status_code >= 500:
                wrong.append((route.method, route.path, str(role), answer.status_code))
    assert wrong == []


async def test_without_a_credential_only_public_routes_answer(installation: Installation) -> None:
    wrong = []
    for route in ROUTES:
        for credential in (None, "gl_made-up", "made.up.token"):
            answer = await call(installation.bearer(credential), route, NOTHING)
            if (answer.status_code == 401) is (route.foreign is Foreign.PUBLIC):
                wrong.append((route.method, route.path, credential, answer.status_code))
    assert wrong == []


async def test_a_learner_token_reads_its_learner_only(installation: Installation, engine: AsyncEngine) -> None:
    """Another learner of the same tenant does not exist for it."""
    ids = await school_things(installation, engine)
    submitter = installation.caller(Role.SUBMITTER)
    own, other = [
        installation.bearer((await submitter.post(f"/v1/learners/{learner}/token")).json()["token"])
        for learner in ("ada", "bob")
    ]
    for path in (f"/v1/submissions/{ids['submission_id']}", "/v1/learners/ada/skills"):
        assert (await own.get(path)).status_code == 200
        assert (await other.get(path)).status_code == 404
    assert (await other.get(f"/v1/submissions/{ids['submission_id']}/events")).status_code == 404
    for path in ("/v1/submissions", "/v1/submissions?learner_id=ada", f"/v1/submissions?assignment_id={MARK}"):
        assert len((await own.get(path)).json()["items"]) == 2
        assert (await other.get(path)).json()["items"] == []
