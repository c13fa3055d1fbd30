"""Paths in words: every language says everything, and titles are data."""

import string

import pytest

from pipeline.curriculum.path import recommend_path
from pipeline.curriculum.reason import ReasonCode, StepReason
from pipeline.curriculum.wording import ENGLISH, WORDS, summary, why
from tests.unit.curriculum.samples import a_curriculum, a_module, standings

NUMBERS = {"count", "hours", "week", "months"}
REASONS = [
    StepReason(ReasonCode.FOLLOWS, ("a", "b", "c", "d", "e")),
    StepReason(ReasonCode.BEGUN, mastery=0.456),
    StepReason(ReasonCode.INDUSTRY, industry="fintech"),
]


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", WORDS)
def test_every_language_says_all_that_english_says(language: str) -> None:
    words = WORDS[language]
    assert words.reasons.keys() == set(ReasonCode)
    for code, sentence in words.reasons.items():
        assert fields(sentence) == fields(ENGLISH.reasons[code]), code
    assert fields(words.summary) == NUMBERS
    assert fields(words.mastered) == {"count"}


def test_reasons_become_sentences_that_name_a_few() -> None:
    assert why(REASONS, str.upper) == (
        "It builds on: “A”, “B”, “C” and 2 more. It is already begun (46 % mastered). "
        "It matters most in your industry (fintech)."
    )
    assert why(REASONS[:1], str.upper, "ja-JP") == "次のモジュールを土台にしています：「A」、「B」、「C」ほか2個。"
    assert why(REASONS[1:2], str, "zh_TW") == "已经开始学习（掌握度46%）。"


def test_a_language_that_is_not_known_gets_english() -> None:
    assert why(REASONS, str, "fr") == why(REASONS, str, "en") == why(REASONS, str, None)


def test_a_title_is_data_and_never_a_template() -> None:
    hostile = "{0} {modules} %s {percent.__class__}"
    assert hostile in why([StepReason(ReasonCode.OPENS, ("a",))], lambda _: hostile)
    assert "{industry}" in why([StepReason(ReasonCode.INDUSTRY, industry="{industry}")], str)


def test_a_summary_tells_how_much_and_how_long() -> None:
    modules = [a_module("a", hours=0.5), a_module("b", hours=1_040), a_module("c")]
    path = recommend_path(a_curriculum(modules), "path", standings(["c"]), hours_per_week=10)
    assert summary(path) == (
        "Modules still to learn: 2. At 10 hours a week, 1,040.5 hours take about 24 months. Already mastered: 1."
    )
    done = recommend_path(a_curriculum(modules), "path", standings(["a", "b", "c"]), hours_per_week=10)
    assert summary(done, "ko") == "이 과정의 모든 모듈을 익혔습니다."
