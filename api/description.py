"""What a handler says about itself: the part of the HTTP contract that its signature can't show.

Handlers read raw bodies and query strings, so that one answer lists every problem of a request. The same
msgspec structs that they read into, and those their answers are made of, are named here;
`api/openapi.py` writes the OpenAPI document from them.
"""

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from pipeline.service.access import Permission, Role

JSON: Final = "application/json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
HTML: Final = "text/html"
PAGE_COOKIE: Final = "gradeline_page"
EVENT_STREAM: Final = "text/event-stream"
OPTION: Final = "call"
"""The key under which a handler's `opt` carries its `Call`."""

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A part of a list. `next` is the cursor of the following part, null at the end."""

    items: list[Item]
    next: str | None = None


class Body(msgspec.Struct, frozen=True):
    """What a call reads: the struct it decodes to, and examples by name. Other media types come in `also`."""

    kind: Any
    examples: Mapping[str, Any]
    media_type: str = JSON
    also: tuple[str, ...] = ()
    required: bool = True


class Answer(msgspec.Struct, frozen=True):
    """One way in which a call succeeds; `kind` is None where nothing is sent. `headers` are name → meaning.

    Media types in `also` are sent where they are asked for.
    """

    meaning: str
    kind: Any = None
    example: Any = msgspec.UNSET
    media_type: str = JSON
    headers: Mapping[str, str] = {}
    also: tuple[str, ...] = ()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """The contract of one handler.

    `query` and `headers` are structs whose fields are the parameters (rename a field to its header's name);
    `problems` are the refusals beyond those that follow from the rest, as statuses. A `page` is for people: its browser
    comes with a cookie in place of a key, and its refusals are pages too. `visitors` are the roles whose tokens
    open it.
    """

    tag: str
    answers: Mapping[int, Answer]
    permission: Permission | None
    body: Body | None = None
    query: type[msgspec.Struct] | None = None
    headers: type[msgspec.Struct] | None = None
    problems: tuple[int, ...] = ()
    page: bool = False
    visitors: tuple[Role, ...] = ()

    def refusals(self, *, has_path_parameters: bool) -> list[int]:
        """All statuses of problem documents that this call may answer with, in order."""
        found = set(self.problems)
        if self.permission is not None:
            found |= {401, 403, 503}
        if has_path_parameters:
            found.add(404)
        if self.body is not None:
            found |= {413, 415, 422}
        if self.query is not None or self.headers is not None:
            found.add(422)
        return sorted(found)


def described(
    tag: str,
    answers: Mapping[int, Answer],
    *,
    permission: Permission | None,
    body: Body | None = None,
    query: type[msgspec.Struct] | None = None,
    headers: type[msgspec.Struct] | None = None,
    problems: tuple[int, ...] = (),
    page: bool = False,
    visitors: tuple[Role, ...] = (),
) -> dict[str, Any]:
    """A handler's `opt`; its docstring's first line becomes the summary, the rest the description.

        @post(
            "/v1/keys",
            status_code=201,
            opt=described(
                "Keys",
                {201: Answer("The key; its secret is shown this once.", CreatedKey, example=KEY_EXAMPLE)},
                permission=Permission.OPERATE,
                body=Body(KeyIn, {"a submitter's": {"name": "school", "role": "submitter"}}),
            ),
        )
        async def create_key(request: AnyRequest) -> Response[CreatedKey]:
            # its docstring stands here
            parts, principal = await allow(request, Permission.OPERATE)
            given = await body_of(request, KeyIn)  # api/reading.py; query_of reads query strings

    Refusals that follow from the rest are declared by themselves (401, 403 and 503 with a permission, 404 with
    a path parameter, 413, 415 and 422 with a body, 422 with a query or headers); name others in `problems`.
    """
    call = Call(
        tag=tag,
        answers=answers,
        permission=permission,
        body=body,
        query=query,
        headers=headers,
        problems=problems,
        page=page,
        visitors=visitors,
    )
    return {OPTION: call}
