"""What was read from a file of a curriculum, and what it makes of the curriculum that is there."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from pipeline.curriculum.entry import PARTS, Kind, entries_of
from pipeline.curriculum.model import Curriculum
from pipeline.curriculum.whole import Fault, circular, faults_in, merged
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.model import Question

QUESTIONS: Final = "questions"
SHOWN_ID_CHARS: Final = 100


class Place(NamedTuple):
    """Where a thing stands in a file: `pointer` leads to it in its document, which may be one line of the file."""

    pointer: str
    line: int | None = None

    @property
    def named(self) -> str:
        """The place in words."""
        return self.pointer if self.line is None else f"line {self.line}"


class CurriculumFile(msgspec.Struct, frozen=True):
    """What was read from a file.

    `curriculum` and `questions` are what is sound in it, `places` where every entry with an id stands, sound or not,
    and `problems` what is wrong with the file taken alone.
    """

    curriculum: Curriculum
    questions: tuple[Question, ...]
    places: Mapping[tuple[Kind, str], Place]
    problems: tuple[FieldProblem, ...] = ()

    def applied_to(self, base: Curriculum) -> Curriculum:
        """What `base` becomes by this file; raises `InvalidInput` with all that is wrong in the file and the whole."""
        whole = merged(base, self.curriculum)
        named: dict[Kind, set[str]] = {kind: set() for kind in Kind}
        for kind, id_ in self.places:
            named[kind].add(id_)
        faults = faults_in(whole, given=self.curriculum, also=named)
        if problems := [*self.problems, *(self._problem(fault) for fault in faults)]:
            raise InvalidInput(problems, summary_of(len(problems)))
        return whole

    def problems_alone(self) -> list[FieldProblem]:
        """What is wrong with it whatever is there already; names that it does not know itself may be."""
        return [*self.problems, *(self._problem(fault) for fault in circular(self.curriculum, self.curriculum))]

    def counts(self) -> dict[str, int]:
        """How many things of each part there are."""
        counts = {part: len(entries_of(self.curriculum, kind)) for kind, part in PARTS.items()}
        return counts | {QUESTIONS: len(self.questions)}

    def _problem(self, fault: Fault) -> FieldProblem:
        if not fault.ids:
            return FieldProblem(f"/{PARTS[fault.kind]}", fault.detail)
        place = self.places.get((fault.kind, fault.ids[0]), Place(""))
        return problem_at(place, fault.kind, fault.ids[0], FieldProblem(fault.pointer, fault.detail))


def problem_at(place: Place, kind: str, id_: str, problem: FieldProblem) -> FieldProblem:
    """A problem of one thing as a problem of the file, which names the thing and where it stands."""
    name = f'{kind} "{id_[:SHOWN_ID_CHARS]}"' if id_ else f"this {kind}"
    where = "" if place.line is None else f"line {place.line}, "
    return FieldProblem(place.pointer + problem.pointer, f"{where}{name}: {problem.detail}")


def summary_of(problems: int) -> str:
    """What is wrong with a file, in a sentence."""
    return f"Nothing was imported: {problems:,} {'thing is' if problems == 1 else 'things are'} wrong in the file."
