"""What became of a file of hand-ins, counted as it happens."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cli.handing_in import HandedIn
from cli.ndjson import BadLine
from cli.watching import FINAL


class Outcome:
    """Counts what was said about each line and about each submission; `statuses` is how many have each.

    A submission may belong to several lines (the same key twice in one file); it counts once.
    """

    def __init__(self) -> None:
        self.problems: list[BadLine] = []
        self.lines: dict[str, int] = {}
        self.repeated = 0
        self._kept = 0
        self.statuses: Counter[str] = Counter()
        self._statuses: dict[str, str] = {}
        self._fractions: dict[str, float] = {}

    def kept(self, said: HandedIn) -> bool:
        """Note a line that the server keeps; whether its submission is new to us."""
        submission = said.submission
        first = submission["id"] not in self.lines
        self._kept += 1
        self.lines.setdefault(submission["id"], said.number)
        self.repeated += first and said.repeated
        self.seen(submission)
        return first

    def seen(self, document: Mapping[str, Any]) -> None:
        """Note a submission as it stands."""
        before, now = self._statuses.get(document["id"]), document["status"]
        if before is not None:
            self.statuses[before] -= 1
        self.statuses[now] += 1
        self._statuses[document["id"]] = now
        if (fraction := (document.get("score") or {}).get("fraction")) is not None:
            self._fractions[document["id"]] = fraction

    @property
    def decided(self) -> int:
        """How many lines were kept or refused."""
        return self._kept + len(self.problems)

    @property
    def final(self) -> int:
        """How many submissions are final."""
        return sum(count for status, count in self.statuses.items() if status in FINAL)

    @property
    def mean_fraction(self) -> float | None:
        """The mean of the score fractions known so far, each submission counting the same."""
        return sum(self._fractions.values()) / len(self._fractions) if self._fractions else None

    def succeeded(self, *, watched: bool) -> bool:
        """Whether every line was kept and, where we watched, every submission was completed."""
        return not self.problems and (not watched or self.statuses.total() == self.statuses["completed"])

    def summary(self, seconds: float) -> dict[str, Any]:
        """The figures, for `--json`; `rate` is submissions per second of wall time."""
        return {
            "submissions": len(self.lines),
            "new": len(self.lines) - self.repeated,
            "already_there": self.repeated,
            "refused": len(self.problems),
            "statuses": dict(sorted((+self.statuses).items())),
            "mean_fraction": None if self.mean_fraction is None else round(self.mean_fraction, 4),
            "seconds": round(seconds, 3),
            "rate": round(len(self.lines) / seconds, 1) if seconds else None,
            "problems": [problem._asdict() for problem in self.problems],
        }


def answer_rows(document: Mapping[str, Any], line: int) -> Iterator[dict[str, Any]]:
    """The results of a submission, one row per answer, to be joined with what is known of the learners."""
    for answer in (document.get("score") or {}).get("answers") or ():
        yield {
            "id": document["id"],
            "line": line,
            "status": document["status"],
            "learner_id": document["learner_id"],
            "assignment_id": document["assignment_id"],
            "question_id": answer["question_id"],
            "outcome": answer["outcome"],
            "fraction": answer["fraction"],
            "points": answer["points"],
        }
