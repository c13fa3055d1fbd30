"""Remarks on answers that are typed in: numbers, short texts, blanks, essays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.llm.template.choice import UNREADABLE
from pipeline.model import Answer, JsonValue, Outcome, Question
from pipeline.prompting.plain import ITEM_LIMIT, listed, number_text, quotable, scalar_text
from pipeline.prompting.wording import Remark
from pipeline.scoring.quantity import matches, readings, same_unit
from pipeline.scoring.shape import forbidden_characters
from pipeline.scoring.text import is_blank
from pipeline.scoring.writing import judge_text

_ACCEPTED_LIMIT: Final = 600
"""Characters of a model answer that are shown."""


def given_details(answer: Answer) -> tuple[Remark, ...]:
    """What was written."""
    given = scalar_text(answer.response)
    if given is None:
        return (UNREADABLE,)
    return (Remark("given", {"answer": given}),) if given else (Remark("empty"),)


def accepted_solution(question: Question) -> tuple[Remark, ...]:
    """One text that would be accepted, if the key lists any."""
    accepted = question.answer.get("accepted")
    return (Remark("accepted", {"answer": quotable(accepted[0], _ACCEPTED_LIMIT)}),) if accepted else ()


def numeric_details(answer: Answer) -> tuple[Remark, ...]:
    """Whether the number is too high or too low, or fits and leaves only its unit in doubt."""
    given, difference = scalar_text(answer.response), _difference(answer.question.answer, answer.response)
    if not given or difference is None:
        return given_details(answer)
    return (Remark(difference, {"answer": given}),)


def number_solution(question: Question) -> tuple[Remark, ...]:
    """The accepted value with its tolerance and unit."""
    key = question.answer
    relative = key.get("relative_tolerance")
    facts = {
        "value": number_text(key["value"]),
        "tolerance": number_text(key["tolerance"]) if key.get("tolerance") else "",
        "percent": number_text(100 * relative) if relative else "",
        "unit": quotable(key.get("unit") or ""),
    }
    return (Remark("number_solution", facts),)


def cloze_details(answer: Answer) -> tuple[Remark, ...]:
    """Which blanks do not fit, and what would; beyond the first few only how many."""
    if not isinstance(answer.response, list | tuple):
        return (UNREADABLE,)
    wrong = tuple(_wrong_blanks(answer, answer.response))
    hidden = answer.question.hide_solution
    shown = tuple(_blank(number, given, "" if hidden else accepted) for number, given, accepted in wrong[:ITEM_LIMIT])
    rest = len(wrong) - ITEM_LIMIT
    return (*shown, Remark("more_blanks", {"count": rest})) if rest > 0 else shown


def review_points(question: Question) -> tuple[Remark, ...]:
    """What a reader of an essay will look for; nothing where that would give the solution away."""
    rubric = () if question.hide_solution else question.answer.get("rubric", ())
    points = [criterion["description"] for criterion in rubric]
    return (Remark("review_points", listed(points)),) if points else ()


def _difference(key: Mapping[str, JsonValue], response: JsonValue) -> str | None:
    """Where a number is off, as a remark; None where that is not plain in every way to read it."""
    if matches({**key, "unit": None}, response):
        return None if matches(key, response) else "unit_off"
    unit = key.get("unit")
    read = readings(response)
    if not read or any(unit and one.unit and not same_unit(unit, one.unit) for one in read):
        return None
    sides = {"too_high" if one.value > key["value"] else "too_low" for one in read}
    return sides.pop() if len(sides) == 1 else None


def _wrong_blanks(answer: Answer, entries: Sequence[JsonValue]) -> Iterator[tuple[int, str, str]]:
    """Number, what was filled in and what would be accepted, of each blank that does not fit."""
    for index, blank in enumerate(answer.question.answer["blanks"]):
        entry = entries[index] if index < len(entries) else None
        if not _may_fit(blank, entry, answer.question.prompt):
            yield index + 1, scalar_text(entry) or "", quotable(next(iter(blank["accepted"]), ""))


def _may_fit(blank: Mapping[str, JsonValue], entry: JsonValue, prompt: str) -> bool:
    """Whether the scoring rule calls a blank right or is in doubt of it."""
    if not isinstance(entry, str) or is_blank(entry) or forbidden_characters(entry):
        return False
    return judge_text(blank, entry, prompt).outcome is not Outcome.INCORRECT


def _blank(number: int, given: str, accepted: str) -> Remark:
    return Remark("blank", {"number": number, "answer": given, "accepted": accepted})
