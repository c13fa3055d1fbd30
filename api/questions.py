"""The question bank over HTTP."""

from typing import Any

import msgspec
from litestar import Request, Response, put
from litestar.datastructures import State

from pipeline.scoring.bank import parse_question
from pipeline.service.access import Permission
from pipeline.service.intake import decode_json
from pipeline.settings import Settings


@put("/v1/questions/{question_id:str}")
async def put_question(
    request: Request[Any, Any, Any], state: State, question_id: str
) -> Response[dict[str, Any]]:
    """Store a question, as a new version if it changed."""
    parts = state.parts
    principal = await parts.access.authenticate(request.headers.get("authorization"))
    principal.require(Permission.TEACH)
    question = parse_question(decode_json(await request.body()), question_id=question_id)
    saved = await parts.bank.save(principal.tenant_id, [question])
    return Response({"id": saved[0].id, "version": saved[0].version})


def question_handlers(settings: Settings) -> list[Any]:
    return [put_question]
