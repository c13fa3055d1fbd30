"""Validates the answer key of each question type. Each check notes problems and returns nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from pipeline.scoring.fields import Fields
from pipeline.scoring.pattern import PatternError, program_size
from pipeline.scoring.selection import PARTIAL_MODES
from pipeline.scoring.shape import escape

MAX_OPTIONS: Final = 100
MAX_ACCEPTED: Final = 50
MAX_ACCEPTED_CHARS: Final = 5_000
MAX_KEY_CHARS: Final = 15_000
"""All accepted answers of one question together; this and the next bound the work of scoring."""

MAX_BLANKS: Final = 50
MAX_PROGRAMS_SIZE: Final = 4_000
"""All patterns of one cloze together, in compiled instructions."""

MAX_UNIT_CHARS: Final = 50
MAX_REFERENCE_CHARS: Final = 20_000
MAX_CRITERIA: Final = 50
MAX_CRITERION_CHARS: Final = 2_000

TEXT_KEY_FIELDS: Final = ("accepted", "case_sensitive", "pattern", "match", "threshold")
MATCH_MODES: Final = ("exact", "similar")


class TextKeySize(msgspec.Struct, frozen=True):
    """What a text key costs to score: characters of its accepted answers, instructions of its pattern."""

    chars: int = 0
    instructions: int = 0


def check_answer_key(question_type: str, answer: Fields, option_ids: Sequence[str]) -> None:
    """Notes everything wrong with `answer` as the key of a question of this type with these options."""
    _CHECKS[question_type](answer, option_ids)


def _check_single_choice(answer: Fields, option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("option",))
    option = answer.identifier("option")
    if option is not None and option not in option_ids:
        answer.refuse("option", "is not an option of this question")


def _check_multiple_choice(answer: Fields, option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("options", "partial"))
    answer.one_of("partial", PARTIAL_MODES)
    _refuse_strangers(answer, "options", answer.identifiers("options", MAX_OPTIONS), option_ids)


def _check_true_false(answer: Fields, _option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("value",))
    answer.flag("value", required=True)


def _check_numeric(answer: Fields, _option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("value", "tolerance", "relative_tolerance", "unit"))
    value = answer.number("value", required=True)
    answer.number("tolerance", least=0)
    relative = answer.number("relative_tolerance", least=0)
    answer.text("unit", MAX_UNIT_CHARS)
    if answer.has("tolerance") and answer.has("relative_tolerance"):
        answer.refuse("relative_tolerance", "stands beside tolerance; give one of them")
    elif relative and value == 0:
        answer.refuse("relative_tolerance", "allows nothing around 0; give a tolerance")


def _check_short_text(answer: Fields, _option_ids: Sequence[str]) -> None:
    size = _check_text_key(answer)
    if size.chars > MAX_KEY_CHARS:
        answer.refuse("accepted", f"is longer than {MAX_KEY_CHARS:,} characters altogether")


def _check_text_key(answer: Fields) -> TextKeySize:
    answer.refuse_unknown(TEXT_KEY_FIELDS)
    answer.flag("case_sensitive")
    match = answer.one_of("match", MATCH_MODES)
    pattern_is_enough = answer.has("pattern") and match != "similar"
    accepted = answer.texts("accepted", MAX_ACCEPTED, MAX_ACCEPTED_CHARS, least=0 if pattern_is_enough else 1)
    _check_threshold(answer, match)
    return TextKeySize(sum(map(len, accepted or ())), _check_pattern(answer))


def _check_threshold(answer: Fields, match: str | None) -> None:
    threshold = answer.number("threshold")
    if threshold is not None and not 0 < threshold <= 1:
        answer.refuse("threshold", "must be above 0 and at most 1")
    elif threshold is not None and match != "similar":
        answer.refuse("threshold", 'needs "match": "similar"')


def _check_pattern(answer: Fields) -> int:
    """The size of the pattern's program; 0 where there is none, or it was refused."""
    pattern = answer.text("pattern", MAX_REFERENCE_CHARS)
    if pattern is None:
        return 0
    try:
        return program_size(pattern)
    except PatternError as refused:
        answer.refuse("pattern", str(refused))
        return 0


def _check_cloze(answer: Fields, _option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("blanks",))
    blanks = answer.items("blanks", MAX_BLANKS, least=1) or []
    keys = [answer.inside(f"blanks/{index}", blank) for index, blank in enumerate(blanks)]
    sizes = [_check_text_key(key) for key in keys if key is not None]
    if sum(size.chars for size in sizes) > MAX_KEY_CHARS:
        answer.refuse("blanks", f"accept more than {MAX_KEY_CHARS:,} characters altogether")
    if sum(size.instructions for size in sizes) > MAX_PROGRAMS_SIZE:
        answer.refuse("blanks", "have patterns that are too complex altogether")


def _check_ordering(answer: Fields, option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("sequence",))
    sequence = answer.identifiers("sequence", MAX_OPTIONS, least=2)
    if not option_ids or sequence is None:
        return
    _refuse_strangers(answer, "sequence", sequence, option_ids)
    if set(option_ids) - set(sequence):
        answer.refuse("sequence", "leaves out an option of this question")


def _check_matching(answer: Fields, option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("pairs",))
    pairs = answer.object("pairs")
    if pairs is None:
        return
    if not 1 <= len(pairs.body) <= MAX_OPTIONS:
        answer.refuse("pairs", f"must have 1 to {MAX_OPTIONS} pairs")
        return
    for left, right in pairs.body.items():
        place = escape(left)
        if not (pairs.is_identifier(place, left) and pairs.is_identifier(place, right)):
            continue
        if option_ids and right not in option_ids:
            pairs.refuse(place, "is not an option of this question")


def _check_essay(answer: Fields, _option_ids: Sequence[str]) -> None:
    answer.refuse_unknown(("reference", "rubric"))
    answer.text("reference", MAX_REFERENCE_CHARS)
    rubric = answer.items("rubric", MAX_CRITERIA) or []
    criteria = [answer.inside(f"rubric/{index}", criterion) for index, criterion in enumerate(rubric)]
    seen: set[str] = set()
    for criterion in criteria:
        if criterion is not None:
            _check_criterion(criterion, seen)


def _check_criterion(criterion: Fields, seen: set[str]) -> None:
    criterion.refuse_unknown(("id", "description", "points"))
    identifier = criterion.identifier("id")
    criterion.text("description", MAX_CRITERION_CHARS, required=True)
    criterion.number("points", least=0, required=True)
    if identifier in seen:
        criterion.refuse("id", "is used by another criterion")
    if identifier is not None:
        seen.add(identifier)


def _refuse_strangers(answer: Fields, name: str, named: Sequence[str] | None, option_ids: Collection[str]) -> None:
    for index, option in enumerate(named or ()):
        if option not in option_ids:
            answer.refuse(f"{name}/{index}", "is not an option of this question")


_CHECKS: Final[Mapping[str, Callable[[Fields, Sequence[str]], None]]] = MappingProxyType(
    {
        "single_choice": _check_single_choice,
        "multiple_choice": _check_multiple_choice,
        "true_false": _check_true_false,
        "numeric": _check_numeric,
        "short_text": _check_short_text,
        "cloze": _check_cloze,
        "ordering": _check_ordering,
        "matching": _check_matching,
        "essay": _check_essay,
    }
)

QuestionType = Literal[
    "single_choice",
    "multiple_choice",
    "true_false",
    "numeric",
    "short_text",
    "cloze",
    "ordering",
    "matching",
    "essay",
]
"""What callers may name; a test holds it to `pipeline.scoring.rule.RULES`."""
QUESTION_TYPES: Final = tuple(_CHECKS)
OPTION_TYPES: Final = frozenset({"single_choice", "multiple_choice"})
"""Types that make no sense without options."""
