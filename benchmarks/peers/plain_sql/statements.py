"""The statements, one for each step that a team would take."""

from typing import Final

SUMS: Final = ("answers", "scored", "correct", "fraction_millionths", "timed", "response_time_ms")

PUT_QUESTION: Final = """
    INSERT INTO questions (id, version, body) VALUES (%s, 1, %s) ON CONFLICT (id) DO UPDATE SET body = excluded.body
"""
READ_BANK: Final = """
    SELECT q.id, q.version, q.body, r.rating, r.answers
    FROM questions q LEFT JOIN item_ratings r ON r.question_id = q.id
"""

STORE_SUBMISSION: Final = """
    INSERT INTO submissions
        (id, learner_id, assignment_id, status, locale, career_goal, industry, created_at, updated_at)
    VALUES (%s, %s, %s, 'pending', %s, %s, %s, %s, %s)
"""
STORE_ANSWERS: Final = """
    INSERT INTO answers (submission_id, position, question_id, response, response_time_ms, confidence)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
STORE_STAGES: Final = "INSERT INTO stages (submission_id, stage, state, attempts, queued_at) VALUES (%s, %s, %s, 0, %s)"

READ_SUBMISSION: Final = "SELECT * FROM submissions WHERE id = %s"
READ_STAGES: Final = "SELECT * FROM stages WHERE submission_id = %s"
READ_RESULTS: Final = "SELECT stage, body FROM results WHERE submission_id = %s"
READ_ANSWERS: Final = "SELECT * FROM answers WHERE submission_id = %s ORDER BY position"
READ_SCORE: Final = "SELECT body FROM results WHERE submission_id = %s AND stage = 'score'"
LOCK_STAGES: Final = READ_STAGES + " FOR UPDATE"

STORE_RESULT: Final = "INSERT INTO results (submission_id, stage, body) VALUES (%s, %s, %s)"
END_STAGE: Final = """
    UPDATE stages SET state = 'done', attempts = attempts + 1, started_at = %s, finished_at = %s
    WHERE submission_id = %s AND stage = %s
"""
READY_STAGE: Final = "UPDATE stages SET state = 'ready', queued_at = %s WHERE submission_id = %s AND stage = %s"
MOVE_SUBMISSION: Final = "UPDATE submissions SET status = %s, updated_at = %s, completed_at = %s WHERE id = %s"

LOCK_LEARNER: Final = "SELECT recent_correct FROM learners WHERE id = %s FOR UPDATE"
START_LEARNER: Final = "INSERT INTO learners (id, recent_correct) VALUES (%s, '{}') ON CONFLICT DO NOTHING"
SAVE_LEARNER: Final = "UPDATE learners SET recent_correct = %s WHERE id = %s"
READ_SKILLS: Final = "SELECT * FROM skills WHERE learner_id = %s"
SAVE_SKILL: Final = """
    INSERT INTO skills (learner_id, topic, rating, answers, correct, recent_errors, recent_answers, updated_at)
    VALUES (%(learner_id)s, %(topic)s, %(rating)s, %(answers)s, %(correct)s, %(recent_errors)s, %(recent_answers)s,
        %(updated_at)s)
    ON CONFLICT (learner_id, topic) DO UPDATE SET
        rating = excluded.rating, answers = excluded.answers, correct = excluded.correct,
        recent_errors = excluded.recent_errors, recent_answers = excluded.recent_answers,
        updated_at = excluded.updated_at
"""
LOCK_ITEMS: Final = """
    SELECT question_id, rating, answers FROM item_ratings WHERE question_id = ANY(%s) ORDER BY question_id FOR UPDATE
"""
START_ITEM: Final = """
    INSERT INTO item_ratings (question_id, rating, answers) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING
"""
SAVE_ITEM: Final = "UPDATE item_ratings SET rating = %s, answers = %s WHERE question_id = %s"


def adding(table: str, key: tuple[str, ...], sums: tuple[str, ...], longest: tuple[str, ...] = ()) -> str:
    """Insert a row of sums, or add it to the one that is there."""
    names = (*key, *sums, *longest)
    moves = [f"{name} = {table}.{name} + excluded.{name}" for name in sums]
    moves += [f"{name} = greatest({table}.{name}, excluded.{name})" for name in longest]
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f'%({name})s' for name in names)}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(moves)}"
    )


ADD_DAY: Final = adding("learner_days", ("learner_id", "day"), ("submissions", *SUMS))
ADD_ITEM: Final = adding("item_statistics", ("question_id",), SUMS)
ADD_MINUTE: Final = adding(
    "stage_minutes", ("stage", "minute"), ("count", "wait_ms", "run_ms"), ("longest_wait_ms", "longest_run_ms")
)
