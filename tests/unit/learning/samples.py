"""Small values that the learning tests share, and hypothesis strategies for them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hypothesis import strategies as st

from pipeline.learning.evidence import Told, evidence_of
from pipeline.learning.rating import Skill
from pipeline.learning.recency import NOTHING_RECENT, Recent
from pipeline.model import Answer, AnswerScore, Outcome, Question, ScoredAnswer

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
LETTERS = "abcdefgh"


def question(
    question_id: str = "q1",
    topics: tuple[str, ...] = ("loops",),
    *,
    difficulty: int = 3,
    options: int = 0,
    kind: str = "numeric",
    module: str | None = None,
) -> Question:
    return Question(
        id=question_id,
        version=1,
        type=kind,
        prompt="?",
        answer={},
        topics=topics,
        difficulty=difficulty,
        options=tuple({"id": letter, "text": letter} for letter in LETTERS[:options]),
        module=module,
    )


def scored(
    asked: Question, fraction: float | None, outcome: Outcome | None = None, points: float = 1.0
) -> ScoredAnswer:
    """`asked`, answered with `fraction`; the outcome follows from it unless given."""
    judged = outcome or {1.0: Outcome.CORRECT, 0.0: Outcome.INCORRECT, None: Outcome.NEEDS_REVIEW}.get(
        fraction, Outcome.PARTIAL
    )
    return ScoredAnswer(Answer(asked), AnswerScore(judged, fraction, fraction, points, "test/1"))


def told(answers: Iterable[ScoredAnswer]) -> list[Told]:
    """Those of the answers that say something, with what they say."""
    return [(one, evidence) for one in answers if (evidence := evidence_of(one)) is not None]


def skill(
    topic: str,
    rating: float = 0.0,
    *,
    answers: int = 1,
    updated_at: datetime = NOW,
    recent: Recent = NOTHING_RECENT,
) -> Skill:
    return Skill(topic, rating, answers, 0, updated_at, recent)


def questions() -> st.SearchStrategy[Question]:
    """Questions q0 to q5 of any difficulty with up to three of four topics."""
    return st.builds(
        question,
        st.sampled_from([f"q{number}" for number in range(6)]),
        st.lists(st.sampled_from(["loops", "lists", "dicts", "files"]), max_size=3).map(tuple),
        difficulty=st.integers(1, 5),
        options=st.integers(0, 5),
        kind=st.sampled_from(["numeric", "single_choice", "true_false", "essay"]),
    )


def scored_answers() -> st.SearchStrategy[ScoredAnswer]:
    """Answers with any fraction, also none, and unanswered ones."""
    judged = st.one_of(
        st.tuples(st.one_of(st.none(), st.just(0.0), st.just(1.0), st.floats(0, 1)), st.none()),
        st.just((0.0, Outcome.UNANSWERED)),
        st.tuples(st.floats(0, 1), st.just(Outcome.NEEDS_REVIEW)),
    )
    return st.builds(lambda asked, given: scored(asked, *given), questions(), judged)
