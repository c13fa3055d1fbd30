"""Workers with language models: a stand-in that fails as told, and hand-ins whose every answer is a text of its own."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

from pipeline.model import Question
from tests.chaos.keeper import Part
from tests.chaos.system import WORKERS, System
from tests.chaos.witness import Witness
from tests.standin.script import Fault, Script
from tests.standin.server import standing_in

CONCURRENCY: Final = 10
STORM: Final = {
    Fault.RATE_LIMIT: 0.05,
    Fault.SERVER_ERROR: 0.05,
    Fault.OVERLOADED: 0.05,
    Fault.CUT: 0.04,
    Fault.CLEAN_CUT: 0.02,
    Fault.BAD_JSON: 0.03,
    Fault.OFF_SCHEMA: 0.03,
    Fault.SLOW_FIRST: 0.03,
}
"""Three requests of ten fail, or are slow."""
QUESTION: Final = Question(
    id="loop", version=0, type="short_text", prompt="What does a loop do?", answer={"accepted": ["it repeats"]}
)


def storm(seed: int) -> Script:
    """A provider in trouble: replies take a fifth of a second, slow ones a second, and limits last a tenth."""
    return Script(mix=STORM, seed=seed, latency_seconds=0.2, slow_seconds=1.0, retry_after="0.1")


def asking(url: str, **settings: str) -> Part:
    """A worker that has two providers, both of which are the stand-in."""
    environment = {
        "OPENAI_API_KEY": "sk-storm",
        "OPENAI_BASE_URL": f"{url}/v1",
        "ANTHROPIC_API_KEY": "sk-storm",
        "ANTHROPIC_BASE_URL": url,
        "GRADELINE_AI_CONCURRENCY": str(CONCURRENCY),
        **settings,
    }
    return Part(("-m", "workers"), environment)


@asynccontextmanager
async def with_models(system: System, script: Script, **settings: str) -> AsyncIterator[Witness]:
    """All workers have their feedback written by the stand-in, inside the block."""
    async with standing_in(script) as stand_in:
        system.witness = Witness(stand_in, CONCURRENCY)
        await system.replace_all({name: asking(stand_in.url, **settings) for name in WORKERS})
        try:
            yield system.witness
        finally:
            await system.replace_all({name: system.shipped(name) for name in WORKERS})
            system.witness = None


def own_words(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Hand-ins with an answer that nobody else gives, so that each needs a text of its own."""
    return [
        {
            "learner_id": f"learner-{number % 50}",
            "answers": [{"question_id": QUESTION.id, "response": f"it counts up to {number} and stops"}],
        }
        for number in numbers
    ]
