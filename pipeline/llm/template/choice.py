"""Remarks on answers that pick among given options."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from pipeline.model import Answer, JsonValue, Question
from pipeline.prompting.plain import listed, quotable, scalar_text
from pipeline.prompting.wording import Remark

UNREADABLE: Final = Remark("unreadable")

_LABEL_LIMIT: Final = 80
_LONGEST_SHOWN_ID: Final = 3


def label(question: Question, option_id: str) -> str:
    """An option as learners know it: `b) its text`; a long id is for machines and left out."""
    text = next((option.get("text", "") for option in question.options if option["id"] == option_id), "")
    if not text:
        return quotable(option_id, _LABEL_LIMIT)
    shown = quotable(text, _LABEL_LIMIT)
    return f"{option_id}) {shown}" if len(option_id) <= _LONGEST_SHOWN_ID else shown


def labels(question: Question, option_ids: Sequence[str]) -> dict[str, object]:
    """The facts of a list of options."""
    return listed(option_ids, partial(label, question))


def option_details(answer: Answer) -> tuple[Remark, ...]:
    """Which option was chosen."""
    if not isinstance(answer.response, str):
        return (UNREADABLE,)
    return (Remark("given", {"answer": label(answer.question, answer.response)}),)


def option_solution(question: Question) -> tuple[Remark, ...]:
    """Which option is right."""
    return (Remark("solution", {"answer": label(question, question.answer["option"])}),)


def options_details(answer: Answer) -> tuple[Remark, ...]:
    """Which options were rightly chosen, wrongly chosen and missed."""
    question, right = answer.question, answer.question.answer["options"]
    chosen = _chosen(answer.response)
    found = [option for option in chosen if option in right]
    wrong = [option for option in chosen if option not in right]
    missed = [option for option in right if option not in chosen]
    if question.hide_solution:
        return _hinted(chosen=bool(chosen), wrong=bool(wrong), missed=bool(missed))
    return (
        *(() if chosen else (UNREADABLE,)),
        *((Remark("chosen_right", labels(question, found)),) if found else ()),
        *((Remark("chosen_wrong", labels(question, wrong)),) if wrong else ()),
        *((Remark("chosen_missed", labels(question, missed)),) if missed else ()),
    )


def statement_details(answer: Answer) -> tuple[Remark, ...]:
    """Whether the statement was called true or false."""
    if isinstance(answer.response, bool):
        return (Remark("statement_given", {"value": answer.response}),)
    given = scalar_text(answer.response)
    return (Remark("given", {"answer": given}),) if given else (UNREADABLE,)


def statement_solution(question: Question) -> tuple[Remark, ...]:
    """Whether the statement is true."""
    return (Remark("statement_solution", {"value": question.answer["value"]}),)


def _chosen(response: JsonValue) -> tuple[str, ...]:
    if not isinstance(response, list | tuple):
        return ()
    return tuple(dict.fromkeys(option for option in response if isinstance(option, str)))


def _hinted(*, chosen: bool, wrong: bool, missed: bool) -> tuple[Remark, ...]:
    if not chosen:
        return (UNREADABLE,)
    return (
        *((Remark("some_wrong"),) if wrong else ()),
        *((Remark("some_missed"),) if missed else ()),
    )
