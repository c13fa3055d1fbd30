"""The OpenAPI 3.1 document, written from what the handlers say about themselves (`api/description.py`).

Litestar's own generator reads signatures. Ours take the raw request, so it would know neither bodies nor
problem documents; msgspec's JSON schemas of the structs we read into are exact.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from inspect import cleandoc
from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from api.description import HTML, OPTION, PAGE_COOKIE, Answer, Body, Call
from api.errors import PROBLEM_JSON, Problem, example_problem
from pipeline.service.access import PERMISSIONS, Role

Document = dict[str, Any]

ABOUT: Final = """\
Gradeline takes learners' submissions and turns each into a score within moments, then into feedback,
recommendations and learning metrics. Hand in with `POST /v1/submissions`, then poll, wait or stream.

Send an API key as `Authorization: Bearer <key>`. What a key may do follows from its role: `submitter`, `teacher` or
`operator`. `learner` is a learner token (`POST /v1/learners/{learner_id}/token`), which reads what is that learner's
own and nothing else, and `viewer` a page token (`POST /v1/pages/token`), which reads analytics; `reviewer` is one that
settles answers, too. Pages for browsers take no keys: a token enters them by `/pages/enter`. Every refusal is a
problem document (RFC 9457); one about the content of a request lists every problem found, each with a JSON
pointer into the body, or `/name` for the query parameter or header of that name.

Lists come in parts: `next` is the cursor of the following part, given back as `cursor`; it is null at the end."""

TOKENS: Final = {
    Role.LEARNER: "a learner token (role `learner`), which shows that learner's own page",
    Role.VIEWER: "a page token (role `viewer`), which a teacher's key mints",
    Role.REVIEWER: "a page token that settles (role `reviewer`)",
}

REFERENCE: Final = "#/components/schemas/{name}"
HIDDEN_METHODS: Final = frozenset({"HEAD", "OPTIONS"})

SECURITY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "page": {"type": "apiKey", "in": "cookie", "name": PAGE_COOKIE, "description": "Set by `/pages/enter`."},
}

RETRY_AFTER: Final = {"Retry-After": "Seconds to wait before trying again."}
PROBLEM_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": "The scheme to use: Bearer."},
    429: {
        **RETRY_AFTER,
        "RateLimit": "What is left of the limit, and in how many seconds it is whole again.",
        "RateLimit-Policy": "The limit: requests and window in seconds.",
    },
    503: RETRY_AFTER,
}


class Described(msgspec.Struct, frozen=True):
    """A handler at its place."""

    path: str
    method: str
    handler: HTTPRouteHandler
    call: Call


def openapi_document(app: Litestar) -> Document:
    """The whole document, as plain JSON values; it depends on nothing but the code."""
    found = list(described_handlers(app))
    schemas = Schemas(kinds_of(found))
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Gradeline",
            "version": version("gradeline"),
            "description": ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(one.call.tag for one in found)],
        "paths": paths_of(found, schemas),
        "components": {
            "schemas": schemas.components,
            "securitySchemes": SECURITY_SCHEMES,
        },
    }
    plain: Document = msgspec.json.decode(msgspec.json.encode(document))
    return plain


def described_handlers(app: Litestar) -> Iterator[Described]:
    """Every handler that describes itself, in the order of the application's routes."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            if (call := handler.opt.get(OPTION)) is None:
                continue
            for method in sorted(handler.http_methods - HIDDEN_METHODS):
                yield Described(route.path_format, method.lower(), handler, call)


class Schemas:
    """The JSON schemas of all kinds, each struct once as a component."""

    def __init__(self, kinds: Sequence[Any]) -> None:
        found, self._components = named_plainly(*msgspec.json.schema_components(kinds, ref_template=REFERENCE))
        self._by_kind = [(kind, schema) for kind, schema in zip(kinds, found, strict=True)]
        self._parameters: set[str] = set()

    def of(self, kind: Any) -> Document:
        """The schema of a kind, for a struct a reference to its component."""
        return next(schema for known, schema in self._by_kind if known == kind)

    def fields(self, kind: type[msgspec.Struct]) -> Document:
        """The object schema of a struct that is shown field by field, and so need not be a component."""
        name = str(self.of(kind)["$ref"]).rpartition("/")[2]
        self._parameters.add(name)
        return dict(self._components[name])

    @property
    def components(self) -> Document:
        """All components but those shown field by field, by name."""
        return {name: self._components[name] for name in sorted(self._components) if name not in self._parameters}


def named_plainly(found: Sequence[Document], components: Document) -> tuple[list[Document], Document]:
    """The same schemas, with generic structs called `PageOfQueue` where msgspec says `Page_Queue_`."""
    names = {name: name.rstrip("_").replace("_", "Of") for name in components if name.endswith("_")}
    text = msgspec.json.encode([found, components]).decode()
    for name, plain in names.items():
        text = text.replace(f'"{REFERENCE.format(name=name)}"', f'"{REFERENCE.format(name=plain)}"')
    decoded_found, decoded = msgspec.json.decode(text)
    return decoded_found, {names.get(name, name): schema for name, schema in decoded.items()}


def kinds_of(found: Iterable[Described]) -> list[Any]:
    kinds: list[Any] = [Problem]
    for one in found:
        call = one.call
        wanted = [call.body and call.body.kind, call.query, call.headers, *(a.kind for a in call.answers.values())]
        kinds += [kind for kind in wanted if kind is not None and kind not in kinds]
    return kinds


def paths_of(found: Iterable[Described], schemas: Schemas) -> Document:
    paths: Document = {}
    for one in found:
        paths.setdefault(one.path, {})[one.method] = operation(one, schemas)
    # Litestar gives the handlers of one path in any order.
    return {path: dict(sorted(methods.items())) for path, methods in sorted(paths.items())}


def operation(one: Described, schemas: Schemas) -> Document:
    """One method of one path."""
    call = one.call
    summary, description = texts_of(one.handler)
    parameters = list(parameters_of(one, schemas))
    in_path = any(parameter["in"] == "path" for parameter in parameters)
    written: Document = {
        "operationId": one.handler.handler_name,
        "tags": [call.tag],
        "summary": summary,
        "description": "\n\n".join(part for part in (description, roles_text(call)) if part),
        "parameters": parameters,
        "responses": {
            **{str(status): answer_document(status, answer, schemas) for status, answer in call.answers.items()},
            **{str(status): refusal(status, page=call.page) for status in call.refusals(has_path_parameters=in_path)},
        },
        "x-roles": roles_of(call),
        "security": [] if call.permission is None else [{"page" if call.page else "bearer": []}],
    }
    if call.body is not None:
        written["requestBody"] = body_document(call.body, schemas)
    return written


def texts_of(handler: HTTPRouteHandler) -> tuple[str, str]:
    """Summary and description, from the handler's docstring."""
    first, _, rest = cleandoc(handler.fn.__doc__ or "").partition("\n")
    return first.removesuffix("."), rest.strip()


def roles_of(call: Call) -> list[str]:
    """The roles whose keys (of those of browsers: tokens) may make the call; none where no key is needed."""
    if call.visitors:
        return list(call.visitors)
    return [role for role, permissions in PERMISSIONS.items() if call.permission in permissions]


def roles_text(call: Call) -> str:
    if call.visitors:
        return f"For browsers that entered with {' or '.join(TOKENS[role] for role in call.visitors)}; no key opens it."
    if call.permission is None:
        return "Needs no key."
    roles = [f"`{role}`" for role in roles_of(call)]
    return f"For the roles {', '.join(roles)}." if len(roles) > 1 else f"For the role {roles[0]}."


def parameters_of(one: Described, schemas: Schemas) -> Iterator[Document]:
    for name in one.path.split("/"):
        if name.startswith("{"):
            yield {"name": name.strip("{}"), "in": "path", "required": True, "schema": {"type": "string"}}
    for place, kind in (("query", one.call.query), ("header", one.call.headers)):
        if kind is not None:
            fields = schemas.fields(kind)
            for name, schema in fields["properties"].items():
                yield parameter(place, name, schema, required=name in fields.get("required", ()))


def parameter(place: str, name: str, schema: Document, *, required: bool) -> Document:
    given = without_null(schema)
    if given.get("default", ...) is None:
        del given["default"]
    described = {"description": given.pop("description")} if "description" in given else {}
    return {"name": name, "in": place, "required": required, **described, "schema": given}


def without_null(schema: Document) -> Document:
    """A parameter is absent rather than null, so null is no value of it."""
    choices = schema.get("anyOf")
    if choices is None:
        return dict(schema)
    left = [choice for choice in choices if choice != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest, **left[0]} if len(left) == 1 else {**rest, "anyOf": left}


def body_document(body: Body, schemas: Schemas) -> Document:
    examples = {name: {"value": value} for name, value in body.examples.items()}
    content: Document = {body.media_type: {"schema": schemas.of(body.kind), "examples": examples}}
    content |= {media_type: {"schema": {"type": "string"}} for media_type in body.also}
    return {"required": body.required, "content": content}


def answer_document(status: int, answer: Answer, schemas: Schemas) -> Document:
    written: Document = {"description": answer.meaning or HTTPStatus(status).phrase}
    if answer.kind is not None:
        content = {"schema": schemas.of(answer.kind)}
        if answer.example is not msgspec.UNSET:
            content["example"] = answer.example
        others = {media_type: {"schema": {"type": "string"}} for media_type in answer.also}
        written["content"] = {answer.media_type: content, **others}
    if answer.headers:
        written["headers"] = headers_document(answer.headers)
    return written


def refusal(status: int, *, page: bool = False) -> Document:
    """A problem document with this status; as a page, its text for people."""
    problem = example_problem(status)
    said: Document = {PROBLEM_JSON: {"schema": {"$ref": REFERENCE.format(name="Problem")}, "example": problem}}
    written: Document = {
        "description": problem.title,
        "content": {HTML: {"schema": {"type": "string"}}} if page else said,
    }
    if status in PROBLEM_HEADERS:
        written["headers"] = headers_document(PROBLEM_HEADERS[status])
    return written


def headers_document(headers: Mapping[str, str]) -> Document:
    return {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in headers.items()}
