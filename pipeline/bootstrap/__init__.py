"""Building the parts: the only package that knows them all.

`servers` opens what everything stands on, `api` builds the HTTP door's parts, `worker` those of a worker.
"""

from pipeline.bootstrap.api import ApiParts, build_api, configured_models
from pipeline.bootstrap.furnishing import furnish
from pipeline.bootstrap.servers import (
    Servers,
    build_board,
    check_database,
    check_queues,
    check_schema,
    check_servers,
    check_statuses,
    clock_offset_seconds,
    migrate,
    open_access,
    open_rebuilder,
    open_servers,
    required,
    schema_revisions,
)
from pipeline.bootstrap.worker import (
    BESIDES,
    WORKER_POOL_WAIT_SECONDS,
    WorkerParts,
    build_performs,
    build_runner,
    build_worker,
    perform_metrics,
    perform_recommend,
    write_feedback,
)

__all__ = [
    "BESIDES",
    "WORKER_POOL_WAIT_SECONDS",
    "ApiParts",
    "Servers",
    "WorkerParts",
    "build_api",
    "build_board",
    "build_performs",
    "build_runner",
    "build_worker",
    "check_database",
    "check_queues",
    "check_schema",
    "check_servers",
    "check_statuses",
    "clock_offset_seconds",
    "configured_models",
    "furnish",
    "migrate",
    "open_access",
    "open_rebuilder",
    "open_servers",
    "perform_metrics",
    "perform_recommend",
    "required",
    "schema_revisions",
    "write_feedback",
]
