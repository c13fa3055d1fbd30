"""What a learner works towards and by which hand-in others are judged the latest: one rule for whoever asks.

A target among the goals was set on purpose and holds until goals are set again. Without one, the newest career goal
that a hand-in names speaks. New is what was handed in last, not what arrived last: work done off line may come late.
"""

from typing import Final

LATEST_ARRIVALS: Final = 50
"""Among so many arrivals the latest hand-in is looked for: whoever has not named a career goal for longer has none."""

HANDED_IN: Final = "coalesce(s.submitted_at, s.created_at)"


def latest_arrivals(learner_id: str, columns: str) -> str:
    """SQL for `columns` of submissions `s` that arrived last, with `id` and `handed_in_at` to put them in order."""
    return f"""
        SELECT s.id, {HANDED_IN} AS handed_in_at, {columns} FROM submissions s
        WHERE s.tenant_id = :tenant_id AND s.learner_id = {learner_id} ORDER BY s.id DESC LIMIT {LATEST_ARRIVALS}"""


def aim_of(learner_id: str) -> str:
    """A SQL expression for what this learner (an expression too) of `:tenant_id` works towards; null where nothing."""
    return f"""coalesce(
        (SELECT g.goals ->> 'target' FROM learners g WHERE g.tenant_id = :tenant_id AND g.id = {learner_id}),
        (SELECT career_goal FROM ({latest_arrivals(learner_id, "s.career_goal")}) latest
         WHERE career_goal IS NOT NULL ORDER BY handed_in_at DESC, id DESC LIMIT 1))"""
