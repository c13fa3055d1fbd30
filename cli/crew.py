"""Which worker processes a system has, by name, and what each is told to work on.

Whoever waits for a model's replies has a process of its own: scores never share an event loop with hundreds of texts
under way.
"""

from typing import Final

from pipeline.execution import DELIVER, GENERATE
from pipeline.lifecycle import Stage

MODELS: Final = "worker-models"
WRITING: Final = (Stage.FEEDBACK, GENERATE)
COMPUTING: Final = (Stage.SCORE, Stage.RECOMMEND, Stage.METRICS, DELIVER)


def crew(count: int, *, models: bool) -> dict[str, tuple[str, ...]]:
    """The arguments of `count` workers; with `models` one more has all that models write, and they the rest."""
    own: tuple[str, ...] = ("--stages", ",".join(COMPUTING)) if models else ()
    workers: dict[str, tuple[str, ...]] = {f"worker-{number}": own for number in range(1, count + 1)}
    return {**workers, MODELS: ("--stages", ",".join(WRITING))} if models else workers
