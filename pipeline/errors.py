"""The one tree of errors that parts of Gradeline raise on purpose.

    GradelineError
    ├── SettingsError          a setting is unknown or malformed
    ├── InvalidInput           what the client sent is wrong; lists every problem found
    ├── NotFound               no such thing, or not yours: the two are not told apart
    ├── Unauthenticated        no key, or one we do not know
    ├── Forbidden              the key is known and its role may not do this
    ├── Conflict               the thing's state forbids the request
    ├── IdempotencyMismatch    the same Idempotency-Key came with another body
    ├── TooLarge               the request is bigger than the limit
    ├── UnsupportedMediaType   the body is of a kind this call does not read
    ├── RateLimited            a limit is used up; says when to come back
    ├── Unavailable            a server we need is away; says when to come back
    ├── Contended              others hold what this work would need for longer than it wants to wait
    ├── EnvironmentFault       this machine or a server on it cannot do what is asked; one clear line
    └── FencedOut              the lease was lost: somebody else owns the stage now

No HTTP here: `api/errors.py` maps these to problem documents, the CLI to lines and exit codes.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

NAMED_PLACES: Final = 3
"""How many places a summary of problems names."""


class FieldProblem(msgspec.Struct, frozen=True):
    """One thing wrong in a body: where (a JSON pointer, RFC 6901) and what, in words for people."""

    pointer: str
    detail: str


class GradelineError(Exception):
    """The root. Its text is a sentence that may be shown to whoever caused it."""


class SettingsError(GradelineError):
    """A `GRADELINE_` variable is unknown or its value is out of bounds; the text names it."""


class InvalidInput(GradelineError):
    """The request can be read but its content is wrong; it lists every problem found."""

    def __init__(self, problems: Sequence[FieldProblem], detail: str | None = None) -> None:
        self.problems = tuple(FieldProblem(problem.pointer, as_sentence(problem.detail)) for problem in problems)
        super().__init__(detail or summary_of(self.problems))


def as_sentence(detail: str) -> str:
    """With a capital letter before and a full stop after: "must be an object" as "Must be an object."."""
    return f"{detail[:1].upper()}{detail[1:]}" + ("" if detail.endswith((".", "…")) else ".")


def summary_of(problems: Sequence[FieldProblem]) -> str:
    """The one problem, or how many there are and where the first ones are."""
    if len(problems) == 1:
        [only] = problems
        return f"{only.pointer}: {only.detail}" if only.pointer else only.detail
    places = list(dict.fromkeys(problem.pointer for problem in problems if problem.pointer))
    if not places:
        return "The request cannot be read."
    end = ", …" if len(places) > NAMED_PLACES else "."
    count = f"{len(places)} fields are" if len(places) > 1 else "1 field is"
    return f"{count} invalid: {', '.join(places[:NAMED_PLACES])}{end}"


class NotFound(GradelineError):
    """There is no such thing for this caller; another tenant's things answer the same."""


class Unauthenticated(GradelineError):
    """The call carries no credential, or one that is unknown, revoked or expired."""


class Forbidden(GradelineError):
    """The credential is valid and its role does not include this call."""


class Conflict(GradelineError):
    """The state of the thing forbids the request; the text names the state."""


class IdempotencyMismatch(GradelineError):
    """The Idempotency-Key was used before with a different body."""


class TooLarge(GradelineError):
    """The request is bigger than the limit that the text names."""


class UnsupportedMediaType(GradelineError):
    """The body is of a media type that this call does not read; the text names those it does."""


class RateLimited(GradelineError):
    """A limit is used up.

    `limit` requests per `window_seconds` for the `policy` of that name; try again in `retry_after_seconds`
    (rounded up, ≥ 1).
    """

    def __init__(
        self, detail: str, *, limit: int, window_seconds: int, retry_after_seconds: int, policy: str = "learner"
    ) -> None:
        super().__init__(detail)
        self.policy = policy
        self.limit = limit
        self.window_seconds = window_seconds
        self.retry_after_seconds = retry_after_seconds


class Unavailable(GradelineError):
    """A server that this call needs is away for now.

    Try again in `retry_after_seconds`.
    """

    def __init__(self, detail: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Contended(GradelineError):
    """Others hold what this work would need, for longer than it wants to wait; nothing of it was stored."""


class EnvironmentFault(GradelineError):
    """The machine or a server on it cannot do what is asked; the text is one line that says what to do."""


class FencedOut(GradelineError):
    """A result came from a worker that no longer holds the lease; nothing of it was stored."""
