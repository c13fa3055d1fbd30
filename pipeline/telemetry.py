"""Names of what is logged, and how lines are written.

Operations emit events by these names; ids and counts go with them, never answers, prompts or secrets.
"""

import logging
import sys
import traceback
from typing import Any, Final

import structlog

CLAIM_FAILED: Final = "stage.claim_failed"
ATTEMPT_FAILED: Final = "stage.attempt_failed"
BATCH_SPLIT: Final = "stage.batch_split"
FOLLOWERS_LEFT: Final = "stage.followers_left"
WORK_ABANDONED: Final = "stage.work_abandoned"
WORK_GIVEN_BACK: Final = "stage.work_given_back"
LOOK_UP_FAILED: Final = "intake.look_up_failed"
RING_LOST: Final = "ring.lost"
RING_FAILED: Final = "ring.failed"
STATUS_LOST: Final = "status.lost"
LEASES_REAPED: Final = "sweeper.leases_reaped"
WORK_RUNG_AGAIN: Final = "sweeper.work_rung_again"
SWEEP_FAILED: Final = "sweeper.failed"
HEARTBEAT_FAILED: Final = "worker.heartbeat_failed"
UPKEEP_FAILED: Final = "worker.upkeep_failed"
WORKER_STARTING: Final = "worker.starting"
WORKER_STARTED: Final = "worker.started"
WORKER_STOPPING: Final = "worker.stopping"
WORKER_STOPPED: Final = "worker.stopped"
API_STARTED: Final = "api.started"
API_STOPPED: Final = "api.stopped"
REQUEST_FAILED: Final = "api.request_failed"
WAKES_LOST: Final = "wakes.lost"
RING_UNREADABLE: Final = "ring.unreadable"
RING_UNSETTLED: Final = "ring.unsettled"
CACHE_UNAVAILABLE: Final = "cache.unavailable"
LIMITS_LOCAL: Final = "limits.local"
HEALTH_LOCAL: Final = "health.local"
HEALTH_RENEWAL_FAILED: Final = "health.renewal_failed"
BREAKER_OPENED: Final = "breaker.opened"
BREAKER_CLOSED: Final = "breaker.closed"
GENERATION_ATTEMPT_FAILED: Final = "generation.attempt_failed"
GENERATION_UNWRITTEN: Final = "generation.unwritten"
GENERATION_RENEWAL_FAILED: Final = "generation.renewal_failed"
GENERATION_SURPRISED: Final = "generation.surprised"
GENERATION_LEFT: Final = "generation.left"
WATCH_FAILED: Final = "watch.failed"
DELTAS_LOST: Final = "deltas.lost"
DELTAS_UNREAD: Final = "deltas.unread"
PREVIEW_FAILED: Final = "preview.failed"
FEEDBACK_IMPROVED: Final = "feedback.improved"
IMPROVEMENTS_GIVEN_UP: Final = "feedback.improvements_given_up"
IMPROVING_FAILED: Final = "feedback.improving_failed"
DELIVERIES_UNREACHABLE: Final = "deliveries.unreachable"
DELIVERY_TRIED: Final = "delivery.tried"
DELIVERY_FENCED: Final = "delivery.fenced"
DELIVERY_SURPRISED: Final = "delivery.surprised"
DELIVERY_UNRECORDED: Final = "delivery.unrecorded"
JOBS_UNREACHABLE: Final = "jobs.unreachable"
JOB_TRIED: Final = "job.tried"
JOB_FENCED: Final = "job.fenced"
JOB_SURPRISED: Final = "job.surprised"
BATCH_UNREACHABLE: Final = "batch.unreachable"
BATCH_SURPRISED: Final = "batch.surprised"
BATCH_UNSURE: Final = "batch.unsure"
BATCH_REFUSED: Final = "batch.refused"
BATCH_GONE: Final = "batch.gone"
BATCH_UNANSWERED: Final = "batch.unanswered"
PERIODIC_RUNS_NOTED: Final = "periodic.runs_noted"
PERIODIC_RUN_ENDED: Final = "periodic.run_ended"
PERIODIC_FENCED: Final = "periodic.fenced"
PERIODIC_SURPRISED: Final = "periodic.surprised"
PERIODIC_UNREACHABLE: Final = "periodic.unreachable"


def configure(level: str, style: str) -> None:
    """Send structured lines to standard error, as `json` or for a `console`."""
    renderer: Any = structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


def place_of(surprise: BaseException) -> str:
    """Where a surprise came from, as a traceback without its text."""
    return "".join(traceback.format_list(traceback.extract_tb(surprise.__traceback__)))
