"""The life cycle, pair by pair and walk by walk."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.lifecycle import PAGE, Combination, page, reachable, status_moves, steps_from
from pipeline.lifecycle import (
    EVENT_MEANING,
    FINAL_STATUSES,
    OPEN_STATES,
    PREDECESSORS,
    SUCCEEDED_STATES,
    SUCCESSORS,
    TRANSITIONS,
    Event,
    IllegalTransition,
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

W, R, X, D, G, F, C = StageState  # waiting, ready, running (x), done, degraded, failed for good (dead), cancelled

LEGAL = {
    "waiting": {"predecessors_finished": "ready", "cancelled": "cancelled"},
    "ready": {"claimed": "running", "exhausted": "dead", "cancelled": "cancelled"},
    "running": {
        "succeeded": "done",
        "succeeded_with_less": "degraded",
        "postponed": "ready",
        "gave_back": "ready",
        "lease_lost": "ready",
        "exhausted": "dead",
        "cancelled": "cancelled",
    },
    "done": {},
    "degraded": {"improved": "done"},
    "dead": {"retried": "ready", "cancelled": "cancelled"},
    "cancelled": {},
}
"""What the design allows, written down a second time on purpose."""

PAIRS = [(state, event) for state in StageState for event in Event]
ATTEMPTS = 3

Submission = dict[Stage, StageState]


def status(*states: StageState) -> Status:
    return status_of(dict(zip(Stage, states, strict=True)))


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair[1] in LEGAL[pair[0]]])
def test_a_legal_event_lands_where_the_design_says(state: StageState, event: Event) -> None:
    assert move(state, event) == LEGAL[state][event]


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair[1] not in LEGAL[pair[0]]])
def test_every_other_event_is_refused_by_name(state: StageState, event: Event) -> None:
    with pytest.raises(IllegalTransition, match=f"a {state} stage cannot be {event}"):
        move(state, event)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[StageState.DONE, Event.RETRIED] = StageState.READY  # type: ignore[index]  # the point


@pytest.mark.parametrize("event", Event)
def test_guards_name_the_states_an_event_may_leave(event: Event) -> None:
    assert sources(event) == tuple(state for state in StageState if event in LEGAL[state])
    assert EVENT_MEANING[event]


def test_each_event_leads_to_one_state_only() -> None:
    for event in Event:
        assert len({move(state, event) for state in sources(event)}) == 1


def test_done_is_never_undone_and_cancelled_never_revived() -> None:
    leaving = {state for state, _ in TRANSITIONS}
    assert set(StageState) - leaving == {StageState.DONE, StageState.CANCELLED}
    assert leaving >= OPEN_STATES


def test_a_lesser_result_can_only_become_a_better_one() -> None:
    """And that changes nothing else of the submission."""
    assert [event for state, event in TRANSITIONS if state is StageState.DEGRADED] == [Event.IMPROVED]
    for states in reachable():
        before = dict(zip(Stage, states, strict=True))
        for stage in [stage for stage, state in before.items() if state is StageState.DEGRADED]:
            after = advance(before, stage, Event.IMPROVED)
            assert after == {**before, stage: StageState.DONE}
            assert status_of(after) is status_of(before)


def test_successors_and_predecessors_agree() -> None:
    for before in Stage:
        for after in Stage:
            assert (after in SUCCESSORS[before]) is (before in PREDECESSORS[after])


def test_stages_run_in_the_order_they_are_listed() -> None:
    order = list(Stage)
    for stage in Stage:
        assert all(order.index(before) < order.index(stage) for before in PREDECESSORS[stage])


def test_one_of_two_predecessors_is_not_enough() -> None:
    before = dict(zip(Stage, (D, X, X, W), strict=True))
    once = advance(before, Stage.FEEDBACK, Event.SUCCEEDED_WITH_LESS)
    assert tuple(once.values()) == (D, G, X, W)
    assert tuple(advance(once, Stage.RECOMMEND, Event.SUCCEEDED).values()) == (D, G, D, R)
    assert tuple(before.values()) == (D, X, X, W)


def test_a_dead_stage_releases_nobody() -> None:
    before = dict(zip(Stage, (X, W, W, W), strict=True))
    assert tuple(advance(before, Stage.SCORE, Event.EXHAUSTED).values()) == (F, W, W, W)


def test_a_cancel_keeps_what_is_finished() -> None:
    before = dict(zip(Stage, (D, F, X, W), strict=True))
    assert tuple(cancel(before).values()) == (D, C, C, C)
    assert cancel(dict.fromkeys(Stage, C)) == dict.fromkeys(Stage, C)


@given(st.data())
def test_advancing_agrees_with_a_walk_that_moves_stage_by_stage(data: st.DataObject) -> None:
    walk = Walk(lambda events: data.draw(st.sampled_from(events)))
    states = first_states()
    for stage, event in walk.run(data):
        states = advance(states, stage, event)
    assert states == walk.states


def test_only_the_score_is_ready_at_first() -> None:
    assert first_states() == dict(zip(Stage, (R, W, W, W), strict=True))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((R, W, W, W), Status.PENDING),
        ((X, W, W, W), Status.SCORING),
        ((D, R, R, W), Status.AI_PROCESSING),
        ((D, D, G, X), Status.AI_PROCESSING),
        ((D, D, D, D), Status.COMPLETED),
        ((G, G, G, G), Status.COMPLETED),
        ((F, W, W, W), Status.FAILED),
        ((D, F, X, W), Status.FAILED),
        ((C, C, C, C), Status.CANCELLED),
        ((D, D, C, C), Status.CANCELLED),
    ],
)
def test_the_status_follows_from_the_stages(states: Combination, expected: Status) -> None:
    assert status(*states) is expected


@pytest.mark.parametrize("states", reachable(), ids="-".join)
def test_in_every_reachable_combination_no_stage_is_ahead_and_the_status_fits(states: Combination) -> None:
    by_stage = dict(zip(Stage, states, strict=True))
    for stage, state in by_stage.items():
        begun = state not in {StageState.WAITING, StageState.CANCELLED}
        ready_to_begin = all(by_stage[before] in SUCCEEDED_STATES for before in PREDECESSORS[stage])
        assert ready_to_begin or not begun
        assert not (ready_to_begin and state is StageState.WAITING)
    assert {StageState.DEAD, StageState.CANCELLED} & set(states) != {StageState.DEAD, StageState.CANCELLED}
    check_status(status(*states), by_stage)


def check_status(found: Status, states: Submission) -> None:
    """The meaning of each status, said without `status_of`'s order of questions."""
    values = set(states.values())
    scored = states[Stage.SCORE] in SUCCEEDED_STATES
    meanings: dict[Status, Callable[[], bool]] = {
        Status.PENDING: lambda: states == first_states(),
        Status.SCORING: lambda: states == {**first_states(), Stage.SCORE: StageState.RUNNING},
        Status.AI_PROCESSING: lambda: scored and values <= OPEN_STATES | SUCCEEDED_STATES,
        Status.COMPLETED: lambda: values <= SUCCEEDED_STATES,
        Status.FAILED: lambda: StageState.DEAD in values,
        Status.CANCELLED: lambda: StageState.CANCELLED in values and not values & OPEN_STATES,
    }
    assert meanings[found]()


def test_a_submission_moves_between_statuses_as_the_design_draws_it() -> None:
    forward = {
        ("pending", "scoring"),
        ("scoring", "ai_processing"),
        ("ai_processing", "completed"),
        *((status, end) for status in ("pending", "scoring", "ai_processing") for end in ("failed", "cancelled")),
    }
    back = {
        ("scoring", "pending"),
        ("failed", "pending"),
        ("failed", "ai_processing"),
        ("failed", "cancelled"),
    }
    assert set(status_moves()) == forward | back


@pytest.mark.parametrize(
    "states",
    [states for states in reachable() if status(*states) not in {Status.CANCELLED, Status.COMPLETED}],
)
def test_from_everywhere_but_a_cancellation_completion_can_be_reached(states: Combination) -> None:
    seen, frontier = {states}, [states]
    while frontier:
        found = {after for _, after in steps_from(frontier.pop())} - seen
        seen |= found
        frontier += found
    assert Status.COMPLETED in {status(*met) for met in seen}


class Walk:
    """A submission driven by drawn choices, `ATTEMPTS` per stage; knows nothing of docs/lifecycle.py."""

    def __init__(self, draw: Callable[[list[Event]], Event]) -> None:
        self.states: Submission = first_states()
        self.attempts = dict.fromkeys(Stage, 0)
        self.draw = draw
        self.met = [tuple(self.states.values())]

    def step(self, stage: Stage) -> tuple[Stage, Event]:
        event = self.next_event(stage)
        self.happen(stage, event)
        return stage, event

    def next_event(self, stage: Stage) -> Event:
        state = self.states[stage]
        if state is StageState.READY:
            self.attempts[stage] += 1
            return Event.CLAIMED
        event = self.draw([Event.SUCCEEDED, Event.SUCCEEDED_WITH_LESS, Event.POSTPONED, Event.LEASE_LOST])
        spent = self.attempts[stage] >= ATTEMPTS and event in {Event.POSTPONED, Event.LEASE_LOST}
        return Event.EXHAUSTED if spent else event

    def happen(self, stage: Stage, event: Event) -> None:
        self.states[stage] = move(self.states[stage], event)
        for after in SUCCESSORS[stage]:
            if all(self.states[before] in SUCCEEDED_STATES for before in PREDECESSORS[after]):
                self.states[after] = move(self.states[after], Event.PREDECESSORS_FINISHED)
        self.met.append(tuple(self.states.values()))

    def cancel(self) -> None:
        for stage in Stage:
            if self.states[stage] in sources(Event.CANCELLED):
                self.states[stage] = move(self.states[stage], Event.CANCELLED)
        self.met.append(tuple(self.states.values()))

    def busy(self) -> list[Stage]:
        return [stage for stage, state in self.states.items() if state in {StageState.READY, StageState.RUNNING}]

    def run(self, data: st.DataObject) -> list[tuple[Stage, Event]]:
        """Until nothing happens by itself: a step begins or ends an attempt, and these are few."""
        happened: list[tuple[Stage, Event]] = []
        while self.busy() and len(happened) <= 2 * ATTEMPTS * len(Stage):
            happened.append(self.step(data.draw(st.sampled_from(self.busy()))))
        return happened


@given(st.data())
def test_with_limited_attempts_every_walk_ends_in_a_final_status(data: st.DataObject) -> None:
    walk = Walk(lambda events: data.draw(st.sampled_from(events)))
    walk.run(data)
    assert not walk.busy()
    assert status_of(walk.states) in FINAL_STATUSES - {Status.CANCELLED}
    assert set(walk.met) <= set(reachable())


@given(st.data(), st.integers(0, 8))
def test_a_cancelled_walk_is_cancelled_at_once_unless_it_is_completed(data: st.DataObject, steps: int) -> None:
    walk = Walk(lambda events: data.draw(st.sampled_from(events)))
    for _ in range(steps):
        if walk.busy():
            walk.step(data.draw(st.sampled_from(walk.busy())))
    completed = status_of(walk.states) is Status.COMPLETED
    walk.cancel()
    assert status_of(walk.states) is (Status.COMPLETED if completed else Status.CANCELLED)
    assert walk.busy() == []
    assert set(walk.met) <= set(reachable())


@given(st.data())
def test_a_failed_walk_that_is_retried_keeps_what_it_has_and_completes(data: st.DataObject) -> None:
    walk = Walk(lambda events: data.draw(st.sampled_from(events)))
    walk.run(data)
    kept = {stage: state for stage, state in walk.states.items() if state in SUCCEEDED_STATES}
    for stage in [stage for stage, state in walk.states.items() if state is StageState.DEAD]:
        walk.happen(stage, Event.RETRIED)
        walk.attempts[stage] = 0
    walk.draw = lambda events: events[0]
    walk.run(data)
    assert status_of(walk.states) is Status.COMPLETED
    assert kept.items() <= walk.states.items()


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m docs.lifecycle`"
