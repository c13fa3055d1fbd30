"""Which options a question offers and a response chose, for the types that have some."""

from typing import Final

from pipeline.learning.evidence import choices_of, guess_floor
from pipeline.learning.item_analysis import Asked
from pipeline.model import JsonValue, Question

TRUE_FALSE: Final = ("true", "false")


def asked_by(question: Question) -> Asked:
    """The question's options and which of them are right; types without options have none."""
    guess = guess_floor(choices_of(question))
    ids = tuple(option["id"] for option in question.options)
    match question.type:
        case "single_choice":
            return Asked(ids, frozenset({question.answer["option"]}), guess)
        case "multiple_choice":
            return Asked(ids, frozenset(question.answer["options"]), guess)
        case "true_false":
            return Asked(TRUE_FALSE, frozenset({named(question.answer["value"])}), guess)
    return Asked(guess=guess)


def chosen_in(question: Question, response: JsonValue) -> tuple[str, ...]:
    """The options that a response names, each once; none where it is blank or the question has no options."""
    match question.type, response:
        case "single_choice", str():
            return (response,)
        case "multiple_choice", [*options]:
            return tuple(dict.fromkeys(options))
        case "true_false", bool():
            return (named(response),)
    return ()


def named(value: bool) -> str:
    return TRUE_FALSE[0] if value else TRUE_FALSE[1]
