"""Who gets what in an experiment: decided by the learner's hash, so always the same, and by nothing else.

And what is remembered of it: who was to write on an answer, and who did in the end.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from pipeline.exchange import Arm, Experiment
from pipeline.generation.answer import AnswerText
from pipeline.generation.assignment import Unwritten
from pipeline.model import ScoredAnswer
from pipeline.ports.experiment import ServedAnswer
from pipeline.prompting.feedback import FeedbackRequest

NO_ARM = Arm("", 1.0)


class Assigned(msgspec.Struct, frozen=True):
    """The arm that a learner belongs to; `label` is `experiment/arm`, None outside of any experiment."""

    label: str | None = None
    arm: Arm = NO_ARM

    @property
    def group(self) -> str:
        """What may share a reply: arms never do, or they would measure each other."""
        return self.label or ""


def assigned(experiments: Sequence[Experiment], tenant_id: int, learner_id: str) -> Assigned:
    """The learner's arm. Several experiments share the learners out among them, so that none disturbs another."""
    if not experiments:
        return Assigned()
    experiment = experiments[int(len(experiments) * fraction_of("", tenant_id, learner_id))]
    left = fraction_of(experiment.id, tenant_id, learner_id) * sum(arm.share for arm in experiment.arms)
    for arm in experiment.arms:
        left -= arm.share
        if left < 0:
            return Assigned(f"{experiment.id}/{arm.name}", arm)
    return Assigned(f"{experiment.id}/{experiment.arms[-1].name}", experiment.arms[-1])


def fraction_of(salt: str, tenant_id: int, learner_id: str) -> float:
    """A number in [0, 1) that looks random and is always the same."""
    digest = blake2b(f"{salt}\0{tenant_id}\0{learner_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def served_answers(
    assigned: Assigned,
    request: FeedbackRequest,
    asked: Sequence[ScoredAnswer],
    written: Sequence[AnswerText | Unwritten],
) -> list[ServedAnswer]:
    """What an experiment has to know of these answers; nothing where the learner takes part in none."""
    experiment, _, arm = (assigned.label or "").partition("/")
    if not experiment:
        return []
    tenant_id, submission_id = request.tenant_id, request.submission_id
    in_arm = [
        ServedAnswer(tenant_id, submission_id, scored.answer.question.id, experiment, arm, "template")
        for scored in asked
    ]
    return [served_answer(one, text) for one, text in zip(in_arm, written, strict=True)]


def served_answer(assigned: ServedAnswer, text: AnswerText | Unwritten) -> ServedAnswer:
    """What was assigned, with who wrote it in the end."""
    if isinstance(text, Unwritten):
        return assigned
    by = text.feedback
    return msgspec.structs.replace(
        assigned,
        source="ai",
        served_provider=by.provider,
        served_model=by.model,
        prompt_version=by.prompt_version,
    )
