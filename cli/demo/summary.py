"""What the demo's submissions came to, as values."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from cli.bench.figures import Spread, spread
from cli.demo.models import ModelUse

SAMPLE_LOCALES: Final = ("en", "ko")
TEACHING: Final = ("incorrect", "partial")
ADVISED: Final = 3
"""Weaknesses and questions shown of each learner."""

Document = Mapping[str, Any]


class Learner(msgspec.Struct, frozen=True):
    """One learner's results: answers by outcome, the mean score fraction, and the latest advice."""

    learner_id: str
    submissions: int
    mean_fraction: float
    outcomes: dict[str, int]
    weaknesses: tuple[str, ...]
    next_questions: tuple[str, ...]
    rationale: str


class Sample(msgspec.Struct, frozen=True):
    """Feedback on one submission: its summary, and the text on one answer that was not right."""

    locale: str
    learner_id: str
    summary: str
    question_id: str
    text: str


class Digest(msgspec.Struct, frozen=True):
    """Everything the demo shows; `latency` is from acceptance to completion, by the server's clock.

    `models` is what language models came to, and `sources` counts answers by who wrote the feedback on them.
    """

    statuses: dict[str, int]
    latency: Spread | None
    learners: tuple[Learner, ...]
    samples: tuple[Sample, ...]
    queues: tuple[Document, ...]
    models: tuple[ModelUse, ...] = ()
    sources: dict[str, int] = {}

    @property
    def all_completed(self) -> bool:
        """Whether there are submissions, all of them completed."""
        return set(self.statuses) == {"completed"}


def digest(documents: Sequence[Document], queues: Sequence[Document], models: tuple[ModelUse, ...] = ()) -> Digest:
    """The digest of final documents in the order in which they were handed in."""
    seconds = [latency_seconds(document) for document in documents if document["completed_at"]]
    return Digest(
        statuses=dict(Counter(document["status"] for document in documents)),
        latency=spread(seconds) if seconds else None,
        learners=tuple(learner(name, theirs) for name, theirs in by_learner(documents).items()),
        samples=tuple(sample for locale in SAMPLE_LOCALES if (sample := find_sample(documents, locale))),
        queues=tuple(queues),
        models=models,
        sources=dict(Counter(answer["source"] for document in documents for answer in texts(document))),
    )


def texts(document: Document) -> Sequence[Document]:
    """The feedback on each answer, where there is any."""
    feedback: Document = document.get("feedback") or {}
    answers: Sequence[Document] = feedback.get("answers", ())
    return answers


def latency_seconds(document: Document) -> float:
    return (
        datetime.fromisoformat(document["completed_at"]) - datetime.fromisoformat(document["created_at"])
    ).total_seconds()


def by_learner(documents: Sequence[Document]) -> dict[str, list[Document]]:
    grouped: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        grouped[document["learner_id"]].append(document)
    return grouped


def learner(name: str, documents: Sequence[Document]) -> Learner:
    """One learner's results, from what they handed in."""
    scores = [document["score"] for document in documents if document.get("score")]
    fractions = [score["fraction"] for score in scores if score["fraction"] is not None]
    advice: Document = next((d["recommendations"] for d in reversed(documents) if d.get("recommendations")), {})
    return Learner(
        learner_id=name,
        submissions=len(documents),
        mean_fraction=round(sum(fractions) / len(fractions), 4) if fractions else 0.0,
        outcomes=dict(Counter(answer["outcome"] for score in scores for answer in score["answers"])),
        weaknesses=tuple(weakness["topic"] for weakness in advice.get("weaknesses", ())[:ADVISED]),
        next_questions=tuple(question["question_id"] for question in advice.get("questions", ())[:ADVISED]),
        rationale=advice.get("rationale", ""),
    )


def find_sample(documents: Sequence[Document], locale: str) -> Sample | None:
    """Feedback in this language on the first answer that was not right; None if there is none."""
    for document in documents:
        if document["locale"] != locale or not document.get("feedback"):
            continue
        for answer, feedback in zip(document["score"]["answers"], document["feedback"]["answers"], strict=True):
            if answer["outcome"] in TEACHING:
                return Sample(
                    locale=locale,
                    learner_id=document["learner_id"],
                    summary=document["feedback"]["summary"],
                    question_id=answer["question_id"],
                    text=feedback["text"],
                )
    return None
