"""Remarks on answers that are typed in: numbers, short texts, blanks, essays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.llm.template.choice import UNREADABLE
from pipeline.llm.template.comparison import fits_blank, is_within, number_in
from pipeline.model import Answer, JsonValue, Question
from pipeline.prompting.plain import ITEM_LIMIT, listed, number_text, quotable, scalar_text
from pipeline.prompting.wording import Remark

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
    given, number = scalar_text(answer.response), number_in(answer.response)
    if not given or number is None:
        return given_details(answer)
    return (Remark(_direction(number, answer.question.answer), {"answer": given}),)


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
    shown = tuple(
        _blank(number, given, "" if hidden else accepted) for number, given, accepted in wrong[:ITEM_LIMIT]
    )
    rest = len(wrong) - ITEM_LIMIT
    return (*shown, Remark("more_blanks", {"count": rest})) if rest > 0 else shown


def review_points(question: Question) -> tuple[Remark, ...]:
    """What a reader of an essay will look for; nothing where that would give the solution away."""
    rubric = () if question.hide_solution else question.answer.get("rubric", ())
    points = [criterion["description"] for criterion in rubric]
    return (Remark("review_points", listed(points)),) if points else ()


def _direction(number: float, key: Mapping[str, JsonValue]) -> str:
    if is_within(number, key):
        return "unit_off" if key.get("unit") else "given"
    return "too_high" if number > key["value"] else "too_low"


def _wrong_blanks(answer: Answer, entries: Sequence[JsonValue]) -> Iterator[tuple[int, str, str]]:
    """Number, what was filled in and what would be accepted, of each blank that does not fit."""
    for index, blank in enumerate(answer.question.answer["blanks"]):
        entry = entries[index] if index < len(entries) else None
        if not fits_blank(entry, blank):
            yield index + 1, scalar_text(entry) or "", quotable(blank["accepted"][0])


def _blank(number: int, given: str, accepted: str) -> Remark:
    return Remark("blank", {"number": number, "answer": given, "accepted": accepted})
