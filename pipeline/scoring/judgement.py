"""What a rule says of an answer, before it is worth points."""

import msgspec

from pipeline.model import Outcome


class Verdict(msgspec.Struct, frozen=True):
    """A fraction in [0, 1], or None where the rule cannot estimate one, and the outcome."""

    fraction: float | None
    outcome: Outcome


def graded(fraction: float) -> Verdict:
    """The verdict of a rule that is sure: correct at 1, incorrect at 0, partial between."""
    if fraction >= 1.0:
        return Verdict(1.0, Outcome.CORRECT)
    return Verdict(fraction, Outcome.PARTIAL) if fraction > 0.0 else Verdict(0.0, Outcome.INCORRECT)
