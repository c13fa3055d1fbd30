"""Query strings and media types, read with every problem found at once."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import pytest
from litestar.testing import RequestFactory

from api.reading import query_of, require_media_type
from pipeline.errors import InvalidInput, UnsupportedMediaType
from pipeline.lifecycle import Stage


class Query(msgspec.Struct, frozen=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)]
    stage: Stage | None = None
    stages: list[Stage] | None = None
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def read(*pairs: tuple[str, str]) -> Query:
    values: dict[str, str | list[str]] = {}
    for name, value in pairs:
        values[name] = [*values.get(name, []), value]
    return query_of(RequestFactory().get("/", query_params=values), Query)


def pointers(*pairs: tuple[str, str]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        read(*pairs)
    return [problem.pointer for problem in refused.value.problems]


def test_values_become_what_the_fields_say() -> None:
    query = read(("limit", "7"), ("stage", "score"), ("since", "2026-01-31T09:00:00Z"))
    assert query == Query(7, Stage.SCORE, None, datetime(2026, 1, 31, 9, tzinfo=UTC))


def test_a_list_takes_every_value() -> None:
    assert read(("limit", "7"), ("stages", "score"), ("stages", "metrics")).stages == [Stage.SCORE, Stage.METRICS]


def test_every_problem_is_named_at_once() -> None:
    assert pointers(("limit", "0"), ("stage", "none"), ("colour", "red")) == ["/colour", "/limit", "/stage"]


def test_what_is_required_is_missed() -> None:
    assert pointers() == ["/limit"]


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "1e400"), ("since", "2026-01-31T09:00:00"), ("stage", ""), ("stages", "\x00")]
)
def test_values_of_the_wrong_kind_are_refused(name: str, value: str) -> None:
    others = [] if name == "limit" else [("limit", "7")]
    assert [pointer.split("/")[1] for pointer in pointers((name, value), *others)] == [name]


def test_a_single_value_may_not_come_twice() -> None:
    assert pointers(("limit", "7"), ("limit", "8")) == ["/limit"]


@pytest.mark.parametrize("given", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_media_type_is_compared_without_its_parameters(given: str) -> None:
    assert require_media_type({"content-type": given}, "application/json") == "application/json"


def test_a_body_without_a_media_type_is_taken_for_the_first() -> None:
    assert require_media_type({}, "application/x-ndjson", "application/json") == "application/x-ndjson"


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_body_is_refused_by_the_name_of_its_coding(coding: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=coding):
        require_media_type({"content-type": "application/json", "content-encoding": coding}, "application/json")


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_a_body_that_is_said_to_be_as_it_is_is_read(coding: str) -> None:
    assert require_media_type({"content-encoding": coding}, "application/json") == "application/json"


@pytest.mark.parametrize("given", ["text/plain", "", "application/jsonp"])
def test_other_media_types_are_refused(given: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        require_media_type({"content-type": given}, "application/json")
