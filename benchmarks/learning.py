"""What learning costs per submission, in microseconds: `python -m benchmarks.learning`.

One learner with 40 topics hands in 4 answers; the bank has 100 to 100,000 questions of up to 1,000 topics, and the
curriculum 200 modules with 1,000 resources. Shown are the medians of many runs; "fold" is memory and mistakes, "worn" a
learner who has answered nine tenths of the bank correctly, "advise" all advice after a submission, "one question" a
bank in which one question changed.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter_ns

from pipeline.curriculum.model import Curriculum, Module, Resource, ResourceKind
from pipeline.learning.candidate import Candidate, changed, index_candidates
from pipeline.learning.evidence import fully_answered
from pipeline.learning.fold import fold
from pipeline.learning.memory import Memory
from pipeline.learning.mix import Plan
from pipeline.learning.pooling import overall
from pipeline.learning.rating import Skill, apply_submission
from pipeline.learning.recency import Recent
from pipeline.learning.selection import Barred, recommend
from pipeline.learning.weakness import weaknesses_of
from pipeline.model import Answer, AnswerScore, LearnerContext, Outcome, Question, ScoredAnswer
from pipeline.stages.advising import Occasion, advise
from pipeline.stages.guide import Guide, guide_of

NOW = datetime(2026, 3, 9, tzinfo=UTC)
TOPICS = tuple(f"topic-{number}" for number in range(1_000))
MET = 40
QUESTIONS_PER_TOPIC = 50
RUNS = 1_000
TEN = Plan()


def bank(size: int, random: Random) -> list[Candidate]:
    """`size` candidates of one to three topics, ratings spread as after some use."""
    topics = TOPICS[: max(MET, size // QUESTIONS_PER_TOPIC)]
    return [
        Candidate(
            question_id=f"q-{number}",
            topics=tuple(random.sample(topics, random.choice((1, 1, 2, 3)))),
            difficulty=random.gauss(0.0, 1.2),
            choices=random.choice((0, 2, 4)),
            module=f"module-{number % 200}",
            type=random.choice(("single_choice", "numeric", "cloze")),
            variance=0.2,
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
            memory=Memory(random.uniform(0.5, 30.0), 5.0, NOW + timedelta(days=random.uniform(-9, 9))),
        )
        for topic in TOPICS[:MET]
    }


def guide(random: Random) -> Guide:
    """200 modules in a long row, each with five resources."""
    modules = {
        name: Module(name, name, 3, 8.0, (TOPICS[number],), (f"module-{number - 1}",) if number else ())
        for number, name in enumerate(f"module-{number}" for number in range(200))
    }
    resources = {
        name: Resource(name, name, random.choice(list(ResourceKind)), "https://example.org", (TOPICS[number // 5],))
        for number, name in enumerate(f"resource-{number}" for number in range(1_000))
    }
    return guide_of(Curriculum(modules=modules, resources=resources, version=1))


def hand_in(random: Random) -> list[ScoredAnswer]:
    """Four scored answers, half of them right."""
    return [
        ScoredAnswer(
            Answer(Question(f"q-{number}", 1, "numeric", "?", {}, topics=tuple(random.sample(TOPICS[:MET], 2)))),
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
    skills, answers, school = learner(random), hand_in(random), guide(random)
    weaknesses, everywhere = weaknesses_of(skills.values(), NOW), overall(skills)
    fresh = Barred(excluded=fully_answered(answers))
    worn = Barred(excluded=frozenset(f"q-{number}" for number in range(size) if number % 10))
    effect = apply_submission(skills, {}, answers, NOW)
    occasion = Occasion(NOW, "s", "en", fresh, LearnerContext("ko"))

    def questions(barred: Barred) -> Callable[[int], object]:
        return lambda run: recommend(
            index,
            skills,
            weaknesses,
            everywhere=everywhere,
            now=NOW,
            barred=barred,
            seed=str(run),
            plan=TEN,
            locale="en",
        )

    figures = {
        "apply": microseconds(lambda _: apply_submission(skills, {}, answers, NOW)),
        "fold": microseconds(lambda _: fold(skills, effect, NOW)),
        "weaknesses": microseconds(lambda _: weaknesses_of(skills.values(), NOW)),
        "recommend": microseconds(questions(fresh)),
        "worn": microseconds(questions(worn)),
        "advise": microseconds(lambda _: advise({"en": index}, school, skills, occasion, TEN)),
        "one question": microseconds(lambda run: changed(index, [candidates[run]], [candidates[run]]), runs=20),
        "build index": microseconds(lambda _: index_candidates(candidates), runs=3),
    }
    print(f"{size:>7,} questions  " + "  ".join(f"{name} {time:,.0f} µs" for name, time in figures.items()))


if __name__ == "__main__":
    for bank_size in (100, 2_000, 100_000):
        measure(bank_size)
