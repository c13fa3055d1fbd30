"""Whether a system did all of the work: what it stored and summed up must fit the number of submissions.

The columns have the same names in every system, so one question asks them all.
"""

from collections.abc import Mapping
from typing import Final

from pipeline.errors import Unavailable

ANSWERS: Final = 3
TOPICS: Final = 4  # that the three answers of the load touch, counted as often as they are touched
STAGES: Final = 4
RESULTS: Final = 3  # with something in them: score, feedback, recommendations

COUNTED: Final = """
    SELECT
        (SELECT count(*) FROM submissions WHERE status = 'completed') AS submissions,
        (SELECT count(*) FROM answers) AS answers,
        (SELECT count(*) FROM stages WHERE state = 'done') AS stages,
        (SELECT count(*) FROM results WHERE stage <> 'metrics' AND body <> '{}') AS results,
        (SELECT sum(answers) FROM skills) AS skill_answers,
        (SELECT sum(answers) FROM item_ratings) AS rated_answers,
        (SELECT sum(submissions) FROM learner_days) AS day_submissions,
        (SELECT sum(answers) FROM learner_days) AS day_answers,
        (SELECT sum(answers) FROM item_statistics) AS item_answers,
        (SELECT sum(count) FROM stage_minutes) AS stage_runs
"""


def expected(submissions: int) -> dict[str, int]:
    """What there must be after so many submissions of the load."""
    return {
        "submissions": submissions,
        "answers": submissions * ANSWERS,
        "stages": submissions * STAGES,
        "results": submissions * RESULTS,
        "skill_answers": submissions * TOPICS,
        "rated_answers": submissions * ANSWERS,
        "day_submissions": submissions,
        "day_answers": submissions * ANSWERS,
        "item_answers": submissions * ANSWERS,
        "stage_runs": submissions * STAGES,
    }


def check_work(name: str, counted: Mapping[str, int], submissions: int) -> None:
    """Raise `Unavailable` that names what is missing or too much."""
    wrong = [
        f"{what} {counted[what]} for {number}"
        for what, number in expected(submissions).items()
        if counted[what] != number
    ]
    if wrong:
        raise Unavailable(f"{name} did not do the work of {submissions} submissions: {', '.join(wrong)}")
