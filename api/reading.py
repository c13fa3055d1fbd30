"""Reading query strings and JSON bodies into structs, with every problem found at once."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

import msgspec
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from api.caller import AnyRequest
from api.description import JSON
from pipeline.errors import FieldProblem, InvalidInput, TooLarge, UnsupportedMediaType
from pipeline.scoring.fields import forbidden_text
from pipeline.service.intake import decode_json, first_problems, pointer_and_detail, problems_in

Kind = TypeVar("Kind", bound=msgspec.Struct)

UNKNOWN: Final = "There is no such query parameter."
AS_IT_IS: Final = frozenset({"", "identity"})
TWICE: Final = "The query parameter is given more than once."


def query_of(request: AnyRequest, kind: type[Kind]) -> Kind:
    """The query string as a struct of this kind; raises `InvalidInput` with every problem.

    A field whose type is a list takes all values of its parameter, any other exactly one.
    """
    values, problems = query_values(request, kind)
    if problems:
        raise InvalidInput(first_problems(problems))
    return kind(**values)


def query_values(request: AnyRequest, kind: type[msgspec.Struct]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """The fields of a query string that are given, None for those that can't be read, and every problem."""
    given = request.query_params
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems = [FieldProblem(f"/{name}", UNKNOWN) for name in dict.fromkeys(given) if name not in fields]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        found = given.getall(name, [])
        if found or field.required:
            values[field.name] = _converted(name, field.type, found, problems)
    return values, problems


def _converted(name: str, kind: Any, found: list[str], problems: list[FieldProblem]) -> Any:
    if not found:
        problems.append(FieldProblem(f"/{name}", "This query parameter is required."))
        return None
    if not is_list(kind) and len(found) > 1:
        problems.append(FieldProblem(f"/{name}", TWICE))
        return None
    if any("\x00" in one for one in found):
        problems.append(FieldProblem(f"/{name}", "The character U+0000 is not allowed."))
        return None
    try:
        return msgspec.convert(found if is_list(kind) else found[0], kind, strict=False)
    except msgspec.ValidationError as error:
        path, detail = pointer_and_detail(str(error), kind)
        # Whatever stands in a query string is a string; to say so would help nobody.
        problems.append(FieldProblem(f"/{name}{path}", detail.replace(", not a string", "")))
        return None


def is_list(kind: Any) -> bool:
    """Whether a field's type is a list (or tuple), perhaps annotated, perhaps optional."""
    if get_origin(kind) is Annotated:
        return is_list(get_args(kind)[0])
    if get_origin(kind) in {list, tuple}:
        return True
    return any(is_list(choice) for choice in get_args(kind) if get_origin(choice) in {Annotated, list, tuple})


def require_media_type(headers: Mapping[str, str], *allowed: str) -> str:
    """The request's media type, if it is one of `allowed`; a request that names none is taken for the first.

    Raises `UnsupportedMediaType` for another, and for a body that is compressed: to say that it is no JSON would send
    people looking in the wrong place.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in AS_IT_IS:
        raise UnsupportedMediaType(f"Send the body as it is, without Content-Encoding, not as {coding[:100]}.")
    media_type = headers.get("content-type", allowed[0]).partition(";")[0].strip().lower()
    if media_type not in allowed:
        raise UnsupportedMediaType(f"Send {' or '.join(allowed)}, not {media_type[:100] or 'nothing'}.")
    return media_type


async def body_bytes(request: AnyRequest) -> bytes:
    """The whole body; raises `TooLarge`, which names the limit of this call."""
    try:
        return await request.body()
    except HTTPException as error:
        if error.status_code != HTTP_413_REQUEST_ENTITY_TOO_LARGE:
            raise
        most = request.route_handler.resolve_request_max_body_size()
        raise TooLarge(f"The body may have at most {most} bytes.") from None


async def body_of(request: AnyRequest, kind: type[Kind]) -> Kind:
    """The JSON body as a struct of this kind; raises `InvalidInput` with every problem, or `UnsupportedMediaType`."""
    require_media_type(request.headers, JSON)
    raw = decode_json(await body_bytes(request))
    problems = first_problems(problems_in(raw, kind))
    if not problems:
        problems = first_problems(forbidden_text(raw))
    if problems:
        raise InvalidInput(problems)
    return msgspec.convert(raw, kind)
