# ruff: noqa: INP001  a script beside the page it writes, not a package
"""Writes docs/lifecycle.md from the table in `pipeline/lifecycle.py`: `python -m docs.lifecycle`.

What happens to a whole submission is found by walking from its first states through every row of the table,
so the drawing can show neither more nor less than the code allows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from pipeline.lifecycle import (
    EVENT_MEANING,
    FINAL_STATUSES,
    PREDECESSORS,
    SUCCEEDED_STATES,
    SUCCESSORS,
    TRANSITIONS,
    Event,
    Stage,
    StageState,
    Status,
    advance,
    cancel,
    first_states,
    move,
    sources,
    status_of,
)

_EVENT_ORDER: Final = tuple(Event)
PAGE: Final = Path(__file__).with_suffix(".md")
NONE: Final = "-"

Combination = tuple[StageState, ...]
"""The states of all stages, in the order of `Stage`."""

Step = tuple[Event, Combination]

ON_ONE_STAGE: Final = tuple(
    event for event in Event if event not in {Event.PREDECESSORS_FINISHED, Event.CANCELLED, Event.RETRIED}
)

STATUS_MEANING: Final = {
    Status.PENDING: "stored, and its score is not being worked on: not yet, or not until the next try",
    Status.SCORING: "a worker is scoring it",
    Status.AI_PROCESSING: "scored; another stage is open",
    Status.COMPLETED: "every stage is done or degraded",
    Status.FAILED: "a stage is dead; a retry takes it back to where it was",
    Status.CANCELLED: "the client or an operator asked for it",
}

INTRODUCTION: Final = """\
# The life of a stage and of a submission

Generated from the table in `pipeline/lifecycle.py` by `python -m docs.lifecycle`; a test keeps the two equal.

A stage that only computes goes on in the transaction that made it ready: it is readied, claimed and ended by one
write, under an epoch and an attempt of its own. Watchers see what the whole write came to.

A person who settles an answer of a scored submission moves no stage: the score changes, the version grows, and the
status stays. It can be done at any time until the submission is cancelled.
"""


def steps_from(states: Combination) -> Iterator[Step]:
    """Everything that can happen next to a submission in `states`, and where it leads.

    A cancel and a retry are asked for a whole submission; that its predecessors finished happens to a stage
    as part of the success of the last one.
    """
    by_stage = dict(zip(Stage, states, strict=True))
    for event in ON_ONE_STAGE:
        for stage, state in by_stage.items():
            if state in sources(event):
                yield event, tuple(advance(by_stage, stage, event).values())
    if set(states) & set(sources(Event.CANCELLED)):
        yield Event.CANCELLED, tuple(cancel(by_stage).values())
    if StageState.DEAD in states:
        yield Event.RETRIED, tuple(_retried(state) for state in states)


def reachable() -> tuple[Combination, ...]:
    """All combinations that a submission can be in, in the order a walk meets them."""
    met = [tuple(first_states()[stage] for stage in Stage)]
    for states in met:  # the list grows while it is read: breadth first
        met += dict.fromkeys(after for _, after in steps_from(states) if after not in met)
    return tuple(met)


def status_moves() -> dict[tuple[Status, Status], tuple[Event, ...]]:
    """From which status to which other one a submission can go, and by which events."""
    moves: dict[tuple[Status, Status], set[Event]] = defaultdict(set)
    for states in reachable():
        for event, after in steps_from(states):
            moves[_status(states), _status(after)].add(event)
    ordered = [(before, after) for before in Status for after in Status if before is not after]
    return {pair: tuple(sorted(moves[pair], key=_EVENT_ORDER.index)) for pair in ordered if pair in moves}


def page() -> str:
    """The whole of docs/lifecycle.md."""
    return "\n".join(
        [
            INTRODUCTION,
            "## A stage\n",
            _drawing(_stage_lines()),
            _table(("event", "meaning", "from", "to"), _event_rows()),
            "Every other pair of state and event is refused:\n",
            _table(("state", *(f"{event}" for event in Event)), _pair_rows()),
            "## The order of the stages\n",
            _table(("stage", "waits for", "then"), _order_rows()),
            "## A submission\n",
            f"Its status follows from its stages, which can stand in {len(reachable())} combinations.\n",
            _drawing(_status_lines()),
            _table(("status", "meaning", "a client may stop waiting", "combinations"), _status_rows()),
        ]
    )


def _retried(state: StageState) -> StageState:
    return move(state, Event.RETRIED) if state in sources(Event.RETRIED) else state


def _status(states: Combination) -> Status:
    return status_of(dict(zip(Stage, states, strict=True)))


def _stage_lines() -> Iterator[str]:
    starting: dict[StageState, list[Stage]] = defaultdict(list)
    for stage, state in first_states().items():
        starting[state].append(stage)
    yield from (f"[*] --> {state}: {', '.join(stages)}" for state, stages in starting.items())
    yield from (f"{state} --> {after}: {event}" for (state, event), after in TRANSITIONS.items())
    ends = SUCCEEDED_STATES | {StageState.CANCELLED}
    yield from (f"{state} --> [*]" for state in StageState if state in ends)


def _status_lines() -> Iterator[str]:
    yield f"[*] --> {status_of(first_states())}"
    for (before, after), events in status_moves().items():
        yield f"{before} --> {after}: {', '.join(events)}"


def _event_rows() -> Iterator[Sequence[str]]:
    for event in Event:
        states = sources(event)
        yield event, EVENT_MEANING[event], ", ".join(states), move(states[0], event)


def _pair_rows() -> Iterator[Sequence[str]]:
    for state in StageState:
        yield state, *(TRANSITIONS.get((state, event), NONE) for event in Event)


def _order_rows() -> Iterator[Sequence[str]]:
    for stage in Stage:
        yield stage, ", ".join(PREDECESSORS[stage]) or NONE, ", ".join(SUCCESSORS[stage]) or NONE


def _status_rows() -> Iterator[Sequence[str]]:
    met = [_status(states) for states in reachable()]
    for status in Status:
        settled = "yes" if status in FINAL_STATUSES else "no"
        yield status, STATUS_MEANING[status], settled, str(met.count(status))


def _drawing(lines: Iterable[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```", ""])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
