"""Sittings: hand-ins that follow each other within half an hour, and how long a sitting did a learner best."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from pipeline.model import Outcome

LONGEST_GAP: Final = timedelta(minutes=30)
"""A hand-in that comes later than this after the one before begins a new session."""
LONGEST_START: Final = timedelta(minutes=30)
"""At most so much is believed of the response times of a session's first hand-in, which nothing else bounds."""

LENGTHS: Final = (10, 20, 40, 60)
"""Sessions are compared in groups: shorter than 10 minutes, from 10 to 20, 20 to 40, 40 to 60, and longer."""
ENOUGH_SESSIONS: Final = 3
ENOUGH_ANSWERS: Final = 20
"""A group is compared from so many sessions and scored answers on."""
PRIOR_ANSWERS: Final = 20
"""Each group's accuracy is taken together with so many answers at the accuracy of all: a small group has to be better
by more than a large one to come first."""
NOTICEABLE: Final = 0.03
"""Groups whose accuracy, so taken, is within this of that of all sessions are told to make no difference."""
DECIMALS: Final = 4


class Answered(msgspec.Struct, frozen=True):
    """One answer as a report sees it; `fraction` is in [0, 1], None where it has no score yet."""

    topics: tuple[str, ...]
    outcome: Outcome
    fraction: float | None
    response_time_ms: int | None = None

    @property
    def scored(self) -> bool:
        return self.fraction is not None

    @property
    def correct(self) -> bool:
        return self.outcome is Outcome.CORRECT


class HandIn(msgspec.Struct, frozen=True):
    """One submission as a report sees it, handed in at `at` (aware)."""

    at: datetime
    answers: tuple[Answered, ...]


class Session(msgspec.Struct, frozen=True):
    """Hand-ins in one go; `minutes` from the first answer's beginning, as far as it is known, to the last hand-in."""

    started_at: datetime
    minutes: float
    hand_ins: int
    scored: int
    correct: int


class SessionLength(msgspec.Struct, frozen=True):
    """The sessions of one group: from `from_minutes` to below `to_minutes`, None: any longer. Accuracy is 0 to 1."""

    from_minutes: int
    to_minutes: int | None
    sessions: int
    answers: int
    accuracy: float | None


class Sessions(msgspec.Struct, frozen=True):
    """What sessions tell of two weeks.

    `best` is the group whose answers were right most often; None where fewer than two groups have 3 sessions and 20
    scored answers (`enough` is false then), or where they hardly differ.
    """

    count: int
    mean_minutes: float | None
    enough: bool
    best: SessionLength | None
    lengths: tuple[SessionLength, ...]


def sessions_of(hand_ins: Iterable[HandIn]) -> tuple[Session, ...]:
    """The sessions that these hand-ins make, in the order of time."""
    runs: list[list[HandIn]] = []
    for hand_in in sorted(hand_ins, key=lambda one: one.at):
        if runs and hand_in.at - runs[-1][-1].at <= LONGEST_GAP:
            runs[-1].append(hand_in)
        else:
            runs.append([hand_in])
    return tuple(session_of(run) for run in runs)


def session_of(run: Sequence[HandIn]) -> Session:
    first = sum((answer.response_time_ms or 0 for answer in run[0].answers), 0)
    started_at = run[0].at - min(timedelta(milliseconds=first), LONGEST_START)
    answers = [answer for hand_in in run for answer in hand_in.answers if answer.scored]
    return Session(
        started_at=started_at,
        minutes=(run[-1].at - started_at).total_seconds() / 60,
        hand_ins=len(run),
        scored=len(answers),
        correct=sum(answer.correct for answer in answers),
    )


def compared(sessions: Sequence[Session]) -> Sessions:
    """How long sessions were, and which length went best."""
    lengths = [length_of(sessions, low, high) for low, high in zip((0, *LENGTHS), (*LENGTHS, None), strict=True)]
    known = [length for length in lengths if length.sessions >= ENOUGH_SESSIONS and length.answers >= ENOUGH_ANSWERS]
    enough = len(known) > 1
    return Sessions(
        count=len(sessions),
        mean_minutes=round(sum(session.minutes for session in sessions) / len(sessions), 1) if sessions else None,
        enough=enough,
        best=best_of(known, sessions) if enough else None,
        lengths=tuple(length for length in lengths if length.sessions),
    )


def length_of(sessions: Sequence[Session], low: int, high: int | None) -> SessionLength:
    inside = [session for session in sessions if low <= session.minutes and (high is None or session.minutes < high)]
    scored, correct = sum(session.scored for session in inside), sum(session.correct for session in inside)
    return SessionLength(low, high, len(inside), scored, round(correct / scored, DECIMALS) if scored else None)


def best_of(known: Sequence[SessionLength], sessions: Sequence[Session]) -> SessionLength | None:
    """The group with the best accuracy, cautiously; None where it is hardly better than all together."""
    overall = sum(session.correct for session in sessions) / sum(session.scored for session in sessions)
    best = max(known, key=lambda length: (cautious(length, overall), -length.from_minutes))
    return best if cautious(best, overall) - overall >= NOTICEABLE else None


def cautious(length: SessionLength, overall: float) -> float:
    """A group's accuracy with `PRIOR_ANSWERS` more at the accuracy of all."""
    right = (length.accuracy or 0.0) * length.answers
    return (right + PRIOR_ANSWERS * overall) / (length.answers + PRIOR_ANSWERS)
