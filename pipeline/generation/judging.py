"""What we make of a model's reply, whatever it is."""

import structlog

from pipeline import telemetry
from pipeline.exchange import Failed, Reply, Trouble
from pipeline.generation.assignment import Assignment, Judged

log = structlog.get_logger()


def judged_reply(assignment: Assignment, reply: Reply) -> Judged:
    """What we make of a reply; one that our rules stumble over will not do."""
    if isinstance(reply, Failed):
        return Judged()
    try:
        return assignment.judge(reply.text)
    except Exception as surprise:  # noqa: BLE001 - it was paid for all the same, and has to be settled
        report_surprise(surprise, purpose=assignment.purpose)
        return Judged("It can't be read.")


def report_surprise(surprise: Exception, **about: str) -> None:
    """Type and place only: the text might quote an answer."""
    place = telemetry.place_of(surprise)
    log.error(telemetry.GENERATION_SURPRISED, error=type(surprise).__name__, place=place, **about)


def refused_by_us(reply: Reply, judged: Judged) -> Reply:
    """A complete reply that will not do is a failed call, which was paid for."""
    if isinstance(reply, Failed) or judged.problem is None:
        return reply
    return Failed(Trouble.INVALID_REPLY, judged.problem, usage=reply.usage, model=reply.model, text=reply.text)
