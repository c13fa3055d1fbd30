"""The HTTP door: Litestar on the parts that bootstrap builds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from api.documentation import documentation_handlers
from api.errors import EXCEPTION_HANDLERS
from api.health import health_handlers
from api.questions import question_handlers
from api.submissions import submission_handlers
from api.webhooks import webhook_handlers
from pipeline.bootstrap import build_api, open_servers
from pipeline.settings import Settings


def create_app(settings: Settings) -> Litestar:
    """The application; its pools open with it and close after the last commit and ring went out."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_servers(settings, pool_size=settings.api_pool_size, pool_wait_seconds=1.5) as servers:
            parts = build_api(settings, servers)
            app.state.parts = parts
            yield
            await parts.intake.drain()

    return Litestar(
        route_handlers=[
            *health_handlers(),
            *submission_handlers(),
            *question_handlers(),
            *webhook_handlers(),
            *documentation_handlers(),
        ],
        lifespan=[lifespan],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        request_max_body_size=settings.max_body_bytes,
        debug=False,
    )
