"""The HTTP door: Litestar on the parts that bootstrap builds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.types import ControllerRouterHandler

from api.analytics import analytics_handlers
from api.curriculum import curriculum_handlers
from api.curriculum_deleting import curriculum_deleting_handlers
from api.documentation import Documentation, documentation_handlers, documentation_of
from api.errors import EXCEPTION_HANDLERS
from api.generations import generation_handlers
from api.groups import group_handlers
from api.health import health_handlers
from api.jobs import job_handlers
from api.keys import key_handlers
from api.learners import learner_handlers
from api.llm import llm_handlers
from api.metrics import Traffic, metric_handlers
from api.operations import operation_handlers
from api.pages.faults import on_no_such_path
from api.pages.routes import page_handlers
from api.patience import TRANSACTION_SECONDS
from api.policy import policy_handlers
from api.questions import question_handlers
from api.rating import rating_handlers
from api.reports import report_handlers
from api.settling import settling_handlers
from api.submissions import submission_handlers
from api.webhooks import webhook_handlers
from pipeline.bootstrap import build_api, open_servers
from pipeline.settings import Settings

REQUEST_HEADERS: Final = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
]
EXPOSED_HEADERS: Final = [
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
]


def cors_of(origins: tuple[str, ...]) -> CORSConfig | None:
    """What browsers are told about pages of these origins; None, which costs no call anything, where there are none.

    Credentials in the sense of CORS are cookies. We have none, so browsers are not asked to send any.
    """
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=REQUEST_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        allow_credentials=False,
    )


def handlers(settings: Settings) -> list[ControllerRouterHandler]:
    """Everything that can be called."""
    return [
        *submission_handlers(settings),
        *rating_handlers(),
        *settling_handlers(),
        *question_handlers(settings),
        *curriculum_handlers(settings),
        *curriculum_deleting_handlers(),
        *learner_handlers(),
        *report_handlers(),
        *page_handlers(),
        *group_handlers(settings),
        *analytics_handlers(),
        *operation_handlers(),
        *job_handlers(),
        *policy_handlers(),
        *llm_handlers(),
        *key_handlers(),
        *health_handlers(),
        *metric_handlers(),
        *webhook_handlers(),
        *generation_handlers(),
        *documentation_handlers(),
    ]


@asynccontextmanager
async def open_parts(settings: Settings, app: Litestar) -> AsyncIterator[None]:
    """Give the application its parts; at the end everything that was taken in is committed and rung first."""
    async with open_servers(
        settings,
        pool_size=settings.api_pool_size,
        pool_wait_seconds=TRANSACTION_SECONDS,
        answer_seconds=TRANSACTION_SECONDS,
    ) as servers:
        parts = build_api(settings, servers)
        app.state.parts = parts
        parts.watch.start()
        yield
        await parts.intake.drain()
        await parts.watch.close()


def create_app(settings: Settings, documentation: Documentation | None = None) -> Litestar:
    """The application; its pools open with it and close after the last commit and ring went out.

    `documentation` is that of another application of this code, all of which have the same: writing it takes longer
    than the rest.
    """
    traffic = Traffic()
    app = Litestar(
        route_handlers=handlers(settings),
        lifespan=[partial(open_parts, settings)],
        middleware=[traffic.counting],
        cors_config=cors_of(settings.browser_origins),
        state=State({"traffic": traffic}),
        exception_handlers={**EXCEPTION_HANDLERS, NotFoundException: on_no_such_path},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=settings.max_body_bytes,
        debug=False,
    )
    app.state.documentation = documentation or documentation_of(app)
    return app
