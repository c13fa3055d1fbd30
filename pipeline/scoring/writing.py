"""Rules for answers that are written: numeric, short text, cloze, essay."""

from collections.abc import Mapping
from typing import Final

from pipeline.model import JsonValue, Outcome, Question
from pipeline.scoring.judgement import Verdict, graded
from pipeline.scoring.pattern import full_match
from pipeline.scoring.quantity import matches
from pipeline.scoring.similarity import similarity
from pipeline.scoring.text import comparable, fold, is_blank, tokens

DEFAULT_THRESHOLD: Final = 0.6
"""Likeness from which a similar answer is correct where the key names none (measured: docs/why.md)."""

REVIEW_BAND: Final = 0.25
"""Below the threshold by less than this, the rule is not sure enough to say incorrect."""

LONG_KEY: Final = 30
"""From this many tokens on (words, or pairs of unspaced characters) an answer may say the same in other words."""

LONG_KEY_DOUBT: Final = 0.05
"""With a long key the rule is sure enough to say incorrect only under this likeness."""


def score_numeric(question: Question, response: JsonValue) -> Verdict:
    """1 within the tolerance, else 0; a text that is no number is wrong, not malformed."""
    return graded(float(matches(question.answer, response)))


def score_short_text(question: Question, response: JsonValue) -> Verdict:
    """By equality, pattern or likeness, as the key says; see `judge_text`."""
    return judge_text(question.answer, response, question.prompt)


def score_cloze(question: Question, response: JsonValue) -> Verdict:
    """The mean over the key's blanks, each judged as a short text; an empty one counts 0.

    One blank in the uncertain band makes the whole answer `needs_review`; all correct make it correct,
    and it is incorrect where no blank is correct or partly so.
    """
    blanks = question.answer["blanks"]
    given = [*response, *[None] * (len(blanks) - len(response))]
    verdicts = [_judge_blank(key, text, question.prompt) for key, text in zip(blanks, given, strict=True)]
    fraction = sum(verdict.fraction or 0.0 for verdict in verdicts) / len(verdicts)
    return Verdict(fraction, _combined(verdicts))


def score_essay(_question: Question, _response: JsonValue) -> Verdict:
    """No rule reads an essay: it waits for a person, without an estimate."""
    return Verdict(None, Outcome.NEEDS_REVIEW)


def judge_text(key: Mapping[str, JsonValue], text: str, prompt: str) -> Verdict:
    """Correct where the text equals an accepted answer or matches the pattern in full.

    Otherwise incorrect, or with `match: similar` by likeness to the best accepted answer: correct from
    the threshold on, `needs_review` less than `REVIEW_BAND` below it, incorrect under that. Where every
    accepted answer is long, likeness says little of how right a text is, and `needs_review` reaches down to
    `LONG_KEY_DOUBT`. The fraction stays the likeness in all three.
    """
    text = fold(text, keep_case=True)
    if _equals(key, text) or _fits_pattern(key, text):
        return Verdict(1.0, Outcome.CORRECT)
    if key.get("match") != "similar":
        return Verdict(0.0, Outcome.INCORRECT)
    fraction = similarity(text, key["accepted"], prompt)
    return Verdict(fraction, _similar_outcome(fraction, key))


def _similar_outcome(fraction: float, key: Mapping[str, JsonValue]) -> Outcome:
    given = key.get("threshold")
    threshold = DEFAULT_THRESHOLD if given is None else given
    if fraction >= threshold:
        return Outcome.CORRECT
    sure = max(0.0, threshold - REVIEW_BAND)
    if LONG_KEY_DOUBT < fraction <= sure and all(len(tokens(text)) >= LONG_KEY for text in key["accepted"]):
        return Outcome.NEEDS_REVIEW
    return Outcome.NEEDS_REVIEW if fraction > sure else Outcome.INCORRECT


def _equals(key: Mapping[str, JsonValue], text: str) -> bool:
    keep_case = bool(key.get("case_sensitive"))
    written = comparable(text, keep_case=keep_case)
    return any(written == comparable(accepted, keep_case=keep_case) for accepted in key.get("accepted") or ())


def _fits_pattern(key: Mapping[str, JsonValue], text: str) -> bool:
    pattern, keep_case = key.get("pattern"), bool(key.get("case_sensitive"))
    return pattern is not None and full_match(pattern, text, keep_case=keep_case)


def _judge_blank(key: Mapping[str, JsonValue], text: str | None, prompt: str) -> Verdict:
    return Verdict(0.0, Outcome.INCORRECT) if text is None or is_blank(text) else judge_text(key, text, prompt)


def _combined(verdicts: list[Verdict]) -> Outcome:
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.NEEDS_REVIEW in outcomes:
        return Outcome.NEEDS_REVIEW
    return outcomes.pop() if len(outcomes) == 1 else Outcome.PARTIAL
