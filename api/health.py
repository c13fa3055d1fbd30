"""Whether this process lives and can serve."""

from typing import Any

from litestar import Response, get
from litestar.datastructures import State
from sqlalchemy import text

from api.description import Answer, described
from pipeline.errors import Unavailable
from pipeline.store.engine import transaction


@get(
    "/health/live",
    sync_to_thread=False,
    opt=described("Health", {200: Answer("The process answers.", dict[str, str])}, permission=None),
)
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/health/ready")
async def ready(state: State) -> Response[dict[str, Any]]:
    """Postgres can be reached."""
    try:
        async with transaction(state.parts.servers.engine) as connection:
            await connection.execute(text("SELECT 1"))
    except Unavailable:
        return Response({"status": "unavailable"}, status_code=503)
    return Response({"status": "ok"})


def health_handlers() -> list[Any]:
    return [live, ready]
