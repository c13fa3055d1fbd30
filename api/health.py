"""Whether this process lives and can serve."""

from typing import Any, Final

import msgspec
from litestar import Response, route
from litestar.enums import HttpMethod

from api.caller import AnyRequest, parts_of
from api.description import Answer, described
from pipeline.service.health import Details, Health, Readiness

TAG: Final = "Health"
METHODS: Final = [HttpMethod.GET, HttpMethod.HEAD]
"""Probes and load balancers often ask for the head alone."""


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Health = Health.OK


def status_code_of(health: Health) -> int:
    return 503 if health is Health.UNAVAILABLE else 200


@route(
    "/health/live",
    http_method=METHODS,
    sync_to_thread=False,
    opt=described(TAG, {200: Answer("It lives.", Alive)}, permission=None),
)
def live() -> Alive:
    """Tell whether the process lives."""
    return Alive()


@route(
    "/health/ready",
    http_method=METHODS,
    opt=described(
        TAG,
        {200: Answer("Send requests here.", Readiness), 503: Answer("Postgres is away.", Readiness)},
        permission=None,
    ),
)
async def ready(request: AnyRequest) -> Response[Readiness]:
    """Tell whether requests should be sent here.

    Postgres is needed. Without Redis hand-ins are still accepted and statuses still read, so it is only reported.
    """
    readiness = await parts_of(request).examination.readiness()
    return Response(readiness, status_code=status_code_of(readiness.status), headers={"Cache-Control": "no-store"})


@route(
    "/health",
    http_method=METHODS,
    opt=described(
        TAG,
        {200: Answer("It can serve.", Details), 503: Answer("Postgres is away.", Details)},
        permission=None,
    ),
)
async def show_health(request: AnyRequest) -> Response[Details]:
    """Show the state of the installation: versions, schema, servers."""
    details = await parts_of(request).examination.details()
    return Response(details, status_code=status_code_of(details.status), headers={"Cache-Control": "no-store"})


def health_handlers() -> list[Any]:
    return [live, ready, show_health]
