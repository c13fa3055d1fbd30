"""The OpenAPI document: complete, true to the code, and equal to the one under version control."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from api.app import create_app
from api.description import OPTION
from api.documents import SUBMISSION_EXAMPLE, SUBMISSION_IN_EXAMPLE, SubmissionDocument
from api.openapi import openapi_document
from pipeline.service.hand_in import SubmissionIn
from pipeline.settings import Settings

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(create_app(Settings()))


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def test_the_committed_document_is_the_one_the_code_writes(document: dict[str, Any]) -> None:
    """`make fix` brings the two together again."""
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == json.loads(json.dumps(document))


def undescribed_paths(app: Litestar) -> list[str]:
    """The paths whose handlers say nothing about themselves."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    return [
        f"{min(handler.http_methods)} {route.path_format}"
        for route in routes
        for handler in route.route_handlers
        if OPTION not in handler.opt and set(handler.http_methods) != {"OPTIONS"}
    ]


def test_every_handler_describes_itself() -> None:
    assert undescribed_paths(create_app(Settings())) == []


def test_every_operation_has_its_own_id_and_a_summary(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for operation in operations(document))


def test_every_reference_leads_to_a_component(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    names = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert names <= set(document["components"]["schemas"])
    assert names


def test_no_component_is_named_after_a_module_of_ours(document: dict[str, Any]) -> None:
    """Two types of one name would be: then moving one would change what clients generate."""
    assert [name for name in document["components"]["schemas"] if "." in name] == []


def test_every_protected_operation_declares_its_refusals(document: dict[str, Any]) -> None:
    protected = [operation for operation in operations(document) if operation["security"]]
    assert all({"401", "403", "503"} <= operation["responses"].keys() for operation in protected)


def test_the_examples_are_valid() -> None:
    assert msgspec.convert(SUBMISSION_IN_EXAMPLE, SubmissionIn).learner_id == "u-17"
    assert msgspec.convert(SUBMISSION_EXAMPLE, SubmissionDocument).version == 4
