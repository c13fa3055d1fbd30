"""What a learner wants to reach, and what of it was reached."""

from typing import Annotated, Final

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Goals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A learner's goals; null where there is none."""

    weekly_answers: Annotated[
        Count | None, msgspec.Meta(description="So many questions answered in a week; reports say what was reached.")
    ] = None
    weekly_minutes: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=10_080)] | None,
        msgspec.Meta(description="So many minutes of sessions in a week; reports say what was reached."),
    ] = None
    target: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None,
        msgspec.Meta(
            description="What the learner works towards: the id of a category of the curriculum. It goes before the "
            "`career_goal` of submissions."
        ),
    ] = None
    hours_per_week: Annotated[
        Annotated[float, msgspec.Meta(ge=0.5, le=100)] | None,
        msgspec.Meta(
            description="The time for the target, from which the months to it are estimated; none counts as 10."
        ),
    ] = None


NO_GOALS: Final = Goals()


class GoalOutcome(msgspec.Struct, frozen=True):
    """One weekly goal: what was wanted, what was reached, and whether that is enough."""

    goal: str
    wanted: int
    reached: int
    met: bool


def outcomes(goals: Goals, *, answers: int, minutes: float) -> tuple[GoalOutcome, ...]:
    """How the weekly goals stand after so many answers and minutes."""
    wanted = (("weekly_answers", goals.weekly_answers, answers), ("weekly_minutes", goals.weekly_minutes, int(minutes)))
    return tuple(
        GoalOutcome(goal, most, reached, reached >= most) for goal, most, reached in wanted if most is not None
    )
