"""Who may make which call: the document's word on roles, tried out on every call."""

import re
from typing import Any

import pytest

from api.app import create_app
from api.description import PAGE_COOKIE
from api.openapi import openapi_document
from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.conftest import Api

ANY_ID = "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"


@pytest.fixture(scope="module")
def protected() -> list[tuple[str, str, dict[str, Any]]]:
    """Every call that needs a key: method, a path with ids filled in, and its operation."""
    paths = openapi_document(create_app(Settings()))["paths"]
    return [
        (method.upper(), re.sub(r"\{[^}]+\}", ANY_ID, path), operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if {"bearer": []} in operation["security"]
    ]


async def test_no_call_is_answered_without_a_key(api: Api, protected: list[tuple[str, str, dict[str, Any]]]) -> None:
    for method, path, _ in protected:
        refused = await api.call(method, path, None)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer"), (method, path)
        assert (await api.call(method, path, key="gl_nonsense")).status_code == 401, (method, path)


async def test_a_role_that_is_not_named_is_refused(api: Api, protected: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Before anything of the request is looked at, so that a refusal tells nothing else."""
    principal = await api.parts.access.authenticate(f"Bearer {api.keys[Role.OPERATOR]}")
    token = await api.parts.access.mint_token(principal, "u-1", 60)
    keys = {**api.keys, Role.LEARNER: token.token}
    refused = 0
    for method, path, operation in protected:
        for role in set(keys) - set(operation["x-roles"]):
            answered = await api.call(method, path, key=keys[role])
            assert answered.status_code == 403, (method, path, role)
            refused += 1
    assert refused > len(protected)


async def test_every_call_that_takes_nothing_public_is_protected() -> None:
    """What needs no key is this and nothing else."""
    paths = openapi_document(create_app(Settings()))["paths"]
    public = {path for path, methods in paths.items() for one in methods.values() if not one["security"]}
    documents = {"/", "/schema", "/schema/openapi.json"}
    assert public == {"/health", "/health/live", "/health/ready", "/pages/enter", *documents}


async def test_a_page_names_the_tokens_that_open_it(api: Api) -> None:
    """No key does, whatever it may read elsewhere; and of the tokens only these."""
    principal = await api.parts.access.authenticate(f"Bearer {api.keys[Role.OPERATOR]}")
    tokens = {
        Role.LEARNER: (await api.parts.access.mint_token(principal, "u-1", 60)).token,
        Role.VIEWER: (await api.parts.access.mint_page_token(principal, 60)).token,
        Role.REVIEWER: (await api.parts.access.mint_page_token(principal, 60, settle=True)).token,
    }
    paths = openapi_document(create_app(Settings()))["paths"]
    pages = {path: one["get"] for path, one in paths.items() if {"page": []} in one.get("get", {}).get("security", ())}
    assert {path: operation["x-roles"] for path, operation in pages.items()} == {
        "/pages/learner": ["learner"],
        "/pages/teacher": ["viewer", "reviewer"],
        "/pages/teacher/careers": ["viewer", "reviewer"],
        "/pages/teacher/items": ["viewer", "reviewer"],
        "/pages/teacher/items/{question_id}": ["viewer", "reviewer"],
        "/pages/teacher/review": ["reviewer"],
        "/pages/teacher/review/answer": ["reviewer"],
    }
    for path, operation in pages.items():
        for role, secret in {**api.keys, **tokens}.items():
            cookie = {"Cookie": f"{PAGE_COOKIE}={secret}"}
            answered = await api.call("GET", path.replace("{question_id}", ANY_ID), None, headers=cookie)
            opened = answered.status_code not in {401, 403}
            assert opened is (role in operation["x-roles"]), (path, role, answered.status_code)
