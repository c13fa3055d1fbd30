"""The demo's summary for people."""

import click

from cli.demo.models import print_use
from cli.demo.summary import Digest, Learner, Sample
from cli.output import print_table
from cli.queues import COLUMNS, row

OUTCOMES = ("correct", "partial", "incorrect", "needs_review", "unanswered")


def print_digest(found: Digest) -> None:
    """Scores, feedback, advice, queues, and how long it took."""
    print_table(
        ["learner", "submissions", "mean score", *(outcome.replace("_", " ") for outcome in OUTCOMES)],
        [scores(learner) for learner in found.learners],
        title="\nScores by learner",
    )
    print_table(
        ["learner", "weaknesses", "answer next"],
        [advice(learner) for learner in found.learners],
        title="\nWeaknesses and recommendations",
    )
    click.secho("\nFeedback, two samples", italic=True)
    for sample in found.samples:
        click.echo(feedback(sample))
    print_table(COLUMNS, [row(dict(queue)) for queue in found.queues], title="\nQueues")
    if found.models:
        print_use(found.models)
        click.echo(cost(found))
    click.echo(f"\n{verdict(found)}")


def scores(learner: Learner) -> list[str]:
    counts = [str(learner.outcomes.get(outcome, 0)) for outcome in OUTCOMES]
    return [learner.learner_id, str(learner.submissions), f"{learner.mean_fraction:.0%}", *counts]


def advice(learner: Learner) -> list[str]:
    return [learner.learner_id, ", ".join(learner.weaknesses), ", ".join(learner.next_questions)]


def feedback(sample: Sample) -> str:
    """One sample, indented under whom and what it is for."""
    text = "\n".join(f"    {line}" for line in sample.text.splitlines())
    return f"  {sample.learner_id} ({sample.locale}): {sample.summary}\n  on {sample.question_id}:\n{text}"


def cost(found: Digest) -> str:
    """What the models came to in all, and on how many answers they wrote."""
    about = "" if all(use.known for use in found.models) else "about "
    sources = ", ".join(f"{count} by {source}" for source, count in sorted(found.sources.items()))
    requests = sum(use.requests for use in found.models)
    return (
        f"{requests} requests for {about}US$ {sum(use.usd for use in found.models):.4f}; answers written on: {sources}"
    )


def verdict(found: Digest) -> str:
    """How many got through, and how fast."""
    statuses = ", ".join(f"{count} {status}" for status, count in found.statuses.items())
    if found.latency is None:
        return statuses
    return f"{statuses}; from POST to completed p50 {found.latency.p50:.0f} ms, p95 {found.latency.p95:.0f} ms"
