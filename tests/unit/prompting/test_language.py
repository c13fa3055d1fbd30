import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompting.language import select_language
from prompts.catalog import LANGUAGES


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en", "en"),
        ("ko-KR", "ko"),
        ("KO", "ko"),
        ("ja-Latn-JP-u-ca-japanese", "ja"),
        ("zh-Hans-CN", "zh"),
        ("zh-Hant-TW", "zh"),
        ("cmn-Hans", "zh"),
        ("yue-HK", "zh"),
        ("ko_KR.UTF-8", "ko"),
        (" ja ", "ja"),
    ],
)
def test_a_locale_is_served_in_its_own_language_where_we_have_it(locale: str, language: str) -> None:
    assert select_language(locale) == language


@pytest.mark.parametrize("locale", ["", "-", "pt-BR", "kok-IN", "jam", "x-ko", "i-klingon", "C.UTF-8", "한국어"])
def test_any_other_locale_is_served_in_english(locale: str) -> None:
    assert select_language(locale) == "en"


@given(st.text())
def test_no_locale_makes_it_raise(locale: str) -> None:
    assert select_language(locale) in LANGUAGES
