"""The actors: each does its stage in one transaction, then sends the next.

    python -m dramatiq benchmarks.peers.dramatiq_chain.actors --processes 2 --threads 4

Dramatiq acknowledges after the work; retries with its default back-off. Its other defaults stay, the idle
poll among them.
"""

from uuid import UUID

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers.coursework.place import REDIS_URL
from benchmarks.peers.dramatiq_chain.database import bank, pool
from benchmarks.peers.plain_sql.grading import STEPS
from benchmarks.peers.plain_sql.talking import talk

dramatiq.set_broker(RedisBroker(url=REDIS_URL))


def perform(stage: str, submission_id: str) -> None:
    """One stage in one transaction."""
    pool.open()
    with pool.connection() as connection:
        talk(connection, STEPS[stage](UUID(submission_id), bank))


@dramatiq.actor(max_retries=5)
def score(submission_id: str) -> None:
    """Score a submission."""
    perform("score", submission_id)
    feedback.send(submission_id)


@dramatiq.actor(max_retries=5)
def feedback(submission_id: str) -> None:
    """Write its feedback."""
    perform("feedback", submission_id)
    recommend.send(submission_id)


@dramatiq.actor(max_retries=5)
def recommend(submission_id: str) -> None:
    """Move the learner's skills, and recommend."""
    perform("recommend", submission_id)
    metrics.send(submission_id)


@dramatiq.actor(max_retries=5)
def metrics(submission_id: str) -> None:
    """Count it."""
    perform("metrics", submission_id)
