"""The Celery application: a task per stage, each with a session and a transaction of its own.

    python -m celery -A benchmarks.peers.celery_orm.tasks worker --concurrency 4

Acknowledged late, so that a killed worker loses nothing; four prefetched per process, Celery's default; no
results kept, since Postgres has them; retried where the database was away or chose a deadlock's victim.
"""

from typing import Any
from uuid import UUID

from celery import Celery, chain
from celery.signals import worker_process_init
from sqlalchemy.exc import OperationalError

from benchmarks.peers.celery_orm import grading
from benchmarks.peers.celery_orm.database import Session, engine
from benchmarks.peers.coursework.place import REDIS_URL

app = Celery("celery_orm", broker=REDIS_URL)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    broker_transport_options={"visibility_timeout": 3600},
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
task = app.task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)


@worker_process_init.connect
def forget_connections(**_: Any) -> None:
    """A forked process must not share its parent's connections."""
    engine.dispose(close=False)


@task
def score(submission_id: str) -> None:
    """Score a submission."""
    with Session.begin() as session:
        grading.score(session, UUID(submission_id))


@task
def feedback(submission_id: str) -> None:
    """Write its feedback."""
    with Session.begin() as session:
        grading.feedback(session, UUID(submission_id))


@task
def recommend(submission_id: str) -> None:
    """Move the learner's skills, and recommend."""
    with Session.begin() as session:
        grading.recommend(session, UUID(submission_id))


@task
def metrics(submission_id: str) -> None:
    """Count it."""
    with Session.begin() as session:
        grading.metrics(session, UUID(submission_id))


def grade(submission_id: UUID) -> None:
    """Start the chain for a submission that is stored."""
    chain(*(step.si(str(submission_id)) for step in (score, feedback, recommend, metrics))).delay()
