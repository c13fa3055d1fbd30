"""What learning costs per submission, in microseconds: `python -m benchmarks.learning`.

One learner with 40 topics hands in 4 answers; the bank has 100, 500 or 2,000 questions. Shown are the medians
of many runs; "worn" is a learner who has answered nine tenths of the bank correctly.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter_ns

from pipeline.learning.candidate import Candidate, index_candidates
from pipeline.learning.evidence import fully_answered
from pipeline.learning.rating import Skill, apply_submission
from pipeline.learning.recency import Recent
from pipeline.learning.selection import recommend
from pipeline.learning.weakness import weaknesses_of
from pipeline.model import Answer, AnswerScore, Outcome, Question, ScoredAnswer

NOW = datetime(2026, 3, 9, tzinfo=UTC)
TOPICS = tuple(f"topic-{number}" for number in range(40))
RUNS = 2_000


def bank(size: int, random: Random) -> list[Candidate]:
    """`size` candidates of one to three topics, ratings spread as after some use."""
    return [
        Candidate(
            question_id=f"q-{number}",
            topics=tuple(random.sample(TOPICS, random.choice((1, 1, 2, 3)))),
            difficulty=random.gauss(0.0, 1.2),
            choices=random.choice((0, 2, 4)),
        )
        for number in range(size)
    ]


def learner(random: Random) -> dict[str, Skill]:
    """A learner who met every topic, a quarter of them with recent errors."""
    return {
        topic: Skill(
            topic=topic,
            rating=random.gauss(0.5, 0.8),
            answers=random.randrange(1, 60),
            correct=1,
            updated_at=NOW - timedelta(hours=random.randrange(1, 400)),
            recent=Recent(errors=random.choice((0.0, 0.0, 0.0, 1.2)), answers=3.0),
        )
        for topic in TOPICS
    }


def hand_in(random: Random) -> list[ScoredAnswer]:
    """Four scored answers, half of them right."""
    return [
        ScoredAnswer(
            Answer(Question(f"q-{number}", 1, "numeric", "?", {}, topics=tuple(random.sample(TOPICS, 2)))),
            AnswerScore(outcome, float(outcome is Outcome.CORRECT), None, 1.0, "numeric/1"),
        )
        for number, outcome in enumerate((Outcome.CORRECT, Outcome.INCORRECT) * 2)
    ]


def microseconds(work: Callable[[int], object], runs: int = RUNS) -> float:
    """The median time of `work(run number)`."""
    times = []
    for run in range(runs):
        begin = perf_counter_ns()
        work(run)
        times.append(perf_counter_ns() - begin)
    return median(times) / 1_000


def measure(size: int) -> None:
    """Print one line for a bank of `size` questions."""
    random = Random(size)  # noqa: S311  made-up data, the same in every run
    candidates = bank(size, random)
    index = index_candidates(candidates)
    skills, answers = learner(random), hand_in(random)
    weaknesses = weaknesses_of(skills.values(), NOW)
    fresh = fully_answered(answers)
    worn = frozenset(f"q-{number}" for number in range(size) if number % 10)
    figures = {
        "apply": microseconds(lambda _: apply_submission(skills, {}, answers, NOW)),
        "weaknesses": microseconds(lambda _: weaknesses_of(skills.values(), NOW)),
        "recommend": microseconds(lambda run: recommend(index, skills, weaknesses, excluded=fresh, seed=str(run))),
        "worn": microseconds(lambda run: recommend(index, skills, weaknesses, excluded=worn, seed=str(run))),
        "build index": microseconds(lambda _: index_candidates(candidates), runs=20),
    }
    print(f"{size:>5} questions  " + "  ".join(f"{name} {time:,.0f} µs" for name, time in figures.items()))


if __name__ == "__main__":
    for bank_size in (100, 500, 2_000):
        measure(bank_size)
