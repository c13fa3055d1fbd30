"""The question bank over HTTP."""

from typing import Any

from litestar import Response, put
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Permission
from pipeline.service.intake import decode_json


@put("/v1/questions/{question_id:str}")
async def put_question(request: AnyRequest, question_id: FromPath[str]) -> Response[dict[str, Any]]:
    """Store a question, as a new version if it changed."""
    parts, principal = await allow(request, Permission.TEACH)
    question = parse_question(decode_json(await request.body()), question_id=question_id)
    saved = await parts.bank.save(principal.tenant_id, [question])
    return Response({"id": saved[0].id, "version": saved[0].version})


def question_handlers() -> list[Any]:
    return [put_question]
