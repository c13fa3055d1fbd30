"""Which rule scores which type of question."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.model import AnswerScore, JsonValue, Outcome, Question, points_of
from pipeline.scoring.arrangement import score_matching, score_ordering
from pipeline.scoring.judgement import Verdict
from pipeline.scoring.selection import score_multiple_choice, score_single_choice, score_true_false
from pipeline.scoring.shape import check_response, is_unanswered
from pipeline.scoring.writing import score_cloze, score_essay, score_numeric, score_short_text

FRACTION_DECIMALS: Final = 6


class Rule(msgspec.Struct, frozen=True):
    """How a type of question is scored; the version changes whenever a score could."""

    version: int
    judge: Callable[[Question, JsonValue], Verdict]


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "single_choice": Rule(1, score_single_choice),
        "multiple_choice": Rule(1, score_multiple_choice),
        "true_false": Rule(1, score_true_false),
        "numeric": Rule(1, score_numeric),
        "short_text": Rule(1, score_short_text),
        "cloze": Rule(1, score_cloze),
        "ordering": Rule(1, score_ordering),
        "matching": Rule(1, score_matching),
        "essay": Rule(1, score_essay),
    }
)


def score(question: Question, response: JsonValue) -> AnswerScore:
    """What the question's rule says of a response; deterministic, bounded in time, and it never raises.

    The rule is named "type/version". An unanswered question has fraction 0, an essay included. A
    malformed response, which the door refuses before it comes here, is incorrect.
    """
    rule = RULES[question.type]
    return _valued(question, _judge(rule, question, response), f"{question.type}/{rule.version}")


def _judge(rule: Rule, question: Question, response: JsonValue) -> Verdict:
    if is_unanswered(question, response):
        return Verdict(0.0, Outcome.UNANSWERED)
    if check_response(question, response):
        return Verdict(0.0, Outcome.INCORRECT)
    return rule.judge(question, response)


def _valued(question: Question, verdict: Verdict, rule_name: str) -> AnswerScore:
    if verdict.fraction is None:
        return AnswerScore(verdict.outcome, None, None, question.points, rule_name)
    fraction = round(verdict.fraction, FRACTION_DECIMALS)
    return AnswerScore(verdict.outcome, fraction, points_of(fraction, question.points), question.points, rule_name)
